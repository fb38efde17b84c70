package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/synccli"
)

// load reads what the paths declare. The files are the user's own, so they are read
// as they are.
func (p *program) load(_ context.Context, call *synccli.Call) (*synccli.Declaration, error) {
	declaration, err := p.declared(call)
	if err != nil {
		return nil, err
	}
	if deploys(call) || call.Command == "prune" {
		err = p.deployer.Declare(call.Scope, declaration)
	}
	return &synccli.Declaration{Desired: declaration.Desired}, err
}

// deploys tells whether a call may deploy something, or plan to.
func deploys(call *synccli.Call) bool {
	switch call.Command {
	case "plan", "sync", "deploy", "adopt", "rollback", "run":
		return !call.Options.NoDeploy
	}
	return false
}

// declared reads the files and completes what they declare.
func (p *program) declared(call *synccli.Call) (*manifest.Declaration, error) {
	roots, err := rootsOf(call.Paths)
	if err != nil {
		return nil, err
	}
	opts := *p.options
	opts.AllowEmpty = true // which of the two it is, the files tell
	declaration, err := manifest.LoadRoots(roots, p.kinds, &opts)
	switch {
	case err != nil:
		return nil, err
	case call.Options.AllowEmpty:
	case len(declaration.Files) == 0:
		return nil, fmt.Errorf("%w: no .toml file", synccli.ErrNoDeclaration)
	case len(declaration.Desired.Resources) == 0:
		return nil, fmt.Errorf("%w: no resource in %d files", sync.ErrEmptyDeclaration, len(declaration.Files))
	}
	if err := kinds.Complete(declaration.Desired); err != nil {
		return nil, err
	}
	p.warn(call, declaration)
	return declaration, nil
}

// rootsOf returns the directories and files that paths name; none are the working
// directory.
func rootsOf(paths []string) ([]manifest.Root, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var roots []manifest.Root
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			roots = append(roots, manifest.Root{FS: os.DirFS(path), Dir: dirOf(path)})
		default:
			dir, file := filepath.Split(path)
			roots = append(roots, manifest.Root{FS: os.DirFS(filepath.Clean(dir)), Path: file, Dir: dirOf(dir)})
		}
	}
	return roots, nil
}

// dirOf returns what stands before the paths of files in a directory.
func dirOf(path string) string {
	if path = filepath.Clean(path); path == "." {
		return ""
	}
	return path
}

// warn warns of each [[NAME]] that has no value. Of what may be deployed the plan says
// so itself.
func (p *program) warn(call *synccli.Call, declaration *manifest.Declaration) {
	known, planned := map[string]bool{}, map[state.Key]bool{}
	desired := declaration.Desired
	for i := range desired.Resources {
		r := &desired.Resources[i]
		known[r.Name] = known[r.Name] || r.Kind == kinds.KindVariable
		planned[r.Key] = r.Deploy && deploys(call)
	}
	for _, ref := range declaration.References {
		_, isVar := p.values.Vars[ref.Name]
		_, isSecret := p.values.Secrets[ref.Name]
		if known[ref.Name] || isVar || isSecret || planned[ref.Resource] || !kinds.Interpolates(ref.Resource.Kind) {
			continue
		}
		desired.Warnings = append(desired.Warnings, sync.Warning{Position: ref.Position, Text: fmt.Sprintf(
			"%s: [[%s]] has no value: declare the variable, or give it in --vars or --secrets", ref.Resource, ref.Name)})
	}
	slices.SortStableFunc(desired.Warnings, func(a, b sync.Warning) int { return a.Compare(b.Position) })
}
