package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/deploy"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envsyncer"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/synccli"
)

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdio synccli.Stdio) int {
	p := &program{getenv: stdio.Getenv}
	if p.getenv == nil {
		p.getenv = func(string) string { return "" }
	}
	return synccli.New(synccli.Host{
		Name:  "operatorsync",
		About: "operatorsync deploys apps to servers, and records with each app which version runs.",
		Flags: func(_ string, flags *flag.FlagSet) {
			flags.StringVar(&p.dir, "dir", "", "the `DIR` of config.yml, servers and recipes (default: $OPERATORSYNC_DIR, $ABRA_DIR or ~/.abra)")
		},
		Commands: []synccli.Command{
			p.listCommand(), p.statusCommand(),
			p.deployCommand(), p.upgradeCommand(), p.rollbackCommand(), p.syncCommand(),
			p.versionsCommand(), p.generateCommand("config generate"), p.generateCommand("config g"),
		},
	}).Run(ctx, args, stdio)
}

// program is one run of it.
type program struct {
	getenv func(string) string
	dir    string // --dir
	server string // --server
}

// home is the directory that everything is in.
func (p *program) home() string {
	return cmp.Or(p.dir, p.getenv("OPERATORSYNC_DIR"), p.getenv("ABRA_DIR"), filepath.Join(p.getenv("HOME"), ".abra"))
}

func (p *program) path(elem ...string) string {
	return filepath.Join(append([]string{p.home()}, elem...)...)
}

// site is one server, ready to be worked on.
type site struct {
	server  string
	config  *config
	handler *deploy.Handler
	engine  *sync.Engine
	docker  *docker.Engine // nil if there is none
}

// open opens a server. Close must be called.
func (p *program) open(call *synccli.Call, config *config, server string) (*site, error) {
	dir := p.path("servers", server)
	s := &site{server: server, config: config, handler: &deploy.Handler{
		Apps: dir, Recipes: p.path("recipes"), Releases: p.path("releases", server), Timeout: config.Timeout,
	}}
	var err error
	if s.handler.Deployer, err = s.deployer(p.getenv); err != nil {
		return nil, err
	}
	backend, err := s.backend(dir, call)
	if err == nil {
		s.engine, err = sync.New(backend, apps.Define(s.handler), nil)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *site) close() {
	if s.docker != nil {
		_ = s.docker.Close() // its connections end with the process
	}
}

func (s *site) deployer(getenv func(string) string) (deploy.Deployer, error) {
	if s.config.Deployer == command {
		return &deploy.Command{Server: s.server, Start: s.config.Command.Deploy, Tell: s.config.Command.Status}, nil
	}
	var err error
	s.docker, err = docker.Open(s.address(getenv), &docker.Options{CertDir: getenv("DOCKER_CERT_PATH")})
	if err != nil {
		return nil, err
	}
	if s.config.Deployer == compose {
		return &deploy.Compose{Engine: s.docker, Server: s.server}, nil
	}
	return &deploy.Swarm{Engine: s.docker, Server: s.server, ResolveImage: s.config.ResolveImage}, nil
}

// local is the server that is this machine, as abra calls it.
const local = "default"

func (s *site) address(getenv func(string) string) string {
	if address := s.config.Engines[s.server]; address != "" {
		return address
	}
	if s.server == local {
		return cmp.Or(getenv("DOCKER_HOST"), "unix:///var/run/docker.sock")
	}
	return "ssh://" + s.server
}

// backend records in the .env files; with sync off, only in what is beside them.
func (s *site) backend(dir string, call *synccli.Call) (sync.Backend, error) {
	scope := deploy.Scope(s.server)
	sidecar, err := filesyncer.New(filepath.Join(dir, envsyncer.Dir, "records"), scope, &filesyncer.Options{History: -1})
	if err != nil || !s.config.Sync {
		return sidecar, err
	}
	return envsyncer.New(dir, sidecar, &envsyncer.Options{Edited: func(edits []envsyncer.Edit) { showEdits(call, s.server, edits) }})
}

// showEdits tells of versions that were recorded without this machine's records.
func showEdits(call *synccli.Call, server string, edits []envsyncer.Edit) {
	if edits[0].Rebuilt {
		fmt.Fprintf(call.Err, "note: this machine had no records of %s; they are made from what its .env files record\n", server)
		return
	}
	for _, e := range edits {
		fmt.Fprintf(call.Err, "note: %s.env records %s, and recorded %s when this machine looked last\n", e.Domain, orNothing(e.To), orNothing(e.From))
	}
}

func orNothing(version string) string { return cmp.Or(version, "nothing") }

func (p *program) recipe(name string) string { return p.path("recipes", name) }

// exists tells whether there is something at a path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
