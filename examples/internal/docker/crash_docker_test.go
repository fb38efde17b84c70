//go:build docker

package docker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/state"
)

// Wherever a deploy is killed, the next one leaves what is declared and nothing
// else.
func TestContainer_Killed(t *testing.T) {
	t.Parallel()
	// The nth event of a deploy, as the engine tells them: create, kill, die, stop,
	// rename, rename, start and destroy, with some about networks in between.
	for n := range 10 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			require.NoError(t, w.deploy("1"))
			w.kill(n, job{Mark: w.mark("deployment/web", "2"), Spec: *w.spec()})

			require.NoError(t, w.deploy("3"))
			require.True(t, w.only().State.Running)
			require.Equal(t, state.Sum([]byte("3")), w.health().Running)
		})
	}
}

// kill has another process deploy, and kills it once the engine has told n events
// of it, if it is still there.
func (w *world) kill(n int, j job) {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	told := w.host.Events(ctx, client.EventsListOptions{Filters: client.Filters{}.Add("type", "container").
		Add("label", "io.github.trueup-go.scope="+w.host.Scope.String())})
	text, err := json.Marshal(j)
	require.NoError(w, err)
	self, err := os.Executable()
	require.NoError(w, err)
	child := exec.CommandContext(ctx, self)
	child.Env = append(os.Environ(), victimJob+"="+string(text))
	child.Stderr = os.Stderr
	require.NoError(w, child.Start())
	var end error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		end = child.Wait()
	}()
	for range n {
		select {
		case <-told.Messages:
			continue
		case <-ended:
			require.NoError(w, end)
			return
		}
	}
	_ = child.Process.Kill() // it may just have ended
	<-ended
}

// A job is what a process that is to be killed deploys.
type job struct {
	Mark docker.Mark
	Spec docker.ContainerSpec
}

const victimJob = "TRUEUP_DOCKER_TEST_JOB"

func victim(text string) int {
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		var engine *docker.Engine
		if engine, err = docker.Open(dockertest.Address(), nil); err == nil {
			err = engine.DeployContainer(context.Background(), j.Mark, &j.Spec)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
