package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/trueup-go/trueup/examples/internal/backends"
	"github.com/trueup-go/trueup/examples/internal/serve"
	"github.com/trueup-go/trueup/examples/resourcesync/deploy"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/synccli"
)

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdio synccli.Stdio) (code int) {
	p := newProgram(stdio)
	defer func() {
		if err := p.close(); err != nil {
			fmt.Fprintf(stdio.Err, "resourcesync: %v\n", err)
			code = max(code, 1)
		}
	}()
	return synccli.New(synccli.Host{
		Name:     "resourcesync",
		About:    "resourcesync makes servers, stacks and deployments what TOML files declare.",
		Kinds:    kinds.Set(deploy.New(nil).Kinds()),
		KindsFor: p.kindsFor,
		Load:     p.load,
		Backends: backends.PerScope(&p.server),
		Paths:    "PATH…",
		App:      synccli.AppFlag{Name: "sync", Default: "default"},
		Flags:    p.flags,
		Commands: []synccli.Command{exportCommand(p), runCommand(p), schemaCommand(p), serve.Command()},
		PlanOptions: func(_ *synccli.Call, opts *sync.PlanOptions) {
			// One resource that fails shouldn't hold up the others.
			opts.OnFailure = sync.KeepGoing
		},
	}).Run(ctx, args, stdio)
}

// program is one run of it.
type program struct {
	server   backends.Server // of --backend https://…
	options  *manifest.Options
	values   deploy.Options
	deployer *deploy.Deployer // once the flags are known
	kinds    *sync.KindSet
	// redeploy deploys for a procedure: nil unless one runs.
	redeploy func(ctx context.Context, keys []state.Key) error
}

func newProgram(stdio synccli.Stdio) *program {
	p := &program{
		server:  backends.Server{TokenEnv: "RESOURCESYNC_TOKEN", Getenv: stdio.Getenv},
		options: kinds.Options(),
		values:  deploy.Options{Engines: map[string]string{}, Vars: map[string]string{}, Secrets: map[string]string{}},
	}
	if stdio.Getenv != nil {
		p.values.Docker.CertDir = stdio.Getenv("DOCKER_CERT_PATH")
	}
	p.values.Redeploy = func(ctx context.Context, keys []state.Key) error {
		if p.redeploy == nil {
			return errors.ErrUnsupported
		}
		return p.redeploy(ctx, keys)
	}
	return p
}

// kindsFor returns the kinds with what deploys them, as the flags say. With --no-deploy
// nothing that runs is touched, so nothing is removed either.
func (p *program) kindsFor(call *synccli.Call) (*sync.KindSet, error) {
	p.values.Backend = func(ctx context.Context) (sync.Backend, error) {
		engine, err := call.Engine(ctx)
		if err != nil {
			return nil, err
		}
		return engine.Backend(), nil
	}
	p.deployer = deploy.New(&p.values)
	deployers := p.deployer.Kinds()
	if call.Options.NoDeploy {
		deployers.Remover = nil
	}
	p.kinds = kinds.Set(deployers)
	// What is declared isn't known yet, and may never be: orphans can be pruned without.
	return p.kinds, p.deployer.Declare(call.Scope, &manifest.Declaration{Desired: &sync.Desired{}})
}

func (p *program) close() error {
	if p.deployer == nil {
		return nil
	}
	return p.deployer.Close()
}
