package syncertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// A change runs in a later batch than all it depends on; deletes in reverse.
func dependencyOrder(t *testing.T, s *Suite) {
	store := s.fresh(t)
	b := watch(store.open(t))
	e := s.engine(t, b, &tusync.Options{BatchSize: 4})
	declared := s.resources(0, 24, 1)
	batchOf := func() map[state.Key]int {
		batch := map[state.Key]int{}
		for i, changes := range b.batches {
			for _, change := range changes {
				batch[change.Key()] = i
			}
		}
		b.batches = nil
		return batch
	}
	edges := 0
	requireOrder := func(before func(r, to state.Key) (state.Key, state.Key)) {
		t.Helper()
		batch := batchOf()
		require.Len(t, batch, 24)
		for _, r := range declared {
			for _, to := range r.Edges() {
				first, second := before(r.Key, to)
				require.Less(t, batch[first], batch[second], "%s before %s", first, second)
				edges++
			}
		}
	}
	trueUp(t, e, declared, nil)
	requireOrder(func(r, to state.Key) (state.Key, state.Key) { return to, r })
	trueUp(t, e, s.resources(0, 24, 2), nil)
	requireOrder(func(r, to state.Key) (state.Key, state.Key) { return to, r })
	trueUp(t, e, nil, &tusync.PlanOptions{Prune: true, AllowEmpty: true, PruneLimit: tusync.LimitPercent(100)})
	requireOrder(func(r, to state.Key) (state.Key, state.Key) { return r, to })
	if s.usesDefaults() {
		require.Equal(t, 3*23, edges)
	}
	requireDeclared(t, store.open(t), nil)
}
