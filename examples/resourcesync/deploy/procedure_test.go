package deploy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/deploy"
	"github.com/trueup-go/trueup/state"
)

// A stage waits for the one before it, its executions for nothing.
func TestProcedure_Stages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDraft(t, `
			[[procedure]]
			name = "p"
			[[procedure.config.stage]]
			name = "first"
			executions = [
				{ execution.type = "Sleep", execution.params.duration_ms = 3000 },
				{ execution.type = "Sleep", execution.params.duration_ms = 2000 },
				{ execution.type = "Sleep", execution.params.duration_ms = 9000, enabled = false },
				{ execution.type = "None" },
			]
			[[procedure.config.stage]]
			name = "off"
			enabled = false
			executions = [{ execution.type = "Sleep", execution.params.duration_ms = 9000 }]
			[[procedure.config.stage]]
			executions = [{ execution.type = "RunProcedure", execution.params.procedure = "q" }]
			[[procedure]]
			name = "q"
			[[procedure.config.stage]]
			executions = [{ execution.type = "Sleep", execution.params.duration_ms = 1000 }]`)
		began := time.Now()
		ended, err := d.run(t.Context(), "p")
		require.NoError(t, err)
		require.Equal(t, []string{"p: first: Sleep 2s", "p: first: Sleep 3s", "q: 1: Sleep 1s", "p: 3: RunProcedure q"}, ended)
		require.Equal(t, 4*time.Second, time.Since(began))
	})
}

// What a sync deploys it deploys for procedures, too: all of a stage in one.
func TestProcedure_Redeploy(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	var asked [][]string
	fail := error(nil)
	d := newDraft(t, `
		[[deployment]]
		name = "a-1"
		deploy = true
		[[deployment]]
		name = "a-2"
		deploy = true
		tags = ["x"]
		[[deployment]]
		name = "b"
		deploy = true
		[[stack]]
		name = "s"
		deploy = true
		[[build]]
		name = "i"
		deploy = true
		[[procedure]]
		name = "p"
		[[procedure.config.stage]]
		executions = [
			{ execution.type = "BatchDeploy", execution.params.pattern = "a-*, b" },
			{ execution.type = "DeployStack", execution.params.stack = "s" },
			{ execution.type = "Deploy", execution.params.deployment = "b" },
		]
		[[procedure.config.stage]]
		executions = [
			{ execution.type = "BatchDeploy", execution.params = {pattern = '\^a\', tags = ["x"]} },
			{ execution.type = "RunBuild", execution.params.build = "i" },
		]`, func(o *deploy.Options) {
		o.Redeploy = func(_ context.Context, keys []state.Key) error {
			var texts []string
			for _, k := range keys {
				texts = append(texts, k.String())
			}
			asked = append(asked, texts)
			return fail
		}
	})
	_, err := d.run(t.Context(), "p")
	require.NoError(t, err)
	require.Equal(t, [][]string{
		{"deployment/a-1", "deployment/a-2", "deployment/b", "stack/s"},
		{"deployment/a-2", "build/i"},
	}, asked)

	fail, asked = refused, nil
	ended, err := d.run(t.Context(), "p")
	require.ErrorIs(t, err, refused)
	require.ErrorContains(t, err, "procedure/p: stage 1: Deploy a-1: refused")
	require.Len(t, asked, 1, "a failure stops after its stage")
	require.Len(t, ended, 5)
}

func TestProcedure_RunSync(t *testing.T) {
	t.Parallel()
	var asked []string
	d := newDraft(t, `
		[[resource_sync]]
		name = "infra"
		[[procedure]]
		name = "p"
		[[procedure.config.stage]]
		executions = [{ execution.type = "RunSync", execution.params = {sync = "infra", resource_type = "Stack", resources = ["a", "b"]} }]
		[[procedure.config.stage]]
		executions = [{ execution.type = "RunSync", execution.params = {sync = "infra"} }]`, func(o *deploy.Options) {
		o.RunSync = func(_ context.Context, name string, keys []state.Key) error {
			asked = append(asked, name)
			for _, k := range keys {
				asked = append(asked, k.String())
			}
			return nil
		}
	})
	_, err := d.run(t.Context(), "p")
	require.NoError(t, err)
	require.Equal(t, []string{"infra", "stack/a", "stack/b", "infra"}, asked)
}

func TestProcedure_Mistakes(t *testing.T) {
	t.Parallel()
	for want, execution := range map[string]string{
		"procedure/p: stage 1: PruneSystem: it is not carried out":  `{ execution.type = "PruneSystem", execution.params.server = "here" }`,
		"procedures run each other in a circle: p → p":              `{ execution.type = "RunProcedure", execution.params.procedure = "p" }`,
		"Deploy: stop_signal and stop_time":                         `{ execution.type = "Deploy", execution.params = {deployment = "a", stop_time = 3} }`,
		"DeployStack: services and stop_time":                       `{ execution.type = "DeployStack", execution.params = {stack = "a", services = ["x"]} }`,
		"RunSync: resource_type and resources: expected both":       `{ execution.type = "RunSync", execution.params = {sync = "s", resource_type = "Stack"} }`,
		"RunSync s: there is nobody here who syncs":                 `{ execution.type = "RunSync", execution.params = {sync = "s"} }`,
		"Deploy a: it is declared with deploy = true, and there is": `{ execution.type = "Deploy", execution.params = {deployment = "a"} }`,
		"Deploy b: it names no server":                              `{ execution.type = "Deploy", execution.params = {deployment = "b"} }`,
		"PullRepo r: check out <TOKEN>":                             `{ execution.type = "PullRepo", execution.params = {repo = "r"} }`,
		"RunBuild i: builder/cloud is of type Aws":                  `{ execution.type = "RunBuild", execution.params = {build = "i"} }`,
	} {
		d := newDraft(t, `
			[[variable]]
			name = "TOKEN"
			value = "/nowhere/hunter2"
			is_secret = true
			[[resource_sync]]
			name = "s"
			[[stack]]
			name = "a"
			[[deployment]]
			name = "a"
			deploy = true
			[[deployment]]
			name = "b"
			[[repo]]
			name = "r"
			config.repo = "/nowhere/hunter2"
			[[build]]
			name = "i"
			config = {builder = "cloud", dockerfile = "FROM scratch"}
			[[procedure]]
			name = "p"
			[[procedure.config.stage]]
			executions = [{ execution.type = "None" }, `+execution+`]
			[[procedure.config.stage]]
			executions = [{ execution.type = "Sleep", execution.params.duration_ms = 3600000 }]`)
		ended, err := d.run(t.Context(), "p")
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error()+strings.Join(ended, ""), "hunter2")
	}
}

// A run that is cancelled starts nothing new.
func TestProcedure_Cancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDraft(t, `
			[[procedure]]
			name = "p"
			[[procedure.config.stage]]
			executions = [{ execution.type = "Sleep", execution.params.duration_ms = 3600000 }]
			[[procedure.config.stage]]
			executions = [{ execution.type = "Sleep", execution.params.duration_ms = 3600000 }]`)
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, enough)
		defer cancel()
		began := time.Now()
		ended, err := d.run(ctx, "p")
		require.ErrorIs(t, err, enough)
		require.Equal(t, time.Minute, time.Since(began))
		require.Equal(t, []string{"p: 1: Sleep 1h0m0s: enough"}, ended)
	})
}
