package syncertest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

func declaredTests() []test {
	return []test{
		{name: "HitsAndMisses", run: declaredHitsAndMisses, needs: Declarations},
		{name: "ThroughoutALongLife", run: declaredThroughoutALongLife, needs: Declarations},
		{name: "OfPendingWork", run: declaredOfPendingWork, needs: Declarations},
		{name: "OrUnsupported", run: declaredOrUnsupported},
	}
}

// What is recorded is found by its checksum; what is not is not in the map, and
// no error.
func declaredHitsAndMisses(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	never := state.Sum([]byte("never declared"))
	ask := func(sums ...state.Checksum) map[state.Checksum]state.Resource {
		t.Helper()
		found, err := b.Declared(t.Context(), sums)
		require.NoError(t, err)
		return found
	}
	require.Empty(t, ask(never))
	m.sync(t, store, b, s.resources(0, 5, 1))
	m.matches(t, store, b)
	require.Empty(t, ask())
	require.Empty(t, ask(never, state.Checksum{}))

	want := s.Resource(3, 1)
	sum, err := want.Checksum()
	require.NoError(t, err)
	found := ask(never, sum, sum)
	require.Len(t, found, 1)
	require.Equal(t, jsonOf(t, want), jsonOf(t, found[sum]))
	again := found[sum]
	got, err := again.Checksum()
	require.NoError(t, err)
	require.Equal(t, sum, got)
}

// Whatever is updated, dropped and recorded again: what a record names by its
// checksum can be had.
func declaredThroughoutALongLife(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	for version := 1; version <= 12; version++ {
		m.sync(t, store, b, s.resources(0, 8, version), s.Resource(8+version%2, version).Key)
		m.sync(t, store, b, s.resources(8, 10, version%3))
		m.matches(t, store, b)
		m.matches(t, store, store.open(t))
	}
}

// What pending work is about can be had, although no record is of it yet.
func declaredOfPendingWork(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(0, 6, 1))
	intended := s.Resource(2, 2)
	sum, err := intended.Checksum()
	require.NoError(t, err)
	record := m.records[2]
	record.Pending = []state.Pending{{Op: "update", Serial: 2, Checksum: sum}}
	tx, _ := store.begin(t, b)
	delta := m.record(t, []state.Record{record})
	delta.Declared = []state.Resource{intended}
	m.commit(t, tx, delta)
	require.NoError(t, tx.Close(t.Context()))

	var others []state.Key
	for _, r := range m.records {
		if r.Key != record.Key {
			others = append(others, r.Key)
		}
	}
	m.sync(t, store, b, nil, others...)
	found, err := store.open(t).Declared(t.Context(), []state.Checksum{sum})
	require.NoError(t, err)
	require.Equal(t, jsonOf(t, intended), jsonOf(t, found[sum]))
	m.matches(t, store, b)
}

func declaredOrUnsupported(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := store.open(t)
	_, err := b.Declared(t.Context(), []state.Checksum{state.Sum(nil)})
	if s.lacks(Declarations) {
		require.ErrorIs(t, err, errors.ErrUnsupported)
		return
	}
	require.NoError(t, err)
}
