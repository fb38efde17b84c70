package filesyncer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// tx is the one writer of the directory.
type tx struct {
	b     *Backend
	lease *lease

	mu     sync.Mutex // between Renew and Close
	closed bool

	head     state.Head
	journal  log
	declared log
	books    *books // nil until they are needed
	// last is the checksum of the line of the last commit, made on the root base.
	last, base state.Checksum
	// untidy is why the last compaction failed. Then it is tried again when the
	// journal is larger than foldAt.
	untidy error
	foldAt int64
}

func newTx(b *Backend, l *lease) *tx {
	t := &tx{b: b, lease: l}
	t.journal = log{disk: b.disk, path: b.path(journalFile), work: l.work}
	t.declared = log{disk: b.disk, path: b.path(declaredFile), work: l.work}
	return t
}

// usable tells whether anything can be done.
func (t *tx) usable(ctx context.Context) error {
	if t.closed {
		return errors.New("the transaction is closed")
	}
	return ctx.Err()
}

// Apply accepts every change: what the directory stores of a resource is its
// record and its declaration, and they come with the commit.
func (t *tx) Apply(ctx context.Context, changes []diff.Change) ([]tusync.Outcome, error) {
	if err := t.usable(ctx); err != nil {
		return nil, err
	}
	outcomes := make([]tusync.Outcome, len(changes))
	for i, change := range changes {
		switch c := change.(type) {
		case *diff.Create:
			outcomes[i].ID = c.ID
		case *diff.Adopt:
			outcomes[i].ID = c.ID
		case *diff.Update, *diff.Delete:
		default:
			return nil, fmt.Errorf("a change of type %T can't be applied", change)
		}
	}
	return outcomes, nil
}

// Renew prolongs the lease. It may be called at any time.
func (t *tx) Renew(ctx context.Context) (time.Time, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(ctx); err != nil {
		return time.Time{}, err
	}
	return t.lease.renew()
}

// Close gives up the lease. Before, it folds the journal into state.json if that
// is due. An error says what could not be tidied up; what was committed is safe.
func (t *tx) Close(ctx context.Context) error {
	if t.closed {
		return nil
	}
	if ctx.Err() == nil && t.compactionIsDue() && t.lease.check() == nil {
		t.untidy = t.compact(ctx, false)
	}
	if err := t.lease.why(t.untidy); errors.Is(err, tusync.ErrLeaseLost) {
		t.untidy = nil // that is for the next holder to do
	}
	return errors.Join(t.untidy, t.release())
}

// release gives up the lease and leaves the files as they are.
func (t *tx) release() error {
	err := errors.Join(t.journal.close(), t.declared.close())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return errors.Join(err, t.lease.release())
}
