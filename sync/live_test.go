package sync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// The engine that looks is another one than the engine that synced, and has not
// needed the key for digests before.
func TestPromise12_ASecretThatIsAsRecordedIsNoDrift(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, nil)
	var err error
	o.engine, err = sync.New(o.backend, o.kinds, nil) // the backend keeps the key
	require.NoError(t, err)
	o.sync(t, o.desire(t, map[string]any{
		"network/lan": wire{Range: "10.0.0.0/8"},
		"server/web":  host{Network: "lan", Size: 1, Token: "hunter2hunter2"},
	}), nil)
	o.engine, err = sync.New(o.backend, o.kinds, nil)
	require.NoError(t, err)
	drift, err := o.engine.Drift(t.Context())
	require.NoError(t, err)
	require.Empty(t, drift)

	thing := o.things(t)["server/web"]
	thing.Config = json.RawMessage(`{"network":"` + o.things(t)["network/lan"].ID + `","size":1,"token":"another one"}`)
	require.NoError(t, o.Put(thing))
	drift, err = o.engine.Drift(t.Context())
	require.NoError(t, err)
	require.Len(t, drift, 1)
	require.Equal(t, []diff.Field{{Path: "config.token", Sensitive: true, Drifted: true}}, drift[0].(*diff.Update).Fields)
}

// Of what was not recorded, nothing was changed behind our back.
func TestAdoptShowsWhatChanges(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, nil)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "s-1", Key: "server/web", Config: json.RawMessage(`{"size":9}`)}))
	desired := o.desire(t, map[string]any{"server/web": host{Size: 1}})
	plan, err := o.engine.Plan(t.Context(), desired, &sync.PlanOptions{Adopt: map[state.Key]string{{Kind: "server", Name: "web"}: "s-1"}})
	require.NoError(t, err)
	require.Equal(t, "> server/web [s-1] exists and is adopted\n    size: 9 → 1\nPlan: 1 to adopt, 0 unchanged.\n", plan.String())
}

// slowly observes things, one call after another, and counts the calls under way.
type slowly struct {
	sync.Handler
	now, most *atomic.Int32
}

func (s slowly) Observe(_ context.Context, records []state.Record) []sync.Live {
	for most := s.now.Add(1); most > s.most.Load(); {
		s.most.Store(most)
	}
	defer s.now.Add(-1)
	<-time.After(time.Second)
	lives := make([]sync.Live, len(records))
	for i := range lives {
		lives[i].ID = records[i].ID
	}
	return lives
}

// A kind of which one call may be under way at once is asked one thing at a time,
// also when a plan is made.
func TestPromise3_APlanKeepsToTheParallelOfAKind(t *testing.T) {
	t.Parallel()
	for parallel, want := range map[int]int32{1: 1, 2: 2, 0: 3} {
		synctest.Test(t, func(t *testing.T) {
			h := slowly{sync.HandlerFunc(func(_ context.Context, changes []diff.Change) []sync.Outcome {
				return make([]sync.Outcome, len(changes))
			}), new(atomic.Int32), new(atomic.Int32)}
			kinds := sync.Kinds(sync.Define[box]("box", sync.Handle(h), sync.Parallel(parallel)))
			engine, err := sync.New(newSpy(), kinds, &sync.Options{Parallel: 3})
			require.NoError(t, err)
			desired := declaring()
			for i := range 200 {
				desired.Resources = append(desired.Resources, resource(t, kinds, fmt.Sprintf("box/%d", i), box{1}))
			}
			syncAll(t, engine, desired, nil)
			plan(t, engine, desired, &sync.PlanOptions{Observe: true})
			require.Equal(t, want, h.most.Load())
		})
	}
}
