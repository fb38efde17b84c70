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

// fails plans and applies, with an error.
func (o *outside) fails(t *testing.T, desired *sync.Desired, want error) *sync.Result {
	t.Helper()
	plan, err := o.engine.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	result, err := o.engine.Apply(t.Context(), plan)
	require.ErrorIs(t, err, want)
	return result
}

// A create that is done again, since nobody looks whether it has happened, may fail
// for good: what the first one made is there all the same.
func TestPromise5_ACreateDoneAgainThatFailsIsNotForgotten(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	unknown := fmt.Errorf("the answer is lost: %w", sync.ErrUncertain)
	for name, retries := range map[string]int{"in another run": -1, "in the same run": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOutside(t, (*syncertest.World).Idempotent, &sync.Options{Retries: retries})
			tries := 0
			o.Hook = func(_ diff.Change, done bool) error {
				if !done {
					tries++
				}
				switch {
				case tries == 1 && done:
					return unknown
				case tries == 2 && !done:
					return refused
				}
				return nil
			}
			desired := o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}})
			if retries < 0 {
				o.fails(t, desired, unknown)
			}
			result := o.fails(t, desired, refused)
			require.Equal(t, 1, result.Head.Pending)
			require.Len(t, o.things(t), 1)
			o.sync(t, &sync.Desired{}, &sync.PlanOptions{Prune: true, AllowEmpty: true})
			require.Empty(t, o.things(t))
		})
	}
}

// runner deploys, and tells what runs.
type runner map[string]state.Checksum

func (r runner) Deploy(_ context.Context, d *diff.Deploy) error {
	r[d.Recorded.ID] = d.Running
	return nil
}

func (r runner) Health(_ context.Context, records []state.Record) []sync.Health {
	health := make([]sync.Health, len(records))
	for i := range records {
		health[i] = sync.Health{Phase: sync.Healthy, Running: r[records[i].ID]}
	}
	return health
}

// Where a Deployer tells which declaration runs, what is changed in it and doesn't
// matter to what runs is no reason to deploy: not in this plan, and not in the next.
func TestPromise2_WhatRunsIsWhatIsDeclared(t *testing.T) {
	t.Parallel()
	kinds := sync.Kinds(sync.Define[thing]("thing", sync.Deploys(runner{})))
	engine, err := sync.New(syncertest.NewMemory(scope()), kinds, nil)
	require.NoError(t, err)
	desired := desire(t, "web")
	for _, description := range []string{"", "what people see"} {
		desired.Resources[0].Deploy, desired.Resources[0].Description = true, description
		plan, err := engine.Plan(t.Context(), desired, nil)
		require.NoError(t, err)
		_, err = engine.Apply(t.Context(), plan)
		require.NoError(t, err)
		plan, err = engine.Plan(t.Context(), desired, nil)
		require.NoError(t, err)
		require.Empty(t, plan.Changes, "%s", plan)
	}
}

// remains makes everything that is deleted fail the test that no record names.
func (o *outside) remains(t *testing.T) {
	t.Helper()
	o.Hook = func(change diff.Change, done bool) error {
		d, deletes := change.(*diff.Delete)
		if !deletes || done {
			return nil
		}
		for record, err := range o.backend.Records(t.Context()) {
			if err != nil || record.ID == d.Recorded.ID || record.Replaced == d.Recorded.ID {
				return err
			}
		}
		return fmt.Errorf("no record names %s", d.Recorded.ID)
	}
}

// A record has room for one old ID. What is left of a replace goes before the next
// one, and with it what still needs it, even if it would have been created first.
func TestPromise5_AReplaceOfWhatIsBeingReplaced(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w, sync.CreateFirst()) })
	town := func(network string) *sync.Desired {
		return o.desire(t, map[string]any{"network/lan": wire{Range: network}, "subnet/a": subnet{Network: "lan"}})
	}
	o.sync(t, town("1"), nil)
	refused := errors.New("refused")
	for name, hook := range map[string]func(change diff.Change, done bool) error{
		"its referrer wasn't replaced": func(change diff.Change, _ bool) error {
			if change.Key().Kind == "subnet" {
				return refused
			}
			return nil
		},
		"its referrer was replaced, perhaps": func(change diff.Change, done bool) error {
			if change.Key().Kind == "subnet" && done {
				return fmt.Errorf("%w: %w", refused, sync.ErrUncertain)
			}
			return nil
		},
	} {
		o.Hook = hook
		o.fails(t, town("2 "+name), refused)
		require.Greater(t, len(o.all(t)), 2, "the old ones are still there")
		o.remains(t)
		o.sync(t, town("3 "+name), nil)
		require.Len(t, o.all(t), 2)
	}
}

// all returns everything that there is.
func (o *outside) all(t *testing.T) []syncertest.WorldThing {
	t.Helper()
	things, err := o.Things()
	require.NoError(t, err)
	return things
}

// An update that failed is still due when the thing is being replaced. What counts
// then is the create that was interrupted.
func TestPromise5_AnInterruptedReplaceAfterAFailedUpdate(t *testing.T) {
	t.Parallel()
	o := newTown(t, &sync.Options{Retries: -1}, func(w *syncertest.World) []sync.Kind { return townKinds(w, sync.CreateFirst()) })
	gate := func(subnets string, size int) *sync.Desired {
		return o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{Range: "1"}, "subnet/a": subnet{Network: subnets, Size: size}})
	}
	o.sync(t, gate("lan", 1), nil)
	refused, unknown := errors.New("refused"), fmt.Errorf("the answer is lost: %w", sync.ErrUncertain)
	o.Hook = func(diff.Change, bool) error { return refused }
	o.fails(t, gate("lan", 2), refused)
	o.Hook = func(change diff.Change, done bool) error {
		if _, creates := change.(*diff.Create); creates && done {
			return unknown
		}
		return nil
	}
	o.fails(t, gate("wan", 2), unknown)
	require.Len(t, o.all(t), 4)
	o.Hook = nil
	o.sync(t, gate("wan", 2), nil)
	require.Len(t, o.all(t), 3)
}

// A create that failed may have made something, with a new ID: what refers to it
// hears of that, if not in this run then in the next.
func TestPromise3_AnIDOfSomethingHalfMadeReachesItsReferrers(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	fails := false
	o := newTown(t, &sync.Options{Retries: -1}, func(w *syncertest.World) []sync.Kind {
		kinds := townKinds(w)
		inner := kinds[0].Handler
		kinds[0].Handler = sync.HandlerFunc(func(ctx context.Context, changes []diff.Change) []sync.Outcome {
			outcomes := inner.Apply(ctx, changes)
			if _, creates := changes[0].(*diff.Create); creates && fails {
				outcomes[0].Err = refused
			}
			return outcomes
		})
		return kinds
	})
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "gateway/g": gateway{Network: "lan"}}), nil)
	fails = true
	desired := o.desire(t, map[string]any{"network/lan": wire{Range: "2"}, "gateway/g": gateway{Network: "lan"}})
	o.fails(t, desired, refused)
	o.sync(t, desired, nil)
	require.Equal(t, o.id(t, "network/lan"), o.config(t, "gateway/g", "network"))
}

// What is to be replaced because of a new ID below is so also if an update of it was
// due before.
func TestPromise3_AReplaceThatIsDueCountsBeforeAnUpdate(t *testing.T) {
	t.Parallel()
	o := newTown(t, &sync.Options{Retries: -1}, func(w *syncertest.World) []sync.Kind { return townKinds(w, sync.CreateFirst()) })
	town := func(network string, size int) *sync.Desired {
		return o.desire(t, map[string]any{"network/lan": wire{Range: network}, "subnet/a": subnet{Network: "lan", Size: size}})
	}
	o.sync(t, town("1", 1), nil)
	before := o.id(t, "subnet/a")
	refused := errors.New("refused")
	o.Hook = func(diff.Change, bool) error { return refused }
	o.fails(t, town("1", 2), refused)
	ctx, cancel := context.WithCancel(t.Context())
	o.Hook = func(change diff.Change, done bool) error {
		if done && change.Key().Kind == "network" {
			cancel()
		}
		return nil
	}
	plan, err := o.engine.Plan(ctx, town("2", 2), nil)
	require.NoError(t, err)
	_, err = o.engine.Apply(ctx, plan)
	require.ErrorIs(t, err, context.Canceled)
	o.Hook = nil
	o.sync(t, town("2", 2), nil)
	require.NotEqual(t, before, o.id(t, "subnet/a"))
	require.Equal(t, o.id(t, "network/lan"), o.config(t, "subnet/a", "network"))
}
