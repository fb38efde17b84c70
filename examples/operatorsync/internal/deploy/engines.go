package deploy

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Compose deploys with docker compose.
type Compose struct {
	Engine *docker.Engine
	Server string
}

// Deploy implements Deployer.
func (c *Compose) Deploy(ctx context.Context, r *Release) error {
	return c.Engine.DeployStack(ctx, mark(c.Server, r), &docker.StackSpec{
		Project: apps.Stack(r.Domain), Dir: r.Dir, Files: r.files(), Environment: r.Entries, RemoveOrphans: true,
		TakeOver: true, // the name is the app's, whoever deployed it before
	})
}

// Status implements Deployer.
func (c *Compose) Status(ctx context.Context, domains []string) ([]Status, error) {
	notes, err := c.Engine.StackNotes(ctx, Scope(c.Server), keys(domains))
	if err != nil {
		return nil, err
	}
	return statuses(notes, c.Engine.StackHealth(ctx, Scope(c.Server), keys(domains))), nil
}

// Swarm deploys with docker stack deploy.
type Swarm struct {
	Engine *docker.Engine
	Server string
	// ResolveImage is docker.SwarmSpec's.
	ResolveImage string
}

// Deploy implements Deployer.
func (s *Swarm) Deploy(ctx context.Context, r *Release) error {
	return s.Engine.DeploySwarm(ctx, mark(s.Server, r), &docker.SwarmSpec{
		Stack: apps.Stack(r.Domain), Dir: r.Dir, Files: r.files(), Environment: r.Entries, Prune: true,
		ResolveImage: s.ResolveImage, RegistryAuth: true,
		TakeOver: true, // as for Compose
	})
}

// Status implements Deployer. It knows what abra has deployed, too.
func (s *Swarm) Status(ctx context.Context, domains []string) ([]Status, error) {
	notes, err := s.Engine.SwarmNotes(ctx, Scope(s.Server), keys(domains))
	if err != nil {
		return nil, err
	}
	all := statuses(notes, s.Engine.SwarmHealth(ctx, Scope(s.Server), keys(domains)))
	for i, domain := range domains {
		if all[i].Health.Phase != sync.Missing || all[i].Health.Err != nil {
			continue
		}
		health, labels, err := s.Engine.SwarmStack(ctx, apps.Stack(domain))
		if err != nil {
			return nil, err
		}
		all[i] = Status{Note: abras(apps.Stack(domain), labels), Health: health}
	}
	return all, nil
}

// abras is the version in the labels that abra gives a stack's services, or that its
// recipe does: empty if there is none.
func abras(stack string, services []map[string]string) string {
	prefix := "coop-cloud." + stack + "."
	for _, labels := range services {
		version := labels[prefix+"version"]
		if labels[prefix+"chaos"] == "true" {
			version = labels[prefix+"chaos-version"]
		}
		if version != "" {
			return version
		}
	}
	return ""
}

func mark(server string, r *Release) docker.Mark {
	return docker.Mark{Scope: Scope(server), Key: apps.Key(r.Domain), Running: state.Sum([]byte(r.Note)), Note: r.Note}
}

func keys(domains []string) []state.Key {
	keys := make([]state.Key, len(domains))
	for i, domain := range domains {
		keys[i] = apps.Key(domain)
	}
	return keys
}

func statuses(notes []string, health []sync.Health) []Status {
	all := make([]Status, len(notes))
	for i := range notes {
		all[i] = Status{Note: notes[i], Health: health[i]}
	}
	return all
}

// files are the compose files: those that COMPOSE_FILE names, as abra and compose read
// it, or compose.yml.
func (r *Release) files() []string {
	for _, entry := range r.Entries {
		if names, ok := strings.CutPrefix(entry, "COMPOSE_FILE="); ok && names != "" {
			files := strings.Split(names, ":")
			for i := range files {
				files[i] = filepath.Clean(files[i])
			}
			return files
		}
	}
	return []string{"compose.yml"}
}
