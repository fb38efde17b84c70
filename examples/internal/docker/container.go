package docker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/cli/opts"
	"github.com/docker/go-connections/nat"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/trueup-go/trueup/state"
)

// ContainerSpec is a container as it should run. Name and Image are required, the
// zero value of all else leaves it to the image and the engine.
type ContainerSpec struct {
	Name  string
	Image string
	// Pull says when the image is pulled. Defaults to PullMissing.
	Pull Pull
	// Network is one that exists, "host", "bridge", "none" or "container:NAME".
	Network string
	// Restart is "no", "always", "unless-stopped" or "on-failure", which may have a
	// limit: "on-failure:3".
	Restart string
	// Command is what runs, in place of the image's, without a shell.
	Command []string
	// Ports are as docker run --publish takes them: "127.0.0.1:8080:80/tcp".
	Ports []string
	// Volumes are as docker run --volume takes them: "/srv/data:/data:ro",
	// "data:/data". A path here is one of the engine's machine.
	Volumes []string
	// Environment are entries K=V. V is taken to the byte.
	Environment []string
	Labels      map[string]string
	// StopSignal is how it is told to end: "SIGINT". StopTimeout is how long it may
	// take until it is killed, rounded up to a second.
	StopSignal  string
	StopTimeout time.Duration
	// ExtraArgs are flags of docker run, as words: "--cap-add", "NET_ADMIN" or
	// "--cap-add=NET_ADMIN". Flags lists those that are understood; another one is
	// an error.
	ExtraArgs []string
	// Stopped says that it is to be there and not to run.
	Stopped bool
	// TakeOver says that a container of that name may be replaced that was not
	// deployed for this resource. Otherwise it is ErrTaken.
	TakeOver bool
}

// Pull says when an image is pulled.
type Pull string

// When an image is pulled.
const (
	PullMissing Pull = "missing" // if the engine has none of that name
	PullAlways  Pull = "always"
	PullNever   Pull = "never"
	// PullNewer is PullAlways, but takes what the engine has if there is none to pull.
	// It is for a container.
	PullNewer Pull = "newer"
)

// ErrTaken is the error for a name that something else has, which was not deployed
// for the resource.
var ErrTaken = errors.New("the name is taken")

// creation is what the engine is told to create.
type creation struct {
	config   container.Config
	host     container.HostConfig
	endpoint network.EndpointSettings
}

// creation makes a request of a spec. Its errors hold no value of the environment.
func (s *ContainerSpec) creation(m *Mark) (*creation, error) {
	c := &creation{config: container.Config{Labels: maps.Clone(s.Labels)}}
	if c.config.Labels == nil {
		c.config.Labels = map[string]string{}
	}
	if err := c.extra(s.ExtraArgs); err != nil {
		return nil, err
	}
	c.config.Image = s.Image
	c.config.StopSignal = s.StopSignal
	if len(s.Command) > 0 {
		c.config.Cmd = s.Command
	}
	if s.StopTimeout > 0 {
		seconds := int((s.StopTimeout + time.Second - 1) / time.Second)
		c.config.StopTimeout = &seconds
	}
	if s.Network != "" {
		c.host.NetworkMode = container.NetworkMode(s.Network)
	}
	if s.Restart != "" {
		policy, err := opts.ParseRestartPolicy(s.Restart)
		if err != nil {
			return nil, fmt.Errorf("restart %q: %w", s.Restart, err)
		}
		c.host.RestartPolicy = policy
	}
	if err := c.environment(s.Environment); err != nil {
		return nil, err
	}
	for _, port := range s.Ports {
		if err := c.publish(port); err != nil {
			return nil, err
		}
	}
	c.host.Binds = append(c.host.Binds, s.Volumes...)
	maps.Copy(c.config.Labels, m.labels(labelPrefix))
	if s.Stopped {
		c.config.Labels[labelPrefix+labelStopped] = "true"
	}
	return c, nil
}

// environment adds entries. The engine, too, refuses one without a name, and says
// its value when it does.
func (c *creation) environment(entries []string) error {
	for i, entry := range entries {
		if name, _, ok := strings.Cut(entry, "="); !ok || name == "" {
			return fmt.Errorf("entry %d of the environment: expected NAME=VALUE", i+1)
		}
	}
	c.config.Env = append(c.config.Env, entries...)
	return nil
}

func (c *creation) publish(spec string) error {
	mappings, err := nat.ParsePortSpec(spec)
	if err != nil {
		return fmt.Errorf("port %q: %w", spec, err)
	}
	for _, m := range mappings {
		port, err := network.ParsePort(string(m.Port))
		if err != nil {
			return fmt.Errorf("port %q: %w", spec, err)
		}
		binding := network.PortBinding{HostPort: m.Binding.HostPort}
		if ip := m.Binding.HostIP; ip != "" {
			if err := binding.HostIP.UnmarshalText([]byte(ip)); err != nil {
				return fmt.Errorf("port %q: %w", spec, err)
			}
		}
		if c.host.PortBindings == nil {
			c.host.PortBindings, c.config.ExposedPorts = network.PortMap{}, network.PortSet{}
		}
		c.host.PortBindings[port] = append(c.host.PortBindings[port], binding)
		c.config.ExposedPorts[port] = struct{}{}
	}
	return nil
}

func (c *creation) options(name string) client.ContainerCreateOptions {
	options := client.ContainerCreateOptions{Name: name, Config: &c.config, HostConfig: &c.host}
	if len(c.endpoint.Aliases) > 0 {
		options.NetworkingConfig = &network.NetworkingConfig{
			EndpointsConfig: map[string]*network.EndpointSettings{string(c.host.NetworkMode): &c.endpoint},
		}
	}
	return options
}

// ours are the containers of a resource, those that run first, then the latest.
func ours(all []container.Summary, key state.Key) []container.Summary {
	var mine []container.Summary
	for _, c := range all {
		if c.Labels[labelPrefix+labelResource] == key.String() {
			mine = append(mine, c)
		}
	}
	slices.SortStableFunc(mine, func(a, b container.Summary) int {
		aRuns, bRuns := a.State == container.StateRunning, b.State == container.StateRunning
		switch {
		case aRuns && !bRuns:
			return -1
		case bRuns && !aRuns:
			return 1
		}
		return int(b.Created - a.Created)
	})
	return mine
}
