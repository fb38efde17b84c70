package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/synccli"
)

// export is one run of the command.
type export struct {
	program     *program
	out         string // --out; empty is the output
	withSecrets bool
}

func exportCommand(p *program) synccli.Command {
	e := &export{program: p}
	return synccli.Command{
		Name: "export", Takes: synccli.TakesPaths | synccli.TakesScope, Flags: e.flags, Run: e.run,
		Short: "write what is recorded as TOML",
		Long:  "Writes what is recorded as TOML that declares the same; orphans are none of it. Of sensitive\nvalues digests alone are recorded: they are left out, and their fields unmanaged, so that a\nsync leaves them as they are. With --with-secrets they are taken from what PATH declares.",
	}
}

func (e *export) flags(flags *flag.FlagSet) {
	flags.StringVar(&e.out, "out", "", "the `FILE.toml|DIR` to write to, DIR with a file for each kind (default: the output)")
	flags.BoolVar(&e.withSecrets, "with-secrets", false, "write sensitive values, as PATH declares them")
}

func (e *export) run(ctx context.Context, call *synccli.Call) error {
	desired, err := e.recorded(ctx, call)
	if err != nil {
		return err
	}
	for _, warning := range desired.Warnings {
		fmt.Fprintf(call.Err, "warning: %s\n", warning)
	}
	if filepath.Ext(e.out) != ".toml" && e.out != "" {
		files, err := manifest.RenderKinds(desired, e.program.kinds, e.program.options)
		if err != nil {
			return err
		}
		return writeFiles(e.out, files)
	}
	text, err := manifest.Render(desired, e.program.kinds, e.program.options)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { _, err := w.Write(text); return err }
	if e.out == "" {
		return write(call.Out)
	}
	return synccli.WriteFile(e.out, write)
}

// recorded returns what is recorded, as files declare it.
func (e *export) recorded(ctx context.Context, call *synccli.Call) (*sync.Desired, error) {
	var source *sync.Desired
	if e.withSecrets {
		declaration, err := e.program.declared(call)
		if err != nil {
			return nil, err
		}
		source = declaration.Desired
	}
	engine, err := call.Engine(ctx)
	if err != nil {
		return nil, err
	}
	desired, err := engine.Recorded(ctx, source)
	if err != nil {
		return nil, err
	}
	return desired, kinds.Reduce(desired)
}

// writeFiles writes files into a directory, which is made and must be empty: a file
// of somebody's that stays beside them would be declared, too.
func writeFiles(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	switch there, err := os.ReadDir(dir); {
	case err != nil:
		return err
	case len(there) > 0:
		return errors.New("--out " + dir + ": the directory is not empty: name another one, or a file")
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		write := func(w io.Writer) error { _, err := w.Write(files[name]); return err }
		if err := synccli.WriteFile(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}
