package syncertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func headTests() []test {
	return []test{
		{name: "OfNothing", run: headOfNothing},
		{name: "TellsTheLastCommit", run: headTellsTheLastCommit},
		{name: "TokenIsThatOfTheCommit", run: tokenIsThatOfTheCommit},
		{name: "ScopeIsTheOneAskedFor", run: scopeIsTheOneAskedFor},
	}
}

// A scope in which nothing was ever recorded has Serial 0 and no roots; to look
// at it makes nothing.
func headOfNothing(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := store.open(t)
	for range 2 {
		head, err := b.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, store.scope, head.Scope)
		require.Zero(t, head.Serial)
		require.True(t, head.Root.IsZero() && head.Declared.IsZero(), "nothing has roots")
		require.Zero(t, head.Records+head.Orphans+head.Pending)
		require.Empty(t, collect(t, b))
	}
	tx, begun := store.begin(t, b)
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, jsonOf(t, head), jsonOf(t, begun))
	require.Equal(t, head.Token, begun.Token)
	require.NoError(t, tx.Close(t.Context()))
	newModel(store.scope).matches(t, store, store.open(t))
}

// Every field of a head comes back, through the handle that wrote it and through
// another.
func headTellsTheLastCommit(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	m.sync(t, store, b, s.resources(0, 3, 1))
	m.matches(t, store, b)
	m.matches(t, store, store.open(t))

	tx, _ := store.begin(t, b)
	records := m.records
	orphan, pending := records[0], records[1]
	orphan.Orphaned = true
	pending.Pending = []state.Pending{{Op: "update", Serial: 2, Checksum: pending.Checksum}}
	delta := m.record(t, []state.Record{orphan, pending})
	require.Equal(t, []int{3, 1, 1}, []int{delta.Head.Records, delta.Head.Orphans, delta.Head.Pending})
	m.commit(t, tx, delta)
	require.NoError(t, tx.Close(t.Context()))
	m.matches(t, store, b)
	m.matches(t, store, store.open(t))
}

// Equal tokens mean that nothing was recorded in between, whoever asks; not even
// if the records are again what they were.
func tokenIsThatOfTheCommit(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b, m := store.open(t), newModel(scope())
	seen := map[state.Token]int64{}
	for serial := int64(0); serial < 4; serial++ {
		if serial > 0 {
			m.sync(t, store, b, s.resources(0, 1, int(serial)%2))
		}
		other := store.open(t)
		tx, begun := store.begin(t, other)
		require.NoError(t, tx.Close(t.Context()))
		require.NotContains(t, seen, begun.Token, "the token of another serial")
		seen[begun.Token] = serial
		for _, handle := range []tusync.Backend{b, b, other, store.open(t)} {
			head, err := handle.Head(t.Context())
			require.NoError(t, err)
			require.Equal(t, begun.Token, head.Token)
		}
	}
}

func scopeIsTheOneAskedFor(t *testing.T, s *Suite) {
	store := s.fresh(t)
	require.Equal(t, store.scope, store.open(t).Scope())
}
