package syncertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// What left the declaration stays on the books: over later syncs, over failures,
// in every result, until it is declared again, as the same thing.
func orphansStay(t *testing.T, s *Suite) {
	store := s.fresh(t)
	e := s.engine(t, store.open(t), nil)
	trueUp(t, e, s.resources(0, 8, 1), nil)
	before := byKey(collect(t, store.open(t)))
	left := keysOf(s.resources(5, 8, 1))
	for version := 1; version <= 3; version++ {
		result := trueUp(t, s.engine(t, store.open(t), nil), s.resources(0, 5, version), nil)
		require.Equal(t, left, keysOfRecords(result.Orphans()))
		requireDeclared(t, store.open(t), s.resources(0, 5, version), left...)
	}
	failed := s.engine(t, failing(store.open(t), s.Resource(0, 1).Key, errRefused()), nil)
	_, err := failed.Apply(t.Context(), plan(t, failed, s.resources(0, 5, 4), &tusync.PlanOptions{OnFailure: tusync.KeepGoing}))
	require.Error(t, err)
	unchanged := trueUp(t, s.engine(t, store.open(t), nil), s.resources(0, 5, 3), nil)
	require.Equal(t, left, keysOfRecords(unchanged.Orphans()), "a run that changes nothing tells of them too")

	trueUp(t, s.engine(t, store.open(t), nil), append(s.resources(0, 5, 3), s.Resource(6, 2)), nil)
	requireDeclared(t, store.open(t), append(s.resources(0, 5, 3), s.Resource(6, 2)), left[0], left[2])
	for key, record := range byKey(collect(t, store.open(t))) {
		require.Equal(t, before[key].ID, record.ID, "%s is another thing now", key)
	}
}

func keysOfRecords(records []state.Record) []state.Key {
	var keys []state.Key
	for _, r := range records {
		keys = append(keys, r.Key)
	}
	return keys
}

func nothingIsDeletedUnasked(t *testing.T, s *Suite) {
	store := s.fresh(t)
	e := s.engine(t, store.open(t), nil)
	trueUp(t, e, s.resources(0, 8, 1), nil)
	trueUp(t, e, nil, nil)
	requireDeclared(t, store.open(t), nil, keysOf(s.resources(0, 8, 1))...)
	trueUp(t, e, s.resources(0, 6, 1), nil)
	requireDeclared(t, store.open(t), s.resources(0, 6, 1), keysOf(s.resources(6, 8, 1))...)
	trueUp(t, e, s.resources(0, 6, 1), &tusync.PlanOptions{Prune: true})
	requireDeclared(t, store.open(t), s.resources(0, 6, 1))
	require.Empty(t, plan(t, e, s.resources(0, 6, 1), &tusync.PlanOptions{Prune: true}).Changes)
}

func pruningHasALimit(t *testing.T, s *Suite) {
	store := s.fresh(t)
	e := s.engine(t, store.open(t), nil)
	trueUp(t, e, s.resources(0, 20, 1), nil)
	_, err := e.Plan(t.Context(), &tusync.Desired{Resources: s.resources(0, 5, 1)}, &tusync.PlanOptions{Prune: true})
	require.ErrorIs(t, err, tusync.ErrPruneLimit)
	_, err = e.Plan(t.Context(), &tusync.Desired{}, &tusync.PlanOptions{Prune: true, PruneLimit: tusync.LimitPercent(100)})
	require.ErrorIs(t, err, tusync.ErrEmptyDeclaration)
	requireDeclared(t, store.open(t), s.resources(0, 20, 1))
	trueUp(t, e, s.resources(0, 5, 1), &tusync.PlanOptions{Prune: true, PruneLimit: tusync.LimitCount(15)})
	requireDeclared(t, store.open(t), s.resources(0, 5, 1))
}

// To forget drops the record, and nothing else: no change reaches the backend's
// own store.
func forgotten(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := watch(store.open(t))
	e := s.engine(t, b, nil)
	trueUp(t, e, s.resources(0, 8, 1), nil)
	trueUp(t, e, s.resources(0, 6, 1), nil)
	b.batches = nil
	trueUp(t, e, s.resources(0, 6, 1), &tusync.PlanOptions{Forget: []state.Key{s.Resource(7, 1).Key}})
	require.Empty(t, b.batches)
	requireDeclared(t, store.open(t), s.resources(0, 6, 1), s.Resource(6, 1).Key)
}
