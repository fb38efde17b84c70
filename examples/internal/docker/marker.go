package docker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// markerName is the volume whose labels say which declaration of a stack runs, and
// what belongs to it. Nothing mounts it. A label of the containers would do if it
// could be changed, and it is not to be lost with one of them; a file on this
// machine would be unknown to the next one that deploys to the engine. If it is
// pruned the stack's checksum isn't known until the next deploy, and nothing worse.
func markerName(project string) string { return "trueup-" + project }

// mark notes that all of the stack runs as declared.
func (e *Engine) mark(ctx context.Context, mark *Mark, spec *StackSpec, services map[string]service) error {
	text, err := json.Marshal(services)
	if err != nil {
		return err
	}
	labels := mark.labels(labelPrefix)
	labels[labelPrefix+labelServices] = string(text)
	if spec.Stopped {
		labels[labelPrefix+labelStopped] = "true"
	}
	if _, err := e.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: markerName(spec.Project), Labels: labels}); err != nil {
		return fmt.Errorf("note what runs: %w", err)
	}
	return nil
}

// unmark takes the notes about the stack away: of its project, and of any that it
// had before.
func (e *Engine) unmark(ctx context.Context, mark *Mark, spec *StackSpec) error {
	notes, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: owned(labelPrefix, mark.Scope, mark.Key)})
	if err != nil {
		return err
	}
	names := []string{}
	for _, v := range notes.Items {
		names = append(names, v.Name)
	}
	if spec != nil {
		names = append(names, markerName(spec.Project)) // whoever's: the project is ours now
	}
	for _, name := range names {
		if _, err := e.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("take back the note of what runs: %w", err)
		}
	}
	return nil
}

// A note is what a marker says.
type note struct {
	running  state.Checksum
	host     string
	services map[string]service
	stopped  bool
}

// notes reads the markers of a scope, or of its one resource.
func (e *Engine) notes(ctx context.Context, scope state.Scope, keys []state.Key) (map[string]note, error) {
	result, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: owned(labelPrefix, scope, keys...)})
	if err != nil {
		return nil, e.failed(err)
	}
	notes := map[string]note{}
	for _, v := range result.Items {
		n := note{running: running(v.Labels, labelPrefix), host: v.Labels[labelPrefix+labelNote], stopped: v.Labels[labelPrefix+labelStopped] != ""}
		if json.Unmarshal([]byte(v.Labels[labelPrefix+labelServices]), &n.services) == nil {
			notes[v.Labels[labelPrefix+labelResource]] = n
		}
	}
	return notes, nil
}

// StackHealth tells how the stack of each resource is doing, in their order,
// whoever deployed it. It is Healthy if as many containers of each service are as
// there should be; a service that others wait for to complete, if it ended with
// code 0.
func (e *Engine) StackHealth(ctx context.Context, scope state.Scope, keys []state.Key) []sync.Health {
	notes, err := e.notes(ctx, scope, keys)
	var found map[state.Key][]*thing
	if err == nil {
		found, err = e.observe(ctx, scope, keys)
	}
	return each(keys, err, func(key state.Key) sync.Health {
		noted := notes[key.String()]
		if len(found[key]) == 0 && !empty(noted.services) {
			return sync.Health{Phase: sync.Missing}
		}
		health := worst(noted.parts(found[key]))
		health.Running = noted.running
		return health
	})
}

// StackNotes returns the Note of the stack of each resource, in their order: empty where
// nothing was deployed, or the last deploy did not come to its end.
func (e *Engine) StackNotes(ctx context.Context, scope state.Scope, keys []state.Key) ([]string, error) {
	found, err := e.notes(ctx, scope, keys)
	if err != nil {
		return nil, err
	}
	notes := make([]string, len(keys))
	for i, key := range keys {
		notes[i] = found[key.String()].host
	}
	return notes, nil
}

// empty tells whether a stack is known to be of no container: all of it is ignored,
// or scaled to none.
func empty(services map[string]service) bool {
	for _, s := range services {
		if s.Replicas > 0 && !s.Job {
			return false
		}
	}
	return services != nil
}

// parts are the health of each service that counts.
func (n *note) parts(things []*thing) map[string]sync.Health {
	parts := map[string]sync.Health{}
	count := map[string]int{}
	for _, t := range things {
		name := t.summary.Labels[composeService]
		service, counts := n.services[name]
		if t.summary.Labels[composeOneOff] == "True" || n.services != nil && !counts {
			continue
		}
		health := t.health
		switch {
		case n.stopped:
			health = stopped(health, t.summary.State)
		case service.Job:
			health = t.job()
		}
		count[name]++
		if count[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, count[name])
		}
		parts[name] = health
	}
	for name, service := range n.services {
		if there := count[name]; there < service.Replicas && !service.Job {
			message := "there is none"
			if there > 0 {
				message = fmt.Sprintf("there are %d of %d", there, service.Replicas)
			}
			parts[name] = sync.Health{Phase: sync.Degraded, Message: message}
		}
	}
	return parts
}
