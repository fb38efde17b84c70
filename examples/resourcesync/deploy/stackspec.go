package deploy

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
)

// inlineFile is the name of the compose file that is declared itself.
func (p *project) inlineFile() string {
	if len(p.config.FilePaths) > 0 {
		return p.config.FilePaths[0]
	}
	return "compose.yaml"
}

// spec is what compose is to do, with the files as they are in the run directory.
func (p *project) spec(ctx context.Context, name string, r *reading) (*docker.StackSpec, error) {
	spec, err := stackSpec(name, &p.config)
	if err != nil {
		return nil, err
	}
	spec.Dir = r.run
	if p.inline() {
		spec.Files = []string{p.inlineFile()}
	}
	if len(spec.Environment) == 0 {
		// As compose would, if it weren't given others: and a command may have made it.
		if _, err := os.Stat(below(r.run, p.config.EnvFilePath)); err == nil {
			spec.EnvFiles = slices.Concat([]string{p.config.EnvFilePath}, spec.EnvFiles)
		}
	}
	spec.Labels, err = p.labels(ctx, r)
	return spec, err
}

// labelFiles says which content of its config_files a service was started with, so
// that another one replaces it: compose doesn't look into what a service mounts.
const labelFiles = "io.github.trueup-go.files"

// labels are those of the services that config files are for.
func (p *project) labels(ctx context.Context, r *reading) (map[string]map[string]string, error) {
	texts := map[string]string{} // by the service; "" is all
	for _, file := range p.config.ConfigFiles {
		if file.Requires == "None" {
			continue
		}
		text, err := r.tell(ctx, file.Path)
		if err != nil {
			return nil, err
		}
		services := []string(file.Services)
		if len(services) == 0 {
			services = []string{""}
		}
		for _, service := range services {
			texts[service] += text
		}
	}
	labels := map[string]map[string]string{}
	for service, text := range texts {
		if service != "" {
			text = texts[""] + text
		}
		labels[service] = map[string]string{labelFiles: state.Sum([]byte(text)).Hex()}
	}
	return labels, nil
}

// stackSpec maps a stack whose texts are filled in. Where its files are is still
// missing.
func stackSpec(name string, c *kinds.Stack) (*docker.StackSpec, error) {
	if c.ProjectName != "" {
		name = c.ProjectName
	}
	extra, err := arguments("extra_args", c.ExtraArgs)
	if err != nil {
		return nil, err
	}
	build, err := arguments("build_extra_args", c.BuildExtraArgs)
	if err != nil {
		return nil, err
	}
	spec := &docker.StackSpec{
		Project:     projectName(name),
		Files:       c.FilePaths,
		Environment: entries(c.Environment),
		EnvFile:     c.EnvFilePath,
		Build:       c.RunBuild,
		BuildArgs:   build,
		Ignore:      c.IgnoreServices,
		ExtraArgs:   extra,
		Stopped:     c.State == "stopped",
	}
	for _, file := range c.AdditionalEnvFiles {
		spec.EnvFiles = append(spec.EnvFiles, file.Path)
	}
	if c.AutoPull {
		spec.Pull = docker.PullAlways
	}
	if spec.Project == "" {
		return nil, fmt.Errorf("a project can't be called %q: expected a letter or digit in the name", name)
	}
	return spec, nil
}
