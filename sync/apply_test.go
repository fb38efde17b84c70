package sync_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

var errBoom = errors.New("boom")

func TestPromise4_AFailureIsContained(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	spy.fail["b"] = errBoom
	e := newEngine(t, spy, nil)
	desired := desire(t, "a", "b", "c>b", "d>c", "e>a", "f>e>d")
	result, err := e.Apply(t.Context(), plan(t, e, desired, &sync.PlanOptions{OnFailure: sync.KeepGoing}))
	require.Equal(t, []string{"a done", "b failed", "c blocked", "d blocked", "e done", "f blocked"}, ends(result))
	require.Equal(t, 6, result.Count(sync.Done)+result.Count(sync.Failed)+result.Count(sync.Blocked)+result.Count(sync.NotAttempted))

	var all *multierror.Error
	require.ErrorAs(t, err, &all)
	require.Len(t, all.Errors, 1, "what is blocked is no error of its own")
	require.ErrorIs(t, err, errBoom)
	var api sync.SyncAPIErr
	require.ErrorAs(t, err, &api)
	require.Equal(t, "thing/b", api.Resource)
	require.EqualError(t, api, "unable to sync thing/b - boom")
	require.Equal(t, err, result.Err())
	var blocked *sync.BlockedError
	require.ErrorAs(t, result.Changes[3].Err, &blocked)
	require.Equal(t, key("b"), blocked.By)

	// What was done is recorded, and the next run does only what is missing.
	require.Len(t, recordsIn(t, spy), 2)
	delete(spy.fail, "b")
	spy.batches = nil
	syncAll(t, e, desired, nil)
	require.Equal(t, [][]string{{"create b"}, {"create c"}, {"create d"}, {"create f"}}, spy.batches)
}

func TestPromise4_StopAtFirst(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	spy.fail["b"] = errBoom
	e := newEngine(t, spy, &sync.Options{BatchSize: 2})
	result, err := e.Apply(t.Context(), plan(t, e, desire(t, "a", "b", "c", "d>b", "e"), &sync.PlanOptions{OnFailure: sync.StopAtFirst}))
	require.ErrorIs(t, err, errBoom)
	require.Equal(t, []string{"a done", "b failed", "c not attempted", "d blocked", "e not attempted"}, ends(result))
	require.Len(t, recordsIn(t, spy), 1)
}

func TestPromise4_AllOrNothingIsTheDefault(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	e := newEngine(t, spy, &sync.Options{BatchSize: 1})
	syncAll(t, e, desire(t, "x", "y=1"), nil)
	require.Equal(t, int32(1), spy.commits.Load(), "one commit, however many batches")
	spy.fail["c"] = errBoom
	result, err := e.Apply(t.Context(), plan(t, e, desire(t, "a", "b", "c", "d>c", "y=2"), nil))
	require.ErrorIs(t, err, errBoom)
	require.Equal(t, []string{"a not attempted", "b not attempted", "c failed", "d blocked", "x not attempted", "y not attempted"}, ends(result))
	require.Equal(t, int64(1), result.Head.Serial)
	require.Equal(t, []string{"x", "y"}, names(result.Records()))
	require.Empty(t, result.Orphans())
	require.Empty(t, result.Changes[0].ID)
	head, err := spy.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), head.Serial)
}

func TestPromise4_ACommitThatFailsTakesBackItsBatch(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	spy.failCommit = func(serial int64) error {
		if serial == 2 {
			return errBoom
		}
		return nil
	}
	e := newEngine(t, spy, &sync.Options{BatchSize: 2})
	result, err := e.Apply(t.Context(), plan(t, e, desire(t, "a", "b", "c", "d", "e"), &sync.PlanOptions{OnFailure: sync.KeepGoing}))
	require.ErrorIs(t, err, errBoom)
	var internal sync.SyncInternalErr
	require.ErrorAs(t, err, &internal)
	require.Equal(t, []string{"a done", "b done", "c failed", "d failed", "e not attempted"}, ends(result))
	require.Equal(t, []string{"a", "b"}, names(result.Records()))
	require.Equal(t, int64(1), result.Head.Serial)
	spy.failCommit = nil
	syncAll(t, e, desire(t, "a", "b", "c", "d", "e"), nil)
	require.Len(t, recordsIn(t, spy), 5)
}

func TestPromise1_StaleSaysWhatMoved(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	e := newEngine(t, spy, nil)
	syncAll(t, e, desire(t, "a=1", "b=1", "z"), nil)
	stale := plan(t, e, desire(t, "a=2", "b=2", "c", "d"), nil)
	syncAll(t, e, desire(t, "a=3", "b=1", "c", "d"), nil) // somebody else
	before, err := spy.Head(t.Context())
	require.NoError(t, err)
	result, err := e.Apply(t.Context(), stale)
	require.Nil(t, result)
	require.ErrorIs(t, err, sync.ErrStale)
	var moved *sync.StaleError
	require.ErrorAs(t, err, &moved)
	require.Equal(t, []string{"thing/a was changed", "thing/c: create is no longer due", "thing/d: create is no longer due", "thing/z: orphan is no longer due"}, moved.Moved)
	require.Equal(t, int64(1), moved.PlannedSerial)
	require.Equal(t, int64(2), moved.Serial)
	after, err := spy.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing was touched")
	require.Equal(t, spy.begins.Load(), spy.closes.Load(), "the lease was given back")
}

func TestPromise1_TheSameChangesGoAhead(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a=1", "b=1"), nil)
	p := plan(t, e, desire(t, "a=2", "b=1", "c"), nil)
	syncAll(t, e, desire(t, "a=1", "b=1", "x"), nil)
	syncAll(t, e, desire(t, "a=1", "b=1"), &sync.PlanOptions{Prune: true}) // x came and went
	result, err := e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, int64(4), result.Head.Serial)
	_, err = e.Apply(t.Context(), p) // a plan is applied once
	require.ErrorIs(t, err, sync.ErrStale)
}

func TestPromise6_LockedSaysByWhom(t *testing.T) {
	t.Parallel()
	store := syncertest.NewMemory(scope())
	e := newEngine(t, store, &sync.Options{Owner: "laptop"})
	other := newSpy()
	other.Backend = store
	entered, leave := make(chan struct{}), make(chan struct{})
	other.onApply = func(context.Context) { close(entered); <-leave }
	holder := newEngine(t, other, &sync.Options{Owner: "ci"})
	done := make(chan error, 1)
	p := plan(t, holder, desire(t, "a"), &sync.PlanOptions{By: "ann"})
	go func() {
		_, err := holder.Apply(t.Context(), p)
		done <- err
	}()
	<-entered
	atOnce, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := e.Apply(atOnce, plan(t, e, desire(t, "b"), nil))
	require.ErrorIs(t, err, sync.ErrLocked)
	require.NotErrorIs(t, err, context.DeadlineExceeded, "it waited unasked")
	require.True(t, sync.Retryable(err))
	var locked *sync.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, "ann (ci)", locked.Owner)
	waiting := plan(t, e, desire(t, "b"), &sync.PlanOptions{Wait: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = e.Apply(ctx, waiting)
	require.ErrorIs(t, err, sync.ErrLocked)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	close(leave)
	require.NoError(t, <-done)
	_, err = e.Apply(t.Context(), plan(t, e, desire(t, "a", "b"), &sync.PlanOptions{Wait: true}))
	require.NoError(t, err)
}

func TestPromise6_WhoLosesTheLeaseIsCancelledAndCantCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		backend := &losing{spy: spy}
		spy.onApply = func(ctx context.Context) { <-ctx.Done() } // until the lease is gone
		e := newEngine(t, backend, nil)
		began := time.Now()
		result, err := e.Apply(t.Context(), plan(t, e, desire(t, "a", "b>a"), nil))
		require.ErrorIs(t, err, sync.ErrLeaseLost)
		require.Less(t, time.Since(began), sync.LeaseTTL)
		require.Zero(t, result.Count(sync.Done))
		require.Zero(t, spy.commits.Load())
	})
}

// losing is a backend whose first renewals fail, and then the lease is lost.
type losing struct{ *spy }

func (l *losing) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	tx, head, err := l.spy.Begin(ctx, owner)
	return &losingTx{Tx: tx}, head, err
}

type losingTx struct {
	sync.Tx
	renewals int
}

func (tx *losingTx) Renew(context.Context) (time.Time, error) {
	if tx.renewals++; tx.renewals < 3 {
		return time.Time{}, errBoom
	}
	return time.Time{}, sync.ErrLeaseLost
}

func TestPromise6_ALongApplyKeepsItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		spy.onApply = func(context.Context) {
			timer := time.NewTimer(10 * sync.LeaseTTL)
			<-timer.C
		}
		e := newEngine(t, spy, nil)
		syncAll(t, e, desire(t, "a"), nil)
	})
}

func TestPromise11_OnCancelNothingNewStartsAndWhatWasDoneIsRecorded(t *testing.T) {
	t.Parallel()
	for _, mode := range []sync.FailureMode{sync.KeepGoing, sync.AllOrNothing} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			spy := newSpy()
			ctx, cancel := context.WithCancelCause(t.Context())
			spy.onApply = func(work context.Context) {
				if spy.applies.Load() == 2 {
					cancel(errBoom)
				}
				require.NoError(t, work.Err(), "what is under way gets its grace")
			}
			e := newEngine(t, spy, &sync.Options{BatchSize: 1})
			result, err := e.Apply(ctx, plan(t, e, desire(t, "a", "b", "c", "d"), &sync.PlanOptions{OnFailure: mode}))
			require.ErrorIs(t, err, errBoom)
			want := []string{"a done", "b done", "c not attempted", "d not attempted"}
			if mode == sync.AllOrNothing {
				want = []string{"a not attempted", "b not attempted", "c not attempted", "d not attempted"}
			}
			require.Equal(t, want, ends(result))
			require.Len(t, recordsIn(t, spy), result.Count(sync.Done))
			require.Equal(t, spy.begins.Load(), spy.closes.Load())
		})
	}
}

func TestPromise11_GraceEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spy := newSpy()
		ctx, cancel := context.WithCancel(t.Context())
		spy.onApply = func(work context.Context) {
			cancel()
			<-work.Done() // hangs until it is told to end
		}
		e := newEngine(t, spy, &sync.Options{Grace: 3 * time.Second})
		began := time.Now()
		_, err := e.Apply(ctx, plan(t, e, desire(t, "a"), nil))
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestPromise11_EveryStepIsAnEventInOrder(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	spy.fail["b"] = errBoom
	var got []string
	e := newEngine(t, spy, &sync.Options{OnEvent: func(ev sync.Event) {
		require.Equal(t, len(got)+1, ev.Seq)
		text := string(ev.Type)
		if !ev.Key.IsZero() {
			text += " " + ev.Key.Name + " " + string(ev.Status)
		}
		got = append(got, fmt.Sprintf("%s %d/%d", strings.TrimSpace(text), ev.Done, ev.Total))
		raw, err := ev.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, ev.Err != nil, strings.Contains(string(raw), `"error"`))
	}})
	_, err := e.Apply(t.Context(), plan(t, e, desire(t, "a", "b", "c>b", "d>a"), &sync.PlanOptions{OnFailure: sync.KeepGoing}))
	require.Error(t, err)
	require.Equal(t, []string{
		"begin 0/4", "start a 0/4", "start b 0/4", "end b failed 1/4", "end c blocked 2/4", "start d 2/4",
		"commit 2/4", "end a done 3/4", "end d done 4/4", "finish 4/4",
	}, got)
}

func TestRecordsAreWhatWasDeclared(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), &sync.Options{Now: func() time.Time { return time.Unix(1700000000, 0) }})
	desired := desire(t, "a=1", "b>a")
	desired.Revision = "abc123"
	first := syncAll(t, e, desired, &sync.PlanOptions{By: "ann"})
	require.Equal(t, "abc123", first.Head.Revision)
	require.Equal(t, "ann", first.Head.By)
	require.Equal(t, time.Unix(1700000000, 0).UTC(), first.Head.When)
	require.Equal(t, 2, first.Head.Records)
	before := recordsIn(t, e.Backend())
	require.Equal(t, []state.Key{key("a")}, before["b"].After)
	second := syncAll(t, e, desire(t, "a=2", "b>a"), nil)
	after := recordsIn(t, e.Backend())
	require.Equal(t, before["a"].ID, after["a"].ID)
	require.NotEqual(t, before["a"].ConfigID, after["a"].ConfigID, "it changes when the declaration does")
	require.Equal(t, before["b"], after["b"])
	require.NotEqual(t, first.Head.ConfigID, second.Head.ConfigID)
	syncAll(t, e, desire(t, "a=2"), &sync.PlanOptions{Prune: true})
	again := syncAll(t, e, desire(t, "a=2", "b>a"), nil)
	require.NotEqual(t, before["b"].ID, again.Records()[1].ID, "another incarnation")
}

func TestTheSnapshotsIDDoesNotDependOnTheNumberOfCommits(t *testing.T) {
	t.Parallel()
	snapshot := func(batch int) string {
		e := newEngine(t, newSpy(), &sync.Options{BatchSize: batch})
		return syncAll(t, e, desire(t, "a", "b", "c"), &sync.PlanOptions{OnFailure: sync.KeepGoing}).Head.ConfigID
	}
	require.Equal(t, snapshot(1), snapshot(3))
}

func TestResultOfAnUnchangedSyncHoldsRecordsIfAsked(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a", "b"), nil)
	require.Nil(t, syncAll(t, e, desire(t, "a", "b"), nil).Records())
	require.Equal(t, []string{"a", "b"}, names(syncAll(t, e, desire(t, "a", "b"), &sync.PlanOptions{Records: true}).Records()))
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	memory := syncertest.NewMemory(scope())
	for message, make := range map[string]func() (*sync.Engine, error){
		"the backend is nil":      func() (*sync.Engine, error) { return sync.New(nil, kinds(), nil) },
		"Options.BatchSize is -1": func() (*sync.Engine, error) { return sync.New(memory, kinds(), &sync.Options{BatchSize: -1}) },
		"Options.Grace is -1ns":   func() (*sync.Engine, error) { return sync.New(memory, kinds(), &sync.Options{Grace: -1}) },
		`kind "x" is defined twice`: func() (*sync.Engine, error) {
			return sync.New(memory, sync.Kinds(sync.Kind{Name: "x"}, sync.Kind{Name: "x"}), nil)
		},
		`want a lower-case letter`: func() (*sync.Engine, error) { return sync.New(memory, sync.Kinds(sync.Kind{Name: "X"}), nil) },
	} {
		_, err := make()
		require.ErrorContains(t, err, message)
	}
	e := newEngine(t, memory, nil)
	_, err := e.Apply(t.Context(), nil)
	require.ErrorContains(t, err, "the plan is not one for acme/shop")
}
