package sync_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// box is a kind without references, crate one that refers to a box.
type box struct{ Size int }

type crate struct {
	Box  string `sync:"ref=box"`
	Size int
}

// resource declares one resource; after are the keys of what it comes after.
func resource(t testing.TB, kinds *tusync.KindSet, text string, value any, after ...string) state.Resource {
	t.Helper()
	key, err := state.ParseKey(text)
	require.NoError(t, err)
	r, err := kinds.Resource(key.Kind, key.Name, value)
	require.NoError(t, err)
	for _, text := range after {
		key, err := state.ParseKey(text)
		require.NoError(t, err)
		r.After = append(r.After, key)
	}
	return r
}

func declaring(resources ...state.Resource) *tusync.Desired {
	return &tusync.Desired{Resources: resources}
}

// engineOf returns an engine for a kind "box" with a Handler, and its kinds.
func engineOf(t testing.TB, backend tusync.Backend, h tusync.Handler, opts *tusync.Options) (*tusync.Engine, *tusync.KindSet) {
	t.Helper()
	kinds := tusync.Kinds(tusync.Define[box]("box", tusync.Handle(h)), tusync.Define[crate]("crate"))
	engine, err := tusync.New(backend, kinds, opts)
	require.NoError(t, err)
	return engine, kinds
}

// What a Handler has done is on the books, even where the backend's own part is
// taken back afterwards.
func TestPromise4_AllOrNothingKeepsWhatHandlersHaveDone(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	spy.fail["bad"] = errBoom
	engine, kinds := engineOf(t, spy, syncertest.NewWorld(t.TempDir()).Handler(), nil)
	p := plan(t, engine, declaring(
		resource(t, kinds, "box/b", box{1}),
		resource(t, kinds, "crate/bad", crate{Box: "b"}),
		resource(t, kinds, "crate/good", crate{Box: "b"}),
	), &tusync.PlanOptions{OnFailure: tusync.AllOrNothing})
	result, err := engine.Apply(t.Context(), p)
	require.ErrorIs(t, err, errBoom)
	require.Equal(t, []string{"b done", "bad failed", "good not attempted"}, ends(result))
	records := recordsIn(t, spy)
	require.Len(t, records, 1)
	require.NotEmpty(t, records["b"].ID)
	require.Empty(t, records["b"].Pending)
}

// What only concerns the books is taken back with the rest, whether the backend
// had staged anything or not.
func TestPromise4_AllOrNothingMarksNoOrphansIfItFails(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"kept", "bad"}, {"kept", "bad", "good"}} {
		spy := newSpy()
		engine := newEngine(t, spy, nil)
		syncAll(t, engine, desire(t, "kept", "left"), nil)
		before, err := spy.Head(t.Context())
		require.NoError(t, err)
		spy.fail["bad"] = errBoom
		_, err = engine.Apply(t.Context(), plan(t, engine, desire(t, names...), nil))
		require.ErrorIs(t, err, errBoom)
		after, err := spy.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, before, after, names)
	}
}

// An act that comes back after a commit failed was attempted: it isn't on the
// books, and doesn't look as if it had never begun.
func TestPromise4_WhatComesBackAfterACommitFailedHasFailed(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	begun, goOn := make(chan struct{}), make(chan struct{})
	spy.failCommit = func(serial int64) error {
		if serial == 2 {
			close(goOn)
			return errBoom
		}
		return nil
	}
	engine, kinds := engineOf(t, spy, tusync.HandlerFunc(func(_ context.Context, changes []diff.Change) []tusync.Outcome {
		if changes[0].Key().Name == "slow" {
			close(begun)
			<-goOn
		}
		<-begun
		return make([]tusync.Outcome, len(changes))
	}), nil)
	result, err := engine.Apply(t.Context(), plan(t, engine, declaring(
		resource(t, kinds, "box/quick", box{1}),
		resource(t, kinds, "box/slow", box{1}),
		resource(t, kinds, "box/then", box{1}, "box/quick"),
	), nil))
	require.ErrorIs(t, err, errBoom)
	require.Equal(t, []string{"quick failed", "slow failed", "then not attempted"}, ends(result))
}

// finds finds everything that is to be created, and does what it is told.
type finds struct{ tusync.HandlerFunc }

func (finds) Find(_ context.Context, creates []*diff.Create) []tusync.Live {
	lives := make([]tusync.Live, len(creates))
	for i := range lives {
		lives[i].ID = "found"
	}
	return lives
}

// The delete of what was never recorded changes nothing on the books, and is done
// all the same.
func TestPromise4_WhatChangesNothingOnTheBooksIsDone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	engine, kinds := engineOf(t, newSpy(), finds{func(_ context.Context, changes []diff.Change) []tusync.Outcome {
		cancel()
		return make([]tusync.Outcome, len(changes))
	}}, nil)
	p := plan(t, engine, declaring(resource(t, kinds, "box/b", box{1})), &tusync.PlanOptions{Existing: tusync.ExistingReplace})
	result, err := engine.Apply(ctx, p)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"b done", "b not attempted"}, ends(result))
}

// No act is under way any more when Apply is left, also when a callback panics.
func TestPromise11_APanickingCallbackLeavesNothingUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		spy := newSpy()
		engine, kinds := engineOf(t, spy, tusync.HandlerFunc(func(ctx context.Context, changes []diff.Change) []tusync.Outcome {
			running.Add(1)
			defer running.Add(-1)
			if changes[0].Key().Name == "slow" {
				<-ctx.Done()
			}
			<-time.After(time.Second)
			return make([]tusync.Outcome, len(changes))
		}), &tusync.Options{OnEvent: func(e tusync.Event) {
			if e.Type == tusync.EventEnd {
				panic("nobody expects this")
			}
		}})
		p := plan(t, engine, declaring(resource(t, kinds, "box/quick", box{1}), resource(t, kinds, "box/slow", box{1})), nil)
		require.Panics(t, func() { _, _ = engine.Apply(t.Context(), p) })
		require.Zero(t, running.Load())
		require.EqualValues(t, 1, spy.closes.Load())
	})
}
