package sync

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// script is a Handler that does for each resource what the test says, call after
// call: the last entry again and again.
type script struct {
	outcomes map[string][]Outcome
	calls    [][]string      // "op name" of each change of each call
	times    []time.Duration // of the calls, since the first one
	start    time.Time
}

func (s *script) Apply(_ context.Context, changes []diff.Change) []Outcome {
	if s.start.IsZero() {
		s.start = time.Now()
	}
	s.times = append(s.times, time.Since(s.start))
	var call []string
	var outcomes []Outcome
	for _, change := range changes {
		name := change.Key().Name
		call = append(call, string(change.Op())+" "+name)
		var outcome Outcome
		if todo := s.outcomes[name]; len(todo) > 0 {
			outcome = todo[0]
			if len(todo) > 1 {
				s.outcomes[name] = todo[1:]
			}
		}
		outcomes = append(outcomes, outcome)
	}
	s.calls = append(s.calls, call)
	return outcomes
}

// idempotent is a script whose creates may be repeated.
type idempotent struct{ *script }

func (idempotent) Idempotent() bool { return true }

// finder is a script that looks things up.
type finder struct {
	*script
	find func(name string) Live
}

func (f finder) Find(_ context.Context, creates []*diff.Create) []Live {
	var lives []Live
	var call []string
	for _, create := range creates {
		call = append(call, "find "+create.Key().Name)
		lives = append(lives, f.find(create.Key().Name))
	}
	f.calls = append(f.calls, call)
	return lives
}

func resource(name string) *state.Resource {
	return &state.Resource{Key: state.Key{Kind: "server", Name: name}}
}

func create(name string) *diff.Create {
	return &diff.Create{Target: diff.Target{Desired: resource(name)}, ID: "id-" + name}
}

func update(name string) *diff.Update {
	return &diff.Update{Target: diff.Target{Desired: resource(name)}, Recorded: &state.Record{Key: resource(name).Key, ID: "id-" + name}}
}

// perform has a handler perform changes, with a limiter that can be looked at.
func perform(ctx context.Context, p *performer, h Handler, changes ...diff.Change) []Outcome {
	kind := &Kind{Name: "server", Handler: h}
	if p.limiter == nil {
		p.limiter = newLimiter(8)
	}
	if !p.limiter.tryAcquire("server", 0) {
		panic("no slot")
	}
	defer p.limiter.release("server")
	return p.perform(ctx, kind, changes)
}

var errBroken = &brokenError{}

// brokenError is what a broken connection looks like.
type brokenError struct{}

func (*brokenError) Error() string { return "connection reset" }
func (*brokenError) Unwrap() error { return syscall.ECONNRESET }

func TestPerformCallsOnceWhenAllGoesWell(t *testing.T) {
	t.Parallel()
	s := &script{outcomes: map[string][]Outcome{"db": {{ID: "7"}}}}
	outcomes := perform(t.Context(), &performer{retries: 3}, s, create("db"), update("web"))
	require.Equal(t, []Outcome{{ID: "7"}, {}}, outcomes)
	require.Equal(t, [][]string{{"create db", "update web"}}, s.calls)
}

func TestPerformTriesAgainWhatMaySucceed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wrong := errors.New("wrong size")
		s := &script{outcomes: map[string][]Outcome{
			"cache": {{Err: errBroken}, {Err: errBroken}, {}},
			"db":    {{Err: wrong}},
			"web":   {{Err: errBroken}},
		}}
		outcomes := perform(t.Context(), &performer{retries: 3}, s, update("cache"), update("db"), update("web"), update("mail"))
		require.NoError(t, outcomes[0].Err)
		require.ErrorIs(t, outcomes[1].Err, wrong)
		require.ErrorIs(t, outcomes[2].Err, errBroken)
		require.NoError(t, outcomes[3].Err)
		require.Equal(t, [][]string{
			{"update cache", "update db", "update web", "update mail"},
			{"update cache", "update web"},
			{"update cache", "update web"},
			{"update web"},
		}, s.calls, "only what needs it, and no more often than Retries")
		for i, want := range []time.Duration{retryPause, 2 * retryPause, 4 * retryPause} {
			pause := s.times[i+1] - s.times[i]
			require.LessOrEqual(t, pause, want)
			require.GreaterOrEqual(t, pause, want/2)
		}
	})
}

func TestPerformPausesNoLongerThanTheCap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{outcomes: map[string][]Outcome{"web": {{Err: errBroken}}}}
		perform(t.Context(), &performer{retries: 40}, s, update("web"))
		require.Len(t, s.calls, 41)
		for i := range 40 {
			require.LessOrEqual(t, s.times[i+1]-s.times[i], retryPauseMax)
		}
		require.GreaterOrEqual(t, s.times[40]-s.times[39], retryPauseMax/2)
	})
}

func TestPerformNeverTriesAgainIfAskedNotTo(t *testing.T) {
	t.Parallel()
	s := &script{outcomes: map[string][]Outcome{"web": {{Err: errBroken}}}}
	outcomes := perform(t.Context(), &performer{retries: -1}, s, update("web"))
	require.ErrorIs(t, outcomes[0].Err, errBroken)
	require.Len(t, s.calls, 1)
}

// Too many requests is no failure: the change waits, however often, and the kind
// slows down.
func TestPerformWaitsWhileItIsThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := Outcome{Err: fmt.Errorf("create: %w", &ThrottledError{After: 7 * time.Second})}
		said := Outcome{Err: ErrTooManyRequests}
		s := &script{outcomes: map[string][]Outcome{"db": {asked, said, said, said, said, said, {ID: "7"}}}}
		p := &performer{retries: 1, limiter: newLimiter(8)}
		outcomes := perform(t.Context(), p, s, create("db"), update("web"))
		require.Equal(t, []Outcome{{ID: "7"}, {}}, outcomes, "a create that was refused is not there: no need to look")
		require.Len(t, s.calls, 7)
		require.Equal(t, []string{"create db"}, s.calls[1])
		require.GreaterOrEqual(t, s.times[1], 7*time.Second)
		require.Equal(t, 2, acquire(p.limiter, "server", 0, 9), "one, and one more since it went well")
	})
}

func TestPerformEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]Outcome{
		"while it is throttled":  {Err: &ThrottledError{After: time.Hour}},
		"while it tries again":   {Err: errBroken},
		"also with a thing half": {ID: "id-web", Err: errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				s := &script{outcomes: map[string][]Outcome{"web": {outcome}}}
				start := time.Now()
				outcomes := perform(ctx, &performer{retries: 1000}, s, update("web"))
				require.Equal(t, []Outcome{outcome}, outcomes, "it is what it was last")
				require.Equal(t, time.Minute, time.Since(start))
			})
		})
	}
}

// When nothing new may start, what is under way goes on and nothing is tried
// again.
func TestPerformTriesNothingAgainOnceItStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stop, cancel := context.WithCancel(t.Context())
		s := &script{outcomes: map[string][]Outcome{"web": {{Err: &ThrottledError{After: time.Hour}}}}}
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		outcomes := perform(t.Context(), &performer{stop: stop}, s, update("web"))
		require.ErrorIs(t, outcomes[0].Err, ErrTooManyRequests)
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestPerformContainsAPanic(t *testing.T) {
	t.Parallel()
	cause := errors.New("no connection pool")
	for name, value := range map[string]any{"text": "no connection pool", "error": cause} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := HandlerFunc(func(context.Context, []diff.Change) []Outcome { panic(value) })
			outcomes := perform(t.Context(), &performer{retries: 3}, h, create("db"), update("web"))
			for _, outcome := range outcomes {
				require.ErrorContains(t, outcome.Err, `Apply of the Handler of kind "server" panicked at perform_test.go:`)
				require.ErrorContains(t, outcome.Err, "no connection pool")
				require.ErrorAs(t, outcome.Err, new(SyncInternalErr))
			}
			require.ErrorIs(t, outcomes[0].Err, ErrUncertain, "it may have created it before")
			require.NotErrorIs(t, outcomes[1].Err, ErrUncertain)
			if name == "error" {
				require.ErrorIs(t, outcomes[1].Err, cause)
			}
		})
	}
}

func TestPerformSaysWhereARuntimeErrorIs(t *testing.T) {
	t.Parallel()
	var none *diff.Update
	h := HandlerFunc(func(context.Context, []diff.Change) []Outcome { return []Outcome{{ID: none.Recorded.ID}} })
	outcomes := perform(t.Context(), &performer{}, h, update("web"))
	require.ErrorContains(t, outcomes[0].Err, "panicked at perform_test.go:")
	require.ErrorContains(t, outcomes[0].Err, "nil pointer dereference")
}

// A test's FailNow in a Handler ends the goroutine: nobody should wait for ever.
func TestPerformContainsTheEndOfItsGoroutine(t *testing.T) {
	t.Parallel()
	h := HandlerFunc(func(context.Context, []diff.Change) []Outcome {
		runtime.Goexit()
		return nil
	})
	outcomes := perform(t.Context(), &performer{retries: 3}, h, create("db"))
	require.EqualError(t, outcomes[0].Err, `error syncing - Apply of the Handler of kind "server" ended its goroutine: nobody knows whether it exists`)
}

func TestPerformWantsOneOutcomePerChange(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3} {
		h := HandlerFunc(func(context.Context, []diff.Change) []Outcome { return make([]Outcome, n) })
		outcomes := perform(t.Context(), &performer{retries: 3}, h, create("db"), update("web"))
		require.Len(t, outcomes, 2)
		for _, outcome := range outcomes {
			require.ErrorContains(t, outcome.Err, fmt.Sprintf(`Apply of the Handler of kind "server" returned %d results, want 2`, n))
		}
		require.ErrorIs(t, outcomes[0].Err, ErrUncertain)
	}
}

// A panic in a later call fails what was called then, not what was done before.
func TestPerformKeepsWhatWasDoneBeforeAPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		h := HandlerFunc(func(context.Context, []diff.Change) []Outcome {
			if calls++; calls > 1 {
				panic("boom")
			}
			return []Outcome{{}, {Err: errBroken}, {ID: "7", Err: errBroken}}
		})
		outcomes := perform(t.Context(), &performer{retries: 3}, h, update("db"), update("web"), create("mail"))
		require.NoError(t, outcomes[0].Err)
		require.ErrorContains(t, outcomes[1].Err, "boom")
		require.ErrorContains(t, outcomes[2].Err, "boom")
		require.Equal(t, "7", outcomes[2].ID, "that it is there is known already")
		require.Equal(t, 2, calls)
	})
}

func TestPerformSettlesACreateWhoseEndIsUnknown(t *testing.T) {
	t.Parallel()
	unknown := Outcome{Err: errBroken}
	calls := func(calls [][]string) string {
		var texts []string
		for _, call := range calls {
			texts = append(texts, strings.Join(call, ", "))
		}
		return strings.Join(texts, "; ")
	}
	nothing := func(string) Live { return Live{} }
	failing := func(errs ...error) func(string) Live {
		return func(string) Live {
			err := errs[0]
			errs = errs[1:]
			return Live{Err: err}
		}
	}
	cases := map[string]struct {
		outcomes []Outcome
		handler  func(s *script) Handler
		calls    string
		id       string
		err      error
	}{
		"an idempotent handler creates again": {
			outcomes: []Outcome{unknown, {ID: "7"}},
			handler:  func(s *script) Handler { return idempotent{s} },
			calls:    "create db; create db", id: "7",
		},
		"a finder that finds nothing creates": {
			outcomes: []Outcome{unknown, {ID: "7"}},
			handler:  func(s *script) Handler { return finder{s, nothing} },
			calls:    "create db; find db; create db", id: "7",
		},
		"a finder that finds it updates": {
			outcomes: []Outcome{unknown, {}},
			handler:  func(s *script) Handler { return finder{s, func(string) Live { return Live{ID: "9"} }} },
			calls:    "create db; find db; update db", id: "9",
		},
		"an update of what was found may fail": {
			outcomes: []Outcome{unknown, {Err: errors.ErrUnsupported}},
			handler:  func(s *script) Handler { return finder{s, func(string) Live { return Live{ID: "9"} }} },
			calls:    "create db; find db; update db", id: "9", err: errors.ErrUnsupported,
		},
		"a handler may say itself that nobody knows": {
			outcomes: []Outcome{{Err: fmt.Errorf("upload: %w", ErrUncertain)}, {ID: "7"}},
			handler:  func(s *script) Handler { return finder{s, nothing} },
			calls:    "create db; find db; create db", id: "7",
		},
		"a lookup is tried again": {
			outcomes: []Outcome{unknown, {ID: "7"}},
			handler:  func(s *script) Handler { return finder{s, failing(errBroken, ErrTooManyRequests, nil)} },
			calls:    "create db; find db; find db; find db; create db", id: "7",
		},
		"a lookup that can't succeed leaves it open": {
			outcomes: []Outcome{unknown},
			handler:  func(s *script) Handler { return finder{s, failing(errors.ErrUnsupported)} },
			calls:    "create db; find db", err: errors.ErrUnsupported,
		},
		"without an ability nobody knows": {
			outcomes: []Outcome{unknown},
			handler:  func(s *script) Handler { return s },
			calls:    "create db", err: ErrUncertain,
		},
		"with an ID it is there": {
			outcomes: []Outcome{{ID: "7", Err: errBroken}, {}},
			handler:  func(s *script) Handler { return s },
			calls:    "create db; update db", id: "7",
		},
		"what was settled and refused is not looked for again": {
			outcomes: []Outcome{unknown, {Err: ErrTooManyRequests}, {ID: "7"}},
			handler:  func(s *script) Handler { return finder{s, nothing} },
			calls:    "create db; find db; create db; create db", id: "7",
		},
		"what was refused for a reason that may pass is not there": {
			outcomes: []Outcome{{Err: &ThrottledError{Err: errBroken}}, {ID: "7"}},
			handler:  func(s *script) Handler { return s },
			calls:    "create db; create db", id: "7",
		},
		"what failed for good is not there": {
			outcomes: []Outcome{{Err: errors.ErrUnsupported}},
			handler:  func(s *script) Handler { return finder{s, nothing} },
			calls:    "create db", err: errors.ErrUnsupported,
		},
		"what was refused is not there": {
			outcomes: []Outcome{{Err: ErrTooManyRequests}, {ID: "7"}},
			handler:  func(s *script) Handler { return finder{s, nothing} },
			calls:    "create db; create db", id: "7",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{outcomes: map[string][]Outcome{"db": slices.Clone(c.outcomes)}}
				outcomes := perform(t.Context(), &performer{retries: 3}, c.handler(s), create("db"), update("web"))
				require.Equal(t, strings.Replace(c.calls, "create db", "create db, update web", 1), calls(s.calls))
				require.Equal(t, c.id, outcomes[0].ID)
				if c.err == nil {
					require.NoError(t, outcomes[0].Err)
				} else {
					require.ErrorIs(t, outcomes[0].Err, c.err)
				}
				require.Equal(t, Outcome{}, outcomes[1])
			})
		})
	}
}

// Whoever has no way to find out isn't made to wait.
func TestPerformGivesUpAtOnceOnWhatNobodyKnows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &script{outcomes: map[string][]Outcome{"db": {{Err: errBroken}}}}
		outcomes := perform(t.Context(), &performer{retries: 3}, s, create("db"))
		var uncertain *UncertainError
		require.ErrorAs(t, outcomes[0].Err, &uncertain)
		require.Equal(t, &UncertainError{Key: resource("db").Key, Err: errBroken}, uncertain)
		require.Zero(t, time.Since(start))
	})
}
