package sync_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// Before a Handler is called, whoever finds the State knows what it is about to do:
// to what, and since when.
func TestPromise5_AnIntentIsOnTheBooksFirst(t *testing.T) {
	t.Parallel()
	opts := &sync.Options{Parallel: 1, DigestKey: []byte("a key of sixteen bytes")}
	o := newTown(t, opts, func(w *syncertest.World) []sync.Kind { return townKinds(w, sync.CreateFirst()) })
	var acts []string
	o.Hook = func(change diff.Change, done bool) error {
		if done {
			return nil
		}
		acts = append(acts, fmt.Sprintf("%s %s", change.Op(), change.Key()))
		record := allRecords(t, o.backend)[change.Key().String()]
		head, err := o.backend.Head(t.Context())
		assert.NoError(t, err)
		if d, ok := change.(*diff.Delete); ok && d.Replaced {
			assert.Equal(t, d.Recorded.ID, record.Replaced, "%s", change.Key())
			return nil
		}
		op := change.Op()
		if op == diff.OpReplace {
			op = diff.OpCreate
		}
		at := slices.IndexFunc(record.Pending, func(p state.Pending) bool { return p.Op == string(op) })
		if !assert.GreaterOrEqual(t, at, 0, "%s of %s is not on the books", op, change.Key()) {
			return nil
		}
		assert.Equal(t, 1, record.Pending[at].Attempts)
		assert.LessOrEqual(t, record.Pending[at].Serial, head.Serial)
		if create, ok := change.(*diff.Create); ok {
			assert.Equal(t, create.Checksum, record.Pending[at].Checksum)
			kept, err := o.backend.Declared(t.Context(), []state.Checksum{create.Checksum})
			assert.NoError(t, err)
			assert.Contains(t, kept, create.Checksum, "what is to be is kept")
		}
		return nil
	}
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}}), nil)
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "2"}, "gateway/g": gateway{Size: 1}}), nil)
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "2"}, "gateway/g": gateway{Size: 2}}), nil)
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "2"}}), &sync.PlanOptions{Prune: true})
	slices.Sort(acts)
	require.Equal(t, []string{
		"create gateway/g", "create network/lan", "delete gateway/g", "delete network/lan", "replace network/lan", "update gateway/g",
	}, acts)
}

// What can't be recorded is not done.
func TestPromise5_NothingIsDoneWithoutItsIntent(t *testing.T) {
	t.Parallel()
	s := newSpy()
	s.failCommit = func(int64) error { return errBoom }
	var calls atomic.Int32
	e, kinds := engineOf(t, s, sync.HandlerFunc(func(_ context.Context, changes []diff.Change) []sync.Outcome {
		calls.Add(1)
		return make([]sync.Outcome, len(changes))
	}), nil)
	result, err := e.Apply(t.Context(), plan(t, e, declaring(resource(t, kinds, "box/a", box{1}), resource(t, kinds, "box/b", box{1}, "box/a")), nil))
	require.ErrorIs(t, err, errBoom)
	require.Zero(t, calls.Load())
	require.Zero(t, result.Count(sync.Done))
	require.Empty(t, recordsIn(t, s))
}

// What an act ended with is told by the next plan.
func TestPromise5_WhatAnActEndedWithIsOnTheBooks(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	o.sync(t, o.desire(t, map[string]any{"server/web": host{Size: 1}}), nil)
	refused := errors.New("refused")
	o.watch().fail["update server/web"] = refused
	desired := o.desire(t, map[string]any{"server/web": host{Size: 2}})
	for tries := 1; tries <= 2; tries++ {
		o.fails(t, desired, refused)
		pending := o.record(t, "server/web").Pending
		require.Len(t, pending, 1)
		require.Equal(t, []any{"update", tries, "refused"}, []any{pending[0].Op, pending[0].Attempts, pending[0].Error})
		p, err := o.engine.Plan(t.Context(), desired, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"the last update failed: refused"}, p.Changes[0].Change.(*diff.Update).Reasons)
	}
}

// A thing that is made anew is another one: its ID is a key that the other side has
// not seen before.
func TestPromise5_EachIncarnationHasItsOwnID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	o := newOutside(t, (*syncertest.World).Idempotent, nil)
	e := newEngine(t, newSpy(), nil)
	for range 3 {
		o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}}), nil)
		seen[o.id(t, "network/lan")] = true
		o.sync(t, &sync.Desired{}, &sync.PlanOptions{Prune: true, AllowEmpty: true})
		syncAll(t, e, desire(t, "a"), nil)
		seen[recordsIn(t, e.Backend())["a"].ID] = true
		syncAll(t, e, &sync.Desired{}, &sync.PlanOptions{Prune: true, AllowEmpty: true})
	}
	require.Len(t, seen, 6)
}

// What has failed for certain is as if it had never begun: nobody has to look.
func TestPromise5_WhatIsCertainlyNotThereIsNotOnTheBooks(t *testing.T) {
	t.Parallel()
	o := newUncertain(t)
	refused := errors.New("refused")
	o.watch().fail["create network/lan"] = refused
	desired := o.desire(t, map[string]any{"network/lan": wire{}})
	result := o.fails(t, desired, refused)
	require.Empty(t, result.Records())
	require.Empty(t, allRecords(t, o.backend))
	o.Hook = nil
	o.sync(t, desired, nil)
	require.Len(t, o.things(t), 1)
}
