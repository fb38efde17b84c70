package main

import (
	"context"
	"strings"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/synccli"
)

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdio synccli.Stdio) int {
	return synccli.New(synccli.Host{
		Name:  "appsync",
		About: "appsync makes an app what its config directory declares.",
		Kinds: appsync.Kinds(),
		Load:  load,
		State: func(head state.Head, records []state.Record) (any, error) {
			return appsync.StateOf(head, records), nil
		},
		Backends: []synccli.Backend{{Scheme: "file", Form: "file:DIR", Open: openFiles}},
		PlanOptions: func(_ *synccli.Call, opts *sync.PlanOptions) {
			// An app is many things: one that fails shouldn't hold up the others.
			opts.OnFailure = sync.KeepGoing
		},
	}).Run(ctx, args, stdio)
}

func openFiles(_ context.Context, location string, scope state.Scope) (sync.Backend, error) {
	return filesyncer.New(strings.TrimPrefix(location, "file:"), scope, nil)
}
