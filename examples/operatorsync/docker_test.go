//go:build docker

// The tests of this file need a container engine, and .ci/docker runs them. Without
// the tag they are no tests, and skip nothing.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	swarmapi "github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/deploy"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envsyncer"
	"github.com/trueup-go/trueup/sync/synccli"
)

func TestMain(m *testing.M) {
	// These tests wait, and compute little. -parallel still has its way.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(dockertest.Main(m))
}

// stories are what holds for either deployer. Each plays on an app of its own.
func stories() map[string]func(*server) {
	return map[string]func(*server){
		"moves": moves, "edited": edited, "mends": mends, "exits": exits, "refused": refused, "operators": operators,
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	all := stories()
	all["half"] = half
	for name, story := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := dockertest.New(t)
			host.Scope = deploy.Scope(host.Name) // of what the program leaves on the engine
			story(&server{
				T: t, host: host, deployer: compose, domain: host.Name + ".example.com",
				label: "com.docker.compose.project",
				head:  "services:\n  web:\n    network_mode: none\n    stop_grace_period: 1s\n",
			})
		})
	}
}

// One engine for all of it: that takes its time to start.
func TestSwarm(t *testing.T) {
	t.Parallel()
	host := dockertest.Swarm(t)
	all := stories()
	all["reverted"], all["abra's"] = reverted, abras
	for name, story := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(&server{
				T: t, host: host, deployer: swarm, domain: name + ".example.com",
				label: "com.docker.stack.namespace",
				head: "version: '3.8'\nnetworks: {host: {external: true, name: host}}\nservices:\n  web:\n    networks: [host]\n" +
					"    deploy:\n      restart_policy: {condition: '${RESTART:-any}', delay: 100ms}\n" +
					"      update_config: {monitor: '${MONITOR:-200ms}', failure_action: '${ON_FAILURE:-pause}'}\n" +
					"      rollback_config: {monitor: 200ms}\n",
			})
		})
	}
}

// Deploy, upgrade and rollback: what runs is what is recorded, and a second run has
// nothing to do.
func moves(s *server) {
	ada := s.operator("1.0.0+1", "2.0.0+1", "3.0.0+1")
	ada.is(row{State: notDeployed})
	require.Contains(s, ada.does("deploy", "1.0.0+1"), s.domain+" runs 1.0.0+1. Recorded in "+ada.file()+".\n")
	s.shows("1.0.0+1", "hello")
	ada.is(row{Recorded: "1.0.0+1", Running: "1.0.0+1", Health: "healthy", State: behind})

	ada.does("upgrade")
	s.shows("3.0.0+1", "hello")
	ada.is(row{Recorded: "3.0.0+1", Running: "3.0.0+1", Health: "healthy", State: inLine})
	code, listed := ada.call("app", "ls", "--server", s.host.Name)
	require.Zero(s, code)
	require.Regexp(s, s.domain+" +hello +3.0.0\\+1 +3.0.0\\+1 +3.0.0\\+1 +in line\n", listed)

	before := s.ids()
	require.Equal(s, "Nothing to do: there is nothing newer than 3.0.0+1, which is recorded.\n", ada.does("upgrade"))
	require.Equal(s, "Nothing to do: "+s.domain+" runs 3.0.0+1.\n", ada.does("deploy"))
	require.Equal(s, before, s.ids())

	ada.does("rollback")
	s.shows("2.0.0+1", "hello")
	ada.is(row{Recorded: "2.0.0+1", Running: "2.0.0+1", Health: "healthy", State: behind})
}

// What abra has deployed is known by its labels: it is recorded, and taken over by the
// next deploy.
func abras(s *server) {
	ada := s.operator("1.0.0+1", "2.0.0+1")
	stack := apps.Stack(s.domain)
	_, err := s.host.ServiceCreate(s.Context(), client.ServiceCreateOptions{Spec: swarmapi.ServiceSpec{
		Annotations: swarmapi.Annotations{Name: stack + "_web", Labels: map[string]string{
			s.label: stack, "coop-cloud." + stack + ".version": "1.0.0+1", "coop-cloud." + stack + ".chaos": "false",
		}},
		TaskTemplate: swarmapi.TaskSpec{
			ContainerSpec: &swarmapi.ContainerSpec{Image: dockertest.Image()},
			Networks:      []swarmapi.NetworkAttachmentConfig{{Target: "host"}},
		},
	}})
	require.NoError(s, err)
	s.until(func() bool { return ada.status().Health == "healthy" })
	ada.is(row{Running: "1.0.0+1", Health: "healthy", State: notRecorded})
	ada.does("sync", "--record")
	ada.is(row{Recorded: "1.0.0+1", Running: "1.0.0+1", Health: "healthy", State: behind})
	ada.does("upgrade")
	s.shows("2.0.0+1", "hello")
	ada.is(row{Recorded: "2.0.0+1", Running: "2.0.0+1", Health: "healthy", State: inLine})
}

// A variable that was edited is told of, and deployed.
func edited(s *server) {
	ada := s.operator("1.0.0+1")
	ada.does("deploy")
	ada.edit("GREETING=hello", "GREETING=hi")
	ada.is(row{Recorded: "1.0.0+1", Running: "1.0.0+1", Health: "healthy", State: inLine, Edited: true})
	ada.does("deploy")
	s.shows("1.0.0+1", "hi")
	ada.is(row{Recorded: "1.0.0+1", Running: "1.0.0+1", Health: "healthy", State: inLine})
}

// What somebody has stopped or removed by hand is told of, and deployed again.
func mends(s *server) {
	ada := s.operator("1.0.0+1")
	ada.edit("GREETING", "RESTART=none\nGREETING")
	ada.does("deploy")
	well := row{Recorded: "1.0.0+1", Running: "1.0.0+1", Health: "healthy", State: inLine}
	ada.is(well)

	s.kill()
	s.until(func() bool { return strings.HasPrefix(ada.status().Health, "degraded: web: ") })
	require.Equal(s, unhealthy, ada.status().State)
	ada.does("deploy")
	s.shows("1.0.0+1", "hello")
	ada.is(well)

	s.remove()
	ada.is(row{Recorded: "1.0.0+1", State: drifted})
	ada.does("deploy")
	s.shows("1.0.0+1", "hello")
	ada.is(well)
}

// A version whose containers exit is not recorded, and the recorded one can be brought
// back.
func exits(s *server) {
	s.odd = map[string]string{"2.0.0+1": "command: [exit, '3']"}
	ada := s.operator("1.0.0+1", "2.0.0+1")
	ada.does("deploy", "1.0.0+1")
	before := ada.files()
	said := ada.fails("upgrade")
	require.Equal(s, before, ada.files())
	require.Regexp(s, `(?m)^What runs now: 2\.0\.0\+1 \(degraded: web: .*exited with code 3\)$`, said)
	require.Contains(s, said, "Still recorded: 1.0.0+1\nThis has to be resolved by you:\n  operatorsync app sync "+s.domain+"  ")
	failed := ada.status()
	require.Equal(s, drifted, failed.State)
	require.Contains(s, failed.Failed, "failed: not healthy: web: ")

	ada.does("sync")
	require.Equal(s, before, ada.files())
	s.shows("1.0.0+1", "hello")
	ada.is(row{Recorded: "1.0.0+1", Running: "1.0.0+1", Health: "healthy", State: behind})
}

// A version that compose can't start: what ran before is gone, and can be brought back.
func half(s *server) {
	s.odd = map[string]string{"2.0.0+1": "entrypoint: [/none]"}
	ada := s.operator("1.0.0+1", "2.0.0+1")
	ada.does("deploy", "1.0.0+1")
	before := ada.files()
	said := ada.fails("upgrade")
	require.Equal(s, before, ada.files())
	require.Regexp(s, `(?m)^operatorsync: app/`+s.domain+`: .*/none`, said)
	require.Regexp(s, `(?m)^What runs now: unknown \(degraded: web: .*\)$`, said)
	failed := ada.status()
	require.Equal(s, drifted, failed.State)
	require.Equal(s, deploy.Unknown, failed.Running)
	ada.does("sync")
	s.shows("1.0.0+1", "hello")
	ada.is(row{Recorded: "1.0.0+1", Running: "1.0.0+1", Health: "healthy", State: behind})
}

// A version whose file isn't understood changes nothing at all.
func refused(s *server) {
	s.odd = map[string]string{"2.0.0+1": "imag: x"}
	ada := s.operator("1.0.0+1", "2.0.0+1")
	ada.does("deploy", "1.0.0+1")
	before, ids := ada.files(), s.ids()
	said := ada.fails("upgrade")
	require.Equal(s, before, ada.files())
	require.Equal(s, ids, s.ids())
	require.Regexp(s, `(?m)^operatorsync: app/`+s.domain+`: .*deploy stack "`+apps.Stack(s.domain)+`": docker .* config: .*imag`, said)
	require.Contains(s, said, "What runs now: 1.0.0+1\nStill recorded: 1.0.0+1\n")
	require.Contains(s, ada.status().Failed, "failed: ")
}

// A swarm that goes back by itself is no success.
func reverted(s *server) {
	s.odd = map[string]string{"2.0.0+1": "command: [exit, '3']"}
	ada := s.operator("1.0.0+1", "2.0.0+1")
	ada.edit("GREETING", "ON_FAILURE=rollback\nMONITOR=10s\nGREETING")
	ada.does("deploy", "1.0.0+1")
	before := ada.files()
	said := ada.fails("upgrade")
	require.Equal(s, before, ada.files())
	require.Regexp(s, `(?m)^What runs now: 1\.0\.0\+1 \(degraded: web: its update is rollback completed, .*\)$`, said)
	require.Contains(s, said, "\nStill recorded: 1.0.0+1\n")
	s.until(func() bool {
		return ada.status().Health == "degraded: web: its update is rollback completed, 1 of 1 run"
	})
	require.Equal(s, unhealthy, ada.status().State)
	s.shows("1.0.0+1", "hello")

	ids := s.ids()
	ada.does("sync")
	require.Equal(s, ids, s.ids(), "it ran all the time")
	ada.is(row{Recorded: "1.0.0+1", Running: "1.0.0+1", Health: "healthy", State: behind})
}

// Two operators, of whom the second one has not pulled: he is warned before he is shown
// what is to be done. What runs is known without any record on his machine.
func operators(s *server) {
	versions := []string{"1.0.0+1", "2.0.0+1", "3.0.0+1"}
	ada, bob := s.operator(versions...), s.operator(versions...)
	ada.does("deploy", "1.0.0+1")
	bob.write(bob.file(), ada.read(ada.file()))
	ada.does("upgrade", "2.0.0+1")

	bob.is(row{Recorded: "1.0.0+1", Running: "2.0.0+1", Health: "healthy", State: drifted})
	require.Regexp(s, `(?s)WARNING: .* runs 2\.0\.0\+1, and .* records 1\.0\.0\+1\.`+
		`.*\n  current +2\.0\.0\+1\n  recorded +1\.0\.0\+1\n  target +3\.0\.0\+1\n`, bob.does("upgrade"))
	bob.is(row{Recorded: "3.0.0+1", Running: "3.0.0+1", Health: "healthy", State: inLine})

	require.NoError(s, os.RemoveAll(filepath.Join(filepath.Dir(ada.file()), envsyncer.Dir)))
	ada.is(row{Recorded: "2.0.0+1", Running: "3.0.0+1", Health: "healthy", State: drifted})
	ids := s.ids()
	ada.does("sync", "--record")
	require.Equal(s, ids, s.ids())
	ada.is(row{Recorded: "3.0.0+1", Running: "3.0.0+1", Health: "healthy", State: inLine})
}

// server is an engine that an app is deployed to.
type server struct {
	*testing.T
	host             *dockertest.Host
	deployer, domain string
	label            string            // of a container: which stack it is of
	head             string            // of a compose file: that of the service web, and how it is run
	odd              map[string]string // a line more for the service, of some versions
}

// compose is the compose file of a version.
func (s *server) compose(version string) string {
	text := s.head + "    image: " + dockertest.Image() + "\n" +
		"    environment: {GREETING: '${GREETING}', STACK: '${STACK_NAME}', VERSION: " + version + "}\n"
	if line := s.odd[version]; line != "" {
		text += "    " + line + "\n"
	}
	return text
}

// list returns the containers that run of the app.
func (s *server) list() []container.Summary {
	s.Helper()
	stack := client.Filters{}.Add("label", s.label+"="+apps.Stack(s.domain))
	all, err := s.host.ContainerList(s.Context(), client.ContainerListOptions{Filters: stack})
	require.NoError(s, err)
	return all.Items
}

func (s *server) ids() []string {
	s.Helper()
	var ids []string
	for _, c := range s.list() {
		ids = append(ids, c.ID)
	}
	return ids
}

// shows makes sure that one container runs, of a version and with a greeting.
func (s *server) shows(version, greeting string) {
	s.Helper()
	ids := s.ids()
	require.Len(s, ids, 1)
	c, err := s.host.ContainerInspect(s.Context(), ids[0], client.ContainerInspectOptions{})
	require.NoError(s, err)
	require.Subset(s, c.Container.Config.Env, []string{"VERSION=" + version, "GREETING=" + greeting, "STACK=" + apps.Stack(s.domain)})
}

// kill ends what runs, by hand.
func (s *server) kill() {
	s.Helper()
	for _, id := range s.ids() {
		_, err := s.host.ContainerKill(s.Context(), id, client.ContainerKillOptions{})
		require.NoError(s, err)
	}
}

// remove removes what runs, by hand.
func (s *server) remove() {
	s.Helper()
	if s.deployer == swarm {
		_, err := s.host.ServiceRemove(s.Context(), apps.Stack(s.domain)+"_web", client.ServiceRemoveOptions{})
		require.NoError(s, err)
	} else {
		for _, id := range s.ids() {
			_, err := s.host.ContainerRemove(s.Context(), id, client.ContainerRemoveOptions{Force: true})
			require.NoError(s, err)
		}
	}
	s.until(func() bool { return len(s.ids()) == 0 })
}

// until asks again and again, in the test's goroutine, which may fail the test.
func (s *server) until(done func() bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 30*time.Second)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			require.FailNow(s, "too late")
		}
	}
}

// operator is one who deploys the app, from a directory of his own.
type operator struct {
	*server
	dir    string
	latest string
}

// operator makes a directory with the versions of the app's recipe, the latest one last.
func (s *server) operator(versions ...string) *operator {
	s.Helper()
	o := &operator{s, s.TempDir(), versions[len(versions)-1]}
	o.write(filepath.Join(o.dir, "config.yml"), fmt.Sprintf(
		"sync: true\ndeployer: %s\nengines: {%s: '%s'}\nresolve_image: never\ntimeout: 1m\n", s.deployer, s.host.Name, s.host.Address))
	o.write(o.file(), "# greets\nTYPE=hello\nDOMAIN="+o.domain+"\nGREETING=hello\n")
	o.write(filepath.Join(filepath.Dir(o.file()), "other.example.com.env"), "TYPE=hello:1.0.0+1")
	require.NoError(s, commits(filepath.Join(o.dir, "recipes", "hello"), versions, s.compose))
	return o
}

// file is the app's.
func (o *operator) file() string {
	return filepath.Join(o.dir, "servers", o.host.Name, o.domain+".env")
}

// files are all .env files, by name.
func (o *operator) files() map[string]string {
	o.Helper()
	paths, err := filepath.Glob(filepath.Join(o.dir, "servers", "*", "*.env"))
	require.NoError(o, err)
	files := map[string]string{}
	for _, path := range paths {
		files[path] = o.read(path)
	}
	return files
}

func (o *operator) read(path string) string {
	o.Helper()
	text, err := os.ReadFile(path)
	require.NoError(o, err)
	return string(text)
}

func (o *operator) write(path, text string) {
	o.Helper()
	require.NoError(o, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(o, os.WriteFile(path, []byte(text), 0o600))
}

// edit replaces something in the app's file.
func (o *operator) edit(old, with string) {
	o.Helper()
	o.write(o.file(), strings.Replace(o.read(o.file()), old, with, 1))
}

// call runs the program, and returns its exit code and what it wrote, warnings and all, in
// that order.
func (o *operator) call(args ...string) (int, string) {
	o.Helper()
	var out bytes.Buffer
	code := run(o.Context(), args, synccli.Stdio{
		In: strings.NewReader(""), Out: &out, Err: &out, User: "tester",
		Getenv: func(name string) string { return map[string]string{"OPERATORSYNC_DIR": o.dir}[name] },
	})
	return code, out.String()
}

// change runs a command that changes the app.
func (o *operator) change(verb string, args ...string) (int, string) {
	o.Helper()
	return o.call(append([]string{"app", verb, "--no-input", o.domain}, args...)...)
}

// does is a change that succeeds; fails is one that doesn't.
func (o *operator) does(verb string, args ...string) string {
	o.Helper()
	code, said := o.change(verb, args...)
	require.Zero(o, code, said)
	return said
}

func (o *operator) fails(verb string, args ...string) string {
	o.Helper()
	code, said := o.change(verb, args...)
	require.Equal(o, 1, code, said)
	return said
}

// status is what app status shows.
func (o *operator) status() row {
	o.Helper()
	code, said := o.call("app", "status", "--json", o.domain)
	require.Zero(o, code, said)
	var r row
	require.NoError(o, json.Unmarshal([]byte(said), &r), said)
	return r
}

// is makes sure of what app status shows. What is the same in every row needn't be given.
func (o *operator) is(want row) {
	o.Helper()
	want.Server, want.App, want.Recipe, want.Latest = o.host.Name, o.domain, "hello", o.latest
	require.Equal(o, want, o.status())
}
