package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// stacks is the Deployer of stacks. It is a sync.Preparer: what else goes into one are
// the files that it reads.
type stacks struct{ d *Deployer }

// Deploy implements sync.Deployer.
func (k stacks) Deploy(ctx context.Context, deploy *diff.Deploy) error {
	known := k.d.known()
	return known.redact(k.d.stack(ctx, known, deploy))
}

// Health implements sync.Deployer.
func (k stacks) Health(ctx context.Context, records []state.Record) []sync.Health {
	return k.d.health(ctx, records, k.d.onServer, (*docker.Engine).StackHealth)
}

// Prepare implements sync.Preparer.
func (k stacks) Prepare(ctx context.Context, deploys []*diff.Deploy) []sync.Prepared {
	return k.d.prepare(ctx, deploys, k.d.prepareStack)
}

// A project is a stack that is about to be deployed.
type project struct {
	engine *docker.Engine
	config kinds.Stack
	dir    string      // the top of where its files are
	repo   *repository // nil: no repository
}

func (d *Deployer) project(known *declared, deploy *diff.Deploy) (*project, error) {
	p := &project{}
	var err error
	if p.config, err = kinds.Decode[kinds.Stack](deploy.Config); err != nil {
		return nil, err
	}
	n, err := namesOf(deploy.Desired)
	if err != nil {
		return nil, err
	}
	if n.Swarm != "" {
		return nil, errNoSwarm
	}
	if p.engine, err = d.server(known, n.Server); err != nil {
		return nil, err
	}
	if p.config.ComposeCmdWrapper != "" {
		return nil, errors.New("compose_cmd_wrapper: docker compose is not wrapped; a pre_deploy can make the files that it needs")
	}
	f := &filler{known: known, key: deploy.Key()}
	if err := f.stack(&p.config); err != nil {
		return nil, err
	}
	if p.config.FilesOnHost {
		if p.dir = p.config.RunDirectory; !filepath.IsAbs(p.dir) {
			return nil, fmt.Errorf("run_directory %q: with files_on_host, expected a path from /, of this machine", p.dir)
		}
		return p, nil
	}
	if p.repo, err = d.repository(known, n.LinkedRepo, p.config.Git); err != nil {
		return nil, err
	}
	if p.repo == nil && strings.TrimSpace(string(p.config.FileContents)) == "" {
		return nil, errNoFiles
	}
	p.dir, err = d.files(known, deploy.Key(), p.repo)
	return p, err
}

// run is the directory that the stack runs in. What a repository doesn't hold isn't
// reached from there.
func (p *project) run() (string, error) {
	if p.repo == nil {
		return p.dir, nil
	}
	return inside(p.dir, "run_directory", p.config.RunDirectory)
}

// inline tells whether the compose file is declared itself.
func (p *project) inline() bool { return p.repo == nil && !p.config.FilesOnHost }

func (d *Deployer) prepareStack(ctx context.Context, known *declared, deploy *diff.Deploy) (state.Checksum, error) {
	p, err := d.project(known, deploy)
	if err != nil {
		return state.Checksum{}, err
	}
	unlock, err := d.lock(ctx, known, deploy.Key())
	if err != nil {
		return state.Checksum{}, err
	}
	defer unlock()
	run, err := p.run()
	if err != nil {
		return state.Checksum{}, err
	}
	r := &reading{run: run}
	if p.repo != nil {
		if r.from, err = p.repo.look(ctx, p.dir); err != nil {
			return state.Checksum{}, err
		}
		d.prepared(deploy.Key(), r.from.commit)
	}
	if err := p.complete(run); err != nil {
		return state.Checksum{}, err
	}
	text, err := r.tell(ctx, p.reads(run)...)
	if err != nil || text == "" {
		return state.Checksum{}, err
	}
	return state.Sum([]byte(text)), nil
}

// complete tells whether the compose files are there, unless a command makes them.
func (p *project) complete(run string) error {
	if p.inline() || p.config.PreDeploy.Command != "" || p.repo != nil && p.repo.repo != nil {
		return nil
	}
	for _, file := range p.config.FilePaths {
		if _, err := os.Stat(below(run, file)); err != nil {
			return fmt.Errorf("file_paths: %w", err)
		}
	}
	return nil
}

// reads are the files that the stack reads, relative to its run directory. The file
// of its environment is one if the environment isn't declared.
func (p *project) reads(run string) []string {
	var files []string
	if !p.inline() {
		files = p.config.FilePaths
		if len(files) == 0 {
			files = composeNames()
		}
	}
	files = reads(run, files)
	if len(p.config.Environment) == 0 && !p.inline() {
		files = append(files, p.config.EnvFilePath)
	}
	for _, file := range p.config.AdditionalEnvFiles {
		if file.Track {
			files = append(files, file.Path)
		}
	}
	for _, file := range p.config.ConfigFiles {
		if file.Requires != "None" {
			files = append(files, file.Path)
		}
	}
	return files
}

func (d *Deployer) stack(ctx context.Context, known *declared, deploy *diff.Deploy) error {
	p, err := d.project(known, deploy)
	if err != nil {
		return err
	}
	unlock, err := d.lock(ctx, known, deploy.Key())
	if err != nil {
		return err
	}
	defer unlock()
	run, err := p.run()
	if err != nil {
		return err
	}
	r := &reading{run: run}
	if p.repo != nil {
		if r.from, err = p.repo.use(ctx, p.dir, d.commit(deploy.Key())); err != nil {
			return err
		}
	}
	if p.inline() {
		if err := writeInside(run, p.inlineFile(), string(p.config.FileContents)); err != nil {
			return err
		}
	}
	if err := command(&p.config.PreDeploy).Run(ctx, run); err != nil {
		return fmt.Errorf("pre_deploy: %w", err)
	}
	spec, err := p.spec(ctx, deploy.Desired.Name, r)
	if err != nil {
		return err
	}
	spec.TakeOver = d.options.TakeOver
	m := mark(known, deploy)
	if p.config.DestroyBeforeDeploy {
		if err := p.engine.Remove(ctx, m); err != nil {
			return err
		}
	}
	if err := p.engine.DeployStack(ctx, m, spec); err != nil {
		return err
	}
	if err := command(&p.config.PostDeploy).Run(ctx, run); err != nil {
		return fmt.Errorf("post_deploy: %w", err)
	}
	return nil
}
