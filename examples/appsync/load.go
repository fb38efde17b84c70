package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// load reads the config directory. It is the user's own, so it is read as it is;
// a program that syncs what strangers wrote would take the file system of an
// os.Root, which costs a little more and can't be tricked while it is read.
func (p *program) load(_ context.Context, call *synccli.Call) (*synccli.Declaration, error) {
	dir := os.DirFS(call.Dir())
	if isEmpty(dir) {
		return nil, fmt.Errorf("%s: %w: no .toml file", call.Dir(), synccli.ErrNoDeclaration)
	}
	config, err := appsync.Load(dir, &appsync.LoadOptions{Dir: call.Dir()})
	if err != nil {
		return nil, err
	}
	return &synccli.Declaration{
		Desired: config.Desired,
		Sync: func(ctx context.Context, syncer sync.Syncer) error {
			return p.sync(ctx, call, config, syncer)
		},
	}, nil
}

// isEmpty tells whether a directory holds nothing that could be a config.
func isEmpty(dir fs.FS) bool {
	for _, pattern := range []string{"*.toml", "*/*.toml"} {
		if found, err := fs.Glob(dir, pattern); err != nil || len(found) > 0 {
			return false
		}
	}
	return true
}
