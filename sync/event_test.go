package sync_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// Both halves of a replace are told apart, and each says what it was about.
func TestPromise11_EventsOfAReplace(t *testing.T) {
	t.Parallel()
	var ends []sync.Event
	o := newOutside(t, (*syncertest.World).Finding, &sync.Options{OnEvent: func(e sync.Event) {
		if e.Type == sync.EventEnd {
			ends = append(ends, e)
		}
	}})
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}}), nil)
	before := o.things(t)["network/lan"].ID
	require.Equal(t, before, ends[0].ID)
	ends = nil
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/16"}}), nil)
	require.Len(t, ends, 2)
	require.Equal(t, diff.OpDelete, ends[0].Op)
	require.True(t, ends[0].Replaced)
	require.Equal(t, before, ends[0].ID)
	require.Equal(t, diff.OpReplace, ends[1].Op)
	require.False(t, ends[1].Replaced)
	require.Equal(t, o.things(t)["network/lan"].ID, ends[1].ID)
	line, err := json.Marshal(ends[0])
	require.NoError(t, err)
	require.Contains(t, string(line), `"op":"delete","replaced":true,"id":"`+before+`","status":"done"`)
}

// What an earlier run has left to delete is counted as what it is.
func TestCountsOfWhatIsLeftOfAReplace(t *testing.T) {
	t.Parallel()
	world := syncertest.NewWorld(t.TempDir())
	kinds := sync.Kinds(sync.Define[wire]("network", sync.Handle(world.Finding()), sync.CreateFirst()))
	o := &outside{World: world, backend: syncertest.NewMemory(scope()), kinds: kinds}
	var err error
	o.engine, err = sync.New(o.backend, kinds, nil)
	require.NoError(t, err)
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}}), nil)

	o.Hook = func(change diff.Change, _ bool) error {
		if change.Op() == diff.OpDelete {
			return errors.New("it is in use")
		}
		return nil
	}
	desired := o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/16"}})
	plan, err := o.engine.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 1}, plan.Counts())
	_, err = o.engine.Apply(t.Context(), plan)
	require.ErrorContains(t, err, "it is in use")

	plan, err = o.engine.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	require.Equal(t, map[diff.Op]int{diff.OpDelete: 1}, plan.Counts(), "%s", plan)
}
