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
