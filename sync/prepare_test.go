package sync_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// baked are processes that are made of what is in a pantry, which their deploys fill.
type baked struct {
	*processes
	mu     sync.Mutex
	pantry map[string]string // what is there, by the name of who needs it
	fills  map[string]string // who, when it is deployed, provides for whom
	wrong  string            // who is declared in a way that makes no sense
}

// Prepare implements sync.Preparer.
func (b *baked) Prepare(_ context.Context, deploys []*diff.Deploy) []tusync.Prepared {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]tusync.Prepared, len(deploys))
	for i, deploy := range deploys {
		made, ok := b.pantry[deploy.Desired.Name]
		if b.wrong == deploy.Desired.Name {
			all[i] = tusync.Prepared{Err: errors.New("nobody knows what that is"), Wrong: true}
		} else if !ok {
			all[i].Err = errors.New("there is nothing to make it of")
		} else if made != "" {
			all[i].Sum = state.Sum([]byte(made))
		}
	}
	return all
}

// Deploy implements sync.Deployer.
func (b *baked) Deploy(ctx context.Context, deploy *diff.Deploy) error {
	b.mu.Lock()
	if whom := b.fills[deploy.Desired.Name]; whom != "" {
		b.pantry[whom] = "fresh"
	}
	b.mu.Unlock()
	return b.processes.Deploy(ctx, deploy)
}

func newBakery(t *testing.T) (*rig, *baked) {
	t.Helper()
	r := newRig(t, 0)
	b := &baked{processes: r.processes, pantry: map[string]string{"db": "", "web": "flour"}}
	r.kinds = tusync.Kinds(tusync.Define[app]("app", tusync.Deploys(b)))
	backend, err := filesyncer.New(t.TempDir(), scope(), nil)
	require.NoError(t, err)
	r.engine, err = tusync.New(backend, r.kinds, nil)
	require.NoError(t, err)
	return r, b
}

// What runs is deployed anew when what else it is made of is another.
func TestDeployOfWhatIsMadeOfSomethingElse(t *testing.T) {
	t.Parallel()
	r, b := newBakery(t)
	desired := r.declares(t, map[string]app{"app/db": {}, "app/web": {}}, nil)
	syncAll(t, r.engine, desired, nil)
	require.True(t, plan(t, r.engine, desired, nil).IsEmpty())
	b.pantry["web"] = "rye"
	p := plan(t, r.engine, desired, nil)
	require.Equal(t, map[string][]string{"app/web": {"something else runs than what is declared: version 0"}}, deploysIn(p))
	syncAll(t, r.engine, desired, nil)
	require.True(t, plan(t, r.engine, desired, nil).IsEmpty())
}

// What can't be deployed as things are is an error of the plan that would, with its
// place, and a warning of one that wouldn't.
func TestDeployOfWhatIsMadeOfNothing(t *testing.T) {
	t.Parallel()
	r, b := newBakery(t)
	desired := r.declares(t, map[string]app{"app/db": {}, "app/web": {}}, nil)
	desired.Positions = map[state.Key]tusync.Position{parse(t, "app/web"): {File: "apps.toml", Line: 3, Col: 1}}
	delete(b.pantry, "web")
	_, err := r.engine.Plan(t.Context(), desired, nil)
	require.ErrorContains(t, err, "apps.toml:3:1: app/web - can't be deployed: there is nothing to make it of")
	b.pantry["web"] = "flour"
	syncAll(t, r.engine, desired, nil)
	delete(b.pantry, "web")
	p := plan(t, r.engine, desired, nil)
	require.True(t, p.IsEmpty())
	require.Len(t, p.Warnings, 1)
	require.Equal(t, "apps.toml:3:1: app/web could not be deployed: there is nothing to make it of", p.Warnings[0].String())
}

// What something is made of may be the work of what it comes after: then it is looked at
// when that is done.
func TestDeployOfWhatIsMadeBefore(t *testing.T) {
	t.Parallel()
	r, b := newBakery(t)
	delete(b.pantry, "web")
	b.fills = map[string]string{"db": "web"}
	desired := r.declares(t, map[string]app{"app/db": {}, "app/web": {}}, map[string][]string{"app/web": {"app/db"}})
	p := plan(t, r.engine, desired, nil)
	require.Empty(t, p.Warnings)
	syncAll(t, r.engine, desired, nil)
	require.True(t, plan(t, r.engine, desired, nil).IsEmpty())
	b.pantry["web"] = "rye"
	require.Len(t, deploysIn(plan(t, r.engine, desired, nil)), 1, "what runs is known to be made of what was fresh")
	delete(b.pantry, "web")
	delete(b.fills, "db")
	result, err := r.engine.Apply(t.Context(), plan(t, r.engine, r.declares(t, map[string]app{"app/db": {Version: 2}, "app/web": {}}, map[string][]string{"app/web": {"app/db"}}), nil))
	require.ErrorContains(t, err, "there is nothing to make it of")
	require.Equal(t, tusync.Failed, statuses(result)["deploy app/web"])
	require.Equal(t, tusync.Done, statuses(result)["deploy app/db"])
}

// What no deploy can mend is known before the first.
func TestDeployOfWhatIsWronglyDeclared(t *testing.T) {
	t.Parallel()
	r, b := newBakery(t)
	b.wrong = "web"
	desired := r.declares(t, map[string]app{"app/db": {}, "app/web": {}}, map[string][]string{"app/web": {"app/db"}})
	_, err := r.engine.Plan(t.Context(), desired, nil)
	require.ErrorContains(t, err, "app/web - can't be deployed: nobody knows what that is")
}

// A field that doesn't matter to what runs is updated, and nothing is deployed.
func TestNoDeployForWhatDoesNotMatter(t *testing.T) {
	t.Parallel()
	r, _ := newBakery(t)
	syncAll(t, r.engine, r.declares(t, map[string]app{"app/web": {}}, nil), nil)
	desired := r.declares(t, map[string]app{"app/web": {Label: "shop"}}, nil)
	p := plan(t, r.engine, desired, nil)
	require.Empty(t, deploysIn(p))
	require.Equal(t, 1, p.Counts()[diff.OpUpdate])
	syncAll(t, r.engine, desired, nil)
	require.True(t, plan(t, r.engine, desired, nil).IsEmpty())
	require.Equal(t, []string{"it changes"}, deploysIn(plan(t, r.engine, r.declares(t, map[string]app{"app/web": {Label: "shop", Version: 2}}, nil), nil))["app/web"])
}

// telltale is a Deployer that says what it is given.
type telltale struct{ tusync.Deployer }

// Prepare implements sync.Preparer.
func (telltale) Prepare(_ context.Context, deploys []*diff.Deploy) []tusync.Prepared {
	return []tusync.Prepared{{Err: errors.New("can't make it of " + string(deploys[0].Config))}}
}

// Why something can't be deployed shows no sensitive value, nor does what that wraps.
func TestPromise10_WhatCantBeDeployedShowsNoSecret(t *testing.T) {
	t.Parallel()
	kinds := tusync.Kinds(tusync.Define[account]("account", tusync.Deploys(telltale{&processes{dir: t.TempDir()}})))
	engine, err := tusync.New(syncertest.NewMemory(scope()), kinds, nil)
	require.NoError(t, err)
	ada, err := kinds.Resource("account", "ada", account{Name: "ada", Token: "hunter2hunter2"})
	require.NoError(t, err)
	ada.Deploy = true
	_, err = engine.Plan(t.Context(), &tusync.Desired{Resources: []state.Resource{ada}}, nil)
	var wrong tusync.SyncErr
	require.ErrorAs(t, err, &wrong)
	require.ErrorContains(t, wrong.Err, "can't make it of")
	require.NotContains(t, wrong.Err.Error()+err.Error(), "hunter2")
}
