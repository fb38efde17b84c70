package envsyncer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Sidecar records what a .env file has no place for. A *filesyncer.Backend is one.
type Sidecar interface {
	sync.Backend
	sync.Unlocker
	sync.DigestKeeper
}

// Options are a Backend's. Nil means every default.
type Options struct {
	// Edited is called when a writer finds versions that others have recorded, or
	// somebody has written by hand, and notes them in the sidecar. It may be nil.
	Edited func(edits []Edit)
}

// Edit is a recorded version that changed without the sidecar.
type Edit struct {
	Domain string
	// From is what the sidecar had, and To what the file has; empty: none.
	From, To string
	// Rebuilt says that the sidecar had nothing at all: it is new, or was lost.
	Rebuilt bool
}

// Backend records the scope of one server. It is safe for concurrent use, by any
// number of processes.
type Backend struct {
	Sidecar

	dir  string
	opts Options
	step func(string) // before and after whatever is done to a file; for tests
}

var _ Sidecar = (*Backend)(nil)

// New returns a backend over the .env files in a directory, which need not be there.
// The sidecar records the same scope, in a place of its own. The options may be nil.
func New(dir string, sidecar Sidecar, opts *Options) (*Backend, error) {
	if dir == "" {
		return nil, errors.New("the directory has no name")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	b := &Backend{Sidecar: sidecar, dir: dir, step: func(string) {}}
	if opts != nil {
		b.opts = *opts
	}
	return b, nil
}

// Head returns the head of the State, as the files have it now.
func (b *Backend) Head(ctx context.Context) (state.Head, error) {
	v, err := b.read(ctx)
	if err != nil {
		return state.Head{}, err
	}
	return v.head, nil
}

// Records yields the records in key order, as the files had them when the iteration
// began.
func (b *Backend) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		v, err := b.read(ctx)
		if err != nil {
			yield(state.Record{}, err)
			return
		}
		for i := range v.records {
			if err := ctx.Err(); err != nil {
				yield(state.Record{}, err)
				return
			}
			if !yield(v.records[i], nil) {
				return
			}
		}
	}
}

// Declared returns the declarations with these checksums: the sidecar's, and those that
// the files alone tell of.
func (b *Backend) Declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	declared, err := b.Sidecar.Declared(ctx, sums)
	if err != nil {
		return nil, err
	}
	var v *view
	for _, sum := range sums {
		if _, ok := declared[sum]; ok {
			continue
		}
		if v == nil {
			if v, err = b.read(ctx); err != nil {
				return nil, err
			}
		}
		if r, ok := v.news[sum]; ok {
			declared[sum] = r
		}
	}
	return declared, nil
}

// Begin takes the lease, and notes in the sidecar what the files have that it hasn't.
func (b *Backend) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	inner, _, err := b.Sidecar.Begin(ctx, owner)
	if err != nil {
		return nil, state.Head{}, err
	}
	t := &tx{Tx: inner, b: b}
	head, err := t.begin(ctx)
	if err != nil {
		return nil, state.Head{}, errors.Join(t.lost(err), t.Close(context.WithoutCancel(ctx)))
	}
	return t, head, nil
}

// The names beside the .env files.
const (
	// Dir is the directory for what a server's .env files have no place for.
	Dir = ".operatorsync"

	suffix        = ".env"
	ignoreFile    = ".gitignore"
	unwrittenFile = "unwritten.json"
	workPrefix    = "work-"
)

// own returns the path of a file that is ours alone.
func (b *Backend) own(name string) string { return filepath.Join(b.dir, Dir, name) }

// withToken returns a head with a digest of the content for its token.
func withToken(head state.Head) state.Head {
	head.Token = state.Token(fmt.Sprintf("%d %s", head.Serial, head.Root))
	return head
}
