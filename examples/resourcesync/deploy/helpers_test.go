package deploy_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/deploy"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// A draft is a declaration that is planned, or of which procedures are run, where no
// engine answers.
type draft struct {
	*testing.T
	deployer *deploy.Deployer
	kinds    *sync.KindSet
	text     string
}

// machines are what drafts have: a server whose engine isn't there, one that is the
// original's agent, and builders.
const machines = `
[[server]]
name = "here"
config = {address = "unix:///nowhere/docker.sock", enabled = true}
[[server]]
name = "agent"
config = {address = "https://10.0.0.1:8120", enabled = true}
[[server]]
name = "off"
config = {address = "unix:///nowhere/docker.sock"}
[[builder]]
name = "local"
config = {type = "Server", params = {server = "here"}}
[[builder]]
name = "cloud"
config = {type = "Aws"}
`

func newDraft(t *testing.T, text string, edit ...func(*deploy.Options)) *draft {
	t.Helper()
	opts := &deploy.Options{Cache: t.TempDir()}
	for _, e := range edit {
		e(opts)
	}
	d := &draft{T: t, deployer: deploy.New(opts), text: machines + text}
	t.Cleanup(func() { require.NoError(t, d.deployer.Close()) })
	d.kinds = kinds.Set(d.deployer.Kinds())
	return d
}

func (d *draft) load() *sync.Desired {
	d.Helper()
	fsys := fstest.MapFS{"a.toml": {Data: []byte(d.text)}}
	declaration, err := manifest.LoadRoots([]manifest.Root{{FS: fsys}}, d.kinds, kinds.Options())
	require.NoError(d, err)
	require.NoError(d, kinds.Complete(declaration.Desired))
	require.NoError(d, d.deployer.Declare(state.Scope{Org: "acme", App: "home"}, declaration))
	return declaration.Desired
}

// plan is the error of a first plan.
func (d *draft) plan() error {
	d.Helper()
	engine, err := sync.New(syncertest.NewMemory(state.Scope{Org: "acme", App: "home"}), d.kinds, nil)
	require.NoError(d, err)
	_, err = engine.Plan(d.Context(), d.load(), nil)
	return err
}

// run runs a procedure, and returns what was told of the steps that ended.
func (d *draft) run(ctx context.Context, name string) (ended []string, err error) {
	d.Helper()
	d.load()
	err = d.deployer.RunProcedure(ctx, name, func(s deploy.Step) {
		if s.Done {
			text := s.Procedure + ": " + s.Stage + ": " + s.Execution
			if s.Err != nil {
				text += ": " + s.Err.Error()
			}
			ended = append(ended, text)
		}
	})
	return ended, err
}

func declarationOf(desired *sync.Desired) *manifest.Declaration {
	return &manifest.Declaration{Desired: desired}
}
