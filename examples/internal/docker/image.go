package docker

import (
	"context"
	"fmt"
	"slices"

	"github.com/moby/moby/client"

	"github.com/trueup-go/trueup/state"
)

// Image is one that was built for a resource, and that the engine has.
type Image struct {
	ID string
	// Tags are the names that it has now: a later build may have taken some.
	Tags   []string
	Labels map[string]string
	// Latest says that it is the latest build.
	Latest bool
}

// Images returns the images that were built for a resource and are still there, in
// no order.
func (e *Engine) Images(ctx context.Context, scope state.Scope, key state.Key) ([]Image, error) {
	result, err := e.api.ImageList(ctx, client.ImageListOptions{Filters: owned(imageLabelPrefix, scope, key)})
	if err != nil {
		return nil, fmt.Errorf("docker engine %q: %w", e.name(), err)
	}
	latest := (&Mark{Scope: scope, Key: key}).latest()
	images := make([]Image, len(result.Items))
	for i, item := range result.Items {
		images[i] = Image{ID: item.ID, Tags: item.RepoTags, Labels: item.Labels, Latest: slices.Contains(item.RepoTags, latest)}
	}
	return images, nil
}

// Push pushes an image of the engine to the registry that its name tells, with this
// machine's login there (docker login).
func (e *Engine) Push(ctx context.Context, image string) error {
	if _, err := e.docker(ctx, &command{args: []string{"push", "--quiet", image}}); err != nil {
		return fmt.Errorf("push image %q: %w", image, err)
	}
	return nil
}
