package syncertest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func errRefused() error { return errors.New("refused by the test") }

// failing makes the changes of one key fail.
func failing(b tusync.Backend, key state.Key, err error) *watched {
	w := watch(b)
	w.outcome = func(change diff.Change) error {
		if change.Key() == key {
			return err
		}
		return nil
	}
	return w
}

// What depended on a failure is blocked; the rest goes on, and what was done is
// recorded. The next run does what is missing.
func failureIsContained(t *testing.T, s *Suite) {
	store := s.fresh(t)
	declared, refused := s.resources(0, 12, 1), errRefused()
	key := declared[2].Key
	e := s.engine(t, failing(store.open(t), key, refused), &tusync.Options{BatchSize: 3})
	result, err := e.Apply(t.Context(), plan(t, e, declared, &tusync.PlanOptions{OnFailure: tusync.KeepGoing}))
	require.ErrorIs(t, err, refused)
	var api tusync.SyncAPIErr
	require.ErrorAs(t, err, &api)
	require.Equal(t, key.String(), api.Resource)
	requireOneEndEach(t, result)
	require.Equal(t, 1, result.Count(tusync.Failed))

	recorded := byKey(collect(t, store.open(t)))
	require.Len(t, recorded, result.Count(tusync.Done))
	ended := map[state.Key]tusync.Status{}
	for _, change := range result.Changes {
		ended[change.Change.Key()] = change.Status
		_, ok := recorded[change.Change.Key()]
		require.Equal(t, change.Status == tusync.Done, ok, "%s is %s", change.Change.Key(), change.Status)
	}
	require.Equal(t, tusync.Failed, ended[key])
	for _, r := range declared {
		for _, to := range r.Edges() {
			if ended[to] != tusync.Done {
				require.Equal(t, tusync.Blocked, ended[r.Key], "%s depends on %s", r.Key, to)
			}
		}
	}
	again := trueUp(t, s.engine(t, store.open(t), nil), declared, nil)
	require.Len(t, again.Changes, len(declared)-len(recorded))
	requireDeclared(t, store.open(t), declared)
	for key, record := range recorded {
		require.Equal(t, record.ID, byKey(collect(t, store.open(t)))[key].ID)
	}
}

func allOrNothing(t *testing.T, s *Suite) {
	store := s.fresh(t)
	declared, refused := s.resources(0, 12, 1), errRefused()
	for _, before := range [][]state.Resource{nil, s.resources(0, 6, 2)} {
		if before != nil {
			trueUp(t, s.engine(t, store.open(t), nil), before, nil)
		}
		e := s.engine(t, failing(store.open(t), declared[7].Key, refused), &tusync.Options{BatchSize: 3})
		result, err := e.Apply(t.Context(), plan(t, e, declared, nil))
		require.ErrorIs(t, err, refused)
		requireOneEndEach(t, result)
		require.Zero(t, result.Count(tusync.Done))
		requireDeclared(t, store.open(t), before)
	}
	trueUp(t, s.engine(t, store.open(t), nil), declared, nil)
	requireDeclared(t, store.open(t), declared)
}

func commitFails(t *testing.T, s *Suite) {
	store := s.fresh(t)
	before := s.resources(0, 6, 1)
	trueUp(t, s.engine(t, store.open(t), nil), before, nil)
	refused := errRefused()
	for _, mode := range []tusync.FailureMode{tusync.AllOrNothing, tusync.KeepGoing, tusync.StopAtFirst} {
		if mode == tusync.AllOrNothing && s.lacks(AllOrNothing) {
			continue
		}
		b := watch(store.open(t))
		b.on = func(call string) error {
			if call == "Commit" {
				return refused
			}
			return nil
		}
		e := s.engine(t, b, &tusync.Options{BatchSize: 2})
		result, err := e.Apply(t.Context(), plan(t, e, s.resources(0, 12, 2), &tusync.PlanOptions{OnFailure: mode}))
		require.ErrorIs(t, err, refused)
		requireOneEndEach(t, result)
		require.Zero(t, result.Count(tusync.Done))
		requireDeclared(t, store.open(t), before)
	}
	trueUp(t, s.engine(t, store.open(t), nil), s.resources(0, 12, 2), nil)
	requireDeclared(t, store.open(t), s.resources(0, 12, 2))
}
