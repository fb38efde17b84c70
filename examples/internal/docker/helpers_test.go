//go:build docker

// The tests of this file and those that use it need a container engine, and
// .ci/docker runs them. Without the tag they are no tests, and skip nothing.

package docker_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(victimJob); text != "" {
		os.Exit(victim(text))
	}
	os.Exit(dockertest.Main(m))
}

// world is an engine as it deploys, and as a test looks at it.
type world struct {
	*testing.T
	engine *docker.Engine
	host   *dockertest.Host
}

// settle is shorter than a host would have it, and long enough for a container
// that ends at once to have ended.
const settle = 500 * time.Millisecond

func newWorld(t *testing.T) *world {
	t.Helper()
	engine, err := docker.Open(dockertest.Address(), &docker.Options{Settle: settle})
	require.NoError(t, err)
	w := &world{T: t, engine: engine, host: dockertest.New(t)}
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	return w
}

// mark is of a version of a resource: each version has another checksum.
func (w *world) mark(key, version string) docker.Mark {
	w.Helper()
	k, err := state.ParseKey(key)
	require.NoError(w, err)
	return docker.Mark{Scope: w.host.Scope, Key: k, Running: state.Sum([]byte(version))}
}

// spec is a container of our program.
func (w *world) spec(edit ...func(*docker.ContainerSpec)) *docker.ContainerSpec {
	s := &docker.ContainerSpec{Name: w.host.Name + "-web", Image: dockertest.Image(), Network: "none", Pull: docker.PullNever}
	for _, e := range edit {
		e(s)
	}
	return s
}

func runs(args ...string) func(*docker.ContainerSpec) {
	return func(s *docker.ContainerSpec) { s.Command = args }
}

func (w *world) deploy(version string, edit ...func(*docker.ContainerSpec)) error {
	w.Helper()
	return w.engine.DeployContainer(w.Context(), w.mark("deployment/web", version), w.spec(edit...))
}

func (w *world) health() sync.Health {
	w.Helper()
	h := w.engine.ContainerHealth(w.Context(), w.host.Scope, []state.Key{{Kind: "deployment", Name: "web"}})
	require.Len(w, h, 1)
	require.NoError(w, h[0].Err)
	return h[0]
}

// becomes waits until the health is what it is to become, and returns it.
func (w *world) becomes(phase sync.HealthPhase, ask func() sync.Health) sync.Health {
	w.Helper()
	var last sync.Health
	w.until(func() bool {
		last = ask()
		return last.Phase == phase
	}, "it doesn't become %s, it is %v", phase, &last)
	return last
}

// until asks again and again. Unlike require.Eventually it does so in the test's
// goroutine, which may fail the test.
func (w *world) until(done func() bool, message string, args ...any) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			require.FailNowf(w, "too late", message, args...)
		}
	}
}

// containers are all of the test's, by name.
func (w *world) containers() map[string]container.InspectResponse {
	w.Helper()
	all, err := w.host.ContainerList(w.Context(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("name", w.host.Name)})
	require.NoError(w, err)
	found := map[string]container.InspectResponse{}
	for _, c := range all.Items {
		inspected, err := w.host.ContainerInspect(w.Context(), c.ID, client.ContainerInspectOptions{})
		if errdefs.IsNotFound(err) {
			continue // it has gone since it was listed, or is only just coming
		}
		require.NoError(w, err)
		found[inspected.Container.Name[len("/"+w.host.Name+"-"):]] = inspected.Container
	}
	return found
}

// only is the one container that there is, which is web.
func (w *world) only() container.InspectResponse {
	w.Helper()
	all := w.containers()
	require.Len(w, all, 1)
	require.Contains(w, all, "web")
	return all["web"]
}

// docker runs the docker command, as somebody else would.
func (w *world) docker(args ...string) string {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", append([]string{"--host", dockertest.Address()}, args...)...).CombinedOutput()
	require.NoError(w, err, "docker %v: %s", args, out)
	return string(out)
}
