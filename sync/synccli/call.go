package synccli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Call is one command under way: what the command line says, and what a command
// needs to answer it. The standard commands are made of its methods, and so can
// a host's own be. It is not safe for concurrent use.
type Call struct {
	Stdio
	// Command is the command's name.
	Command string
	// Args are the positional arguments that the command asks for, with the optional
	// ones that were given; or all of them if it takes no paths.
	Args []string
	// Paths say where the declaration is. Empty if none were given.
	Paths []string
	// Scope is whose State it is.
	Scope state.Scope
	// Account is who does it, as recorded.
	Account string
	// Location is the value of --backend.
	Location string
	// Options are those of a plan, as the flags and the host make them.
	Options sync.PlanOptions
	// JSON asks for output for programs. Yes says that nobody is to be asked.
	JSON, Yes bool

	host     *Host
	kinds    *sync.KindSet
	flags    *flag.FlagSet
	atomic   bool   // --atomic
	planFile string // --plan-file; empty if it wasn't given
	page     string // --html; empty if it wasn't given
	limit    int    // --limit
	engine   *sync.Engine
	closer   io.Closer
	warned   []sync.Warning // that were shown
	progress progress       // of the Apply that is under way
}

// Dir returns the directory that relative things are relative to: the path that
// was given if it is the only one that can be, else the working directory.
func (c *Call) Dir() string {
	if c.host.manyPaths() || len(c.Paths) == 0 {
		return "."
	}
	return c.Paths[0]
}

// Load loads the declaration and shows its warnings.
func (c *Call) Load(ctx context.Context) (*Declaration, error) {
	if err := c.pathsExist(); err != nil {
		return nil, err
	}
	declaration, err := c.host.Load(ctx, c)
	if declaration != nil && declaration.Desired != nil {
		c.warn(declaration.Desired.Warnings)
	}
	switch {
	case err != nil && !errors.Is(err, ErrNoDeclaration):
		return nil, &mistakes{err}
	case err != nil:
		return nil, err
	case declaration == nil || declaration.Desired == nil:
		return nil, ErrNoDeclaration
	}
	return declaration, nil
}

// warn shows warnings, each once: a plan has those of its declaration.
func (c *Call) warn(warnings []sync.Warning) {
	for _, warning := range warnings {
		if !slices.Contains(c.warned, warning) {
			fmt.Fprintf(c.Err, "warning: %s\n", warning)
			c.warned = append(c.warned, warning)
		}
	}
}

// loadIfThere is Load, but returns nil where nothing can be a declaration.
func (c *Call) loadIfThere(ctx context.Context) (*Declaration, error) {
	declaration, err := c.Load(ctx)
	if errors.Is(err, ErrNoDeclaration) {
		return nil, nil
	}
	return declaration, err
}

// Engine returns the engine over the backend of the call, which it opens at the
// first time. The engine's events are shown while Apply is under way.
func (c *Call) Engine(ctx context.Context) (*sync.Engine, error) {
	if c.engine != nil {
		return c.engine, nil
	}
	backend, err := c.openBackend(ctx)
	if err != nil {
		return nil, err
	}
	c.closer, _ = backend.(io.Closer)
	c.engine, err = sync.New(backend, c.kinds, &sync.Options{OnEvent: func(event sync.Event) {
		if c.progress != nil {
			c.progress.event(event)
		}
	}})
	return c.engine, err
}

// start takes what only a host that has seen its flags can tell.
func (c *Call) start() (err error) {
	if c.host.KindsFor != nil {
		c.kinds, err = c.host.KindsFor(c)
	}
	return err
}

func (c *Call) close() error {
	if c.closer == nil {
		return nil
	}
	return c.closer.Close()
}

// pathsExist returns an error for a path that isn't there: a mistyped one must
// not look like one where nothing was ever recorded.
func (c *Call) pathsExist() error {
	for _, path := range append([]string{c.Dir()}, c.Paths...) {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("%s: no such file or directory", path)
		case err != nil:
			return err
		case !c.host.manyPaths() && !info.IsDir():
			return fmt.Errorf("%s: not a directory", path)
		}
	}
	return nil
}

// defaultApp is the name of the directory of the declaration.
func (c *Call) defaultApp() (string, error) {
	if c.host.App.Default != "" {
		return c.host.App.Default, nil
	}
	dir, err := filepath.Abs(c.Dir())
	return filepath.Base(dir), err
}
