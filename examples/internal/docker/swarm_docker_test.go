//go:build docker

package docker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// A swarm is an engine of its own with a stack's directory.
type swarm struct {
	*world
	dir string
}

// swarmFile is a stack's file of services, each given as its name and the lines of
// its deploy section.
func swarmFile(definitions ...string) string {
	text := "version: '3.8'\nnetworks: {host: {external: true, name: host}}\nservices:\n"
	for _, d := range definitions {
		name, lines, _ := strings.Cut(d, "\n")
		text += fmt.Sprintf("  %s:\n    image: %s\n    networks: [host]\n", name, dockertest.Image())
		if !strings.Contains(lines, "deploy:") {
			lines += "\ndeploy: {update_config: {monitor: 200ms}}" // or an update takes 5 s more
		}
		for line := range strings.Lines(lines) {
			text += "    " + strings.TrimSuffix(line, "\n") + "\n"
		}
	}
	return text
}

func (s *swarm) write(definitions ...string) {
	s.Helper()
	require.NoError(s, os.WriteFile(filepath.Join(s.dir, "compose.yml"), []byte(swarmFile(definitions...)), 0o600))
}

func (s *swarm) up(version string, edit ...func(*docker.SwarmSpec)) error {
	s.Helper()
	spec := &docker.SwarmSpec{Stack: "shop", Dir: s.dir, Files: []string{"compose.yml"}, ResolveImage: "never"}
	for _, e := range edit {
		e(spec)
	}
	mark := s.mark("stack/shop", version)
	mark.Note = "version $" + version
	return s.engine.DeploySwarm(s.Context(), mark, spec)
}

// note is that of the stack; the one of a stack that isn't there is empty.
func (s *swarm) note() string {
	s.Helper()
	keys := []state.Key{{Kind: "stack", Name: "shop"}, {Kind: "stack", Name: "none"}}
	notes, err := s.engine.SwarmNotes(s.Context(), s.host.Scope, keys)
	require.NoError(s, err)
	require.Len(s, notes, 2)
	require.Empty(s, notes[1])
	return notes[0]
}

func (s *swarm) health() sync.Health {
	s.Helper()
	h := s.engine.SwarmHealth(s.Context(), s.host.Scope, []state.Key{{Kind: "stack", Name: "shop"}})
	require.Len(s, h, 1)
	require.NoError(s, h[0].Err)
	return h[0]
}

// running are the IDs of a service's containers.
func (s *swarm) running(service string) []string {
	s.Helper()
	all, err := s.host.ContainerList(s.Context(), client.ContainerListOptions{Filters: client.Filters{}.Add("label", "com.docker.swarm.service.name=shop_"+service)})
	require.NoError(s, err)
	var ids []string
	for _, c := range all.Items {
		ids = append(ids, c.ID)
	}
	return ids
}

// One engine for all of it: that takes its time to start.
func TestSwarm_Stack(t *testing.T) {
	t.Parallel()
	host := dockertest.Swarm(t)
	engine, err := docker.Open(host.Address, &docker.Options{Settle: settle})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	s := &swarm{&world{T: t, engine: engine, host: host}, t.TempDir()}

	require.Equal(t, sync.Health{Phase: sync.Missing}, s.health())
	require.Empty(t, s.note())
	require.NoError(t, s.engine.RemoveSwarm(t.Context(), s.mark("stack/shop", "1")), "nothing is there")
	s.write("web\ndeploy: {replicas: 2}", "db\nenvironment: {A: '${A}'}")
	withA := func(spec *docker.SwarmSpec) { spec.Environment = []string{"A=hunter2"} }
	require.NoError(t, s.up("1", withA))
	require.Equal(t, state.Sum([]byte("1")), s.becomes(sync.Healthy, s.health).Running)
	require.Equal(t, "version $1", s.note())
	web, db := s.running("web"), s.running("db")
	require.Len(t, web, 2)
	require.Len(t, db, 1)

	// A change replaces what has changed, although each service has another label.
	s.write("web\ndeploy: {replicas: 2}", "db\nenvironment: {A: changed}\nstop_grace_period: 1s")
	require.NoError(t, s.up("2"))
	require.Equal(t, state.Sum([]byte("2")), s.becomes(sync.Healthy, s.health).Running)
	require.Equal(t, web, s.running("web"))
	require.NotEqual(t, db, s.running("db"))

	// What the files mean is checked before anything happens.
	s.write("web\nimag: x")
	require.ErrorContains(t, s.up("3"), "Additional property imag is not allowed")
	s.write("web\ndeploy: {replicas: '${A}'}")
	err = s.up("3", withA)
	require.ErrorContains(t, err, "<A>")
	require.NotContains(t, err.Error(), "hunter2")
	require.Equal(t, web, s.running("web"))

	// A task that fails again and again.
	s.write("web\ncommand: [exit, '3']\ndeploy: {restart_policy: {delay: 10ms}, update_config: {failure_action: continue, monitor: 200ms}}", "db")
	require.NoError(t, s.up("3"))
	require.Equal(t, "web: 0 of 1 run, the last one exited with code 3", s.becomes(sync.Degraded, s.health).Message)

	s.rollsBack()
	s.wakes()

	// A service that somebody removed, and one that is no longer declared.
	s.write("web", "db")
	require.NoError(t, s.up("4"))
	s.becomes(sync.Healthy, s.health)
	_, err = host.ServiceRemove(t.Context(), "shop_db", client.ServiceRemoveOptions{})
	require.NoError(t, err)
	require.Equal(t, "db: there is none", s.health().Message)
	s.write("web")
	require.NoError(t, s.up("5", func(spec *docker.SwarmSpec) { spec.Prune = true }))
	s.becomes(sync.Healthy, s.health)

	// A stack of somebody else.
	other := s.mark("stack/other", "1")
	spec := &docker.SwarmSpec{Stack: "shop", Dir: s.dir, Files: []string{"compose.yml"}, ResolveImage: "never"}
	require.ErrorIs(t, s.engine.DeploySwarm(t.Context(), other, spec), docker.ErrTaken)
	spec.TakeOver = true
	require.NoError(t, s.engine.DeploySwarm(t.Context(), other, spec))
	require.Equal(t, sync.Missing, s.health().Phase)

	require.NoError(t, s.engine.RemoveSwarm(t.Context(), other))
	s.until(func() bool { return len(s.running("web")) == 0 }, "it runs on")
}

// rollsBack holds that a swarm which goes back brings the former note back: all of it, or
// that of the one service that it was, which leaves none of the whole.
func (s *swarm) rollsBack() {
	s.Helper()
	const back = "\ndeploy: {update_config: {failure_action: rollback, monitor: 10s}, rollback_config: {monitor: 200ms}}"
	s.write("web" + back)
	require.NoError(s, s.up("6", func(spec *docker.SwarmSpec) { spec.Prune = true }))
	s.becomes(sync.Healthy, s.health)
	require.Equal(s, "version $6", s.note())
	rolledBack := func() bool { return strings.Contains(s.health().Message, "web: its update is rollback completed") }

	s.write("web" + back + "\ncommand: [exit, '3']")
	require.NoError(s, s.up("7"))
	s.until(rolledBack, "it doesn't go back")
	require.Equal(s, "version $6", s.note())
	require.Equal(s, state.Sum([]byte("6")), s.health().Running)

	s.write("web"+back+"\ncommand: [exit, '3']", "db")
	require.NoError(s, s.up("8"))
	s.until(rolledBack, "it doesn't go back")
	require.Empty(s, s.note())
	require.Zero(s, s.health().Running)

	s.write("web"+back, "db")
	require.NoError(s, s.up("9"))
	s.becomes(sync.Healthy, s.health)
	require.Equal(s, "version $9", s.note())
}

// wakes holds that a deploy starts what the swarm has given up on, although it is declared
// as it was, and nothing else.
func (s *swarm) wakes() {
	s.Helper()
	s.write("web\ndeploy: {restart_policy: {condition: none}, update_config: {monitor: 200ms}}", "db")
	require.NoError(s, s.up("10"))
	s.becomes(sync.Healthy, s.health)
	db := s.running("db")
	_, err := s.host.ContainerKill(s.Context(), s.running("web")[0], client.ContainerKillOptions{})
	require.NoError(s, err)
	require.Equal(s, "web: 0 of 1 run, the last one exited with code 137", s.becomes(sync.Degraded, s.health).Message)
	require.NoError(s, s.up("10"))
	s.becomes(sync.Healthy, s.health)
	require.Len(s, s.running("web"), 1)
	require.Equal(s, db, s.running("db"))
}
