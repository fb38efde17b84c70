package sync_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// release is a program that knows version n of the kind "thing", which has a
// Handler if it has a world, and version m of "other", if m is not negative.
func release(t testing.TB, b sync.Backend, w *syncertest.World, n, m int) *sync.Engine {
	t.Helper()
	options := []sync.KindOption{sync.Version(n)}
	if w != nil {
		options = append(options, sync.Handle(w.Idempotent()))
	}
	kinds := []sync.Kind{sync.Define[thing]("thing", options...)}
	if m >= 0 {
		kinds = append(kinds, sync.Define[thing]("other", sync.Version(m)))
	}
	engine, err := sync.New(b, sync.Kinds(kinds...), &sync.Options{Retries: -1})
	require.NoError(t, err)
	return engine
}

// isUnchanged checks that a plan is empty and costs one Head.
func isUnchanged(t testing.TB, s *spy, e *sync.Engine, desired *sync.Desired) {
	t.Helper()
	s.heads.Store(0)
	s.records.Store(0)
	result := syncAll(t, e, desired, nil)
	require.Empty(t, result.Changes)
	require.Equal(t, []int32{1, 0}, []int32{s.heads.Load(), s.records.Load()})
}

func TestPromise2_ANewVersionOfAKindUpdatesAllOfItOnce(t *testing.T) {
	t.Parallel()
	for name, world := range map[string]*syncertest.World{"in the backend": nil, "by a Handler": syncertest.NewWorld(t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSpy()
			desired := desire(t, "a=1", "b=2>a", "c")
			first := syncAll(t, release(t, s, world, 1, 0), desired, nil)
			require.Equal(t, map[string]int{"thing": 1}, first.Head.Kinds)
			isUnchanged(t, s, release(t, s, world, 1, 0), desired)

			newer := release(t, s, world, 3, 0)
			p := plan(t, newer, desired, nil)
			require.Equal(t, map[diff.Op]int{diff.OpUpdate: 3}, p.Counts())
			require.Equal(t, []string{"version 3 of its kind means something else than version 1"}, p.Changes[0].Change.(*diff.Update).Reasons)
			result, err := newer.Apply(t.Context(), p)
			require.NoError(t, err)
			require.Equal(t, map[string]int{"thing": 3}, result.Head.Kinds)
			for i, r := range result.Records() {
				require.Equal(t, first.Records()[i].ID, r.ID)
			}
			isUnchanged(t, s, newer, desired)

			_, err = release(t, s, world, 2, 0).Plan(t.Context(), desired, nil)
			require.ErrorIs(t, err, sync.ErrKindVersion)
			require.ErrorContains(t, err, `the kind "thing" is recorded in version 3, and this program knows version 2: upgrade it`)
		})
	}
}

// Whatever keeps one resource from being updated, the next run does it again.
func TestPromise2_ANewVersionIsBroughtToAllInTheEnd(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(t *testing.T, s *spy, w *syncertest.World, e *sync.Engine, desired *sync.Desired){
		"one fails": func(t *testing.T, s *spy, _ *syncertest.World, e *sync.Engine, desired *sync.Desired) {
			s.fail["b"] = errBoom
			_, err := e.Apply(t.Context(), plan(t, e, desired, &sync.PlanOptions{OnFailure: sync.KeepGoing}))
			require.ErrorIs(t, err, errBoom)
			delete(s.fail, "b")
		},
		"one fails, all or nothing": func(t *testing.T, s *spy, _ *syncertest.World, e *sync.Engine, desired *sync.Desired) {
			s.fail["b"] = errBoom
			_, err := e.Apply(t.Context(), plan(t, e, desired, nil))
			require.ErrorIs(t, err, errBoom)
			delete(s.fail, "b")
		},
		"one is selected": func(t *testing.T, _ *spy, _ *syncertest.World, e *sync.Engine, desired *sync.Desired) {
			result := syncAll(t, e, desired, &sync.PlanOptions{Selection: &sync.Selection{Keys: []state.Key{key("a")}}})
			require.Len(t, result.Changes, 1)
		},
		"a commit fails": func(t *testing.T, s *spy, _ *syncertest.World, e *sync.Engine, desired *sync.Desired) {
			s.failCommit = func(int64) error { return errBoom }
			_, err := e.Apply(t.Context(), plan(t, e, desired, nil))
			require.ErrorIs(t, err, errBoom)
			s.failCommit = nil
		},
		"it is cancelled": func(t *testing.T, s *spy, _ *syncertest.World, e *sync.Engine, desired *sync.Desired) {
			ctx, cancel := context.WithCancel(t.Context())
			s.onApply = func(context.Context) { cancel() }
			_, err := e.Apply(ctx, plan(t, e, desired, &sync.PlanOptions{OnFailure: sync.KeepGoing}))
			require.ErrorIs(t, err, context.Canceled)
			s.onApply = nil
		},
	} {
		for _, batch := range []int{1, 100} {
			t.Run(fmt.Sprint(name, " ", batch), func(t *testing.T) {
				t.Parallel()
				s := newSpy()
				desired := desire(t, "a=1", "b=2>a", "c>b")
				syncAll(t, release(t, s, nil, 0, 0), desired, nil)
				kinds := sync.Kinds(sync.Define[thing]("thing", sync.Version(1)))
				newer, err := sync.New(s, kinds, &sync.Options{BatchSize: batch})
				require.NoError(t, err)
				stop(t, s, nil, newer, desired)
				head, err := s.Head(t.Context())
				require.NoError(t, err)
				require.Empty(t, head.Kinds)
				syncAll(t, release(t, s, nil, 0, 0), desired, nil) // an older program still may
				result := syncAll(t, newer, desired, nil)
				require.Len(t, result.Changes, 3)
				isUnchanged(t, s, newer, desired)
			})
		}
	}
}

func TestPromise2_AHandlerThatFailsGetsTheNewVersionLater(t *testing.T) {
	t.Parallel()
	s, w := newSpy(), syncertest.NewWorld(t.TempDir())
	desired := desire(t, "a=1", "b=2", "c")
	syncAll(t, release(t, s, w, 0, 0), desired, nil)
	newer := release(t, s, w, 1, 0)
	w.Hook = func(change diff.Change, _ bool) error {
		if change.Key().Name == "b" {
			return errDown
		}
		return nil
	}
	for range 2 {
		result, err := newer.Apply(t.Context(), plan(t, newer, desired, nil))
		require.ErrorIs(t, err, errDown)
		require.Equal(t, []string{"a done", "b failed", "c done"}, ends(result))
		require.Empty(t, result.Head.Kinds)
	}
	w.Hook = nil
	syncAll(t, newer, desired, nil)
	isUnchanged(t, s, newer, desired)
}

// A kind's version says what its records mean, so it counts from the first of them.
func TestPromise2_TheVersionOfAKindsFirstRecords(t *testing.T) {
	t.Parallel()
	s := newSpy()
	old := desire(t, "a")
	syncAll(t, release(t, s, nil, 0, -1), old, nil)
	both := desire(t, "a")
	r, err := release(t, s, nil, 0, 2).Kinds().Resource("other", "x", thing{})
	require.NoError(t, err)
	both.Resources = append(both.Resources, r)
	for name, opts := range map[string]*sync.PlanOptions{"all": nil, "selected": {Selection: &sync.Selection{Kinds: []string{"other"}}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSpy()
			syncAll(t, release(t, s, nil, 0, -1), old, nil)
			result := syncAll(t, release(t, s, nil, 0, 2), both, opts)
			require.Len(t, result.Changes, 1)
			require.Equal(t, map[string]int{"other": 2}, result.Head.Kinds)
			isUnchanged(t, s, release(t, s, nil, 0, 2), both)
			_, err := release(t, s, nil, 0, 1).Plan(t.Context(), both, nil)
			require.ErrorIs(t, err, sync.ErrKindVersion)
		})
	}
}

// What is changed, moved or replaced while its kind gets a new version is brought up
// to date by that; an orphan is when it is declared again.
func TestPromise2_ANewVersionTogetherWithChanges(t *testing.T) {
	t.Parallel()
	s := newSpy()
	syncAll(t, release(t, s, nil, 0, 0), desire(t, "a=1", "b", "gone", "back"), nil)
	syncAll(t, release(t, s, nil, 0, 0), desire(t, "a=1", "b", "gone"), nil)
	newer := release(t, s, nil, 1, 0)
	desired := desire(t, "a=2", "c", "new")
	desired.Moves = []sync.Move{{From: key("b"), To: key("c")}}
	result := syncAll(t, newer, desired, nil)
	require.Equal(t, []string{"a done", "c done", "gone done", "new done"}, ends(result))
	require.Equal(t, map[string]int{"thing": 1}, result.Head.Kinds)
	desired.Resources = append(desired.Resources, desire(t, "back").Resources...)
	p := plan(t, newer, desired, nil)
	require.Equal(t, []string{"update back"}, planned(p), "what it was made with is of no matter")
	syncAll(t, newer, desired, nil)
	require.Empty(t, plan(t, newer, desired, nil).Changes)
}

// A newer program may plan without a declaration; an older one may do nothing that
// would rest on records that it doesn't understand.
func TestPromise2_AnOlderProgramDoesNothing(t *testing.T) {
	t.Parallel()
	s := newSpy()
	syncAll(t, release(t, s, nil, 2, 0), desire(t, "a", "b"), nil)
	older := release(t, s, nil, 1, 0)
	for _, opts := range []*sync.PlanOptions{nil, {Prune: true}, {Forget: []state.Key{key("a")}}} {
		_, err := older.Plan(t.Context(), nil, opts)
		require.ErrorIs(t, err, sync.ErrKindVersion)
	}
	without, err := sync.New(s, sync.Kinds(sync.Define[thing]("other")), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"forget a"}, planned(plan(t, without, nil, &sync.PlanOptions{Forget: []state.Key{key("a")}})), "of a kind that it doesn't know it only drops records")
}

// A plan that was made before another program brought a new version is stale.
func TestPromise2_APlanOfTheOldVersionIsNotApplied(t *testing.T) {
	t.Parallel()
	s := newSpy()
	older, newer := release(t, s, nil, 0, 0), release(t, s, nil, 1, 0)
	syncAll(t, older, desire(t, "a"), nil)
	p := plan(t, older, desire(t, "a=2"), nil)
	syncAll(t, newer, desire(t, "a"), nil)
	_, err := older.Apply(t.Context(), p)
	require.ErrorIs(t, err, sync.ErrKindVersion)
	require.True(t, errors.Is(err, sync.ErrKindVersion) && !sync.Retryable(err))
}

func TestPromise2_ANewVersionReachesAnOrphanThatIsDeclaredAgain(t *testing.T) {
	t.Parallel()
	s, world := newSpy(), syncertest.NewWorld(t.TempDir())
	old := release(t, s, world, 1, 0)
	syncAll(t, old, desire(t, "a=1"), nil)
	syncAll(t, old, desire(t), &sync.PlanOptions{AllowEmpty: true})
	calls := 0
	world.Hook = func(diff.Change, bool) error {
		calls++
		return nil
	}
	newer := release(t, s, world, 2, 0)
	p := plan(t, newer, desire(t, "a=1"), nil)
	require.Contains(t, p.Changes[0].Change.(*diff.Update).Reasons, "version 2 of its kind means something else than version 1")
	_, err := newer.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, 2, calls, "once before the act and once after it")
	isUnchanged(t, s, newer, desire(t, "a=1"))
}
