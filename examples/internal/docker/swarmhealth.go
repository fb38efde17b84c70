package docker

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// gaveUp is how many tasks of a service fail until it is called degraded, while the
// swarm goes on trying.
const gaveUp = 3

// SwarmHealth tells how the stack of each resource is doing, in their order, whoever
// deployed it: Healthy if each service runs as many tasks as it should, and its
// update is through.
func (e *Engine) SwarmHealth(ctx context.Context, scope state.Scope, keys []state.Key) []sync.Health {
	found, err := e.stacks(ctx, scope, keys)
	return each(keys, e.failed(err), func(key state.Key) sync.Health {
		services := found.services[key.String()]
		if len(services) == 0 {
			return sync.Health{Phase: sync.Missing}
		}
		health := e.stackHealth(services, &found)
		health.Running = running(services[0].Spec.Labels, labelPrefix)
		for _, s := range services {
			if running(s.Spec.Labels, labelPrefix) != health.Running {
				health.Running = state.Checksum{} // some of it is new
			}
		}
		return health
	})
}

// SwarmStack tells how a stack is doing by its name, whoever has deployed it, and with
// what, and the labels of its services. It is Missing if it has none.
func (e *Engine) SwarmStack(ctx context.Context, name string) (sync.Health, []map[string]string, error) {
	found, err := e.lookAt(ctx, client.Filters{}.Add("label", stackNamespace+"="+name), func(*swarm.Service) string { return name })
	services := found.services[name]
	if err != nil || len(services) == 0 {
		return sync.Health{Phase: sync.Missing}, nil, e.failed(err)
	}
	labels := make([]map[string]string, len(services))
	for i := range services {
		labels[i] = services[i].Spec.Labels
	}
	return e.stackHealth(services, &found), labels, nil
}

func (e *Engine) stackHealth(services []swarm.Service, found *stacks) sync.Health {
	parts := map[string]sync.Health{}
	for name := range strings.FieldsSeq(services[0].Spec.Labels[labelPrefix+labelServices]) {
		parts[name] = sync.Health{Phase: sync.Degraded, Message: "there is none"}
	}
	for _, s := range services {
		parts[short(&s)] = e.serviceHealth(&s, found.tasks[s.ID], found.now)
	}
	return worst(parts)
}

// SwarmNotes returns the Note of the stack of each resource, in their order: empty where
// nothing was deployed, or where some services are of another deploy than others. A
// swarm that rolls back an update brings the former note back too.
func (e *Engine) SwarmNotes(ctx context.Context, scope state.Scope, keys []state.Key) ([]string, error) {
	stacks, err := e.swarmServices(ctx, owned(labelPrefix, scope, keys...), resourceOf)
	if err != nil {
		return nil, e.failed(err)
	}
	notes := make([]string, len(keys))
	for i, key := range keys {
		for at, s := range stacks[key.String()] {
			note := s.Spec.Labels[labelPrefix+labelNote]
			if at > 0 && note != notes[i] {
				notes[i] = ""
				break
			}
			notes[i] = note
		}
	}
	return notes, nil
}

// stacks is what a swarm says, at one time.
type stacks struct {
	services map[string][]swarm.Service // of each resource
	tasks    map[string][]swarm.Task    // of each service, by its ID
	now      time.Time                  // on the engine's clock
}

func (e *Engine) stacks(ctx context.Context, scope state.Scope, keys []state.Key) (stacks, error) {
	return e.lookAt(ctx, owned(labelPrefix, scope, keys...), resourceOf)
}

// lookAt looks at services, by what each is of.
func (e *Engine) lookAt(ctx context.Context, which client.Filters, of func(*swarm.Service) string) (s stacks, err error) {
	if s.services, err = e.swarmServices(ctx, which, of); err != nil || len(s.services) == 0 {
		return s, err
	}
	if s.tasks, err = e.tasks(ctx, s.services); err == nil {
		s.now, err = e.now(ctx)
	}
	return s, err
}

func resourceOf(s *swarm.Service) string { return s.Spec.Labels[labelPrefix+labelResource] }

func (e *Engine) swarmServices(ctx context.Context, which client.Filters, of func(*swarm.Service) string) (map[string][]swarm.Service, error) {
	result, err := e.api.ServiceList(ctx, client.ServiceListOptions{Status: true, Filters: which})
	if err != nil {
		return nil, err
	}
	stacks := map[string][]swarm.Service{}
	for _, s := range result.Items {
		stacks[of(&s)] = append(stacks[of(&s)], s)
	}
	return stacks, nil
}

// tasks are those of each service, by its ID.
func (e *Engine) tasks(ctx context.Context, stacks map[string][]swarm.Service) (map[string][]swarm.Task, error) {
	filters := client.Filters{}
	for _, services := range stacks {
		for _, s := range services {
			filters = filters.Add("service", s.ID)
		}
	}
	result, err := e.api.TaskList(ctx, client.TaskListOptions{Filters: filters})
	if err != nil {
		return nil, err
	}
	tasks := map[string][]swarm.Task{}
	for _, t := range result.Items {
		tasks[t.ServiceID] = append(tasks[t.ServiceID], t)
	}
	return tasks, nil
}

func (e *Engine) serviceHealth(s *swarm.Service, tasks []swarm.Task, now time.Time) sync.Health {
	var wanted, runs, coming, ended, failed int
	if s.ServiceStatus != nil {
		wanted = int(s.ServiceStatus.DesiredTasks)
	}
	// The latest first: its failure is the one to tell.
	slices.SortFunc(tasks, func(a, b swarm.Task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	last, young := "", false
	for _, t := range tasks {
		state, present := t.Status.State, isPresent(&t, s)
		if over(state) && present {
			ended++
			if state == swarm.TaskStateFailed || state == swarm.TaskStateRejected {
				failed++
				if last == "" {
					last = failure(&t)
				}
			}
		}
		switch {
		case state == swarm.TaskStateRunning && present:
			if t.DesiredState == swarm.TaskStateRunning {
				runs++
				young = young || now.Sub(t.Status.Timestamp) < e.options.Settle
			}
		case !over(state), !over(t.DesiredState):
			coming++ // or the swarm has yet to see that it is over, and to start another
		}
	}
	of := fmt.Sprintf("%d of %d run", runs, wanted)
	if last != "" {
		of += ", " + last
	}
	if u := s.UpdateStatus; u != nil {
		switch u.State {
		case swarm.UpdateStatePaused, swarm.UpdateStateRollbackPaused, swarm.UpdateStateRollbackCompleted:
			return sync.Health{Phase: sync.Degraded, Message: fmt.Sprintf("its update is %s, %s", strings.ReplaceAll(string(u.State), "_", " "), of)}
		case swarm.UpdateStateUpdating, swarm.UpdateStateRollbackStarted:
			return sync.Health{Phase: sync.Progressing, Message: "it is updated, " + of}
		}
	}
	switch {
	case runs < wanted && (failed >= gaveUp || ended > 0 && runs+coming < wanted):
		return sync.Health{Phase: sync.Degraded, Message: of}
	case runs < wanted:
		return sync.Health{Phase: sync.Progressing, Message: of}
	case young:
		return sync.Health{Phase: sync.Progressing, Message: "it has only just started"}
	}
	return sync.Health{Phase: sync.Healthy}
}

// isPresent tells whether a task has its service's present definition. One of an earlier
// definition says nothing of this one: it runs on until the swarm begins to update the
// service, which may be a while after the deploy.
func isPresent(t *swarm.Task, s *swarm.Service) bool {
	spec := t.Spec
	spec.Runtime = s.Spec.TaskTemplate.Runtime     // which the engine tells of a task only
	spec.Placement = s.Spec.TaskTemplate.Placement // no task is replaced because of that alone
	return reflect.DeepEqual(spec, s.Spec.TaskTemplate)
}

// over reports whether a task in that state will never run again.
func over(s swarm.TaskState) bool {
	switch s {
	case swarm.TaskStateComplete, swarm.TaskStateShutdown, swarm.TaskStateFailed, swarm.TaskStateRejected,
		swarm.TaskStateRemove, swarm.TaskStateOrphaned:
		return true
	default:
		return false
	}
}

// failure says how a task ended.
func failure(t *swarm.Task) string {
	if c := t.Status.ContainerStatus; c != nil && c.ExitCode != 0 {
		return fmt.Sprintf("the last one exited with code %d", c.ExitCode)
	}
	return "the last one failed: " + t.Status.Err
}
