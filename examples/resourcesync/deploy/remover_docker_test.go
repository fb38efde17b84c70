//go:build docker

package deploy_test

import (
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/examples/resourcesync/deploy"
	"github.com/trueup-go/trueup/sync"
)

// deployment declares one on a server; its container is called like it.
func deployment(name, server string) string {
	return `
[[deployment]]
name = "` + name + `"
deploy = true
[deployment.config]
server = "` + server + `"
custom_name = "$PREFIX-` + name + `"
network = "none"
image = {type = "Image", params.image = "$IMAGE"}
termination_timeout = 1
`
}

// shop is a stack of one service, with a volume.
const shop = `
[[stack]]
name = "shop"
deploy = true
[stack.config]
server = "here"
project_name = "$PREFIX-shop"
auto_pull = false
file_contents = """
services:
  web:
    image: $IMAGE
    network_mode: none
    stop_grace_period: 1s
    volumes: ["data:/data"]
volumes:
  data: {}
"""
`

// containers are the names of this test's, without what is in front of all of them.
func (h *home) containers(host *dockertest.Host) []string {
	h.Helper()
	filters := client.Filters{}.Add("label", "io.github.trueup-go.scope="+h.host.Scope.String())
	all, err := host.ContainerList(h.Context(), client.ContainerListOptions{All: true, Filters: filters})
	require.NoError(h, err)
	names := []string{}
	for _, c := range all.Items {
		names = append(names, c.Names[0][len("/"+h.host.Name+"-"):])
	}
	return names
}

// prune prunes as the command does: by what is recorded.
func (h *home) prune() error {
	h.Helper()
	plan, err := h.engine.Plan(h.Context(), nil, &sync.PlanOptions{Prune: true})
	require.NoError(h, err)
	_, err = h.engine.Apply(h.Context(), plan)
	return err
}

// What is pruned ends, and what is declared runs on; volumes stay.
func TestRemover_Prune(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("resources/server.toml", server)
	h.write("resources/kept.toml", deployment("kept", "here"))
	h.write("resources/gone.toml", deployment("gone", "here")+shop)
	h.settles(nil, "deployment/gone: done", "deployment/kept: done", "stack/shop: done")
	kept := h.container("kept").ID

	h.write("resources/gone.toml", "")
	_, err := h.sync(nil)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"kept", "gone", "shop-web-1"}, h.containers(h.host), "an orphan runs on")
	require.NoError(t, h.prune())
	require.Equal(t, []string{"kept"}, h.containers(h.host))
	require.Equal(t, kept, h.container("kept").ID)
	_, err = h.host.VolumeInspect(t.Context(), h.host.Name+"-shop_data", client.VolumeInspectOptions{})
	require.NoError(t, err)
	h.isSettled()
}

// Where it ran is known although the server left the declaration with it, or before.
func TestRemover_ServerIsDeletedToo(t *testing.T) {
	t.Parallel()
	for name, syncsBetween := range map[string]bool{"at once": false, "when all are orphans": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.write("resources/all.toml", server+deployment("a", "here")+shop)
			h.write("resources/other.toml", "[[variable]]\nname = \"X\"\n")
			h.settles(nil, "deployment/a: done", "stack/shop: done")
			h.write("resources/all.toml", "")
			if syncsBetween {
				_, err := h.sync(nil)
				require.NoError(t, err)
			}
			_, err := h.sync(&sync.PlanOptions{Prune: true})
			require.NoError(t, err)
			require.Empty(t, h.containers(h.host))
		})
	}
}

// Under a new name it is deployed once, in the run that renames it, and nothing of the
// old name is left.
func TestRemover_Rename(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("resources/all.toml", server+deployment("a", "here")+shop)
	h.settles(nil, "deployment/a: done", "stack/shop: done")
	h.edit("resources/all.toml", `name = "a"`, `name = "b"`)
	h.edit("resources/all.toml", `name = "shop"`, `name = "store"`)
	h.write("resources/moved.toml", `
[[moved]]
kind = "deployment"
from = "a"
to = "b"
[[moved]]
kind = "stack"
from = "shop"
to = "store"
`)
	h.settles(nil, "deployment/b: done", "stack/store: done")
	require.ElementsMatch(t, []string{"a", "shop-web-1"}, h.containers(h.host), "they are called as they are declared to be")
	require.Equal(t, "deployment/b", h.container("a").Config.Labels["io.github.trueup-go.resource"])
}

// As long as the old server can't be reached nothing is deployed on the new one, unless
// what ran there is given up.
func TestRemover_FromAServerThatIsGone(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("resources/server.toml", server+"[[server]]\nname = \"gone\"\nconfig = {address = \"unix:///nowhere/docker.sock\", enabled = true}\n")
	h.write("resources/a.toml", deployment("a", "gone"))
	h.leaves(sync.PlanOptions{})

	h.edit("resources/a.toml", `server = "gone"`, `server = "here"`)
	deploys, err := h.sync(nil)
	require.ErrorContains(t, err, "what runs of it on server/gone could not be ended: ")
	require.ErrorContains(t, err, "\"resourcesync sync --no-deploy --target deployment/a\" leaves behind what ran there")
	require.Equal(t, []string{"deployment/a: blocked"}, deploys)
	require.Empty(t, h.containers(h.host))

	h.leaves(sync.PlanOptions{})
	h.settles(nil, "deployment/a: done")
}

// What moves to another server ends where it was. The other engine is the one that tests
// of swarms have: there is no other to be had.
func TestSwarm_MoveToAnotherServer(t *testing.T) {
	t.Parallel()
	other := dockertest.Swarm(t)
	h := newHome(t, func(o *deploy.Options) { o.Engines = map[string]string{"there": other.Address} })
	h.write("resources/server.toml", server+"[[server]]\nname = \"there\"\nconfig = {enabled = true}\n")
	h.write("resources/a.toml", deployment("a", "here")+deployment("b", "here"))
	h.settles(nil, "deployment/a: done", "deployment/b: done")
	h.write("resources/a.toml", deployment("a", "there")+deployment("b", "here"))
	h.settles(nil, "deployment/a: done")
	require.Equal(t, []string{"b"}, h.containers(h.host))
	require.Equal(t, []string{"a"}, h.containers(other))

	h.write("resources/a.toml", deployment("b", "here"))
	_, err := h.sync(&sync.PlanOptions{Prune: true})
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, h.containers(h.host))
	require.Empty(t, h.containers(other))
}

// Without the remover, which --no-deploy leaves out, what runs is left alone.
func TestRemover_NoDeploy(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("resources/server.toml", server)
	h.write("resources/a.toml", deployment("a", "here")+shop)
	h.settles(nil, "deployment/a: done", "stack/shop: done")
	h.write("resources/a.toml", "")
	h.leaves(sync.PlanOptions{Prune: true})
	require.ElementsMatch(t, []string{"a", "shop-web-1"}, h.containers(h.host))
	require.NoError(t, h.prune(), "they are on no books")
	require.ElementsMatch(t, []string{"a", "shop-web-1"}, h.containers(h.host))
}
