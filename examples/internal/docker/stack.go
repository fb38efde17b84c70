package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/moby/client"
)

// The labels that compose itself gives a container.
const (
	composeProject = "com.docker.compose.project"
	composeService = "com.docker.compose.service"
	composeOneOff  = "com.docker.compose.oneoff" // "True": of docker compose run
)

// StackSpec is a stack of services as docker compose should run it. Project and
// Dir are required.
type StackSpec struct {
	// Project is its name on the engine: lower-case letters, digits, "-" and "_".
	Project string
	// Dir is the directory on this machine that the files are in, and that paths in
	// them start from.
	Dir string
	// Files are compose files, relative to Dir, a later one over an earlier one.
	// Empty: the one that compose would find in Dir, and its override.
	Files []string
	// Environment are entries K=V that the files can use as ${K}. If there are any
	// they are written into EnvFile, where a service can read them too; V arrives
	// there to the byte.
	Environment []string
	// EnvFile is relative to Dir and stays inside. Defaults to ".env".
	EnvFile string
	// EnvFiles are other files of such entries, relative to Dir, over Environment.
	EnvFiles []string
	// Pull says when images are pulled. Defaults to PullMissing.
	Pull Pull
	// RemoveOrphans removes containers of services that the files no longer have.
	RemoveOrphans bool
	// Build builds the images of services that say how, each time, with BuildArgs for
	// docker compose build.
	Build     bool
	BuildArgs []string
	// Labels are more labels of the services, by their names; those of "" are of all. A
	// service that gets another one is replaced.
	Labels map[string]map[string]string
	// Ignore names services whose health doesn't count.
	Ignore []string
	// ExtraArgs go to docker compose up, as they are.
	ExtraArgs []string
	// Stopped says that the containers are to be there and not to run.
	Stopped bool
	// TakeOver says that a project of that name may be replaced that was not
	// deployed for this resource. Otherwise it is ErrTaken.
	TakeOver bool
}

// DeployStack runs a stack as the spec says. Compose leaves alone what hasn't
// changed: only the services that did are replaced. Files that compose doesn't
// understand change nothing. If the resource ran under another project's name,
// that project is taken down first; its volumes stay.
//
// It returns once the containers have started: ask StackHealth. If it fails half
// way some services may be new and some old, and StackHealth tells no checksum.
func (e *Engine) DeployStack(ctx context.Context, mark Mark, spec *StackSpec) error {
	err := e.deployStack(ctx, &mark, spec)
	return errorf(Redact(err, spec.Environment), "deploy stack %q", spec.Project)
}

func (e *Engine) deployStack(ctx context.Context, mark *Mark, spec *StackSpec) error {
	if err := mark.validate(); err != nil {
		return err
	}
	project, err := spec.project(mark)
	if err != nil {
		return err
	}
	services, err := e.services(ctx, project)
	if err != nil {
		return err
	}
	former, err := e.formerProjects(ctx, mark, spec)
	if err != nil {
		return err
	}
	for _, name := range former {
		if err := e.down(ctx, name); err != nil {
			return err
		}
	}
	if spec.Build {
		if _, err := e.docker(ctx, project.command(append([]string{"build"}, spec.BuildArgs...)...)); err != nil {
			return err
		}
	}
	// From here on until all of it runs, nobody can say which declaration does.
	if err := e.unmark(ctx, mark, spec); err != nil {
		return err
	}
	if _, err := e.docker(ctx, project.command(spec.up()...)); err != nil {
		return err
	}
	if spec.Stopped {
		if _, err := e.docker(ctx, project.command("stop")); err != nil {
			return err
		}
	}
	return e.mark(ctx, mark, spec, services)
}

// up are the arguments that bring the stack up.
func (s *StackSpec) up() []string {
	args := []string{"up", "--detach"}
	if s.Stopped {
		args = []string{"up", "--no-start"}
	}
	if s.Pull != "" {
		args = append(args, "--pull", string(s.Pull))
	}
	if s.RemoveOrphans {
		args = append(args, "--remove-orphans")
	}
	return append(args, s.ExtraArgs...)
}

// formerProjects are those that the resource runs in, apart from the spec's. It is
// ErrTaken if the spec's is somebody else's.
func (e *Engine) formerProjects(ctx context.Context, mark *Mark, spec *StackSpec) ([]string, error) {
	filters := client.Filters{}.Add("label", composeProject+"="+spec.Project)
	there, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, err
	}
	for _, c := range there.Items {
		if !spec.TakeOver && !owns(mark, c.Labels) {
			return nil, fmt.Errorf("%w by a project that was not deployed for %s, of which %q is: remove it, or take it over", ErrTaken, mark.Key, name(&c))
		}
	}
	mine, err := e.containers(ctx, mark.Scope, mark.Key)
	if err != nil {
		return nil, err
	}
	var former []string
	for _, c := range mine {
		if p := c.Labels[composeProject]; p != "" && p != spec.Project && !slices.Contains(former, p) {
			former = append(former, p)
		}
	}
	return former, nil
}

func owns(mark *Mark, labels map[string]string) bool {
	for label, value := range mark.owner(labelPrefix) {
		if labels[label] != value {
			return false
		}
	}
	return true
}

// down removes a project's containers and networks. Compose needs no files for it.
func (e *Engine) down(ctx context.Context, project string) error {
	_, err := e.docker(ctx, &command{args: []string{"compose", "--progress", "quiet", "--project-name", project, "down", "--remove-orphans"}})
	return err
}

// project prepares the call of compose: it finds the files and writes the
// environment.
func (s *StackSpec) project(mark *Mark) (*project, error) {
	if s.Project == "" || s.Dir == "" {
		return nil, errors.New("a stack needs a project name and a directory")
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, err
	}
	p := &project{name: s.Project, dir: dir, mark: mark, ignore: s.Ignore, labels: s.Labels, hidden: s.Environment}
	if p.files, err = s.files(dir); err != nil {
		return nil, err
	}
	if len(s.Environment) > 0 {
		name := s.EnvFile
		if name == "" {
			name = ".env"
		}
		if err := writeEnvFile(dir, name, s.Environment); err != nil {
			return nil, err
		}
		p.envFiles = append(p.envFiles, filepath.Join(dir, name))
	}
	for _, name := range s.EnvFiles {
		p.envFiles = append(p.envFiles, under(dir, name))
	}
	return p, nil
}

// files are the compose files. Compose itself would look for them only if it were
// given none.
func (s *StackSpec) files(dir string) ([]string, error) {
	names := s.Files
	if len(names) == 0 {
		for _, group := range [][]string{
			{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"},
			{"compose.override.yaml", "compose.override.yml", "docker-compose.override.yml", "docker-compose.override.yaml"},
		} {
			i := slices.IndexFunc(group, func(name string) bool {
				_, err := os.Stat(filepath.Join(dir, name))
				return err == nil
			})
			if i >= 0 {
				names = append(names, group[i])
			} else if len(names) == 0 {
				return nil, fmt.Errorf("no compose file in %s: expected one of %s", s.Dir, strings.Join(group, ", "))
			}
		}
	}
	var files []string
	for _, name := range names {
		files = append(files, under(dir, name))
	}
	return files, nil
}

func under(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
