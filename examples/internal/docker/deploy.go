package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/trueup-go/trueup/state"
)

// tidyUp is how long something may take that has to be done although the caller's
// context is done, or that can't be left half done.
const tidyUp = 30 * time.Second

// DeployContainer runs a container as the spec says, in place of what runs of the
// resource now, under whatever name. The new one is created first, beside the old
// one: an image that can't be had or a setting that the engine refuses changes
// nothing. Then the old one is stopped, for it may hold the ports, and the new one
// takes its name and starts. If it can't, or the context is done, the old one gets
// its name back and, if it ran, is started again; the error says so. What a crash
// in between leaves behind is replaced by the next deploy.
//
// It returns once the new container has started, which may end or fail its health
// check soon: ask Health. Volumes stay, those without a name too.
func (e *Engine) DeployContainer(ctx context.Context, mark Mark, spec *ContainerSpec) error {
	err := e.deployContainer(ctx, &mark, spec)
	return Redact(errorf(err, "deploy container %q", spec.Name), spec.Environment)
}

func (e *Engine) deployContainer(ctx context.Context, mark *Mark, spec *ContainerSpec) error {
	if err := mark.validate(); err != nil {
		return err
	}
	if spec.Name == "" || spec.Image == "" {
		return errors.New("a container needs a name and an image")
	}
	creation, err := spec.creation(mark)
	if err != nil {
		return err
	}
	s := swap{engine: e, spec: spec}
	if s.old, err = e.replaced(ctx, mark, spec); err != nil {
		return err
	}
	if err := e.haveImage(ctx, spec.Image, spec.Pull); err != nil {
		return err
	}
	return s.run(ctx, creation)
}

// replaced are the containers that the new one takes the place of: those of the
// resource, and whichever has the name.
func (e *Engine) replaced(ctx context.Context, mark *Mark, spec *ContainerSpec) ([]container.Summary, error) {
	old, err := e.containers(ctx, mark.Scope, mark.Key)
	if err != nil {
		return nil, err
	}
	all, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, err
	}
	for _, c := range all.Items {
		if name(&c) != spec.Name || has(old, c.ID) {
			continue
		}
		if !spec.TakeOver {
			return nil, fmt.Errorf("%w by a container that was not deployed for %s: remove or rename it, or take it over", ErrTaken, mark.Key)
		}
		old = append(old, c)
	}
	return old, nil
}

// containers are the resource's, running or not.
func (e *Engine) containers(ctx context.Context, scope state.Scope, key state.Key) ([]container.Summary, error) {
	result, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: owned(labelPrefix, scope, key)})
	if err != nil {
		return nil, err
	}
	return ours(result.Items, key), nil
}

// A swap puts a new container in place of the old ones.
type swap struct {
	engine *Engine
	spec   *ContainerSpec
	old    []container.Summary
	id     string // of the new one

	stopped []string          // the old ones that ran
	renamed map[string]string // names that old ones had, by ID
}

func (s *swap) run(ctx context.Context, c *creation) error {
	api := s.engine.api
	name := s.spec.Name
	if len(s.old) > 0 {
		name += "-" + strings.ToLower(rand.Text()[:8])
	}
	created, err := s.create(ctx, c, name)
	if err != nil {
		return err
	}
	s.id = created
	if err := s.exchange(ctx, name); err != nil {
		return s.back(ctx, err)
	}
	// The new one runs. An old one that can't be removed any more is gone, or one
	// that the next deploy finds.
	var errs []error
	for _, c := range s.old {
		_, err := api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true})
		if err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("it runs, but what it replaces can't be removed: %w", err))
		}
	}
	return errors.Join(errs...)
}

// create takes a moment, and isn't cut short: the engine would go on, and nobody
// would know what it created.
func (s *swap) create(ctx context.Context, c *creation, name string) (id string, err error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyUp)
	defer cancel()
	created, err := s.engine.api.ContainerCreate(ctx, c.options(name))
	return created.ID, err
}

// exchange stops the old ones, takes the name and starts.
func (s *swap) exchange(ctx context.Context, created string) error {
	api := s.engine.api
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, c := range s.old {
		if c.State == container.StateExited || c.State == container.StateCreated || c.State == container.StateDead {
			continue
		}
		s.stopped = append(s.stopped, c.ID) // it may stop although we aren't told
		if _, err := api.ContainerStop(ctx, c.ID, client.ContainerStopOptions{}); err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("stop what runs: %w", err)
		}
	}
	s.renamed = map[string]string{}
	for _, c := range s.old {
		if name(&c) == s.spec.Name {
			s.renamed[c.ID] = s.spec.Name
			aside := s.spec.Name + "-" + strings.ToLower(rand.Text()[:8])
			if _, err := api.ContainerRename(ctx, c.ID, client.ContainerRenameOptions{NewName: aside}); err != nil && !errdefs.IsNotFound(err) {
				return fmt.Errorf("rename what runs: %w", err)
			}
		}
	}
	if created != s.spec.Name {
		if _, err := api.ContainerRename(ctx, s.id, client.ContainerRenameOptions{NewName: s.spec.Name}); err != nil {
			return fmt.Errorf("rename the new one: %w", err)
		}
	}
	if s.spec.Stopped {
		return nil
	}
	if _, err := api.ContainerStart(ctx, s.id, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return nil
}

// back undoes an exchange that failed, on a context of its own: the caller's may
// be done.
func (s *swap) back(ctx context.Context, failed error) error {
	api := s.engine.api
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyUp)
	defer cancel()
	var errs []error
	if _, err := api.ContainerRemove(ctx, s.id, client.ContainerRemoveOptions{Force: true}); err != nil && !errdefs.IsNotFound(err) {
		errs = append(errs, err)
	}
	for id, name := range s.renamed {
		_, err := api.ContainerRename(ctx, id, client.ContainerRenameOptions{NewName: name})
		// That it has the name already is told as a mistake of ours.
		if err != nil && !errdefs.IsInvalidArgument(err) {
			errs = append(errs, err)
		}
	}
	for _, id := range s.stopped {
		if err := s.restart(ctx, id); err != nil {
			errs = append(errs, err)
		}
	}
	switch {
	case len(errs) > 0:
		return fmt.Errorf("%w; what ran before could not be brought back: %w", failed, errors.Join(errs...))
	case len(s.stopped) > 0:
		return fmt.Errorf("%w; what ran before runs again", failed)
	}
	return failed
}

// restart starts what was asked to stop, and may be about to: it is stopped first,
// which waits for its end, and ends it if that takes long.
func (s *swap) restart(ctx context.Context, id string) error {
	seconds := int(tidyUp/time.Second) / 2
	if _, err := s.engine.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds}); err != nil {
		return err
	}
	_, err := s.engine.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return err
}

// haveImage sees to it that the engine has an image.
func (e *Engine) haveImage(ctx context.Context, image string, pull Pull) error {
	switch pull {
	case PullAlways:
		return e.pull(ctx, image)
	case "", PullMissing, PullNever, PullNewer:
	default:
		return fmt.Errorf("pull %q: expected %q, %q, %q or %q", pull, PullMissing, PullAlways, PullNewer, PullNever)
	}
	_, err := e.api.ImageInspect(ctx, image)
	switch {
	case err == nil && pull == PullNewer:
		if e.pull(ctx, image) != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	case err == nil:
		return nil
	case !errdefs.IsNotFound(err) || pull == PullNever:
		return fmt.Errorf("image %q: %w", image, err)
	}
	return e.pull(ctx, image)
}

func (e *Engine) pull(ctx context.Context, image string) error {
	pulled, err := e.api.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		return fmt.Errorf("pull image %q: %w", image, err)
	}
	defer func() { _ = pulled.Close() }()
	if err := pulled.Wait(ctx); err != nil {
		return fmt.Errorf("pull image %q: %w", image, err)
	}
	return nil
}

// name is what a container is called, without the engine's slash.
func name(c *container.Summary) string {
	for _, n := range c.Names {
		if n = strings.TrimPrefix(n, "/"); !strings.Contains(n, "/") {
			return n // those with a slash are links from other containers
		}
	}
	return ""
}

func has(all []container.Summary, id string) bool {
	for _, c := range all {
		if c.ID == id {
			return true
		}
	}
	return false
}
