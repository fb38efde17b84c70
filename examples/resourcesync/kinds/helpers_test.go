package kinds_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/syncertest"
)

var update = flag.Bool("update", false, "write golden files")

// idle is a Deployer of things that nobody asks to deploy.
type idle struct{}

func (idle) Deploy(context.Context, *diff.Deploy) error { return errors.ErrUnsupported }

func (idle) Health(_ context.Context, records []state.Record) []sync.Health {
	return make([]sync.Health, len(records))
}

func set() *sync.KindSet {
	return kinds.Set(kinds.Deployers{Build: idle{}, Deployment: idle{}, Stack: idle{}})
}

// load loads one file of that text, named a.toml.
func load(text string) (*sync.Desired, error) {
	fsys := fstest.MapFS{"a.toml": {Data: []byte(text)}}
	desired, err := manifest.Load(fsys, set(), kinds.Options())
	if err != nil {
		return nil, err
	}
	return desired, kinds.Complete(desired)
}

// config returns the Config of the one resource that a text declares.
func config(t *testing.T, text string) string {
	t.Helper()
	desired, err := load(text)
	require.NoError(t, err, text)
	require.Len(t, desired.Resources, 1)
	return string(desired.Resources[0].Config)
}

// find returns a declared resource.
func find(t *testing.T, desired *sync.Desired, key string) state.Resource {
	t.Helper()
	for _, r := range desired.Resources {
		if r.String() == key {
			return r
		}
	}
	require.FailNow(t, "not declared: "+key)
	return state.Resource{}
}

// converges syncs a declaration, and finds nothing to do after that. It deploys
// nothing.
func converges(t *testing.T, desired *sync.Desired) {
	t.Helper()
	for i := range desired.Resources {
		desired.Resources[i].Deploy = false
	}
	engine := newEngine(t)
	require.Len(t, apply(t, engine, desired).Changes, len(desired.Resources))
	plan, err := engine.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	require.Empty(t, plan.Changes)
}

func newEngine(t *testing.T) *sync.Engine {
	t.Helper()
	engine, err := sync.New(syncertest.NewMemory(state.Scope{Org: "acme", App: "home"}), set(), nil)
	require.NoError(t, err)
	return engine
}

// apply syncs a declaration and returns the plan of it.
func apply(t *testing.T, engine *sync.Engine, desired *sync.Desired) *sync.Plan {
	t.Helper()
	plan, err := engine.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	_, err = engine.Apply(t.Context(), plan)
	require.NoError(t, err)
	return plan
}

// planned returns the plan of a first sync, as text and as JSON.
func planned(t *testing.T, desired *sync.Desired) string {
	t.Helper()
	plan, err := newEngine(t).Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	document, err := json.Marshal(plan)
	require.NoError(t, err)
	return plan.String() + string(document)
}

// golden compares a text with that of a file.
func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}
