package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// deployments is the Deployer of deployments. It is a sync.Preparer: what else goes
// into one is the image of the build that is attached.
type deployments struct{ d *Deployer }

// Deploy implements sync.Deployer.
func (k deployments) Deploy(ctx context.Context, deploy *diff.Deploy) error {
	known := k.d.known()
	c, err := k.d.container(ctx, known, deploy)
	if err == nil {
		err = c.engine.DeployContainer(ctx, mark(known, deploy), c.spec)
	}
	return known.redact(err)
}

// Health implements sync.Deployer.
func (k deployments) Health(ctx context.Context, records []state.Record) []sync.Health {
	return k.d.health(ctx, records, k.d.onServer, (*docker.Engine).ContainerHealth)
}

// Prepare implements sync.Preparer.
func (k deployments) Prepare(ctx context.Context, deploys []*diff.Deploy) []sync.Prepared {
	return k.d.prepare(ctx, deploys, func(ctx context.Context, known *declared, deploy *diff.Deploy) (state.Checksum, error) {
		c, err := k.d.container(ctx, known, deploy)
		if err != nil || c.image == "" {
			return state.Checksum{}, err
		}
		return state.Sum([]byte(c.image)), nil
	})
}

func (d *Deployer) onServer(known *declared, n names) (*docker.Engine, error) {
	return d.server(known, n.Server)
}

func mark(known *declared, deploy *diff.Deploy) docker.Mark {
	return docker.Mark{Scope: known.scope, Key: deploy.Key(), Running: deploy.Running}
}

// A container is what a deployment is deployed as, and where.
type container struct {
	engine *docker.Engine
	spec   *docker.ContainerSpec
	image  string // the ID of what a build made; empty: the image is not a build's
}

func (d *Deployer) container(ctx context.Context, known *declared, deploy *diff.Deploy) (*container, error) {
	config, err := kinds.Decode[kinds.Deployment](deploy.Config)
	if err != nil {
		return nil, err
	}
	n, err := namesOf(deploy.Desired)
	if err != nil {
		return nil, err
	}
	if n.Swarm != "" {
		return nil, errNoSwarm
	}
	c := &container{}
	if c.engine, err = d.server(known, n.Server); err != nil {
		return nil, err
	}
	f := &filler{known: known, key: deploy.Key()}
	if err := f.deployment(&config); err != nil {
		return nil, err
	}
	if c.spec, err = containerSpec(deploy.Desired.Name, &config); err != nil {
		return nil, err
	}
	c.spec.TakeOver = d.options.TakeOver
	if config.Image.Type != "Build" {
		return c, nil
	}
	built, err := d.built(ctx, known, n.Build, config.Image.Params.Version)
	if err != nil {
		return nil, err
	}
	c.image, c.spec.Image, c.spec.Pull = built.id, built.name, docker.PullNever
	if built.engine != c.engine {
		if !built.registry {
			return nil, fmt.Errorf("the image of build/%s is on its builder, and server/%s is another engine: give the build an image_registry, with domain and account", n.Build, n.Server)
		}
		c.spec.Pull = docker.PullAlways
	}
	return c, nil
}

var errNoSwarm = errors.New("it names a swarm, and swarms are not deployed to: name a server")

// containerSpec maps a deployment whose texts are filled in. The image of a build is
// still missing.
func containerSpec(name string, c *kinds.Deployment) (*docker.ContainerSpec, error) {
	if c.CustomName != "" {
		name = c.CustomName
	}
	if c.Replicas != 1 {
		return nil, fmt.Errorf("replicas is %d: on a server a deployment is one container, replicas are for a swarm", c.Replicas)
	}
	command, err := words(c.Command)
	if err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	extra, err := arguments("extra_args", c.ExtraArgs)
	if err != nil {
		return nil, err
	}
	spec := &docker.ContainerSpec{
		Name:        containerName(name),
		Network:     c.Network,
		Restart:     c.Restart,
		Command:     command,
		Ports:       mappings(c.Ports),
		Volumes:     mappings(c.Volumes),
		Environment: entries(c.Environment),
		Labels:      labels(c.Labels),
		StopSignal:  string(c.TerminationSignal),
		StopTimeout: time.Duration(c.TerminationTimeout) * time.Second,
		ExtraArgs:   extra,
		Stopped:     c.State == "stopped",
	}
	if c.Restart == "on-failure" {
		spec.Restart = "on-failure:10" // as the original
	}
	if spec.Name == "" {
		return nil, fmt.Errorf("a container can't be called %q: expected a letter or digit in the name", name)
	}
	switch {
	case c.Image.Type == "Build":
	case c.Image.Params.Image == "":
		return nil, errors.New("it names no image")
	case strings.Contains(c.Image.Params.Image, "@"):
		spec.Image = c.Image.Params.Image // by its digest: what there is won't change
	default:
		spec.Image, spec.Pull = c.Image.Params.Image, docker.PullNewer
	}
	return spec, nil
}
