package syncertest

import (
	"context"
	"iter"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// mortal is the backend of a process that has a fate. When the process is dead
// nothing reaches the store any more: its Tx stays open, as a killed process
// leaves it.
type mortal struct {
	tusync.Backend
	of *program
	// open are the Txs that were not closed, for whoever clears up.
	open map[*mortalTx]bool
}

// Unwrap gives the engine what else the backend can do.
func (b *mortal) Unwrap() tusync.Backend { return b.Backend }

// Head is a Backend's.
func (b *mortal) Head(ctx context.Context) (state.Head, error) {
	if err := b.of.fate.calls("Head", false); err != nil {
		return state.Head{}, err
	}
	return b.Backend.Head(ctx)
}

// Records is a Backend's.
func (b *mortal) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	if err := b.of.fate.calls("Records", false); err != nil {
		return func(yield func(state.Record, error) bool) { yield(state.Record{}, err) }
	}
	return b.Backend.Records(ctx)
}

// Declared is a Backend's.
func (b *mortal) Declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	if err := b.of.fate.calls("Declared", false); err != nil {
		return nil, err
	}
	return b.Backend.Declared(ctx, sums)
}

// Begin is a Backend's.
func (b *mortal) Begin(ctx context.Context, owner string) (tusync.Tx, state.Head, error) {
	if err := b.of.fate.calls("Begin", false); err != nil {
		return nil, state.Head{}, err
	}
	inner, head, err := b.Backend.Begin(ctx, owner)
	if err != nil {
		return nil, head, err
	}
	tx := &mortalTx{Tx: inner, backend: b}
	b.open[tx] = true
	if err := b.of.fate.calls("Begin", true); err != nil {
		return nil, state.Head{}, err
	}
	return tx, head, nil
}

// mortalTx is the Tx of a process that has a fate.
type mortalTx struct {
	tusync.Tx
	backend *mortal
}

// Apply is a Tx's. What is to fail isn't handed on.
func (tx *mortalTx) Apply(ctx context.Context, changes []diff.Change) ([]tusync.Outcome, error) {
	b := tx.backend
	if err := b.of.fate.calls("Apply", false); err != nil {
		return nil, err
	}
	outcomes := make([]tusync.Outcome, len(changes))
	var good []diff.Change
	var which []int
	for i, change := range changes {
		b.of.trace.begin(change)
		if b.of.fate.store != nil {
			outcomes[i].Err = b.of.fate.store(change)
		}
		if outcomes[i].Err == nil {
			good, which = append(good, change), append(which, i)
		}
	}
	if len(good) > 0 {
		done, err := tx.Tx.Apply(ctx, good)
		if err != nil {
			return nil, err
		}
		for at, i := range which {
			outcomes[i] = done[at]
			if done[at].Err == nil {
				b.of.trace.end(changes[i])
			}
		}
	}
	return outcomes, b.of.fate.calls("Apply", true)
}

// Commit is a Tx's.
func (tx *mortalTx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	b := tx.backend
	if err := b.of.fate.calls("Commit", false); err != nil {
		return state.Head{}, err
	}
	head, err := tx.Tx.Commit(ctx, delta)
	if err != nil {
		return head, err
	}
	b.of.trace.committed(head.Serial)
	if err := b.of.fate.calls("Commit", true); err != nil {
		return state.Head{}, err
	}
	return head, nil
}

// Renew is a Tx's. It is no boundary: when it comes depends on time.
func (tx *mortalTx) Renew(ctx context.Context) (time.Time, error) {
	if tx.backend.of.fate.isDead() {
		return time.Time{}, errDead
	}
	return tx.Tx.Renew(ctx)
}

// Close is a Tx's.
func (tx *mortalTx) Close(ctx context.Context) error {
	if err := tx.backend.of.fate.calls("Close", false); err != nil {
		return err
	}
	delete(tx.backend.open, tx)
	return tx.Tx.Close(ctx)
}

// bury closes what a dead process has left open, when others have the lease.
func (b *mortal) bury(ctx context.Context) error {
	for tx := range b.open {
		delete(b.open, tx)
		if err := tx.Tx.Close(ctx); err != nil {
			return err
		}
	}
	return nil
}
