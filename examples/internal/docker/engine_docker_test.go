//go:build docker

package docker_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// deployment is a kind as a host could have it.
type deployment struct {
	Command []string
	Token   sync.Secret
}

// deployer is what a host makes of the package: a spec of each deploy.
type deployer struct{ *world }

func (d deployer) Deploy(ctx context.Context, deploy *diff.Deploy) error {
	var config struct {
		Command []string
		Token   string
	}
	if err := json.Unmarshal(deploy.Config, &config); err != nil {
		return err
	}
	mark := docker.Mark{Scope: d.host.Scope, Key: deploy.Key(), Running: deploy.Running}
	return d.engine.DeployContainer(ctx, mark, d.spec(func(s *docker.ContainerSpec) {
		s.Name = d.host.Name + "-" + deploy.Key().Name
		s.Command, s.Environment = config.Command, []string{"TOKEN=" + config.Token}
	}))
}

func (d deployer) Health(ctx context.Context, records []state.Record) []sync.Health {
	keys := make([]state.Key, len(records))
	for i := range records {
		keys[i] = records[i].Key
	}
	return d.engine.ContainerHealth(ctx, d.host.Scope, keys)
}

// The whole way: what is declared is planned, deployed, waited for, recorded, and
// noticed when it is something else that runs.
func TestEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kinds := sync.Kinds(sync.Define[deployment]("deployment", sync.Deploys(deployer{w})))
	backend, err := filesyncer.New(t.TempDir(), w.host.Scope, nil)
	require.NoError(t, err)
	engine, err := sync.New(backend, kinds, nil)
	require.NoError(t, err)
	reasons := func(d deployment) (*sync.Plan, []string) {
		r, err := kinds.Resource("deployment", "web", d)
		require.NoError(t, err)
		r.Deploy = true
		plan, err := engine.Plan(t.Context(), &sync.Desired{Resources: []state.Resource{r}}, nil)
		require.NoError(t, err)
		for _, c := range plan.Changes {
			if deploy, ok := c.Change.(*diff.Deploy); ok {
				return plan, deploy.Reasons
			}
		}
		return plan, nil
	}
	broken := deployment{Command: []string{"exit", "3"}, Token: "hunter2"}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	plan, why := reasons(broken)
	require.Equal(t, []string{"it is new"}, why)
	_, err = engine.Apply(ctx, plan)
	require.ErrorIs(t, err, sync.ErrUnhealthy)
	require.ErrorContains(t, err, "exited with code 3")

	good := deployment{Token: "hunter2"}
	plan, why = reasons(good)
	require.Equal(t, []string{"it changes"}, why)
	_, err = engine.Apply(ctx, plan)
	require.NoError(t, err)
	_, why = reasons(good)
	require.Empty(t, why)

	w.docker("stop", w.host.Name+"-web")
	plan, why = reasons(good)
	require.Equal(t, []string{"it doesn't run as it should: exited with code 0"}, why)
	_, err = engine.Apply(ctx, plan)
	require.NoError(t, err)

	w.docker("rm", "--force", w.host.Name+"-web")
	plan, why = reasons(good)
	require.Equal(t, []string{"nothing runs"}, why)
	_, err = engine.Apply(ctx, plan)
	require.NoError(t, err)

	// Somebody with records of their own deploys another version in the same scope.
	require.NoError(t, w.deploy("another"))
	w.becomes(sync.Healthy, w.health)
	plan, why = reasons(good)
	require.Equal(t, []string{"something else runs than what is declared"}, why)
	_, err = engine.Apply(ctx, plan)
	require.NoError(t, err)
	require.Contains(t, w.only().Config.Env, "TOKEN=hunter2")
	for label, value := range w.only().Config.Labels {
		require.NotContains(t, value, "hunter2", label)
	}
}
