package apisyncer_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer/apiserver"
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

type component struct {
	Image  string            `json:"image"`
	Token  string            `json:"token" sync:"sensitive"`
	Labels map[string]string `json:"labels"`
}

type action struct {
	Command   string `json:"command"`
	Component string `json:"component" sync:"ref=component"`
}

func appKinds() *tusync.KindSet {
	return tusync.Kinds(tusync.Define[component]("component"), tusync.Define[action]("action"))
}

// app declares so many components, in chains of 20, and half as many actions on them.
func app(t testing.TB, components, version int) *tusync.Desired {
	t.Helper()
	kinds, desired := appKinds(), &tusync.Desired{Revision: fmt.Sprint("v", version)}
	add := func(kind, name string, value any, after ...state.Key) {
		r, err := kinds.Resource(kind, name, value)
		require.NoError(t, err)
		r.After = after
		desired.Resources = append(desired.Resources, r)
	}
	name := func(n int) string { return fmt.Sprintf("c%05d", n) }
	for n := range components {
		var after []state.Key
		if n%20 > 0 {
			after = append(after, state.Key{Kind: "component", Name: name(n - 1)})
		}
		add("component", name(n), component{Image: fmt.Sprint("shop/web:", version), Token: fmt.Sprint("hunter", n)}, after...)
	}
	for n := range components / 2 {
		add("action", fmt.Sprintf("a%05d", n), action{Command: "migrate", Component: name(2 * n)})
	}
	return desired
}

// An app of 100 components and 50 actions takes two requests to sync, and one when
// nothing has changed.
func TestHowManyRequestsASyncTakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ components, first int }{{100, 2}, {6_667, 2}} {
		var requests atomic.Int32
		m := &memories{}
		address := serve(t, m.open, &apiserver.Options{OnRequest: func(r apiserver.Request) { requests.Add(1); t.Log(r.Endpoint, r.Status, r.Received, r.Sent, r.Took) }})
		sync := func(desired *tusync.Desired) (*tusync.Result, int) {
			requests.Store(0)
			backend, err := open(address, state.Scope{Org: "acme", App: "shop"})
			require.NoError(t, err)
			engine, err := tusync.New(backend, appKinds(), nil)
			require.NoError(t, err)
			plan, err := engine.Plan(t.Context(), desired, nil)
			require.NoError(t, err)
			result, err := engine.Apply(t.Context(), plan)
			require.NoError(t, err)
			return result, int(requests.Load())
		}
		result, n := sync(app(t, c.components, 1))
		require.Equal(t, c.first, n)
		require.Equal(t, c.components*3/2, result.Count(tusync.Done))
		_, n = sync(app(t, c.components, 1))
		require.Equal(t, 1, n, "unchanged")
		result, n = sync(app(t, c.components, 2))
		require.LessOrEqual(t, n, 4, "changed")
		require.Equal(t, c.components, result.Count(tusync.Done))
	}
}

// nothing is a Handler with nothing to do.
type nothing struct{}

// Apply implements sync.Handler.
func (nothing) Apply(_ context.Context, changes []diff.Change) []tusync.Outcome {
	outcomes := make([]tusync.Outcome, len(changes))
	for i, change := range changes {
		if c, ok := change.(*diff.Create); ok {
			outcomes[i].ID = c.ID
		}
	}
	return outcomes
}

// Idempotent implements sync.Idempotent.
func (nothing) Idempotent() bool { return true }
