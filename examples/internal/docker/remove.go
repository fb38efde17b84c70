package docker

import (
	"context"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Remove ends what runs of a resource, a container or a stack, and removes its
// containers and the networks of its project. Volumes and images stay. It succeeds
// when nothing is there.
func (e *Engine) Remove(ctx context.Context, mark Mark) error {
	return errorf(e.remove(ctx, &mark), "remove")
}

func (e *Engine) remove(ctx context.Context, mark *Mark) error {
	if err := mark.validate(); err != nil {
		return err
	}
	all, err := e.containers(ctx, mark.Scope, mark.Key)
	if err != nil {
		return err
	}
	var projects []string
	for _, c := range all {
		if p := c.Labels[composeProject]; p != "" {
			if !slices.Contains(projects, p) {
				projects = append(projects, p)
			}
			continue
		}
		// As long as it was declared to take, and not killed at once.
		if _, err := e.api.ContainerStop(ctx, c.ID, client.ContainerStopOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return err
		}
		if _, err := e.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return err
		}
	}
	for _, p := range projects {
		if err := e.down(ctx, p); err != nil {
			return err
		}
	}
	return e.unmark(ctx, mark, nil)
}
