//go:build docker

// The tests of this file and those that use it need a container engine, and
// .ci/docker runs them. Without the tag they are no tests, and skip nothing.

package deploy_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/examples/resourcesync/deploy"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/manifest"
)

func TestMain(m *testing.M) { os.Exit(dockertest.Main(m)) }

// A home is what somebody declares in a directory, and syncs.
type home struct {
	*testing.T
	host     *dockertest.Host
	deployer *deploy.Deployer
	engine   *sync.Engine
	kinds    *sync.KindSet
	dir      string // of everything
}

func newHome(t *testing.T, edit ...func(*deploy.Options)) *home {
	t.Helper()
	h := &home{T: t, host: dockertest.New(t), dir: t.TempDir()}
	backend, err := filesyncer.New(filepath.Join(h.dir, "state"), h.host.Scope, nil)
	require.NoError(t, err)
	opts := &deploy.Options{
		Cache:   filepath.Join(h.dir, "cache"),
		Docker:  docker.Options{Settle: 500 * time.Millisecond},
		Backend: func(context.Context) (sync.Backend, error) { return backend, nil },
	}
	for _, e := range edit {
		e(opts)
	}
	h.deployer = deploy.New(opts)
	t.Cleanup(func() { require.NoError(t, h.deployer.Close()) })
	h.kinds = kinds.Set(h.deployer.Kinds())
	h.engine, err = sync.New(backend, h.kinds, nil)
	require.NoError(t, err)
	return h
}

// leaves syncs as --no-deploy does, which leaves alone whatever runs.
func (h *home) leaves(opts sync.PlanOptions) {
	h.Helper()
	deployers := h.deployer.Kinds()
	deployers.Remover = nil
	engine, err := sync.New(h.engine.Backend(), kinds.Set(deployers), nil)
	require.NoError(h, err)
	opts.NoDeploy = true
	plan, err := engine.Plan(h.Context(), h.load(), &opts)
	require.NoError(h, err)
	_, err = engine.Apply(h.Context(), plan)
	require.NoError(h, err)
}

// fill puts what is this test's own in place of $PREFIX, $DIR, $ENGINE and $IMAGE.
func (h *home) fill(text string) string {
	return strings.NewReplacer("$PREFIX", h.host.Name, "$DIR", h.dir, "$ENGINE", h.host.Address, "$IMAGE", dockertest.Image()).Replace(text)
}

func (h *home) write(name, text string) {
	h.Helper()
	path := filepath.Join(h.dir, name)
	require.NoError(h, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(h, os.WriteFile(path, []byte(h.fill(text)), 0o600))
}

// edit replaces a text in a file, which has it once.
func (h *home) edit(name, from, to string) {
	h.Helper()
	text, err := os.ReadFile(filepath.Join(h.dir, name))
	require.NoError(h, err)
	require.Equal(h, 1, strings.Count(string(text), h.fill(from)), "%s holds %q", name, from)
	h.write(name, strings.Replace(string(text), h.fill(from), to, 1))
}

func (h *home) git(repo string, args ...string) string {
	h.Helper()
	args = append([]string{"-C", filepath.Join(h.dir, repo), "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)
	out, err := exec.CommandContext(h.Context(), "git", args...).CombinedOutput()
	require.NoError(h, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// commit makes a directory a repository, and commits what is there.
func (h *home) commit(repo string) string {
	h.Helper()
	h.git(repo, "init", "--quiet", "--initial-branch", "main")
	h.git(repo, "add", "--all")
	h.git(repo, "commit", "--quiet", "--message", "x")
	return h.git(repo, "rev-parse", "HEAD")
}

// load reads what is declared, and tells the deployer.
func (h *home) load() *sync.Desired {
	h.Helper()
	declaration, err := manifest.LoadRoots([]manifest.Root{{FS: os.DirFS(filepath.Join(h.dir, "resources"))}}, h.kinds, kinds.Options())
	require.NoError(h, err)
	require.NoError(h, kinds.Complete(declaration.Desired))
	require.NoError(h, h.deployer.Declare(h.host.Scope, declaration))
	return declaration.Desired
}

func (h *home) plan(opts *sync.PlanOptions) (*sync.Plan, error) {
	h.Helper()
	return h.engine.Plan(h.Context(), h.load(), opts)
}

// sync syncs, and returns what was deployed or not, in order: "deployment/a: done".
func (h *home) sync(opts *sync.PlanOptions) ([]string, error) {
	h.Helper()
	plan, err := h.plan(opts)
	require.NoError(h, err)
	result, err := h.engine.Apply(h.Context(), plan)
	var deploys []string
	for _, c := range result.Changes {
		if d, ok := c.Change.(*diff.Deploy); ok {
			deploys = append(deploys, fmt.Sprintf("%s: %s", d.Key(), c.Status))
		}
	}
	return deploys, err
}

// settles syncs, after which there is nothing to do.
func (h *home) settles(opts *sync.PlanOptions, want ...string) {
	h.Helper()
	deploys, err := h.sync(opts)
	require.NoError(h, err)
	require.Equal(h, want, deploys)
	h.isSettled()
}

func (h *home) isSettled() {
	h.Helper()
	plan, err := h.plan(nil)
	require.NoError(h, err)
	require.Empty(h, plan.Changes, plan.String())
}

// reasons are why a plan deploys what.
func (h *home) reasons() map[string][]string {
	h.Helper()
	plan, err := h.plan(nil)
	require.NoError(h, err)
	reasons := map[string][]string{}
	for _, c := range plan.Changes {
		if d, ok := c.Change.(*diff.Deploy); ok {
			reasons[d.Key().String()] = d.Reasons
		}
	}
	return reasons
}

// container is one by the end of its name.
func (h *home) container(name string) container.InspectResponse {
	h.Helper()
	found, err := h.host.ContainerInspect(h.Context(), h.host.Name+"-"+name, client.ContainerInspectOptions{})
	require.NoError(h, err)
	return found.Container
}

func key(t *testing.T, text string) state.Key {
	t.Helper()
	k, err := state.ParseKey(text)
	require.NoError(t, err)
	return k
}

// server is the engine, as resources name it.
const server = `
[[server]]
name = "here"
config = {address = "$ENGINE", enabled = true}
`

// service is a compose file of services, with more lines for each.
func services(names ...string) string {
	text := "services:\n"
	for _, definition := range names {
		name, lines, _ := strings.Cut(definition, "\n")
		text += fmt.Sprintf("  %s:\n    image: $IMAGE\n    network_mode: none\n    stop_grace_period: 1s\n", name)
		for line := range strings.Lines(lines) {
			text += "    " + strings.TrimSuffix(line, "\n") + "\n"
		}
	}
	return text
}
