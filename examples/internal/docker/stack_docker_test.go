//go:build docker

package docker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// services is a compose file of services, each given as its name and lines of its
// definition, beside an image and no network.
func services(definitions ...string) string {
	text := "services:\n"
	for _, d := range definitions {
		name, lines, _ := strings.Cut(d, "\n")
		text += fmt.Sprintf("  %s:\n    image: %s\n    network_mode: none\n    stop_grace_period: 1s\n", name, dockertest.Image())
		for line := range strings.Lines(lines) {
			text += "    " + strings.TrimSuffix(line, "\n") + "\n"
		}
	}
	return text
}

// A stack is a directory with compose.yaml.
type stack struct {
	*world
	dir string
}

func newStack(t *testing.T, definitions ...string) *stack {
	t.Helper()
	s := &stack{newWorld(t), t.TempDir()}
	s.write("compose.yaml", services(definitions...))
	return s
}

func (s *stack) write(name, text string) {
	s.Helper()
	require.NoError(s, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

func (s *stack) up(version string, edit ...func(*docker.StackSpec)) error {
	s.Helper()
	spec := &docker.StackSpec{Project: s.host.Name, Dir: s.dir, Pull: docker.PullNever}
	for _, e := range edit {
		e(spec)
	}
	mark := s.mark("stack/shop", version)
	mark.Note = "version $" + version
	return s.engine.DeployStack(s.Context(), mark, spec)
}

func (s *stack) health() sync.Health {
	s.Helper()
	h := s.engine.StackHealth(s.Context(), s.host.Scope, []state.Key{{Kind: "stack", Name: "shop"}})
	require.Len(s, h, 1)
	require.NoError(s, h[0].Err)
	return h[0]
}

// service is the one container of a service.
func (s *stack) service(name string) container.InspectResponse {
	s.Helper()
	all := s.containers()
	require.Contains(s, all, name+"-1")
	return all[name+"-1"]
}

func TestStack_Up(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web", "db\ndeploy: {replicas: 2}")
	require.Equal(t, sync.Health{Phase: sync.Missing}, s.health())
	require.NoError(t, s.up("1"))
	require.Equal(t, sync.Health{Phase: sync.Healthy, Running: state.Sum([]byte("1"))}, s.becomes(sync.Healthy, s.health))
	require.Len(t, s.containers(), 3)
	require.Equal(t, "stack/shop", s.service("web").Config.Labels["io.github.trueup-go.resource"])
}

// The note is that of the last deploy, if it came to its end.
func TestStack_Notes(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web", "db")
	keys := []state.Key{{Kind: "stack", Name: "shop"}, {Kind: "stack", Name: "none"}}
	notes := func() []string {
		all, err := s.engine.StackNotes(t.Context(), s.host.Scope, keys)
		require.NoError(t, err)
		return all
	}
	require.Equal(t, []string{"", ""}, notes())
	require.NoError(t, s.up("1"))
	require.Equal(t, []string{"version $1", ""}, notes())
	require.NoError(t, s.up("2"))
	require.Equal(t, []string{"version $2", ""}, notes())

	s.write("compose.yaml", services("web\nimag: x"))
	require.Error(t, s.up("3"))
	require.Equal(t, []string{"version $2", ""}, notes(), "it changed nothing")
	s.write("compose.yaml", services("web\nentrypoint: [/none]", "db\nenvironment: {A: 3}"))
	require.ErrorContains(t, s.up("3"), "/none")
	require.Equal(t, []string{"", ""}, notes(), "half of it is new")
	require.NoError(t, s.engine.Remove(t.Context(), s.mark("stack/shop", "3")))
	require.Equal(t, []string{"", ""}, notes())
}

// Only what has changed is replaced, although the checksum of the whole is another.
func TestStack_AChangeReplacesOneService(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web", "db")
	require.NoError(t, s.up("1"))
	web, db := s.service("web"), s.service("db")
	s.write("compose.yaml", services("web\nenvironment: {A: 2}", "db"))
	require.NoError(t, s.up("2"))
	require.NotEqual(t, web.ID, s.service("web").ID)
	require.Equal(t, db.ID, s.service("db").ID)
	require.Equal(t, db.State.StartedAt, s.service("db").State.StartedAt)
	require.Equal(t, state.Sum([]byte("2")), s.becomes(sync.Healthy, s.health).Running)

	require.NoError(t, s.up("3"), "nothing that compose could see")
	require.Equal(t, db.ID, s.service("db").ID)
	require.Equal(t, state.Sum([]byte("3")), s.health().Running)

	s.write("compose.yaml", services("web\nenvironment: {A: 2}"))
	require.NoError(t, s.up("4"))
	require.Len(t, s.containers(), 2, "nothing is removed unasked")
	require.NoError(t, s.up("4", func(spec *docker.StackSpec) { spec.RemoveOrphans = true }))
	require.Len(t, s.containers(), 1)
}

func TestStack_AServiceThatDoesNotRun(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web", "db\ndeploy: {replicas: 2}", "aside")
	ignore := func(spec *docker.StackSpec) { spec.Ignore = []string{"aside"} }
	require.NoError(t, s.up("1", ignore))
	s.becomes(sync.Healthy, s.health)
	s.docker("stop", s.host.Name+"-aside-1")
	require.Equal(t, sync.Healthy, s.health().Phase, "it is ignored")
	s.docker("stop", s.host.Name+"-web-1")
	require.Equal(t, "web: exited with code 0", s.becomes(sync.Degraded, s.health).Message)
	s.docker("rm", "--force", s.host.Name+"-web-1", s.host.Name+"-db-2")
	require.Equal(t, "db: there are 1 of 2; web: there is none", s.becomes(sync.Degraded, s.health).Message)
	require.NoError(t, s.up("1", ignore))
	s.becomes(sync.Healthy, s.health)

	s.docker("rm", "--force", s.host.Name+"-web-1", s.host.Name+"-db-1", s.host.Name+"-db-2", s.host.Name+"-aside-1")
	require.Equal(t, sync.Missing, s.health().Phase)

	s.write("compose.yaml", services("web\ncommand: [exit, '3']"))
	require.NoError(t, s.up("2"))
	require.Equal(t, "web: exited with code 3", s.becomes(sync.Degraded, s.health).Message)
	require.ErrorContains(t, s.up("2", ignore), `the service "aside" is to be ignored, and there is none: expected one of web`)
}

// What others wait for to complete is as it should be when it has.
func TestStack_AJob(t *testing.T) {
	t.Parallel()
	s := newStack(t, "migrate\ncommand: [exit, '0']", "web\ndepends_on:\n  migrate: {condition: service_completed_successfully}")
	require.NoError(t, s.up("1"))
	s.becomes(sync.Healthy, s.health)
	s.docker("rm", s.host.Name+"-migrate-1")
	require.Equal(t, sync.Healthy, s.health().Phase, "its container is not missed")

	s.write("compose.yaml", services("migrate\ncommand: [exit, '3']", "web\ndepends_on:\n  migrate: {condition: service_completed_successfully}"))
	require.ErrorContains(t, s.up("2"), `"migrate" didn't complete successfully: exit 3`)
	require.Zero(t, s.health().Running, "half of it is new")
}

func TestStack_DeclaredToBeStopped(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web", "db")
	require.NoError(t, s.up("1"))
	rest := func(spec *docker.StackSpec) { spec.Stopped = true }
	require.NoError(t, s.up("2", rest))
	require.Equal(t, sync.Health{Phase: sync.Healthy, Running: state.Sum([]byte("2"))}, s.health())
	require.False(t, s.service("web").State.Running)
	s.docker("start", s.host.Name+"-web-1")
	require.Equal(t, "web: it is declared to be stopped, and is running", s.health().Message)
	require.NoError(t, s.up("2", rest))
	require.Equal(t, sync.Healthy, s.health().Phase)
	require.NoError(t, s.up("3"))
	s.becomes(sync.Healthy, s.health)
	require.True(t, s.service("web").State.Running)
}

// Each value arrives as it is, in the files' variables and in what a service reads,
// and no error says one.
func TestStack_Environment(t *testing.T) {
	t.Parallel()
	values := []string{
		"plain", "", " spaces ", `"double"`, `'single'`, `it's`, `a\`, `a\'b`, `\n`, "two\nlines", "cr\r\nlf", "tab\t.",
		"$HOME ${HOME} $$ $", "# no comment", "a #b", `\\\`, `\"`, `'"\$`, "é", "=", `\012 \x41`, "it's $HOME ${HOME}",
	}
	s := newStack(t, "web\nenv_file: app.env")
	var entries []string
	for i, v := range values {
		entries = append(entries, fmt.Sprintf("V%d=%s", i, v))
	}
	withEnv := func(spec *docker.StackSpec) { spec.Environment, spec.EnvFile = entries, "app.env" }
	require.NoError(t, s.up("1", withEnv))
	require.Subset(t, s.service("web").Config.Env, entries)
	info, err := os.Stat(filepath.Join(s.dir, "app.env"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	entries = append(entries, "PORT=hunter2")
	s.write("compose.yaml", services("web\nports: ['${PORT}:80']"))
	err = s.up("2", withEnv)
	require.ErrorContains(t, err, "<PORT>")
	require.NotContains(t, err.Error(), "hunter2")
	var failed *docker.CommandError
	require.ErrorAs(t, err, &failed)
	require.NotContains(t, failed.Output, "hunter2", "nor does what it wraps")

	entries = []string{"NO NAME=hunter2"}
	err = s.up("2", withEnv)
	require.ErrorContains(t, err, "entry 1 of the environment: expected NAME=VALUE")
	require.NotContains(t, err.Error(), "hunter2")
	entries = []string{"A=1"}
	require.ErrorContains(t, s.up("2", withEnv, func(spec *docker.StackSpec) { spec.EnvFile = "../app.env" }), "expected a path inside the stack's directory")
}

// A machine without compose says what to install.
func TestStack_NoCompose(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := newStack(t, "web")
	require.ErrorContains(t, s.up("1"), "the docker command of this machine has no plugin for compose: install docker compose v2")
}

// Files that are wrong change nothing.
func TestStack_AFailureLeavesWhatRuns(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web")
	require.NoError(t, s.up("1"))
	before := s.service("web")
	s.write("compose.yaml", services("web\nimag: x"))
	require.ErrorContains(t, s.up("2"), "docker compose config: exit code")
	s.write("compose.yaml", services("web"))
	require.ErrorContains(t, s.up("1", func(spec *docker.StackSpec) { spec.ExtraArgs = []string{"--no-such"} }), "unknown flag: --no-such")
	require.Zero(t, s.health().Running, "it isn't known what compose did before it failed")
	require.NoError(t, s.up("1"))
	require.NoError(t, os.Remove(filepath.Join(s.dir, "compose.yaml")))
	require.ErrorContains(t, s.up("2"), "expected one of compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml")
	require.Equal(t, before.State, s.service("web").State)
	require.Equal(t, state.Sum([]byte("1")), s.becomes(sync.Healthy, s.health).Running)
}

func TestStack_TakenProject(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web")
	s.docker("compose", "--project-name", s.host.Name, "--project-directory", s.dir, "up", "--detach")
	before := s.service("web")
	require.ErrorIs(t, s.up("1"), docker.ErrTaken)
	require.Equal(t, before.State, s.service("web").State)
	require.NoError(t, s.up("1", func(spec *docker.StackSpec) { spec.TakeOver = true }))
	require.Equal(t, state.Sum([]byte("1")), s.health().Running)
}

func TestStack_AnotherProjectName(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web")
	require.NoError(t, s.up("1"))
	require.NoError(t, s.up("2", func(spec *docker.StackSpec) { spec.Project += "-two" }))
	require.Len(t, s.containers(), 1)
	require.Contains(t, s.containers(), "two-web-1")
	require.Equal(t, state.Sum([]byte("2")), s.health().Running)

	require.NoError(t, s.engine.Remove(t.Context(), s.mark("stack/shop", "2")))
	require.Empty(t, s.containers())
	require.Equal(t, sync.Health{Phase: sync.Missing}, s.health())
}

// A deploy that waits for a service to get healthy ends with its context.
func TestStack_Cancelled(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web\ndepends_on:\n  db: {condition: service_healthy}", "db")
	s.write("compose.yaml", strings.ReplaceAll(services("web\ndepends_on:\n  db: {condition: service_healthy}", "db"), dockertest.Image(), dockertest.Checked()))
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	done := make(chan error)
	go func() {
		done <- s.engine.DeployStack(ctx, s.mark("stack/shop", "1"), &docker.StackSpec{Project: s.host.Name, Dir: s.dir, Pull: docker.PullNever})
	}()
	s.until(func() bool { return s.containers()["db-1"].State != nil && s.containers()["db-1"].State.Running }, "the first service doesn't start")
	cancel(enough)
	require.ErrorIs(t, <-done, enough)
	require.Zero(t, s.health().Running)
}
