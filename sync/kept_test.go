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

// forgetful keeps States, but not what was declared in them.
type forgetful struct{ *syncertest.Memory }

func (forgetful) Declared(context.Context, []state.Checksum) (map[state.Checksum]state.Resource, error) {
	return nil, nil
}

// What can't be declared again since nobody knows what it was is not left out: it
// would become an orphan, or be pruned.
func TestPromise13_WhatIsNoLongerKeptIsNotLeftOut(t *testing.T) {
	t.Parallel()
	memory := syncertest.NewMemory(scope())
	e := newEngine(t, memory, nil)
	syncAll(t, e, desire(t, "a", "b"), nil)
	syncAll(t, e, desire(t, "a=2", "b=2"), nil)
	_, err := newEngine(t, forgetful{memory}, nil).Rollback(t.Context(), 1, nil, nil)
	require.ErrorContains(t, err, "State 1: the declaration of thing/a is no longer kept")
	require.ErrorContains(t, err, "thing/b")
}

// What was declared means something else in another version of its kind.
func TestPromise13_ARollbackNeedsTheVersionOfThen(t *testing.T) {
	t.Parallel()
	memory := syncertest.NewMemory(scope())
	syncAll(t, release(t, memory, nil, 1, 0), desire(t, "a"), nil)
	newer := release(t, memory, nil, 2, 0)
	syncAll(t, newer, desire(t, "a"), nil)
	_, err := newer.Rollback(t.Context(), 1, nil, nil)
	require.ErrorIs(t, err, sync.ErrKindVersion)
	require.ErrorContains(t, err, "State 1: thing/a was declared in version 1 of its kind, which is 2 now")
}

// A rollback is planned again like any plan if the State moves, towards the State
// that was asked for.
func TestPromise13_ARollbackGoesAheadIfTheStateMoves(t *testing.T) {
	t.Parallel()
	e := newEngine(t, syncertest.NewMemory(scope()), nil)
	syncAll(t, e, desire(t, "a"), nil)
	syncAll(t, e, desire(t, "a=2"), nil)
	p, err := e.Rollback(t.Context(), 1, nil, nil)
	require.NoError(t, err)
	moveOn(t, e.Backend())
	_, err = e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Empty(t, plan(t, e, desire(t, "a"), nil).Changes)

	syncAll(t, e, desire(t, "a=2"), nil)
	p, err = e.Rollback(t.Context(), 1, nil, nil)
	require.NoError(t, err)
	syncAll(t, e, desire(t, "a=3"), nil)
	_, err = e.Apply(t.Context(), p)
	require.ErrorIs(t, err, sync.ErrStale)
}

// Drift is what differs now, not what a run has left to do.
func TestPromise12_WhatIsOnlyDueIsNoDrift(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}, "server/web": host{Size: 1}}), nil)
	jobs := o.watch()
	jobs.fail["create server/db"], jobs.fail["update server/web"] = sync.ErrUncertain, errBoom
	o.fails(t, o.desire(t, map[string]any{"network/lan": wire{}, "server/web": host{Size: 2}, "server/db": host{}}), errBoom)
	o.Hook = nil
	drift, err := o.engine.Drift(t.Context())
	require.NoError(t, err)
	require.Empty(t, drift)
	require.NoError(t, o.Remove(o.id(t, "network/lan")))
	drift, err = o.engine.Drift(t.Context())
	require.NoError(t, err)
	require.Len(t, drift, 1)
	require.Equal(t, diff.OpCreate, drift[0].Op())
}

// Nor is what a replace that was interrupted has left to do.
func TestPromise12_AReplaceThatIsNotFinishedIsNoDrift(t *testing.T) {
	t.Parallel()
	o := newTown(t, &sync.Options{Retries: -1, DigestKey: []byte("a key of sixteen bytes")}, func(w *syncertest.World) []sync.Kind { return townKinds(w, sync.CreateFirst()) })
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}}), nil)
	lost := errors.Join(errBoom, sync.ErrUncertain)
	o.watch().fail["replace network/lan"] = lost
	o.fails(t, o.desire(t, map[string]any{"network/lan": wire{Range: "2"}}), errBoom)
	require.Equal(t, "create", o.record(t, "network/lan").Pending[0].Op)
	drift, err := o.engine.Drift(t.Context())
	require.NoError(t, err)
	require.Empty(t, drift)
}

// However many there are: they are asked for a few at a time.
func TestPromise12_DriftOfManyIsEachTheirOwn(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	all := map[string]any{}
	for i := range 100 {
		all[fmt.Sprintf("network/n%02d", i)] = wire{Range: fmt.Sprint(i)}
	}
	o.sync(t, o.desire(t, all), nil)
	drift, err := o.engine.Drift(t.Context())
	require.NoError(t, err)
	require.Empty(t, drift)
	require.NoError(t, o.Remove(o.id(t, "network/n40")))
	o.edit(t, "network/n77", func(config map[string]any) { config["range"] = "78" })
	drift, err = o.engine.Drift(t.Context())
	require.NoError(t, err)
	require.Len(t, drift, 2)
	require.Equal(t, []string{"create network/n40", "update network/n77"}, []string{
		fmt.Sprint(drift[0].Op(), " ", drift[0].Key()), fmt.Sprint(drift[1].Op(), " ", drift[1].Key()),
	})
}
