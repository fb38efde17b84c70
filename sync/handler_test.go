package sync_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

type wire struct {
	Range string `sync:"immutable"`
}

type host struct {
	Network string `sync:"ref=network"`
	Size    int
	Token   string `sync:"sensitive"`
}

// outside is an engine with Handlers, on a memory and a directory.
type outside struct {
	*syncertest.World
	backend *syncertest.Memory
	kinds   *sync.KindSet
	engine  *sync.Engine
}

func newOutside(t *testing.T, handler func(*syncertest.World) sync.Handler, opts *sync.Options) *outside {
	t.Helper()
	o := &outside{World: syncertest.NewWorld(t.TempDir()), backend: syncertest.NewMemory(scope())}
	o.kinds = sync.Kinds(
		sync.Define[wire]("network", sync.Handle(handler(o.World))),
		sync.Define[host]("server", sync.Handle(handler(o.World))))
	if opts == nil {
		opts = &sync.Options{}
	}
	opts.DigestKey = []byte("a key of sixteen bytes")
	var err error
	o.engine, err = sync.New(o.backend, o.kinds, opts)
	require.NoError(t, err)
	return o
}

func (o *outside) desire(t *testing.T, values map[string]any) *sync.Desired {
	t.Helper()
	desired := &sync.Desired{}
	for text, value := range values {
		k, err := state.ParseKey(text)
		require.NoError(t, err)
		r, err := o.kinds.Resource(k.Kind, k.Name, value)
		require.NoError(t, err)
		desired.Resources = append(desired.Resources, r)
	}
	return desired
}

func (o *outside) sync(t *testing.T, desired *sync.Desired, opts *sync.PlanOptions) (*sync.Plan, *sync.Result) {
	t.Helper()
	plan, err := o.engine.Plan(t.Context(), desired, opts)
	require.NoError(t, err)
	result, err := o.engine.Apply(t.Context(), plan)
	require.NoError(t, err)
	again, err := o.engine.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	require.Empty(t, again.Changes, "%s", again)
	return plan, result
}

// things returns what there is, by key.
func (o *outside) things(t *testing.T) map[string]syncertest.WorldThing {
	t.Helper()
	things, err := o.Things()
	require.NoError(t, err)
	byKey := map[string]syncertest.WorldThing{}
	for _, thing := range things {
		require.NotContains(t, byKey, thing.Key, "%s exists twice", thing.Key)
		byKey[thing.Key] = thing
	}
	return byKey
}

func TestPromise3_ReferencesBecomeIDs(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, nil)
	o.sync(t, o.desire(t, map[string]any{
		"network/lan": wire{Range: "10.0.0.0/8"},
		"server/web":  host{Network: "lan", Size: 1, Token: "hunter2hunter2"},
	}), nil)
	things := o.things(t)
	var web struct{ Network, Token string }
	require.NoError(t, json.Unmarshal(things["server/web"].Config, &web))
	require.Equal(t, things["network/lan"].ID, web.Network)
	require.Equal(t, "hunter2hunter2", web.Token)

	plan, _ := o.sync(t, o.desire(t, map[string]any{
		"network/lan": wire{Range: "10.0.0.0/16"},
		"server/web":  host{Network: "lan", Size: 1, Token: "hunter2hunter2"},
	}), nil)
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 1, diff.OpUpdate: 1}, plan.Counts(), "%s", plan)
	before := web.Network
	things = o.things(t)
	require.NoError(t, json.Unmarshal(things["server/web"].Config, &web))
	require.Equal(t, things["network/lan"].ID, web.Network)
	require.NotEqual(t, before, web.Network)
}

func TestPromise5_AnInterruptedCreateResolvesItself(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(*syncertest.World) sync.Handler{
		"Finding": (*syncertest.World).Finding, "Idempotent": (*syncertest.World).Idempotent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOutside(t, handler, &sync.Options{Retries: -1})
			broken := errors.Join(errors.New("the line is dead"), sync.ErrUncertain)
			o.Hook = func(change diff.Change, done bool) error {
				if done && change.Key().Name == "lan" {
					return broken
				}
				return nil
			}
			desired := o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}, "server/web": host{Network: "lan"}})
			plan, err := o.engine.Plan(t.Context(), desired, nil)
			require.NoError(t, err)
			result, err := o.engine.Apply(t.Context(), plan)
			require.ErrorIs(t, err, broken)
			require.Equal(t, 1, result.Count(sync.Failed))
			require.Equal(t, 1, result.Count(sync.Blocked))
			require.Equal(t, 1, result.Head.Pending)
			o.Hook = nil
			o.sync(t, desired, nil)
			require.Len(t, o.things(t), 2)
		})
	}
}

func TestPromise5_AHandlerWithoutAbilitiesIsUncertain(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Handler, nil)
	o.Hook = func(_ diff.Change, done bool) error {
		if done {
			return context.DeadlineExceeded
		}
		return nil
	}
	desired := o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}})
	for range 2 {
		plan, err := o.engine.Plan(t.Context(), desired, nil)
		require.NoError(t, err)
		require.Len(t, plan.Changes, 1)
		_, err = o.engine.Apply(t.Context(), plan)
		require.Error(t, err)
		require.Len(t, o.things(t), 1)
	}
	plan, err := o.engine.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	_, err = o.engine.Apply(t.Context(), plan)
	require.ErrorIs(t, err, sync.ErrUncertain)
	o.Hook = nil
	o.sync(t, desired, &sync.PlanOptions{Adopt: map[state.Key]string{{Kind: "network", Name: "lan"}: o.things(t)["network/lan"].ID}})
	require.Len(t, o.things(t), 1)
}
