//go:build docker

package docker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

func TestContainer_DeployStartsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Equal(t, sync.Health{Phase: sync.Missing}, w.health())
	require.NoError(t, w.deploy("1", func(s *docker.ContainerSpec) {
		s.Network = "bridge"
		s.Restart = "on-failure:3"
		s.Ports = []string{"127.0.0.1::7000/udp"}
		s.Volumes = []string{w.host.Name + "-data:/data:ro"}
		s.Environment = []string{`A=x "y" $HOME`, "B="}
		s.Labels = map[string]string{"team": "shop"}
		s.StopSignal, s.StopTimeout = "SIGINT", 1500*time.Millisecond
		s.ExtraArgs = []string{"--add-host=db:10.0.0.1", "--cap-drop", "ALL", "--memory=64m", "-h", "web"}
	}))
	require.Equal(t, sync.Progressing, w.health().Phase, "it has only just started")
	require.Equal(t, sync.Health{Phase: sync.Healthy, Running: state.Sum([]byte("1"))}, w.becomes(sync.Healthy, w.health))

	c := w.only()
	require.Equal(t, []string{`A=x "y" $HOME`, "B="}, c.Config.Env[:2])
	require.Equal(t, "shop", c.Config.Labels["team"])
	require.Equal(t, "deployment/web", c.Config.Labels["io.github.trueup-go.resource"])
	require.Equal(t, "SIGINT", c.Config.StopSignal)
	require.Equal(t, 2, *c.Config.StopTimeout, "rounded up to seconds")
	require.Equal(t, "web", c.Config.Hostname)
	require.Equal(t, container.RestartPolicy{Name: "on-failure", MaximumRetryCount: 3}, c.HostConfig.RestartPolicy)
	require.Equal(t, []string{"db:10.0.0.1"}, c.HostConfig.ExtraHosts)
	require.Equal(t, []string{"ALL"}, c.HostConfig.CapDrop)
	require.EqualValues(t, 64<<20, c.HostConfig.Memory)
	require.Len(t, c.HostConfig.PortBindings, 1)
	require.Equal(t, "/data", c.Mounts[0].Destination)
	require.False(t, c.Mounts[0].RW)
}

func TestContainer_AChangeReplacesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.deploy("1"))
	before := w.only()
	require.NoError(t, w.deploy("2", func(s *docker.ContainerSpec) { s.Environment = []string{"A=2"} }))
	after := w.only()
	require.NotEqual(t, before.ID, after.ID)
	require.Equal(t, "A=2", after.Config.Env[0])
	require.Equal(t, state.Sum([]byte("2")), w.health().Running)

	require.NoError(t, w.deploy("3", func(s *docker.ContainerSpec) { s.Name = w.host.Name + "-shop" }), "under another name")
	require.Len(t, w.containers(), 1)
	require.Contains(t, w.containers(), "shop")
}

func TestContainer_StoppedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.deploy("1"))
	w.docker("stop", w.host.Name+"-web")
	health := w.health()
	require.Equal(t, sync.Degraded, health.Phase)
	require.Equal(t, "exited with code 0", health.Message)
	require.Equal(t, state.Sum([]byte("1")), health.Running)
	require.NoError(t, w.deploy("1"))
	w.becomes(sync.Healthy, w.health)
	w.docker("pause", w.host.Name+"-web")
	require.Equal(t, "it is paused", w.health().Message)
	require.NoError(t, w.deploy("1"))
	w.becomes(sync.Healthy, w.health)
}

func TestContainer_ThatExits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.deploy("1", runs("exit", "3")))
	require.Equal(t, "exited with code 3", w.becomes(sync.Degraded, w.health).Message)

	require.NoError(t, w.deploy("2", runs("exit", "4"), func(s *docker.ContainerSpec) { s.Restart = "always" }))
	require.Regexp(t, `^it restarts in a loop: exited with code 4, restarted \d+ times$`, w.becomes(sync.Degraded, w.health).Message)
}

func TestContainer_HealthCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.deploy("1", func(s *docker.ContainerSpec) { s.Image = dockertest.Checked() }))
	require.Equal(t, sync.Health{Phase: sync.Progressing, Running: state.Sum([]byte("1")), Message: "its health check is starting"}, w.health())
	w.docker("exec", w.host.Name+"-web", "/app", "healthy")
	w.becomes(sync.Healthy, w.health)
	w.docker("exec", w.host.Name+"-web", "/app", "unhealthy")
	require.Regexp(t, `^its health check failed, \d+ times in a row, last with exit code 1$`, w.becomes(sync.Degraded, w.health).Message)
}

func TestContainer_DeclaredToBeStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rest := func(s *docker.ContainerSpec) { s.Stopped = true }
	require.NoError(t, w.deploy("1"))
	require.NoError(t, w.deploy("2", rest))
	require.Equal(t, sync.Health{Phase: sync.Healthy, Running: state.Sum([]byte("2")), Message: "it is stopped, as declared"}, w.health())
	require.False(t, w.only().State.Running)
	w.docker("start", w.host.Name+"-web")
	require.Equal(t, "it is declared to be stopped, and is running", w.health().Message)
	require.NoError(t, w.deploy("2", rest))
	require.Equal(t, sync.Healthy, w.health().Phase)
}

// What can't be deployed leaves what runs as it is: the very same container,
// running under its name, and nothing else.
func TestContainer_AFailureLeavesWhatRuns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(s *docker.ContainerSpec)
		want string
		// stays is false if the new one takes the place of the old one for a while.
		stays bool
	}{
		"no image":      {func(s *docker.ContainerSpec) { s.Image = "trueup-test/none" }, "No such image", true},
		"no registry":   {func(s *docker.ContainerSpec) { s.Image, s.Pull = "127.0.0.1:1/none", docker.PullMissing }, `pull image "127.0.0.1:1/none": `, true},
		"a bad pull":    {func(s *docker.ContainerSpec) { s.Pull = "sometimes" }, `pull "sometimes": expected "missing", "always", "newer" or "never"`, true},
		"no network":    {func(s *docker.ContainerSpec) { s.Network = "trueup-test-none" }, "network trueup-test-none not found", false},
		"no program":    {func(s *docker.ContainerSpec) { s.ExtraArgs = []string{"--entrypoint", "/none"} }, `"/none"`, false},
		"a bad setting": {func(s *docker.ContainerSpec) { s.Volumes = []string{"a:b:c:d"} }, "invalid volume specification", true},
		"a bad flag":    {func(s *docker.ContainerSpec) { s.ExtraArgs = []string{"--cap-ad", "ALL"} }, "--cap-ad is not understood, did you mean --cap-add?", true},
		"a bad variable": {func(s *docker.ContainerSpec) { s.Environment = []string{"A=1", "=hunter2"} },
			"entry 2 of the environment: expected NAME=VALUE", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			require.NoError(t, w.deploy("1"))
			before := w.only()
			err := w.deploy("2", c.edit)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "deploy container")
			require.NotContains(t, err.Error(), "hunter2")
			after := w.only()
			require.Equal(t, before.ID, after.ID)
			require.True(t, after.State.Running)
			if c.stays {
				require.Equal(t, before.State.StartedAt, after.State.StartedAt)
			} else {
				require.ErrorContains(t, err, "what ran before runs again")
			}
			require.Equal(t, state.Sum([]byte("1")), w.becomes(sync.Healthy, w.health).Running)
		})
	}
}

// What did not run before isn't started for a failure.
func TestContainer_AFailureLeavesWhatIsStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.deploy("1"))
	w.docker("stop", w.host.Name+"-web")
	require.Error(t, w.deploy("2", func(s *docker.ContainerSpec) { s.ExtraArgs = []string{"--entrypoint", "/none"} }))
	require.False(t, w.only().State.Running)
}

// A name that somebody else has is not taken over unasked.
func TestContainer_TakenName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.docker("run", "--detach", "--network", "none", "--name", w.host.Name+"-web", dockertest.Image())
	before := w.only()
	require.ErrorIs(t, w.deploy("1"), docker.ErrTaken)
	require.Equal(t, before.State, w.only().State)
	require.NoError(t, w.deploy("1", func(s *docker.ContainerSpec) { s.TakeOver = true }))
	require.NotEqual(t, before.ID, w.only().ID)
	require.Equal(t, state.Sum([]byte("1")), w.health().Running)
}

// A deploy that is cancelled while it waits for the old container to stop brings
// that back, and doesn't wait for it.
func TestContainer_Cancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.deploy("1", runs("stubborn"), func(s *docker.ContainerSpec) { s.StopTimeout = 3 * time.Second }))
	w.becomes(sync.Healthy, w.health) // until then it ends when it is told to
	before := w.only()
	told := w.host.Events(t.Context(), client.EventsListOptions{Filters: client.Filters{}.Add("container", before.ID).Add("event", "kill")})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	done := make(chan error)
	go func() { done <- w.engine.DeployContainer(ctx, w.mark("deployment/web", "2"), w.spec()) }()
	<-told.Messages // the old one was asked to end, and doesn't
	cancel(enough)
	err := <-done
	require.ErrorIs(t, err, enough)
	require.ErrorContains(t, err, "what ran before runs again")
	after := w.only()
	require.Equal(t, before.ID, after.ID)
	require.True(t, after.State.Running)
}

func TestContainer_Removed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.engine.Remove(t.Context(), w.mark("deployment/web", "1")), "nothing is there")
	require.NoError(t, w.deploy("1"))
	require.NoError(t, w.engine.DeployContainer(t.Context(), w.mark("deployment/api", "of api"), w.spec(func(s *docker.ContainerSpec) { s.Name = w.host.Name + "-api" })))
	healths := w.engine.ContainerHealth(t.Context(), w.host.Scope, []state.Key{{Kind: "deployment", Name: "none"}, {Kind: "deployment", Name: "api"}, {Kind: "deployment", Name: "web"}})
	require.Equal(t, sync.Missing, healths[0].Phase)
	require.Equal(t, []state.Checksum{{}, state.Sum([]byte("of api")), state.Sum([]byte("1"))}, []state.Checksum{healths[0].Running, healths[1].Running, healths[2].Running})
	require.NoError(t, w.engine.Remove(t.Context(), w.mark("deployment/web", "1")))
	require.Equal(t, sync.Health{Phase: sync.Missing}, w.health())
	require.Len(t, w.containers(), 1, "the other one runs on")
}
