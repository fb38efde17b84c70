package docker

import (
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
)

// What runs of a service that was only just changed, and whose update the swarm has not
// begun, is what ran before.
func TestServiceHealth_OfTheDefinition(t *testing.T) {
	t.Parallel()
	e := &Engine{options: Options{Settle: 2 * time.Second}}
	now := time.Now()
	defined := func(image, constraint string) swarm.TaskSpec {
		return swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: image}, Placement: &swarm.Placement{Constraints: []string{constraint}},
		}
	}
	service := &swarm.Service{ServiceStatus: &swarm.ServiceStatus{DesiredTasks: 1}}
	service.Spec.TaskTemplate = defined("app:2", "node==a")
	health := func(spec swarm.TaskSpec, state swarm.TaskState) sync.Health {
		spec.Runtime = swarm.RuntimeContainer // as the engine has it of a task
		status := swarm.TaskStatus{State: state, Timestamp: now.Add(-time.Hour), ContainerStatus: &swarm.ContainerStatus{ExitCode: 3}}
		return e.serviceHealth(service, []swarm.Task{{Spec: spec, Status: status, DesiredState: swarm.TaskStateRunning}}, now)
	}
	former := sync.Health{Phase: sync.Progressing, Message: "0 of 1 run"}
	require.Equal(t, former, health(defined("app:1", "node==a"), swarm.TaskStateRunning))
	require.Equal(t, former, health(defined("app:1", "node==a"), swarm.TaskStateFailed))
	require.Equal(t, sync.Health{Phase: sync.Healthy}, health(defined("app:2", "node==a"), swarm.TaskStateRunning))
	require.Equal(t, sync.Health{Phase: sync.Healthy}, health(defined("app:2", "node==b"), swarm.TaskStateRunning), "which replaces no task")
	require.Equal(t, "0 of 1 run, the last one exited with code 3", health(defined("app:2", "node==a"), swarm.TaskStateFailed).Message)
}
