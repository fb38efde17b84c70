package syncertest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	tusync "github.com/trueup-go/trueup/sync"
)

// A second Apply gets ErrLocked, which says who; or it waits, as asked.
func oneWriter(t *testing.T, s *Suite) {
	store := s.fresh(t)
	tx, _, err := store.open(t).Begin(t.Context(), "the first")
	require.NoError(t, err)
	declared := s.resources(0, 4, 1)
	e := s.engine(t, store.open(t), nil)
	_, err = e.Apply(t.Context(), plan(t, e, declared, nil))
	require.ErrorIs(t, err, tusync.ErrLocked)
	require.True(t, tusync.Retryable(err))
	require.ErrorContains(t, err, "the first")
	requireDeclared(t, store.open(t), nil)

	b := watch(store.open(t))
	tried := make(chan struct{}, 100)
	b.on = func(call string) error {
		if call == "Begin" {
			tried <- struct{}{}
		}
		return nil
	}
	waiting := s.engine(t, b, nil)
	p := plan(t, waiting, declared, &tusync.PlanOptions{Wait: true})
	ctx, cancel := context.WithTimeout(t.Context(), 2*tusync.LeaseTTL)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := waiting.Apply(ctx, p)
		done <- err
	}()
	<-tried
	<-tried // once more: the first try was in vain
	require.NoError(t, tx.Close(t.Context()))
	require.NoError(t, <-done)
	requireDeclared(t, store.open(t), declared)
}

// A holder that lost the lease in the middle of its work can't commit; what the
// next one does stands.
func lostLease(t *testing.T, s *Suite) {
	store := s.fresh(t)
	trueUp(t, s.engine(t, store.open(t), nil), s.resources(0, 4, 1), nil)
	others := s.resources(0, 6, 2)
	b := watch(store.open(t))
	b.on = func(call string) error {
		if call == "Commit" {
			b.on = nil
			s.Lapse(t, store.address)
			trueUp(t, s.engine(t, store.open(t), nil), others, nil)
		}
		return nil
	}
	slow := s.engine(t, b, &tusync.Options{BatchSize: 2})
	result, err := slow.Apply(t.Context(), plan(t, slow, s.resources(0, 9, 3), &tusync.PlanOptions{OnFailure: tusync.KeepGoing}))
	require.ErrorIs(t, err, tusync.ErrLeaseLost)
	requireOneEndEach(t, result)
	require.Zero(t, result.Count(tusync.Done))
	requireDeclared(t, store.open(t), others)
	trueUp(t, slow, s.resources(0, 9, 3), nil)
	requireDeclared(t, store.open(t), s.resources(0, 9, 3))
}
