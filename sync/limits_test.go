package sync_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// office is where Handlers work that take their time, a minute for each call.
type office struct {
	mu      sync.Mutex
	now     map[string]int // calls under way, by kind; of all under ""
	most    map[string]int
	calls   map[string][][]string // names of each call
	refuses func(kind string, call int) error
	done    map[string]time.Duration // when a kind's last call ended
	opened  time.Time
}

func newOffice() *office {
	return &office{now: map[string]int{}, most: map[string]int{}, calls: map[string][][]string{}, done: map[string]time.Duration{}, opened: time.Now()}
}

// Apply implements tusync.Handler.
func (o *office) Apply(ctx context.Context, changes []diff.Change) []tusync.Outcome {
	kind := changes[0].Key().Kind
	var names []string
	for _, c := range changes {
		names = append(names, c.Key().Name)
	}
	o.mu.Lock()
	for _, of := range []string{kind, ""} {
		o.now[of]++
		o.most[of] = max(o.most[of], o.now[of])
	}
	o.calls[kind] = append(o.calls[kind], names)
	call := len(o.calls[kind])
	o.mu.Unlock()
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	var err error
	select {
	case <-timer.C:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now[kind]--
	o.now[""]--
	o.done[kind] = time.Since(o.opened)
	outcomes := make([]tusync.Outcome, len(changes))
	for i := range outcomes {
		outcomes[i] = tusync.Outcome{ID: fmt.Sprintf("%s-%d-%d", kind, call, i), Err: err}
		if o.refuses != nil && err == nil {
			outcomes[i].Err = o.refuses(kind, call)
		}
	}
	return outcomes
}

// busy returns an engine for the kinds "a" and "b", and a declaration of so many
// things of each.
func (o *office) busy(t testing.TB, opts *tusync.Options, n int, a ...tusync.KindOption) (*tusync.Engine, *tusync.Desired) {
	t.Helper()
	kinds := tusync.Kinds(tusync.Define[thing]("a", append(a, tusync.Handle(o))...), tusync.Define[thing]("b", tusync.Handle(o)))
	engine, err := tusync.New(syncertest.NewMemory(scope()), kinds, opts)
	require.NoError(t, err)
	desired := &tusync.Desired{}
	for _, kind := range []string{"a", "b"} {
		for i := range n {
			r, err := kinds.Resource(kind, fmt.Sprintf("%02d", i), thing{})
			require.NoError(t, err)
			desired.Resources = append(desired.Resources, r)
		}
	}
	return engine, desired
}

func TestPromise3_AsMuchAtOnceAsMayBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts   *tusync.Options
		a      []tusync.KindOption
		all, b int
		of     int // a
	}{
		"10 by default":           {all: 10, of: 10, b: 10},
		"as many as Parallel":     {opts: &tusync.Options{Parallel: 4}, all: 4, of: 4, b: 4},
		"a kind may have its own": {opts: &tusync.Options{Parallel: 6}, a: []tusync.KindOption{tusync.Parallel(2)}, all: 6, of: 2, b: 4},
		"but not more than all":   {opts: &tusync.Options{Parallel: 3}, a: []tusync.KindOption{tusync.Parallel(5)}, all: 3, of: 3, b: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOffice()
				engine, desired := o.busy(t, c.opts, 20, c.a...)
				syncAll(t, engine, desired, nil)
				require.Equal(t, map[string]int{"": c.all, "a": c.of, "b": c.b}, o.most)
			})
		})
	}
}

func TestPromise3_ACallHasAsManyAsABatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		engine, desired := o.busy(t, &tusync.Options{Parallel: 1}, 7, tusync.Batch(3))
		desired.Resources[0].After = append(desired.Resources[0].After, desired.Resources[1].Key)
		syncAll(t, engine, desired, nil)
		require.Equal(t, [][]string{{"01", "02", "03"}, {"00", "04", "05"}, {"06"}}, o.calls["a"], "what is ready goes together")
		require.Len(t, o.calls["b"], 7, "a batch is 1 unless the kind says otherwise")
	})
}

func TestPromise3_TooManyRequestsSlowsDownAndDoesNotFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		o.refuses = func(kind string, call int) error {
			if kind == "a" && call <= 25 {
				return &tusync.ThrottledError{After: time.Hour}
			}
			return nil
		}
		engine, desired := o.busy(t, &tusync.Options{Parallel: 10, Retries: -1}, 8)
		result := syncAll(t, engine, desired, nil)
		require.Equal(t, 16, result.Count(tusync.Done))
		require.Less(t, o.done["b"], time.Hour, "another kind isn't held up")
		require.Greater(t, o.done["a"], 2*time.Hour, "it waits for as long as it is told")
		names := slices.Concat(o.calls["a"]...)
		slices.Sort(names)
		require.Len(t, slices.Compact(names), 8)
		require.Len(t, o.calls["a"], 25+8)
	})
}

// A run that is cancelled while it waits ends at once, with nothing lost.
func TestPromise11_WaitingForTheOtherSideEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		o.refuses = func(string, int) error { return &tusync.ThrottledError{After: time.Hour} }
		engine, desired := o.busy(t, nil, 3)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		result, err := engine.Apply(ctx, plan(t, engine, desired, nil))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(o.opened), 11*time.Minute)
		require.Equal(t, 6, result.Count(tusync.Failed)+result.Count(tusync.NotAttempted))
		o.refuses = nil
		syncAll(t, engine, desired, nil)
	})
}
