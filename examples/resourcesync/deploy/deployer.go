package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// Options are the options of New. Nil means all defaults.
type Options struct {
	// Engines are addresses of container engines, by the name of the server or
	// builder that they are: unix://PATH, tcp://HOST:PORT or ssh://USER@HOST, in
	// place of the declared one. Defaults to none.
	Engines map[string]string
	// Vars and Secrets are values for [[NAME]] beside the declared ones, which come
	// first. Those of Secrets, and of declared secrets, are in no error. Default to
	// none.
	Vars, Secrets map[string]string
	// Cache is the directory for checkouts of repositories and files of stacks, which
	// mount what is beside them: it is there to stay. It is made when it is needed, and
	// may be that of other processes, too. Defaults to resourcesync in os.UserCacheDir.
	Cache string
	// Docker is how engines are reached. CertDir is for those at tcp://… alone.
	// Defaults to those of package docker.
	Docker docker.Options
	// TakeOver says that containers and projects of a declared name may be replaced
	// that were not deployed for the resource: by Komodo, or by hand.
	TakeOver bool
	// Redeploy deploys resources that are declared with Deploy, as
	// sync.PlanOptions.Redeploy does, for procedures: what runs of them is on the
	// books of a sync. Defaults to none: an execution that needs it fails.
	Redeploy func(ctx context.Context, keys []state.Key) error
	// RunSync runs a resource_sync, for procedures: of the resources alone that are
	// named, if any are. Defaults to none: an execution that needs it fails.
	RunSync func(ctx context.Context, name string, resources []state.Key) error
	// Backend returns where the scope is recorded, to look up servers that are no longer
	// declared: what runs on them may have to be ended. It is called when that is so, once
	// after each Declare. Defaults to none: Engines alone says then where they are.
	Backend func(ctx context.Context) (tusync.Backend, error)
}

// Deployer brings to run what is declared in a scope. It is safe for concurrent use.
type Deployer struct {
	options Options

	mu       sync.Mutex
	declared *declared
	engines  map[string]*docker.Engine // by their addresses
	commits  map[state.Key]string      // that were prepared last

	readMu  sync.Mutex
	servers *declared // that are recorded; nil: not read yet
}

// New returns a Deployer to which nothing is declared yet. Nothing is connected or
// written until it is needed. Call Close when done with it.
func New(opts *Options) *Deployer {
	d := &Deployer{
		declared: &declared{},
		engines:  map[string]*docker.Engine{},
		commits:  map[state.Key]string{},
	}
	if opts != nil {
		d.options = *opts
	}
	return d
}

// Declare says what is declared, in place of what was before: call it after every
// load, and before a plan; without resources where nothing is declared, for the scope.
// The declaration is complete (kinds.Complete) and isn't changed any more. The error is of a config that is not canonical.
func (d *Deployer) Declare(scope state.Scope, declaration *manifest.Declaration) error {
	known, err := newDeclared(scope, declaration, &d.options)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.declared = known
	d.mu.Unlock()
	d.readMu.Lock()
	d.servers = nil
	d.readMu.Unlock()
	return nil
}

// known is what is declared at the moment.
func (d *Deployer) known() *declared {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.declared
}

// Kinds returns the Deployers for kinds.Set, and the Remover. Where nothing that runs is
// to be touched (sync.PlanOptions.NoDeploy), the caller leaves out the Remover.
func (d *Deployer) Kinds() kinds.Deployers {
	return kinds.Deployers{Build: builds{d}, Deployment: deployments{d}, Stack: stacks{d}, Remover: remover{d}}
}

// Close closes the connections to engines. Nothing may be under way.
func (d *Deployer) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, address := range slices.Sorted(maps.Keys(d.engines)) {
		errs = append(errs, d.engines[address].Close())
	}
	clear(d.engines)
	return errors.Join(errs...)
}

// directory is where what is kept of a resource is: its files or its checkout, which
// don't get in each other's way, and a lock.
func (d *Deployer) directory(known *declared, key state.Key) (string, error) {
	cache := d.options.Cache
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no directory for files, give one as the cache: %w", err)
		}
		cache = filepath.Join(user, "resourcesync")
	}
	return filepath.Join(cache, fileName(known.scope.Org), fileName(known.scope.App), key.Kind, fileName(key.Name)), nil
}

// files is the directory of a resource's files, which are a repository's or not.
func (d *Deployer) files(known *declared, key state.Key, from *repository) (string, error) {
	dir, err := d.directory(known, key)
	if from != nil {
		return filepath.Join(dir, "checkout"), err
	}
	return filepath.Join(dir, "files"), err
}

// lock waits until nobody else uses the files of a resource, in this process or
// another one with the same cache. The one who has it unlocks it.
func (d *Deployer) lock(ctx context.Context, known *declared, key state.Key) (unlock func(), err error) {
	dir, err := d.directory(known, key)
	if err != nil {
		return nil, err
	}
	return lockFile(ctx, filepath.Join(dir, "lock"))
}
