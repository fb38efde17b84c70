package sync_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// asleep is a Finder that can't tell.
type asleep struct{ sync.Handler }

func (asleep) Find(_ context.Context, creates []*diff.Create) []sync.Live {
	lives := make([]sync.Live, len(creates))
	for i := range lives {
		lives[i].Err = errBoom
	}
	return lives
}

// Who can't tell whether a thing exists has not said that there is none.
func TestPromise8_AFinderThatFailsHasNotFoundNothing(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind {
		return []sync.Kind{sync.Define[wire]("network", sync.Handle(asleep{w.Handler()}))}
	})
	for _, mode := range []sync.ExistingMode{sync.ExistingError, sync.ExistingAdopt, sync.ExistingReplace} {
		_, err := o.engine.Plan(t.Context(), o.desire(t, map[string]any{"network/lan": wire{}}), &sync.PlanOptions{Existing: mode})
		require.ErrorIs(t, err, errBoom)
		require.ErrorAs(t, err, &sync.SyncAPIErr{})
		require.ErrorContains(t, err, "network/lan")
	}
}

// What has been replaced, and could not be deleted yet, is on the books: it is still
// ours, even if somebody calls it what another resource is called.
func TestPromise8_WhatWasReplacedIsStillOurs(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w, sync.CreateFirst()) })
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}}), nil)
	old := o.things(t)["network/lan"]
	refused := errors.New("refused")
	o.watch().fail["delete network/lan"] = refused
	o.fails(t, o.desire(t, map[string]any{"network/lan": wire{Range: "2"}}), refused)
	o.Hook = nil
	require.Equal(t, old.ID, o.record(t, "network/lan").Replaced)
	old.Key = "network/home"
	require.NoError(t, o.Put(old))
	both := o.desire(t, map[string]any{"network/lan": wire{Range: "2"}, "network/home": wire{Range: "1"}})
	for _, mode := range []sync.ExistingMode{sync.ExistingError, sync.ExistingAdopt, sync.ExistingReplace} {
		_, err := o.engine.Plan(t.Context(), both, &sync.PlanOptions{Existing: mode})
		require.ErrorIs(t, err, sync.ErrExists)
		require.ErrorContains(t, err, "which is recorded as network/lan")
	}
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "2"}}), nil)
	require.Len(t, o.things(t), 1)
}
