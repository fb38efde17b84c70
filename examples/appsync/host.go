package main

import (
	"context"
	"flag"

	"github.com/trueup-go/trueup/examples/internal/backends"
	"github.com/trueup-go/trueup/examples/internal/serve"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdio synccli.Stdio) int {
	p := &program{server: backends.Server{TokenEnv: "APPSYNC_TOKEN", Getenv: stdio.Getenv}}
	return synccli.New(synccli.Host{
		Name:  "appsync",
		About: "appsync makes an app what its config directory declares.",
		Kinds: appsync.Kinds(),
		Load:  p.load,
		State: func(head state.Head, records []state.Record) (any, error) {
			return appsync.StateOf(head, records), nil
		},
		Backends: backends.All(&p.server),
		Commands: []synccli.Command{schemaCommand(), serve.Command()},
		Flags:    p.flags,
		PlanOptions: func(_ *synccli.Call, opts *sync.PlanOptions) {
			// An app is many things: one that fails shouldn't hold up the others.
			opts.OnFailure = sync.KeepGoing
		},
	}).Run(ctx, args, stdio)
}

// program is one run of it.
type program struct {
	build  string          // --build; empty if it wasn't given
	server backends.Server // of --backend https://…
}

func (p *program) flags(command string, flags *flag.FlagSet) {
	if command != "serve" {
		p.server.Flags(flags)
	}
	switch command {
	case "sync", "rollback":
		flags.StringVar(&p.build, "build", "", "build components with `CMD`: those that are new or changed, or whose last build failed")
	}
}
