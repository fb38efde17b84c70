package sync_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

func object(i int) state.Key { return state.Key{Kind: "object", Name: fmt.Sprintf("n%07d", i)} }

// objects yields n creates.
func objects(n int) iter.Seq2[diff.Change, error] {
	return func(yield func(diff.Change, error) bool) {
		for i := range n {
			desired := &state.Resource{Key: object(i), Config: []byte(`{"etag":"5d41402abc4b2a76b9719d911017c592","size":1024}`)}
			if !yield(&diff.Create{Target: diff.Target{Desired: desired, Config: desired.Config}, ID: desired.Name}, nil) {
				return
			}
		}
	}
}

// then yields a sequence's changes, and then others, or an error.
func then(changes iter.Seq2[diff.Change, error], last error, more ...diff.Change) iter.Seq2[diff.Change, error] {
	return func(yield func(diff.Change, error) bool) {
		for change, err := range changes {
			if !yield(change, err) {
				return
			}
		}
		for _, change := range more {
			if !yield(change, nil) {
				return
			}
		}
		if last != nil {
			yield(nil, last)
		}
	}
}

// handle makes a Handler of what is done about one change.
func handle(one func(ctx context.Context, name string) error) tusync.Handler {
	return tusync.HandlerFunc(func(ctx context.Context, changes []diff.Change) []tusync.Outcome {
		outcomes := make([]tusync.Outcome, len(changes))
		for i, change := range changes {
			outcomes[i].Err = one(ctx, change.Key().Name)
		}
		return outcomes
	})
}

func nothing(context.Context, string) error { return nil }

// counted is how many changes ended in each way.
func counted(r *tusync.Result) string {
	return fmt.Sprintf("%d done, %d failed, %d not attempted, %d unchanged",
		r.Count(tusync.Done), r.Count(tusync.Failed), r.Count(tusync.NotAttempted), r.Unchanged)
}

func TestPromise14_AStreamIsCarriedOutInBatches(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	sizes := map[int]int{}
	seen := map[string]int{}
	handler := tusync.HandlerFunc(func(_ context.Context, changes []diff.Change) []tusync.Outcome {
		mu.Lock()
		defer mu.Unlock()
		sizes[len(changes)]++
		for _, change := range changes {
			seen[change.Key().Name]++
			require.NotNil(t, change.(*diff.Create).Config)
		}
		return make([]tusync.Outcome, len(changes))
	})
	result, err := tusync.Execute(t.Context(), objects(1050), handler, nil)
	require.NoError(t, err)
	require.NoError(t, result.Err())
	require.Equal(t, "1050 done, 0 failed, 0 not attempted, 0 unchanged", counted(result))
	require.Empty(t, result.Changes)
	require.Equal(t, map[int]int{100: 10, 50: 1}, sizes)
	require.Len(t, seen, 1050)
}

func TestExecuteOfNothing(t *testing.T) {
	t.Parallel()
	result, err := tusync.Execute(t.Context(), objects(0), handle(nothing), nil)
	require.NoError(t, err)
	require.Equal(t, "0 done, 0 failed, 0 not attempted, 0 unchanged", counted(result))
}

// inChild is set in the process that measures itself.
const inChild = "TRUEUP_MEASURE_STREAM"

// A process of its own, so that no other test's memory is counted: it looks at what
// the runtime has ever had from the system. 100,000 errors would not be seen there;
// see TestExecuteKeepsTheFirstThousand.
func TestPromise14_AMillionChangesStayFlat(t *testing.T) {
	t.Parallel()
	const n, mostMiB = 1_000_000, 64
	if os.Getenv(inChild) == "" {
		executable, err := os.Executable()
		require.NoError(t, err)
		cmd := exec.CommandContext(t.Context(), executable, "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), inChild+"=1", "GOMEMLIMIT=off", "GOGC=100")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		t.Logf("%s", out)
		return
	}
	oops := errors.New("oops")
	recorded := 0
	handler := handle(func(_ context.Context, name string) error {
		if strings.HasSuffix(name, "0") {
			return oops
		}
		return nil
	})
	result, err := tusync.Execute(t.Context(), objects(n), handler, &tusync.ExecuteOptions{
		OnEnd:   func(ended []tusync.ChangeResult) error { recorded += len(ended); return nil },
		OnEvent: func(tusync.Event) {},
	})
	require.ErrorIs(t, err, oops)
	require.Equal(t, "900000 done, 100000 failed, 0 not attempted, 0 unchanged", counted(result))
	require.Equal(t, n, recorded)
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(sample)
	mib := sample[0].Value.Uint64() >> 20
	t.Logf("%d MiB", mib)
	require.Less(t, mib, uint64(mostMiB))
}

// pass lets time go by in a bubble.
func pass(d time.Duration) { <-time.After(d) }

func TestPromise14_ASlowHandlerHoldsTheSequenceBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var read, done, calling atomic.Int64
		changes := func(yield func(diff.Change, error) bool) {
			for change, err := range objects(1000) {
				read.Add(1)
				if !yield(change, err) {
					return
				}
			}
		}
		handler := tusync.HandlerFunc(func(_ context.Context, changes []diff.Change) []tusync.Outcome {
			assert.LessOrEqual(t, calling.Add(1), int64(3))
			pass(time.Second) // which it does when nothing more is read
			assert.LessOrEqual(t, read.Load()-done.Load(), int64((3+2)*10))
			calling.Add(-1)
			done.Add(int64(len(changes)))
			return make([]tusync.Outcome, len(changes))
		})
		start := time.Now()
		_, err := tusync.Execute(t.Context(), changes, handler, &tusync.ExecuteOptions{Batch: 10, Parallel: 3})
		require.NoError(t, err)
		require.Equal(t, 34*time.Second, time.Since(start), "100 calls, three at a time")
	})
}

func TestExecuteEndsWithAFailingSequence(t *testing.T) {
	t.Parallel()
	broken := errors.New("the listing broke")
	for name, c := range map[string]struct {
		last func() iter.Seq2[diff.Change, error]
		want string
	}{
		"an error": {
			func() iter.Seq2[diff.Change, error] { return then(objects(250), broken) },
			"read the changes: the listing broke",
		},
		"nil": {
			func() iter.Seq2[diff.Change, error] { return then(objects(250), nil, nil) },
			"read the changes: the sequence yielded nil",
		},
		"a panic": {
			func() iter.Seq2[diff.Change, error] {
				return func(yield func(diff.Change, error) bool) {
					objects(250)(yield)
					panic(broken)
				}
			},
			"read the changes: error syncing - the sequence panicked at execute_test.go:",
		},
		"the end of its goroutine": {
			func() iter.Seq2[diff.Change, error] {
				return func(yield func(diff.Change, error) bool) {
					objects(250)(yield)
					runtime.Goexit()
				}
			},
			"read the changes: the sequence ended its goroutine",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := tusync.Execute(t.Context(), c.last(), handle(nothing), nil)
			require.ErrorContains(t, err, c.want)
			require.ErrorAs(t, err, new(tusync.SyncInternalErr))
			require.Equal(t, "250 done, 0 failed, 0 not attempted, 0 unchanged", counted(result), "what it yielded before is carried out")
			require.Equal(t, err, result.Err())
		})
	}
}

func TestExecuteStartsNothingNewOnceItIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("the operator said so")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(1500*time.Millisecond, func() { cancel(reason) })
		handler := handle(func(ctx context.Context, _ string) error {
			pass(time.Second)
			return ctx.Err()
		})
		start := time.Now()
		result, err := tusync.Execute(ctx, objects(1000), handler, &tusync.ExecuteOptions{Batch: 1, Parallel: 4})
		require.ErrorIs(t, err, reason)
		require.Equal(t, 2*time.Second, time.Since(start), "what was under way came to its end")
		require.Equal(t, 8, result.Count(tusync.Done))
		require.Zero(t, result.Count(tusync.Failed))
		require.LessOrEqual(t, result.Count(tusync.NotAttempted), 2, "hardly more than what was carried out was read")
		require.Len(t, result.Changes, result.Count(tusync.NotAttempted))
	})
}

func TestExecuteCancelsWhatGoesOnAfterTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		handler := handle(func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
		start := time.Now()
		result, err := tusync.Execute(ctx, objects(3), handler, &tusync.ExecuteOptions{Batch: 3, Grace: 5 * time.Second, Retries: -1})
		require.Equal(t, time.Minute+5*time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, "0 done, 3 failed, 0 not attempted, 0 unchanged", counted(result))
	})
}

// What waits because it was throttled, or to try again, doesn't wait for the grace
// to be over.
func TestExecuteTriesNothingAgainOnceItIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		handler := handle(func(context.Context, string) error { return &tusync.ThrottledError{After: time.Hour} })
		start := time.Now()
		result, err := tusync.Execute(ctx, objects(3), handler, nil)
		require.Equal(t, time.Minute, time.Since(start))
		require.ErrorIs(t, err, tusync.ErrTooManyRequests)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, "0 done, 3 failed, 0 not attempted, 0 unchanged", counted(result))
	})
}

func TestExecuteSaysThatItWasCancelledIfThatMadeADifference(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]error{1: nil, 2: context.Canceled} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			handler := handle(func(context.Context, string) error {
				pass(time.Second) // in which the sequence is read to its end
				cancel()
				return nil
			})
			result, err := tusync.Execute(ctx, objects(n), handler, &tusync.ExecuteOptions{Batch: 1, Parallel: 1})
			require.ErrorIs(t, err, want)
			require.Equal(t, 1, result.Count(tusync.Done))
			require.Equal(t, n-1, result.Count(tusync.NotAttempted))
		})
	}
}

func TestExecuteStartsNothingWhenItIsCancelledBefore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result, err := tusync.Execute(ctx, objects(1000), handle(nothing), nil)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, "0 done, 0 failed, 1 not attempted, 0 unchanged", counted(result), "it had to be read to see it")
}

// Nothing in what is unchanged is a place to stop, unless it is looked for there.
func TestExecuteStopsReadingWhatIsUnchanged(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	record := &state.Record{Key: object(1)}
	endless := func(yield func(diff.Change, error) bool) {
		for i := 1; yield(diff.NoOp{Recorded: record}, nil); i++ {
			if i == 1000 {
				cancel()
			}
		}
	}
	result, err := tusync.Execute(ctx, endless, handle(nothing), nil)
	require.ErrorIs(t, err, context.Canceled)
	require.GreaterOrEqual(t, result.Unchanged, 1000)
}

func TestExecuteSlowsDownWhenItIsThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calling, refused atomic.Int64
		handler := handle(func(context.Context, string) error { // which can do two a second
			defer calling.Add(-1)
			if calling.Add(1) > 2 {
				refused.Add(1)
				return &tusync.ThrottledError{After: time.Second}
			}
			pass(time.Second)
			return nil
		})
		result, err := tusync.Execute(t.Context(), objects(300), handler, &tusync.ExecuteOptions{Batch: 1, Parallel: 8})
		require.NoError(t, err)
		require.Equal(t, "300 done, 0 failed, 0 not attempted, 0 unchanged", counted(result))
		require.NotZero(t, refused.Load())
		require.Less(t, refused.Load(), int64(200), "it doesn't run against the wall all the time")
	})
}

func TestExecuteTriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := map[string]int{}
		handler := idempotent(handle(func(_ context.Context, name string) error {
			if calls[name]++; calls[name] < 3 {
				return context.DeadlineExceeded // as of a request of its own
			}
			return nil
		}))
		_, err := tusync.Execute(t.Context(), objects(2), handler, nil)
		require.NoError(t, err)
		require.Equal(t, map[string]int{object(0).Name: 3, object(1).Name: 3}, calls)

		clear(calls)
		result, err := tusync.Execute(t.Context(), objects(2), handler, &tusync.ExecuteOptions{Retries: 1})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 2, result.Count(tusync.Failed))
	})
}

// repeatable is a Handler whose creates may be repeated.
type repeatable struct{ tusync.Handler }

func idempotent(h tusync.Handler) tusync.Handler { return repeatable{h} }

func (repeatable) Idempotent() bool { return true }

func TestExecuteContainsAPanic(t *testing.T) {
	t.Parallel()
	handler := handle(func(_ context.Context, name string) error {
		if name == object(150).Name {
			panic("boom")
		}
		return nil
	})
	result, err := tusync.Execute(t.Context(), objects(300), handler, nil)
	require.ErrorContains(t, err, `unable to sync object/n0000199 - error syncing - Apply of the Handler of kind "object" panicked at execute_test.go:`)
	require.Equal(t, "200 done, 100 failed, 0 not attempted, 0 unchanged", counted(result))
	require.ErrorIs(t, result.Changes[0].Err, tusync.ErrUncertain)
}

func TestExecuteStopsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	oops := errors.New("oops")
	handler := handle(func(_ context.Context, name string) error {
		if name == object(25).Name {
			return oops
		}
		return nil
	})
	read := 0
	changes := func(yield func(diff.Change, error) bool) {
		for change, err := range objects(1000) {
			read++
			if !yield(change, err) {
				return
			}
		}
	}
	result, err := tusync.Execute(t.Context(), changes, handler, &tusync.ExecuteOptions{
		Batch: 10, Parallel: 1, OnFailure: tusync.StopAtFirst,
	})
	require.ErrorIs(t, err, oops)
	var all *multierror.Error
	require.ErrorAs(t, err, &all)
	require.Len(t, all.Errors, 1)
	require.Equal(t, 29, result.Count(tusync.Done))
	require.Equal(t, 1, result.Count(tusync.Failed))
	require.LessOrEqual(t, result.Count(tusync.NotAttempted), 20)
	require.Equal(t, read, 30+result.Count(tusync.NotAttempted), "all that was read is counted")
	require.Equal(t, object(25), result.Changes[0].Change.Key())
	for _, change := range result.Changes[1:] {
		require.Equal(t, tusync.NotAttempted, change.Status)
		require.NoError(t, change.Err)
		require.Empty(t, change.ID, "what was not created has no ID")
	}
}

func TestExecuteKeepsTheFirstThousand(t *testing.T) {
	t.Parallel()
	oops := errors.New("oops")
	handler := handle(func(context.Context, string) error { return oops })
	result, err := tusync.Execute(t.Context(), then(objects(2500), context.DeadlineExceeded), handler, nil)
	require.Equal(t, "0 done, 2500 failed, 0 not attempted, 0 unchanged", counted(result))
	require.Len(t, result.Changes, 1000)
	require.Empty(t, result.Changes[0].ID, "what was not created has no ID")
	var all *multierror.Error
	require.ErrorAs(t, err, &all)
	require.Len(t, all.Errors, 1002)
	require.ErrorIs(t, all.Errors[1000], context.DeadlineExceeded, "what ended it is not lost among them")
	require.EqualError(t, all.Errors[1001], "error syncing - 1500 more changes failed")
}

func TestExecuteHandsOverWhatIsForAHandler(t *testing.T) {
	t.Parallel()
	record := &state.Record{Key: object(7), ID: "7"}
	target := diff.Target{Desired: &state.Resource{Key: object(8)}}
	changes := then(objects(1), nil,
		&diff.Update{Target: target, Recorded: record},
		&diff.Delete{Recorded: record},
		diff.NoOp{Recorded: record},
		&diff.Orphan{Recorded: record},
		&diff.Forget{Recorded: record},
		&diff.Adopt{Target: target, ID: "8"},
		&diff.Deploy{Target: target, Reasons: []string{"it is new"}},
	)
	var ops []diff.Op
	handler := tusync.HandlerFunc(func(_ context.Context, changes []diff.Change) []tusync.Outcome {
		for _, change := range changes {
			ops = append(ops, change.Op())
		}
		return []tusync.Outcome{{}, {ID: "new-etag"}, {}}
	})
	var ended []string
	result, err := tusync.Execute(t.Context(), changes, handler, &tusync.ExecuteOptions{OnEnd: func(results []tusync.ChangeResult) error {
		for _, r := range results {
			ended = append(ended, fmt.Sprintf("%s %s %s", r.Change.Op(), r.Status, r.ID))
		}
		return nil
	}})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "unable to sync object/n0000008 - deploy in a stream")
	require.Equal(t, []diff.Op{diff.OpCreate, diff.OpMove, diff.OpDelete}, ops)
	require.Equal(t, []string{
		"create done n0000000", "move done new-etag", "delete done 7", "orphan done 7", "forget done 7", "adopt failed ", "deploy failed ",
	}, ended)
	require.Equal(t, "5 done, 2 failed, 0 not attempted, 1 unchanged", counted(result))
}

func TestExecuteCallsNobodyForTheLedgerAlone(t *testing.T) {
	t.Parallel()
	record := &state.Record{Key: object(7), ID: "7"}
	handler := tusync.HandlerFunc(func(context.Context, []diff.Change) []tusync.Outcome { panic("nothing to do") })
	result, err := tusync.Execute(t.Context(), then(objects(0), nil, &diff.Orphan{Recorded: record}, diff.NoOp{Recorded: record}), handler, nil)
	require.NoError(t, err)
	require.Equal(t, "1 done, 0 failed, 0 not attempted, 1 unchanged", counted(result))
}

// Of each change the start comes first, then its record in the ledger, then its
// end; all from one goroutine, numbered without a gap.
func TestExecuteEventsAreInOrder(t *testing.T) {
	t.Parallel()
	oops := errors.New("oops")
	handler := handle(func(_ context.Context, name string) error {
		if strings.HasSuffix(name, "7") {
			return oops
		}
		return nil
	})
	var log []string // without a lock: the race detector would see another goroutine
	var events []tusync.Event
	_, err := tusync.Execute(t.Context(), objects(500), handler, &tusync.ExecuteOptions{
		Batch: 7,
		OnEnd: func(ended []tusync.ChangeResult) error {
			for _, r := range ended {
				log = append(log, "ledger "+r.Change.Key().Name)
			}
			return nil
		},
		OnEvent: func(e tusync.Event) {
			events = append(events, e)
			log = append(log, string(e.Type)+" "+e.Key.Name)
		},
	})
	require.Len(t, events, 2*500+2)
	require.Equal(t, tusync.Event{Seq: 1, Type: tusync.EventBegin}, events[0])
	require.Equal(t, tusync.Event{Seq: 1002, Type: tusync.EventFinish, Done: 500, Err: err}, events[1001])
	done := 0
	for i, e := range events {
		require.Equal(t, i+1, e.Seq)
		require.Zero(t, e.Total)
		if e.Type == tusync.EventEnd {
			done++
			require.Equal(t, strings.HasSuffix(e.Key.Name, "7"), e.Status == tusync.Failed)
			require.Equal(t, e.Status == tusync.Failed, errors.Is(e.Err, oops))
			if e.Status == tusync.Done {
				require.Equal(t, e.Key.Name, e.ID)
			}
		}
		require.Equal(t, done, e.Done)
	}
	for i := range 500 {
		name := object(i).Name
		start, ledger, end := slices.Index(log, "start "+name), slices.Index(log, "ledger "+name), slices.Index(log, "end "+name)
		require.True(t, 0 < start && start < ledger && ledger < end, "%s: %d, %d, %d", name, start, ledger, end)
	}
}

// What can't be recorded must not go on.
func TestExecuteStopsWhenTheLedgerFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		full, oops := errors.New("disk full"), errors.New("oops")
		handler := handle(func(_ context.Context, name string) error {
			pass(time.Second)
			if name == object(1).Name {
				return oops
			}
			return nil
		})
		calls := 0
		result, err := tusync.Execute(t.Context(), objects(1000), handler, &tusync.ExecuteOptions{
			Batch: 10, Parallel: 3,
			OnEnd: func([]tusync.ChangeResult) error {
				calls++
				if calls == 1 {
					return full
				}
				return nil
			},
		})
		require.ErrorIs(t, err, full)
		require.ErrorIs(t, err, oops)
		require.Equal(t, 3, calls, "what was under way is recorded all the same")
		require.Equal(t, 30, result.Count(tusync.Done)+result.Count(tusync.Failed))
		unrecorded := 0
		for _, change := range result.Changes {
			if errors.Is(change.Err, full) {
				unrecorded++
			}
		}
		require.GreaterOrEqual(t, unrecorded, 9, "one of them may have failed for its own reason")
		require.LessOrEqual(t, unrecorded, 10)
	})
}

// A callback that panics takes nobody else along: the bubble would not end while
// a goroutine is left.
func TestExecuteLeavesNothingBehindAPanickingCallback(t *testing.T) {
	t.Parallel()
	for name, panics := range map[string]func(tusync.Event) bool{
		"at the begin": func(e tusync.Event) bool { return e.Type == tusync.EventBegin },
		"at a start":   func(e tusync.Event) bool { return e.Type == tusync.EventStart && e.Seq > 20 },
		"at an end":    func(e tusync.Event) bool { return e.Type == tusync.EventEnd },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var underWay atomic.Int32
				handler := handle(func(ctx context.Context, name string) error {
					underWay.Add(1)
					defer underWay.Add(-1)
					if name > object(10).Name {
						<-ctx.Done()
						pass(time.Second) // it takes its time to end
					}
					return nil
				})
				require.PanicsWithValue(t, "boom", func() {
					_, _ = tusync.Execute(t.Context(), objects(1000), handler, &tusync.ExecuteOptions{Batch: 10, OnEvent: func(e tusync.Event) {
						if panics(e) {
							panic("boom")
						}
					}})
				})
				require.Zero(t, underWay.Load(), "calls go on")
			})
		})
	}
}

func TestExecuteRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string]tusync.ExecuteOptions{
		"ExecuteOptions.Batch is -1: want 1 or more":                 {Batch: -1},
		"ExecuteOptions.Parallel is -1: want 1 or more":              {Parallel: -1},
		"ExecuteOptions.Grace is -1s: want more than 0":              {Grace: -time.Second},
		"all-or-nothing: acts of a Handler can't be taken back":      {OnFailure: tusync.AllOrNothing},
		`OnFailure is "sometimes": want keep-going or stop-at-first`: {OnFailure: "sometimes"},
	} {
		result, err := tusync.Execute(t.Context(), objects(1), handle(nothing), &opts)
		require.ErrorContains(t, err, want)
		require.Nil(t, result)
		require.Equal(t, opts.OnFailure == tusync.AllOrNothing, errors.Is(err, errors.ErrUnsupported))
	}
	_, err := tusync.Execute(t.Context(), nil, handle(nothing), nil)
	require.ErrorContains(t, err, "the sequence of changes is nil")
	_, err = tusync.Execute(t.Context(), objects(1), nil, nil)
	require.ErrorContains(t, err, "the handler is nil")
}

// BenchmarkExecute is what Execute adds to each change of a Handler that does
// nothing.
func BenchmarkExecute(b *testing.B) {
	const n = 100_000
	change := &diff.Create{Target: diff.Target{Desired: &state.Resource{Key: object(1)}}, ID: "1"}
	changes := func(yield func(diff.Change, error) bool) {
		for range n {
			if !yield(change, nil) {
				return
			}
		}
	}
	handler := tusync.HandlerFunc(func(_ context.Context, changes []diff.Change) []tusync.Outcome {
		return make([]tusync.Outcome, len(changes))
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		if _, err := tusync.Execute(b.Context(), changes, handler, nil); err != nil {
			b.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	total := float64(b.N) * n
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/total, "ns/change")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/total, "allocs/change")
}
