package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A project is what compose is called with.
type project struct {
	name, dir       string
	files, envFiles []string
	mark            *Mark
	ignore          []string
	labels          map[string]map[string]string
	hidden          []string
	override        string // a compose file of ours, over the others; empty: none
}

// command is a call of compose for the project.
func (p *project) command(args ...string) *command {
	all := []string{"compose", "--progress", "quiet", "--project-name", p.name, "--project-directory", p.dir}
	for _, file := range p.files {
		all = append(all, "--file", file)
	}
	if p.override != "" {
		all = append(all, "--file", "-")
	}
	for _, file := range p.envFiles {
		all = append(all, "--env-file", file)
	}
	return &command{dir: p.dir, stdin: p.override, args: append(all, args...), hidden: p.hidden}
}

// A service is what of a stack there should be.
type service struct {
	Replicas int `json:"n"`
	// Job says that it is to end by itself, because others wait for that.
	Job bool `json:"job,omitempty"`
}

// services asks compose what its files mean, which it refuses if they have
// mistakes, and adds our labels to each service.
func (e *Engine) services(ctx context.Context, p *project) (map[string]service, error) {
	text, err := e.docker(ctx, p.command("config", "--format", "json"))
	if err != nil {
		return nil, err
	}
	var config struct {
		Services map[string]struct {
			Scale  *int `json:"scale"`
			Deploy struct {
				Replicas *int `json:"replicas"`
			} `json:"deploy"`
			DependsOn map[string]struct {
				Condition string `json:"condition"`
			} `json:"depends_on"`
		} `json:"services"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("docker compose config: %w", err)
	}
	services := map[string]service{}
	for name, s := range config.Services {
		replicas := 1
		switch {
		case s.Scale != nil:
			replicas = *s.Scale
		case s.Deploy.Replicas != nil:
			replicas = *s.Deploy.Replicas
		}
		services[name] = service{Replicas: replicas}
	}
	for _, s := range config.Services {
		for name, dependency := range s.DependsOn {
			if job, ok := services[name]; ok && dependency.Condition == "service_completed_successfully" {
				job.Job = true
				services[name] = job
			}
		}
	}
	if p.override, err = override(p.mark, slices.Collect(maps.Keys(services)), p.labels); err != nil {
		return nil, err
	}
	for _, name := range p.ignore {
		if _, ok := services[name]; !ok {
			return nil, fmt.Errorf("the service %q is to be ignored, and there is none: expected one of %s", name, strings.Join(slices.Sorted(maps.Keys(services)), ", "))
		}
		delete(services, name)
	}
	return services, nil
}

// override is a compose file that gives each service the labels which say whose it
// is. They are the same in each deploy: with the checksum among them every service
// would be replaced by every deploy. Where the checksum is, see mark.
func override(mark *Mark, services []string, more map[string]map[string]string) (string, error) {
	type labelled struct {
		Labels map[string]string `json:"labels"`
	}
	file := struct {
		Services map[string]labelled `json:"services"`
	}{map[string]labelled{}}
	for _, name := range services {
		labels := map[string]string{}
		for _, some := range []map[string]string{more[""], more[name], mark.owner(labelPrefix)} {
			for label, value := range some {
				labels[label] = strings.ReplaceAll(value, "$", "$$") // or it were a variable
			}
		}
		file.Services[name] = labelled{labels}
	}
	text, err := json.Marshal(file) // which is YAML too
	return string(text), err
}
