//go:build docker

package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/examples/resourcesync/deploy"
)

// A build that procedures run, and what is deployed of it: a version that is named
// stays, the latest goes along.
func TestBuild_ByProcedures(t *testing.T) {
	t.Parallel()
	h := newHome(t, func(o *deploy.Options) {
		o.Engines = map[string]string{"cloud": dockertest.Address(), "agent": dockertest.Address()}
	})
	h.write("resources/all.toml", `
[[server]]
name = "agent"
config = {address = "https://periphery:8120", enabled = true}
[[builder]]
name = "cloud"
config.type = "Aws"
[[build]]
name = "App"
[build.config]
builder = "cloud"
image_name = "$PREFIX/app"
dockerfile = """
FROM $IMAGE
ARG VERSION
ARG ARG
LABEL version=$VERSION arg=$ARG own="[[$VERSION]]"
"""
build_args = "ARG = [[V]]"
[[variable]]
name = "V"
value = "a b"
[[deployment]]
name = "latest"
deploy = true
[deployment.config]
server = "agent"
custom_name = "$PREFIX-latest"
network = "none"
image = {type = "Build", params = {build = "App"}}
[[deployment]]
name = "pinned"
deploy = true
[deployment.config]
server = "agent"
custom_name = "$PREFIX-pinned"
network = "none"
image = {type = "Build", params = {build = "App", version = "0.0.1"}}
[[procedure]]
name = "build"
[[procedure.config.stage]]
executions = [{ execution.type = "BatchRunBuild", execution.params.pattern = "A*" }]
`)
	_, err := h.plan(nil)
	require.ErrorContains(t, err, "build/App was never built: give it deploy = true, or run it in a procedure")

	build := func() {
		t.Helper()
		h.load()
		require.NoError(t, h.deployer.RunProcedure(t.Context(), "build", nil))
	}
	build()
	h.settles(nil, "deployment/latest: done", "deployment/pinned: done")
	one := h.container("latest")
	require.Equal(t, h.host.Name+"/app:0.0.1", one.Config.Image)
	require.Equal(t, "a b", one.Config.Labels["arg"])
	require.Equal(t, "0.0.1", one.Config.Labels["version"])
	require.Equal(t, "0.0.1", one.Config.Labels["own"])

	build()
	require.Equal(t, map[string][]string{"deployment/latest": {"something else runs than what is declared"}}, h.reasons())
	h.settles(nil, "deployment/latest: done")
	require.Equal(t, h.host.Name+"/app:0.0.2", h.container("latest").Config.Image)
	require.Equal(t, h.host.Name+"/app:0.0.1", h.container("pinned").Config.Image)

	h.edit("resources/all.toml", `version = "0.0.1"`, `version = "0.0.7"`)
	_, err = h.plan(nil)
	require.ErrorContains(t, err, "build/App has no image of version 0.0.7: there is 0.0.1, 0.0.2")
}

// A deployment that no sync deploys is deployed by a procedure, from the repo that
// another stage has pulled.
func TestProcedure_DeploysDirectly(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("git/x", "1")
	h.commit("git")
	h.write("resources/all.toml", server+`
[[repo]]
name = "git"
config = {repo = "$DIR/git", on_pull = {command = "cp x $DIR/pulled"}}
[[deployment]]
name = "web"
[deployment.config]
server = "here"
custom_name = "$PREFIX-web"
network = "none"
image = {type = "Image", params = {image = "$IMAGE"}}
[[procedure]]
name = "p"
[[procedure.config.stage]]
executions = [{ execution.type = "PullRepo", execution.params.repo = "git" }]
[[procedure.config.stage]]
executions = [{ execution.type = "Deploy", execution.params.deployment = "web" }]
`)
	h.load()
	require.NoError(t, h.deployer.RunProcedure(t.Context(), "p", nil))
	require.True(t, h.container("web").State.Running)
	require.FileExists(t, h.dir+"/pulled")
}
