//go:build docker

package docker_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/state"
)

func TestImages(t *testing.T) {
	w := newWorkshop(t)
	one, err := w.build("1")
	require.NoError(t, err)
	two, err := w.build("2", func(s *docker.BuildSpec) { s.Labels = map[string]string{"team": "shop"} })
	require.NoError(t, err)
	images, err := w.engine.Images(t.Context(), w.host.Scope, state.Key{Kind: "build", Name: "app"})
	require.NoError(t, err)
	require.Len(t, images, 2)
	for id, latest := range map[string]bool{one: false, two: true} {
		i := slices.IndexFunc(images, func(i docker.Image) bool { return i.ID == id })
		require.GreaterOrEqual(t, i, 0)
		require.Equal(t, latest, images[i].Latest)
		require.Equal(t, latest, slices.Contains(images[i].Tags, w.host.Name+"/app:latest"))
		require.Equal(t, latest, images[i].Labels["team"] == "shop")
	}
	err = w.engine.Push(t.Context(), "127.0.0.1:1/none:1")
	require.ErrorContains(t, err, `push image "127.0.0.1:1/none:1": docker push: exit code 1`)
}

// What there is does where nothing newer is to be had.
func TestContainer_PullNewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	newer := func(s *docker.ContainerSpec) { s.Pull = docker.PullNewer }
	require.NoError(t, w.deploy("1", newer))
	require.ErrorContains(t, w.deploy("2", newer, func(s *docker.ContainerSpec) { s.Image = "127.0.0.1:1/none:1" }), "pull image")
}

// A label of theirs alone replaces services.
func TestStack_Labels(t *testing.T) {
	t.Parallel()
	s := newStack(t, "web", "db\nlabels: {own: x}")
	label := func(value string) func(*docker.StackSpec) {
		return func(spec *docker.StackSpec) {
			spec.Labels = map[string]map[string]string{"": {"all": "1"}, "db": {"some": value}}
		}
	}
	require.NoError(t, s.up("1", label("a$A")))
	web, db := s.service("web"), s.service("db")
	require.Equal(t, "1", web.Config.Labels["all"])
	require.Equal(t, "a$A", db.Config.Labels["some"])
	require.Equal(t, "x", db.Config.Labels["own"])
	require.NoError(t, s.up("2", label("b")))
	require.Equal(t, web.ID, s.service("web").ID)
	require.NotEqual(t, db.ID, s.service("db").ID)
}

// Services are built each time, with the arguments.
func TestStack_Build(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.write("Dockerfile", "FROM "+dockertest.Image()+"\nARG A\nLABEL a=$A\n")
	s.write("compose.yaml", "services:\n  web: {build: ., image: "+s.host.Name+"/web, network_mode: none, stop_grace_period: 1s}\n")
	for _, a := range []string{"1", "2"} {
		require.NoError(t, s.up(a, func(spec *docker.StackSpec) { spec.Build, spec.BuildArgs = true, []string{"--build-arg", "A=" + a} }))
		require.Equal(t, a, s.service("web").Config.Labels["a"])
	}
}
