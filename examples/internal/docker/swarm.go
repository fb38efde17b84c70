package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"
	"go.yaml.in/yaml/v3"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// stackNamespace is the label that docker stack deploy gives a service.
const stackNamespace = "com.docker.stack.namespace"

// SwarmSpec is a stack of services as docker stack deploy should run it, on an
// engine that is a manager of a swarm. Stack, Dir and Files are required.
type SwarmSpec struct {
	// Stack is its name in the swarm.
	Stack string
	// Dir is the directory on this machine that the files are in.
	Dir string
	// Files are compose files, relative to Dir, a later one over an earlier one.
	Files []string
	// Environment are entries K=V that the files can use as ${K}, over this
	// process's own.
	Environment []string
	// ResolveImage says when a registry is asked for an image's digest: "always",
	// which is the default, "changed" or "never".
	ResolveImage string
	// RegistryAuth sends this machine's logins at registries to the swarm's nodes.
	RegistryAuth bool
	// Prune removes services that the files no longer have.
	Prune bool
	// TakeOver says that a stack of that name may be replaced that was not deployed
	// for this resource. Otherwise it is ErrTaken.
	TakeOver bool
}

// DeploySwarm runs a stack as the spec says. The swarm replaces the tasks of a
// service that has changed, in the way and the order that its update_config says,
// and lets the others run; one that it has given up on starts anew. It returns before
// that is done: ask SwarmHealth. If it fails half way, SwarmHealth tells no checksum.
func (e *Engine) DeploySwarm(ctx context.Context, mark Mark, spec *SwarmSpec) error {
	err := e.deploySwarm(ctx, &mark, spec)
	return errorf(Redact(err, spec.Environment), "deploy stack %q", spec.Stack)
}

func (e *Engine) deploySwarm(ctx context.Context, mark *Mark, spec *SwarmSpec) error {
	if err := mark.validate(); err != nil {
		return err
	}
	if spec.Stack == "" || spec.Dir == "" || len(spec.Files) == 0 {
		return errors.New("a stack needs a name, a directory and a file")
	}
	there, err := e.former(ctx, mark, spec)
	if err != nil {
		return err
	}
	config, err := e.docker(ctx, spec.command("config"))
	if err != nil {
		return err
	}
	deploy := spec.command("deploy", "--compose-file", "-", "--detach=true")
	if deploy.stdin, err = labelled(config, mark); err != nil {
		return err
	}
	if spec.ResolveImage != "" {
		deploy.args = append(deploy.args, "--resolve-image", spec.ResolveImage)
	}
	if spec.RegistryAuth {
		deploy.args = append(deploy.args, "--with-registry-auth")
	}
	if spec.Prune {
		deploy.args = append(deploy.args, "--prune")
	}
	deploy.args = append(deploy.args, spec.Stack)
	if _, err = e.docker(ctx, deploy); err != nil {
		return err
	}
	return e.wake(ctx, mark, there)
}

// wake starts those services anew that are as they were before the deploy, and that the
// swarm has given up on: where nothing is changed it starts nothing.
func (e *Engine) wake(ctx context.Context, mark *Mark, before []swarm.Service) error {
	after, err := e.stacks(ctx, mark.Scope, []state.Key{mark.Key})
	if err != nil {
		return err
	}
	for _, s := range after.services[mark.Key.String()] {
		same := slices.ContainsFunc(before, func(b swarm.Service) bool {
			return b.ID == s.ID && reflect.DeepEqual(b.Spec.TaskTemplate, s.Spec.TaskTemplate)
		})
		if !same || e.serviceHealth(&s, after.tasks[s.ID], after.now).Phase != sync.Degraded {
			continue
		}
		s.Spec.TaskTemplate.ForceUpdate++
		if _, err := e.api.ServiceUpdate(ctx, s.ID, client.ServiceUpdateOptions{Version: s.Version, Spec: s.Spec}); err != nil {
			return fmt.Errorf("start the service %q anew: %w", short(&s), err)
		}
	}
	return nil
}

func (s *SwarmSpec) command(verb string, args ...string) *command {
	all := []string{"stack", verb}
	for _, file := range s.Files {
		all = append(all, "--compose-file", under(s.Dir, file))
	}
	return &command{dir: s.Dir, env: s.Environment, args: append(all, args...), hidden: s.Environment}
}

// former are the stack's services. It is ErrTaken if they are somebody else's.
func (e *Engine) former(ctx context.Context, mark *Mark, spec *SwarmSpec) ([]swarm.Service, error) {
	there, err := e.api.ServiceList(ctx, client.ServiceListOptions{Filters: client.Filters{}.Add("label", stackNamespace+"="+spec.Stack)})
	if err != nil {
		return nil, err
	}
	for _, s := range there.Items {
		if !spec.TakeOver && !owns(mark, s.Spec.Labels) {
			return nil, fmt.Errorf("%w by a stack that was not deployed for %s, of which %q is: remove it, or take it over", ErrTaken, mark.Key, s.Spec.Name)
		}
	}
	return there.Items, nil
}

// labelled is a file over the others that gives each service our labels, checksum
// and all: those of a service can change, its tasks run on.
func labelled(config []byte, mark *Mark) (string, error) {
	var file struct {
		Version  string         `yaml:"version"`
		Services map[string]any `yaml:"services"`
	}
	if err := yaml.Unmarshal(config, &file); err != nil {
		return "", fmt.Errorf("docker stack config: %w", err)
	}
	labels := mark.labels(labelPrefix)
	labels[labelPrefix+labelServices] = strings.Join(slices.Sorted(maps.Keys(file.Services)), " ")
	for name, value := range labels {
		labels[name] = strings.ReplaceAll(value, "$", "$$") // or it were a variable
	}
	services := map[string]any{}
	for name := range file.Services {
		services[name] = map[string]any{"deploy": map[string]any{"labels": labels}}
	}
	// All files of a stack have to be of one version.
	text, err := json.Marshal(map[string]any{"version": file.Version, "services": services})
	return string(text), err
}

// RemoveSwarm removes a resource's services from the swarm, and their networks,
// secrets and configs. Volumes stay. It succeeds when nothing is there.
func (e *Engine) RemoveSwarm(ctx context.Context, mark Mark) error {
	return errorf(e.removeSwarm(ctx, &mark), "remove")
}

func (e *Engine) removeSwarm(ctx context.Context, mark *Mark) error {
	if err := mark.validate(); err != nil {
		return err
	}
	mine, err := e.api.ServiceList(ctx, client.ServiceListOptions{Filters: owned(labelPrefix, mark.Scope, mark.Key)})
	if err != nil {
		return err
	}
	var stacks []string
	for _, s := range mine.Items {
		if name := s.Spec.Labels[stackNamespace]; name != "" && !slices.Contains(stacks, name) {
			stacks = append(stacks, name)
		}
	}
	for _, name := range stacks {
		if _, err := e.docker(ctx, &command{args: []string{"stack", "rm", "--detach=false", name}}); err != nil {
			return err
		}
	}
	return nil
}

// short is a service's name in its stack's files.
func short(s *swarm.Service) string {
	return strings.TrimPrefix(s.Spec.Name, s.Spec.Labels[stackNamespace]+"_")
}
