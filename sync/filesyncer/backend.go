package filesyncer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Options are a Backend's. The zero value and nil mean every default.
type Options struct {
	// History is how many earlier States are kept: each is that of one commit, and
	// the engine commits what handlers do act by act. A State costs what its commit
	// changed, and now and then a copy. Defaults to 1,000; -1 keeps none, and
	// forgets those that there are.
	History int
	// CompactBytes is how large the journal may grow while a plan is applied
	// before it is folded into state.json. Whatever it is, the journal may always
	// grow to twice the size of state.json, so that the cost of folding stays in
	// proportion. Defaults to 16 MiB.
	CompactBytes int64
}

func (o *Options) withDefaults() (Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.CompactBytes < 0 {
		return opts, fmt.Errorf("Options.CompactBytes is %d: want 1 or more, or 0 for the default", opts.CompactBytes)
	}
	if opts.History < -1 {
		return opts, fmt.Errorf("Options.History is %d: want 1 or more, 0 for the default, or -1 for none", opts.History)
	}
	if opts.CompactBytes == 0 {
		opts.CompactBytes = 16 << 20
	}
	if opts.History == 0 {
		opts.History = 1000
	}
	return opts, nil
}

// Backend records one scope in a directory. It is safe for concurrent use, by
// any number of processes.
type Backend struct {
	dir   string
	scope state.Scope
	opts  Options
	disk  disk
	store *store
}

var _ tusync.Backend = (*Backend)(nil)

// New returns a backend that records scope in the directory dir. The directory
// need not be there: Begin makes it, with access for this user only. The options
// may be nil.
//
// On systems without locks that end with their process, such as Windows, the
// error is one for which errors.Is(err, errors.ErrUnsupported).
func New(dir string, scope state.Scope, opts *Options) (*Backend, error) {
	filled, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkSystem(); err != nil {
		return nil, err
	}
	if err := scope.Validate(); err != nil {
		return nil, err
	}
	if dir == "" {
		return nil, errors.New("the directory has no name")
	}
	// An absolute path, so that the program may change its directory.
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, diskError("look at", dir, err)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not a directory", dir)
	}
	return &Backend{dir: dir, scope: scope, opts: filled, disk: osDisk{}, store: newStore(dir)}, nil
}

// path returns the path of a file in the directory.
func (b *Backend) path(name string) string { return filepath.Join(b.dir, name) }

// Dir returns the absolute path of the directory.
func (b *Backend) Dir() string { return b.dir }

// Scope returns whose State the directory holds.
func (b *Backend) Scope() state.Scope { return b.scope }

// Head returns the State's head. It reads the head of state.json and the last
// commit of the journal, not the records.
//
// The error is a *CorruptError, a *ScopeError, a *DiskError, or one for which
// errors.Is(err, state.ErrNewerVersion).
func (b *Backend) Head(ctx context.Context) (state.Head, error) {
	if err := ctx.Err(); err != nil {
		return state.Head{}, err
	}
	return b.readHead()
}

// Records yields the records in key order, as of the serial at which the
// iteration began, whatever is committed meanwhile. It holds the journal in
// memory and reads state.json as it goes. The errors are those of Head; damage
// to the last records shows at the end.
func (b *Backend) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	return recordsOf(ctx, b.openView)
}

// recordsOf yields the records of a view that is opened when the iteration begins.
func recordsOf(ctx context.Context, open func() (*view, error)) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(state.Record{}, err)
			return
		}
		v, err := open()
		if err != nil {
			yield(state.Record{}, err)
			return
		}
		defer v.close()
		for record, err := range v.records() {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(state.Record{}, err)
				return
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

// Declared returns the declarations with these checksums, each verified. It
// keeps in memory where each of the directory's declarations is, not the
// declarations.
func (b *Backend) Declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return b.store.get(ctx, sums)
}

// Begin takes the lease, for owner to be named to others. It makes the directory
// if there is none, and cleans up what a writer that died has left.
func (b *Backend) Begin(ctx context.Context, owner string) (tusync.Tx, state.Head, error) {
	if err := ctx.Err(); err != nil {
		return nil, state.Head{}, err
	}
	if err := b.makeDir(); err != nil {
		return nil, state.Head{}, err
	}
	l, before, err := b.takeLease(owner)
	if err != nil {
		return nil, state.Head{}, err
	}
	t := newTx(b, l)
	if err := l.why(t.begin(ctx, before)); err != nil {
		return nil, state.Head{}, errors.Join(err, t.release())
	}
	return t, ownHead(t.head), nil
}

// makeDir makes the directory. One that was never used is kept out of git: a
// State doesn't belong among the files that it is made from.
func (b *Backend) makeDir() error {
	if n, err := highestLease(b.dir); err != nil || n > 0 {
		return err
	}
	if err := b.disk.MkdirAll(b.dir); err != nil {
		return diskError("make", b.dir, err)
	}
	if err := b.disk.SyncDir(filepath.Dir(b.dir)); err != nil {
		return diskError("make", b.dir, err)
	}
	path := b.path(".gitignore")
	f, err := b.disk.Create(path)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return diskError("create", path, err)
	}
	_, err = f.Write([]byte("*\n"))
	return diskError("write", path, errors.Join(err, f.Close()))
}
