package sync_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func TestPromise7_APruneThatFailsLeavesAnOrphan(t *testing.T) {
	t.Parallel()
	for _, mode := range []sync.FailureMode{sync.KeepGoing, sync.StopAtFirst} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			spy := newSpy()
			e := newEngine(t, spy, nil)
			syncAll(t, e, desire(t, "a", "b", "c>b", "d"), nil)
			spy.fail["c"] = errBoom
			result, err := e.Apply(t.Context(), plan(t, e, desire(t, "a"), &sync.PlanOptions{Prune: true, OnFailure: mode}))
			require.ErrorIs(t, err, errBoom)
			require.Equal(t, []string{"b", "c"}, names(result.Orphans()))
			require.Equal(t, 2, result.Head.Orphans)
			require.Equal(t, []string{"b", "c"}, names(syncAll(t, e, desire(t, "a"), nil).Orphans()), "in every later result")
			delete(spy.fail, "c")
			require.Empty(t, syncAll(t, e, nil, &sync.PlanOptions{Prune: true}).Orphans())
		})
	}
}

func TestPromise7_TheLimitCountsWhatWasOrphanedBefore(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	var all []string
	for i := range 40 {
		all = append(all, fmt.Sprintf("n%02d", i))
	}
	syncAll(t, e, desire(t, all...), nil)
	syncAll(t, e, desire(t, all[:20]...), nil) // twenty orphans
	_, err := e.Plan(t.Context(), desire(t, all[:20]...), &sync.PlanOptions{Prune: true})
	require.ErrorIs(t, err, sync.ErrPruneLimit)
	_, err = e.Plan(t.Context(), nil, &sync.PlanOptions{Prune: true})
	require.ErrorIs(t, err, sync.ErrPruneLimit, "without a declaration too")
}

func TestPromise7_WhatIsProtectedOrOfAnUnknownKindIsNotPruned(t *testing.T) {
	t.Parallel()
	memory := syncertest.NewMemory(scope())
	e := newEngine(t, memory, nil)
	syncAll(t, e, desire(t, "a", "b"), nil)
	without, err := sync.New(memory, sync.Kinds(sync.Define[thing]("other")), nil)
	require.NoError(t, err)
	_, err = without.Plan(t.Context(), &sync.Desired{}, &sync.PlanOptions{Prune: true, AllowEmpty: true})
	require.ErrorIs(t, err, sync.ErrUnknownKind)
	_, err = without.Plan(t.Context(), &sync.Desired{}, nil)
	require.NoError(t, err, "to note an orphan needs no kind")

	commitProtected(t, memory, recordsIn(t, memory)["b"])
	p := plan(t, e, &sync.Desired{}, &sync.PlanOptions{Prune: true, AllowEmpty: true})
	require.Equal(t, []string{"delete a", "orphan b"}, planned(p))
}

// commitProtected protects a record, as a later release will.
func commitProtected(t *testing.T, b sync.Backend, r state.Record) {
	t.Helper()
	tx, head, err := b.Begin(t.Context(), "test")
	require.NoError(t, err)
	r.Protected = true
	var all []state.Record
	for record, err := range b.Records(t.Context()) {
		require.NoError(t, err)
		if record.Key == r.Key {
			record = r
		}
		all = append(all, record)
	}
	head.Serial++
	head, err = state.Seal(head, all)
	require.NoError(t, err)
	_, err = tx.Commit(t.Context(), state.Delta{Head: head, Records: []state.Record{r}})
	require.NoError(t, err)
	require.NoError(t, tx.Close(t.Context()))
}

func TestPromise1_StaleIfAnythingElseIsDueNow(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a=1", "b=1"), nil)
	p := plan(t, e, desire(t, "a=2", "b=1"), nil)
	syncAll(t, e, desire(t, "a=1", "b=9"), nil)
	_, err := e.Apply(t.Context(), p)
	require.ErrorIs(t, err, sync.ErrStale)
	require.ErrorContains(t, err, "thing/b: update is due now")

	p = plan(t, e, desire(t, "a=2", "b=9"), nil)
	syncAll(t, e, desire(t, "b=9"), &sync.PlanOptions{Prune: true})
	syncAll(t, e, desire(t, "a=1", "b=9"), nil) // another a, with another ID
	_, err = e.Apply(t.Context(), p)
	require.ErrorContains(t, err, "thing/a was changed")

	p = plan(t, e, desire(t, "a=2", "b=9"), nil)
	syncAll(t, e, desire(t, "b=9"), nil) // an orphan since
	_, err = e.Apply(t.Context(), p)
	require.ErrorContains(t, err, "thing/a was changed")

	p = plan(t, e, desire(t, "b=9"), nil)
	require.True(t, p.IsEmpty())
	p = plan(t, e, desire(t, "x"), nil)
	p.Base.Scope.App = "other"
	_, err = e.Apply(t.Context(), p)
	require.ErrorContains(t, err, "the plan is not one for acme/shop")
}

func TestPromise1_APlanIsItsOwn(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	desired := desire(t, "b=2>a", "a=1")
	p := plan(t, e, desired, nil)
	before, err := p.Digest()
	require.NoError(t, err)
	desired.Resources[0], desired.Resources[1] = desired.Resources[1], desired.Resources[0]
	desired.Resources[0].Config = nil
	after, err := p.Digest()
	require.NoError(t, err)
	require.Equal(t, before, after)
	_, err = e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.True(t, plan(t, e, desire(t, "a=1", "b=2>a"), nil).IsEmpty())

	p = plan(t, e, desire(t, "a=3", "b=3>a"), nil)
	p.Changes = p.Changes[1:]
	_, err = e.Apply(t.Context(), p)
	require.ErrorContains(t, err, "the plan is not as it was made")
}

// What the caller does with the options, the moves and the plan later is no matter.
func TestPromise1_APlansOptionsAreItsOwn(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a", "b", "c"), nil)
	desired := desire(t, "d")
	desired.Moves = []sync.Move{{From: key("a"), To: key("d")}}
	opts := &sync.PlanOptions{Forget: []state.Key{key("b")}, Selection: &sync.Selection{Keys: []state.Key{key("b"), key("d")}}}
	p := plan(t, e, desired, opts)
	before, err := json.Marshal(*p) // a value, or what points to it: the same
	require.NoError(t, err)
	opts.Forget[0], opts.Selection.Keys[0], desired.Moves[0].From = key("c"), key("c"), key("c")
	after, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, string(before), string(after))
	syncAll(t, e, desire(t, "a", "b", "c", "e"), nil) // so that it is planned again
	_, err = e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, recordsIn(t, e.Backend()), 3)
}

func TestPromise2_IDsDontDependOnTheSizeOfABatch(t *testing.T) {
	t.Parallel()
	var want map[string]state.Record
	for _, size := range []int{1, 2, 100} {
		e := newEngine(t, newSpy(), &sync.Options{BatchSize: size})
		syncAll(t, e, desire(t, "a", "b>a", "c", "d>b"), &sync.PlanOptions{OnFailure: sync.KeepGoing})
		got := recordsIn(t, e.Backend())
		if want == nil {
			want = got
		}
		require.Equal(t, want, got)
	}
	require.NotEqual(t, want["a"].ConfigID, want["c"].ConfigID)
}

func TestAllOrNothingIsRefusedWhereItCantBeHad(t *testing.T) {
	t.Parallel()
	e := newEngine(t, immediate{newSpy()}, nil)
	require.Equal(t, sync.KeepGoing, plan(t, e, desire(t, "a"), nil).OnFailure)
	_, err := e.Plan(t.Context(), desire(t, "a"), &sync.PlanOptions{OnFailure: sync.AllOrNothing})
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

// immediate is a backend that can't take back what it did.
type immediate struct{ sync.Backend }

func (immediate) Atomic() bool { return false }

func TestABackendsOutcomesAreTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outcomes []sync.Outcome
		err      string
		id       string
	}{
		"its own ID":       {outcomes: []sync.Outcome{{ID: "mine"}}, id: "mine"},
		"none of its own":  {outcomes: []sync.Outcome{{}}},
		"too few":          {outcomes: nil, err: "too few or too many outcomes"},
		"a malformed ID":   {outcomes: []sync.Outcome{{ID: "\xff"}}, err: "not valid UTF-8"},
		"too many of them": {outcomes: make([]sync.Outcome, 2), err: "too few or too many outcomes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, &scripted{Backend: syncertest.NewMemory(scope()), outcomes: c.outcomes}, nil)
			result, err := e.Apply(t.Context(), plan(t, e, desire(t, "a"), nil))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				require.Equal(t, 1, result.Count(sync.Failed))
				return
			}
			require.NoError(t, err)
			if name == "its own ID" {
				require.Equal(t, c.id, result.Records()[0].ID)
			} else {
				require.Len(t, result.Records()[0].ID, 26)
			}
		})
	}
}

// scripted is a backend that says what it is told to, and whose Tx may be
// replaced in part.
type scripted struct {
	sync.Backend
	outcomes []sync.Outcome
	commit   func(tx sync.Tx, ctx context.Context, delta state.Delta) (state.Head, error)
	renew    func(ctx context.Context) (time.Time, error)
	apply    func(ctx context.Context)
	closing  func(ctx context.Context) error
}

func (s *scripted) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	tx, head, err := s.Backend.Begin(ctx, owner)
	return &scriptedTx{tx, s}, head, err
}

type scriptedTx struct {
	sync.Tx
	s *scripted
}

func (tx *scriptedTx) Apply(ctx context.Context, changes []diff.Change) ([]sync.Outcome, error) {
	if tx.s.apply != nil {
		tx.s.apply(ctx)
		return tx.Tx.Apply(ctx, changes)
	}
	return tx.s.outcomes, nil
}

func (tx *scriptedTx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	if tx.s.commit != nil {
		return tx.s.commit(tx.Tx, ctx, delta)
	}
	return tx.Tx.Commit(ctx, delta)
}

func (tx *scriptedTx) Renew(ctx context.Context) (time.Time, error) {
	if tx.s.renew != nil {
		return tx.s.renew(ctx)
	}
	return tx.Tx.Renew(ctx)
}

func (tx *scriptedTx) Close(ctx context.Context) error {
	err := tx.Tx.Close(ctx)
	if tx.s.closing != nil {
		return tx.s.closing(ctx)
	}
	return err
}

// Whose clock is wrong doesn't matter: neither is the lease given up, nor renewed
// too late or all the time.
func TestPromise6_TheBackendsClockMayBeWrong(t *testing.T) {
	t.Parallel()
	for _, wrong := range []time.Duration{-time.Hour, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			memory, renewals := syncertest.NewMemory(scope()), 0
			backend := &scripted{Backend: memory, apply: func(ctx context.Context) {
				select {
				case <-ctx.Done():
				case <-time.After(10 * sync.LeaseTTL):
				}
			}}
			backend.renew = func(context.Context) (time.Time, error) {
				renewals++
				return time.Now().Add(wrong), nil
			}
			e := newEngine(t, backend, nil)
			_, err := e.Apply(t.Context(), plan(t, e, desire(t, "a"), nil))
			require.NotErrorIs(t, err, context.Canceled)
			require.InDelta(t, 30, renewals, 1)
		})
	}
}

func TestPromise11_TheLeaseIsGivenBackAlthoughTheCallerIsGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	backend := &scripted{Backend: syncertest.NewMemory(scope()), apply: func(context.Context) { cancel() }}
	var closing error
	backend.closing = func(ctx context.Context) error { closing = ctx.Err(); return nil }
	e := newEngine(t, backend, nil)
	_, err := e.Apply(ctx, plan(t, e, desire(t, "a"), nil))
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, closing)
}

func TestAnErrorOnClosingIsReported(t *testing.T) {
	t.Parallel()
	backend := &scripted{Backend: syncertest.NewMemory(scope()), apply: func(context.Context) {}}
	backend.closing = func(context.Context) error { return errBoom }
	e := newEngine(t, backend, nil)
	result, err := e.Apply(t.Context(), plan(t, e, desire(t, "a"), nil))
	require.ErrorIs(t, err, errBoom)
	require.ErrorIs(t, result.Err(), errBoom)
	require.Equal(t, 1, result.Count(sync.Done), "what was committed is")
}

func TestWaitingEndsWithAnyOtherErrorThanLocked(t *testing.T) {
	t.Parallel()
	e := newEngine(t, broken{newSpy()}, nil)
	_, err := e.Apply(t.Context(), plan(t, e, desire(t, "a"), &sync.PlanOptions{Wait: true}))
	require.ErrorIs(t, err, errBoom)
}

// broken is a backend of which no lease is to be had.
type broken struct{ sync.Backend }

func (broken) Begin(context.Context, string) (sync.Tx, state.Head, error) {
	return nil, state.Head{}, errBoom
}

func TestPromise5_ACommitWhoseAnswerIsLostCountsOnce(t *testing.T) {
	t.Parallel()
	commits := 0
	backend := &scripted{Backend: syncertest.NewMemory(scope()), apply: func(context.Context) {}}
	backend.commit = func(tx sync.Tx, ctx context.Context, delta state.Delta) (state.Head, error) {
		head, err := tx.Commit(ctx, delta)
		if commits++; commits == 1 && err == nil {
			return state.Head{}, syscall.ECONNRESET
		}
		return head, err
	}
	result := syncAll(t, newEngine(t, backend, nil), desire(t, "a", "b"), nil)
	require.Equal(t, int64(1), result.Head.Serial)
	require.Equal(t, 2, commits)
}

func TestPromise11_GraceIsNoDeadlineForWhoIsNotCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := &scripted{Backend: syncertest.NewMemory(scope()), apply: func(context.Context) {}}
		backend.commit = func(tx sync.Tx, ctx context.Context, delta state.Delta) (state.Head, error) {
			timer := time.NewTimer(time.Minute)
			select {
			case <-timer.C:
				return tx.Commit(ctx, delta)
			case <-ctx.Done():
				return state.Head{}, ctx.Err()
			}
		}
		syncAll(t, newEngine(t, backend, nil), desire(t, "a"), nil)
	})
}

func TestPromise6_ARenewalThatHangsLosesTheLeaseInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		backend := &scripted{
			Backend: syncertest.NewMemory(scope()),
			renew:   func(ctx context.Context) (time.Time, error) { <-ctx.Done(); return time.Time{}, ctx.Err() },
			apply:   func(ctx context.Context) { <-ctx.Done() },
		}
		began := time.Now()
		_, err := newEngine(t, backend, nil).Apply(t.Context(), plan(t, newEngine(t, backend, nil), desire(t, "a"), nil))
		require.ErrorIs(t, err, sync.ErrLeaseLost)
		require.True(t, sync.Retryable(err))
		require.LessOrEqual(t, time.Since(began), sync.LeaseTTL)
	})
}

func TestPromise6_TheLeaseIsGivenBackEvenIfACallbackPanics(t *testing.T) {
	t.Parallel()
	memory := syncertest.NewMemory(scope())
	e := newEngine(t, memory, &sync.Options{OnEvent: func(sync.Event) { panic("host") }})
	p := plan(t, e, desire(t, "a"), nil)
	require.PanicsWithValue(t, "host", func() { _, _ = e.Apply(t.Context(), p) })
	syncAll(t, newEngine(t, memory, nil), desire(t, "a"), nil)
}

func TestRetryable(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		sync.ErrLocked: true, sync.ErrStale: false, context.Canceled: false, syscall.ECONNRESET: true, errBoom: false, io.EOF: true, io.ErrUnexpectedEOF: true,
		knows(true): true, knows(false): false,
	} {
		require.Equal(t, want, sync.Retryable(fmt.Errorf("wrapped: %w", err)), err)
	}
	require.False(t, sync.Retryable(nil))
	require.True(t, sync.Retryable(errors.Join(sync.ErrLeaseLost, context.Canceled)))
	require.False(t, sync.Retryable(sync.SyncErr{Err: syscall.ECONNRESET}))
}

type knows bool

func (knows) Error() string     { return "knows" }
func (k knows) Retryable() bool { return bool(k) }
