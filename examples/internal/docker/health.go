package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

const (
	// atOnce is how many containers are asked for at the same time.
	atOnce = 8
	// loops is how often a container is restarted until that is called a loop. The
	// engine pauses in between, from 100 ms on, twice as long each time.
	loops = 5
	// forgiven is how long a container runs until the engine forgets that it had to
	// restart it, and pauses no longer.
	forgiven = 10 * time.Second
)

// ContainerHealth tells how the container of each resource is doing, in their
// order, whoever deployed it. A container that is declared to be stopped is Healthy
// when it doesn't run.
func (e *Engine) ContainerHealth(ctx context.Context, scope state.Scope, keys []state.Key) []sync.Health {
	found, err := e.observe(ctx, scope, keys)
	return each(keys, err, func(key state.Key) sync.Health {
		things := found[key]
		if len(things) == 0 {
			return sync.Health{Phase: sync.Missing}
		}
		health := things[0].health
		health.Running = running(things[0].summary.Labels, labelPrefix)
		return health
	})
}

// each answers for each key, with the error if there is one.
func each(keys []state.Key, err error, health func(state.Key) sync.Health) []sync.Health {
	healths := make([]sync.Health, len(keys))
	for i, key := range keys {
		if err != nil {
			healths[i].Err = err
			continue
		}
		healths[i] = health(key)
	}
	return healths
}

// A thing is a container of a resource, as it was seen.
type thing struct {
	summary container.Summary
	health  sync.Health
	code    int // that it exited with
}

// observe finds the containers of resources: those that run first, then the
// latest.
func (e *Engine) observe(ctx context.Context, scope state.Scope, keys []state.Key) (map[state.Key][]*thing, error) {
	result, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: owned(labelPrefix, scope, keys...)})
	if err != nil {
		return nil, e.failed(err)
	}
	found := map[state.Key][]*thing{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, key := range keys {
		for _, summary := range ours(result.Items, key) {
			t := &thing{summary: summary}
			found[key] = append(found[key], t)
			group.Go(func() error { return e.inspect(ctx, t) })
		}
	}
	if err := group.Wait(); err != nil {
		return nil, e.failed(err)
	}
	return found, nil
}

func (e *Engine) inspect(ctx context.Context, t *thing) error {
	result, err := e.api.ContainerInspect(ctx, t.summary.ID, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		t.health = sync.Health{Phase: sync.Missing, Message: "it was removed just now"}
		return nil
	}
	if err != nil {
		return err
	}
	c := &result.Container
	if c.State == nil {
		return errors.New("the engine tells no state")
	}
	var up time.Duration
	if c.State.Status == container.StateRunning {
		now, err := e.now(ctx)
		if err != nil {
			return err
		}
		started, err := time.Parse(time.RFC3339Nano, c.State.StartedAt)
		if err != nil {
			return err
		}
		up = now.Sub(started)
	}
	// What was listed is a moment older than what was asked for.
	t.summary.State, t.code = c.State.Status, c.State.ExitCode
	t.health = phase(c, up, e.options.Settle)
	if t.summary.Labels[labelPrefix+labelStopped] != "" {
		t.health = stopped(t.health, c.State.Status)
	}
	return nil
}

// phase tells how a container is doing that has been up for so long, and is to be
// until it has settled.
func phase(c *container.InspectResponse, up, settle time.Duration) sync.Health {
	progressing := func(format string, args ...any) sync.Health {
		return sync.Health{Phase: sync.Progressing, Message: fmt.Sprintf(format, args...)}
	}
	degraded := func(format string, args ...any) sync.Health {
		return sync.Health{Phase: sync.Degraded, Message: fmt.Sprintf(format, args...)}
	}
	s := c.State
	switch s.Status {
	case container.StateRunning:
		switch {
		case c.RestartCount > 0 && up < forgiven:
			return progressing("it was restarted, %s until now", times(c.RestartCount))
		case s.Health != nil && s.Health.Status == container.Starting:
			return progressing("its health check is starting")
		case s.Health != nil && s.Health.Status == container.Unhealthy:
			return degraded("its health check failed, %s in a row%s", times(s.Health.FailingStreak), lastCheck(s.Health))
		case (s.Health == nil || s.Health.Status == container.NoHealthcheck) && up < settle:
			return progressing("it has only just started")
		}
		return sync.Health{Phase: sync.Healthy}
	case container.StateRestarting:
		if c.RestartCount < loops {
			return progressing("%s, and is restarted", exit(s))
		}
		return degraded("it restarts in a loop: %s, restarted %s", exit(s), times(c.RestartCount))
	case container.StateCreated:
		if s.Error != "" || s.ExitCode != 0 {
			return degraded("it could not be started")
		}
		return degraded("it was created and not started")
	case container.StatePaused:
		return degraded("it is paused")
	case container.StateRemoving:
		return sync.Health{Phase: sync.Missing, Message: "it is being removed"}
	}
	return degraded("%s", exit(s))
}

// stopped turns it round for what is declared to be stopped.
func stopped(health sync.Health, status container.ContainerState) sync.Health {
	switch status {
	case container.StateExited, container.StateCreated, container.StateDead:
		return sync.Health{Phase: sync.Healthy, Message: "it is stopped, as declared"}
	case container.StateRemoving:
		return health
	}
	return sync.Health{Phase: sync.Degraded, Message: "it is declared to be stopped, and is " + string(status)}
}

func exit(s *container.State) string {
	text := fmt.Sprintf("exited with code %d", s.ExitCode)
	if s.OOMKilled {
		text += ", out of memory"
	}
	return text
}

// lastCheck says how the last probe ended. What it printed may hold anything.
func lastCheck(h *container.Health) string {
	if len(h.Log) == 0 {
		return ""
	}
	return fmt.Sprintf(", last with exit code %d", h.Log[len(h.Log)-1].ExitCode)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// worst is the health of the whole: Degraded if a part is, else Progressing if a
// part is. Missing parts are a Degraded whole.
func worst(parts map[string]sync.Health) sync.Health {
	whole := sync.Health{Phase: sync.Healthy}
	var messages []string
	for name, part := range parts {
		switch part.Phase {
		case sync.Healthy:
			continue
		case sync.Progressing:
			if whole.Phase == sync.Healthy {
				whole.Phase = sync.Progressing
			}
		default:
			whole.Phase = sync.Degraded
		}
		messages = append(messages, name+": "+part.Message)
	}
	slices.Sort(messages)
	whole.Message = strings.Join(messages, "; ")
	return whole
}

// job is the health of what is to end by itself.
func (t *thing) job() sync.Health {
	switch {
	case t.summary.State == container.StateRunning && t.health.Phase != sync.Degraded:
		return sync.Health{Phase: sync.Progressing, Message: "it has not completed yet"}
	case t.summary.State == container.StateExited && t.code == 0:
		return sync.Health{Phase: sync.Healthy}
	}
	return t.health
}
