package docker

import (
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
)

func TestPhase(t *testing.T) {
	t.Parallel()
	const settle = 2 * time.Second
	run := container.StateRunning
	for name, c := range map[string]struct {
		state    container.State
		restarts int
		up       time.Duration
		want     sync.HealthPhase
		message  string
	}{
		"runs":             {container.State{Status: run}, 0, settle, sync.Healthy, ""},
		"has just started": {container.State{Status: run}, 0, settle - 1, sync.Progressing, "it has only just started"},
		// Of an engine whose clock was put back.
		"starts tomorrow":       {container.State{Status: run}, 0, -time.Hour, sync.Progressing, "it has only just started"},
		"no check":              {container.State{Status: run, Health: &container.Health{Status: container.NoHealthcheck}}, 0, settle - 1, sync.Progressing, "it has only just started"},
		"check starts":          {container.State{Status: run, Health: &container.Health{Status: container.Starting}}, 0, time.Hour, sync.Progressing, "its health check is starting"},
		"check succeeds":        {container.State{Status: run, Health: &container.Health{Status: container.Healthy}}, 0, 0, sync.Healthy, ""},
		"check fails":           {container.State{Status: run, Health: &container.Health{Status: container.Unhealthy, FailingStreak: 3}}, 0, time.Hour, sync.Degraded, "its health check failed, 3 times in a row"},
		"restarted just now":    {container.State{Status: run}, 1, forgiven - 1, sync.Progressing, "it was restarted, once until now"},
		"restarted a while ago": {container.State{Status: run}, 100, forgiven, sync.Healthy, ""},
		"restarting":            {container.State{Status: container.StateRestarting, ExitCode: 3}, loops - 1, 0, sync.Progressing, "exited with code 3, and is restarted"},
		"in a loop":             {container.State{Status: container.StateRestarting, ExitCode: 3}, loops, 0, sync.Degraded, "it restarts in a loop: exited with code 3, restarted 5 times"},
		"exited":                {container.State{Status: container.StateExited}, 0, 0, sync.Degraded, "exited with code 0"},
		"killed":                {container.State{Status: container.StateExited, ExitCode: 137, OOMKilled: true}, 0, 0, sync.Degraded, "exited with code 137, out of memory"},
		"created":               {container.State{Status: container.StateCreated}, 0, 0, sync.Degraded, "it was created and not started"},
		"can't start":           {container.State{Status: container.StateCreated, ExitCode: 127, Error: "hunter2"}, 0, 0, sync.Degraded, "it could not be started"},
		"paused":                {container.State{Status: container.StatePaused}, 0, 0, sync.Degraded, "it is paused"},
		"being removed":         {container.State{Status: container.StateRemoving}, 0, 0, sync.Missing, "it is being removed"},
		"dead":                  {container.State{Status: container.StateDead, ExitCode: 1}, 0, 0, sync.Degraded, "exited with code 1"},
	} {
		got := phase(&container.InspectResponse{State: &c.state, RestartCount: c.restarts}, c.up, settle)
		require.Equal(t, sync.Health{Phase: c.want, Message: c.message}, got, name)
	}
}
