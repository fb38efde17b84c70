package syncertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func planHasNoSideEffects(t *testing.T, s *Suite) {
	store := s.fresh(t)
	trueUp(t, s.engine(t, store.open(t), nil), s.resources(0, 8, 1), nil)
	b := watch(store.open(t))
	before, err := b.Head(t.Context())
	require.NoError(t, err)
	b.take()

	declared := append(s.resources(0, 3, 1), s.resources(3, 6, 2)...)
	var digests []state.Checksum
	for range 2 {
		p := plan(t, s.engine(t, b, nil), declared, &tusync.PlanOptions{Prune: true})
		require.Len(t, p.Changes, 5)
		digest, err := p.Digest()
		require.NoError(t, err)
		digests = append(digests, digest)
	}
	for _, call := range b.take() {
		require.Contains(t, []string{"Head", "Records", "Declared"}, call)
	}
	again := plan(t, s.engine(t, store.open(t), nil), declared, &tusync.PlanOptions{Prune: true})
	digest, err := again.Digest()
	require.NoError(t, err)
	require.Equal(t, digests[0], digest, "another process plans something else")
	require.Equal(t, digests[0], digests[1])

	after, err := b.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Token, after.Token)
	requireDeclared(t, b, s.resources(0, 8, 1))
}

func applyDoesThePlan(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := store.open(t)
	e := s.engine(t, b, nil)
	trueUp(t, e, s.resources(0, 8, 1), nil)
	declared := append(s.resources(0, 3, 1), s.resources(3, 7, 2)...)
	declared = append(declared, s.resources(8, 10, 1)...)
	p := plan(t, e, declared, nil)
	require.Equal(t, map[state.Key]diff.Op{
		s.Resource(3, 1).Key: diff.OpUpdate, s.Resource(4, 1).Key: diff.OpUpdate, s.Resource(5, 1).Key: diff.OpUpdate,
		s.Resource(6, 1).Key: diff.OpUpdate, s.Resource(7, 1).Key: diff.OpOrphan,
		s.Resource(8, 1).Key: diff.OpCreate, s.Resource(9, 1).Key: diff.OpCreate,
	}, opsOf(p))
	result, err := e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, len(p.Changes), result.Count(tusync.Done))
	requireDeclared(t, store.open(t), declared, s.Resource(7, 1).Key)
	require.True(t, plan(t, e, declared, nil).IsEmpty())
}

func stalePlan(t *testing.T, s *Suite) {
	store := s.fresh(t)
	e := s.engine(t, store.open(t), nil)
	trueUp(t, e, s.resources(0, 4, 1), nil)
	p := plan(t, e, s.resources(0, 4, 2), nil)
	moved := append(s.resources(0, 3, 1), s.resources(3, 4, 3)...)
	trueUp(t, s.engine(t, store.open(t), nil), moved, nil)
	before, err := store.open(t).Head(t.Context())
	require.NoError(t, err)

	_, err = e.Apply(t.Context(), p)
	require.ErrorIs(t, err, tusync.ErrStale)
	require.ErrorContains(t, err, s.Resource(3, 1).String(), "it says what moved")
	after, err := store.open(t).Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Token, after.Token)
	requireDeclared(t, store.open(t), moved)
	trueUp(t, e, s.resources(0, 4, 2), nil) // the lease was given back
}

func planThatStillHolds(t *testing.T, s *Suite) {
	store := s.fresh(t)
	e := s.engine(t, store.open(t), nil)
	declared := s.resources(0, 4, 1)
	trueUp(t, e, declared, nil)
	p := plan(t, e, append(declared, s.Resource(4, 1)), nil)
	// Somebody records again what is recorded already.
	m, tx := s.modelOf(t, store)
	delta := m.put(t, nil)
	delta.Head.Kinds = nil
	m.commit(t, tx, delta)
	require.NoError(t, tx.Close(t.Context()))
	result, err := e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.EqualValues(t, 3, result.Head.Serial)
	requireDeclared(t, store.open(t), append(declared, s.Resource(4, 1)))
}

// modelOf returns a model of what is recorded, and a Tx to go on from there.
func (s *Suite) modelOf(t *testing.T, store *store) (*model, tusync.Tx) {
	t.Helper()
	b := store.open(t)
	tx, head := store.begin(t, b)
	m := newModel(store.scope)
	m.head, m.records = head, collect(t, b)
	return m, tx
}
