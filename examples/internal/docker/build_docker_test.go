//go:build docker

package docker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// A workshop is a directory to build from.
type workshop struct {
	*world
	dir string
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	w := &workshop{newWorld(t), t.TempDir()}
	require.NoError(t, dockertest.Program(t.Context(), w.dir))
	w.write("Dockerfile", dockertest.Dockerfile)
	return w
}

func (w *workshop) write(name, text string) {
	w.Helper()
	require.NoError(w, os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600))
}

func (w *workshop) build(version string, edit ...func(*docker.BuildSpec)) (string, error) {
	w.Helper()
	spec := &docker.BuildSpec{Context: w.dir, Tags: []string{w.host.Name + "/app:" + version, w.host.Name + "/app:latest"}}
	for _, e := range edit {
		e(spec)
	}
	return w.engine.Build(w.Context(), w.mark("build/app", version), spec)
}

func (w *workshop) health() sync.Health {
	w.Helper()
	h := w.engine.ImageHealth(w.Context(), w.host.Scope, []state.Key{{Kind: "build", Name: "app"}})
	require.Len(w, h, 1)
	require.NoError(w, h[0].Err)
	return h[0]
}

// builders runs a test with the engine's classic builder, which the docker command
// falls back to, and with BuildKit.
func builders(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for name, buildKit := range map[string]string{"classic": "0", "BuildKit": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_BUILDKIT", buildKit)
			test(t)
		})
	}
}

func TestBuild_AnImageThatRuns(t *testing.T) {
	builders(t, func(t *testing.T) {
		w := newWorkshop(t)
		require.Equal(t, sync.Health{Phase: sync.Missing}, w.health())
		id, err := w.build("1", func(s *docker.BuildSpec) { s.Labels = map[string]string{"team": "shop"} })
		require.NoError(t, err)
		require.Regexp(t, "^sha256:[0-9a-f]{64}$", id)
		require.Equal(t, sync.Health{Phase: sync.Healthy, Running: state.Sum([]byte("1"))}, w.health())
		for _, tag := range []string{"1", "latest"} {
			image, err := w.host.ImageInspect(t.Context(), w.host.Name+"/app:"+tag)
			require.NoError(t, err)
			require.Equal(t, id, image.ID)
			require.Equal(t, "shop", image.Config.Labels["team"])
		}

		// A container of it has the image's labels, too, and is no image's resource.
		require.NoError(t, w.deploy("a", func(s *docker.ContainerSpec) { s.Image = w.host.Name + "/app:1" }))
		require.Equal(t, state.Sum([]byte("a")), w.becomes(sync.Healthy, w.world.health).Running)

		// Nor is one that somebody else runs the image's to remove.
		w.docker("run", "--detach", "--network", "none", "--name", w.host.Name+"-hand", w.host.Name+"/app:1")
		require.NoError(t, w.engine.Remove(t.Context(), w.mark("build/app", "1")))
		require.Contains(t, w.containers(), "hand")

		again, err := w.build("2")
		require.NoError(t, err)
		require.NotEqual(t, id, again, "another version has other labels")
		require.Equal(t, state.Sum([]byte("2")), w.health().Running, "though both came from the cache")
		_, err = w.build("1")
		require.NoError(t, err)
		require.Equal(t, state.Sum([]byte("1")), w.health().Running)
		w.docker("rmi", w.host.Name+"/app:1")
		require.Equal(t, sync.Health{Phase: sync.Missing, Message: w.host.Name + "/app:1 is gone, or another image"}, w.health())
	})
}

func TestBuild_Dockerfiles(t *testing.T) {
	builders(t, func(t *testing.T) {
		w := newWorkshop(t)
		w.write("other", "FROM scratch\nCOPY app /other\n")
		_, err := w.build("1", func(s *docker.BuildSpec) { s.Dockerfile = "other" })
		require.NoError(t, err)
		id, err := w.build("2", func(s *docker.BuildSpec) {
			s.Inline = "FROM scratch\nARG COLOUR\nARG GREETING=\nCOPY app /app\nENV COLOUR=$COLOUR GREETING=$GREETING\n"
			s.Args = []string{"COLOUR=red", "GREETING=a 'b' \"c\" $d"}
		})
		require.NoError(t, err)
		image, err := w.host.ImageInspect(t.Context(), id)
		require.NoError(t, err)
		require.Subset(t, image.Config.Env, []string{"COLOUR=red", "GREETING=a 'b' \"c\" $d"})
	})
}

func TestBuild_Secrets(t *testing.T) {
	spec := func(s *docker.BuildSpec) {
		s.Inline = fmt.Sprintf("FROM %s\nRUN --mount=type=secret,id=TOKEN [\"/app\", \"same\", \"/run/secrets/TOKEN\", \"a\\nhunter2 $x\"]\n", dockertest.Image())
		s.Secrets = []string{"PATH=not the command's", "TOKEN=a\nhunter2 $x"}
	}
	w := newWorkshop(t)
	id, err := w.build("1", spec)
	require.NoError(t, err)
	require.NotEmpty(t, id)
	_, err = w.build("2", spec, func(s *docker.BuildSpec) { s.Secrets[1] = "TOKEN=another"; s.ExtraArgs = []string{"--no-cache"} })
	require.ErrorContains(t, err, "it holds something else", "and the last one read it indeed")

	t.Setenv("DOCKER_BUILDKIT", "0")
	_, err = w.build("1", spec)
	require.ErrorContains(t, err, "secrets need BuildKit")
}

// A build that fails says why, moves no name and says no value.
func TestBuild_Fails(t *testing.T) {
	builders(t, func(t *testing.T) {
		w := newWorkshop(t)
		id, err := w.build("1")
		require.NoError(t, err)
		for name, c := range map[string]struct {
			edit func(*docker.BuildSpec)
			want string
		}{
			"no file":         {func(s *docker.BuildSpec) { s.Inline = "FROM scratch\nCOPY none /\n" }, "none"},
			"no Dockerfile":   {func(s *docker.BuildSpec) { s.Dockerfile = "none" }, "none"},
			"a value":         {func(s *docker.BuildSpec) { s.Inline = "ARG T\nFROM $T\n"; s.Args = []string{"T=HUNTER2"} }, "must be lowercase"},
			"a bad argument":  {func(s *docker.BuildSpec) { s.Args = []string{"A=1", "=hunter2"} }, "build argument 2: expected NAME=VALUE"},
			"a bad secret":    {func(s *docker.BuildSpec) { s.Secrets = []string{"hunter2"} }, "build secret 1: expected NAME=VALUE"},
			"an unknown flag": {func(s *docker.BuildSpec) { s.ExtraArgs = []string{"--none"} }, "unknown flag: --none"},
			"no tag":          {func(s *docker.BuildSpec) { s.Tags = nil }, "an image needs a context and a tag"},
			"a bad tag":       {func(s *docker.BuildSpec) { s.Tags = []string{"A"} }, `tag "A": invalid reference format`},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.build("2", c.edit)
				require.ErrorContains(t, err, "build image: ")
				require.ErrorContains(t, err, c.want)
				require.NotContains(t, strings.ToLower(err.Error()), "hunter2")
			})
		}
		image, err := w.host.ImageInspect(t.Context(), w.host.Name+"/app:latest")
		require.NoError(t, err)
		require.Equal(t, id, image.ID)
		require.Equal(t, state.Sum([]byte("1")), w.health().Running)
	})
}

func TestBuild_Cancelled(t *testing.T) {
	builders(t, func(t *testing.T) {
		w := newWorkshop(t)
		w.write("Dockerfile", fmt.Sprintf("FROM %s\nRUN [\"/app\", \"serve\", %q]\n", dockertest.Image(), w.host.Name))
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		done := make(chan error)
		go func() {
			_, err := w.engine.Build(ctx, w.mark("build/app", "1"), &docker.BuildSpec{Context: w.dir, Tags: []string{w.host.Name + "/app"}})
			done <- err
		}()
		w.until(func() bool { return w.building() }, "nothing is built")
		cancel(enough)
		require.ErrorIs(t, <-done, enough)
		w.until(func() bool { return !w.building() }, "it builds on")
	})
}

// building tells whether a command of this test's build runs. BuildKit runs it in a
// container that the engine doesn't list, so the machine's processes are looked at.
func (w *workshop) building() bool {
	w.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(w, err)
	return slices.ContainsFunc(lines, func(path string) bool {
		line, _ := os.ReadFile(path) // it may have ended
		return string(line) == "/app\x00serve\x00"+w.host.Name+"\x00"
	})
}
