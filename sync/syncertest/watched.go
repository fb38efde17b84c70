package syncertest

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// watched is a backend that tells a test of its calls, and fails those that the
// test says.
type watched struct {
	tusync.Backend
	// on is called before each call, and may fail it. Nil does nothing.
	on func(call string) error
	// done is called after each call that went well. Nil does nothing.
	done func()
	// outcome fails a change that was applied. Nil fails none.
	outcome func(diff.Change) error

	mu      sync.Mutex
	calls   []string
	batches [][]diff.Change
}

func watch(b tusync.Backend) *watched { return &watched{Backend: b} }

// Unwrap returns the backend below, for what else it can do.
func (w *watched) Unwrap() tusync.Backend { return w.Backend }

// Atomic tells what the backend below tells.
func (w *watched) Atomic() bool {
	atomic, ok := w.Backend.(tusync.Atomic)
	return !ok || atomic.Atomic()
}

func (w *watched) called(call string) error {
	w.mu.Lock()
	w.calls = append(w.calls, call)
	w.mu.Unlock()
	if w.on == nil {
		return nil
	}
	return w.on(call)
}

// ended passes on the error of a call.
func (w *watched) ended(err error) error {
	if err == nil && w.done != nil {
		w.done()
	}
	return err
}

// take returns the calls since the last time, but for renewals, whose number
// depends on time.
func (w *watched) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls = nil
	return slices.DeleteFunc(calls, func(call string) bool { return call == "Renew" })
}

// Head is a Backend's.
func (w *watched) Head(ctx context.Context) (state.Head, error) {
	if err := w.called("Head"); err != nil {
		return state.Head{}, err
	}
	head, err := w.Backend.Head(ctx)
	return head, w.ended(err)
}

// Records is a Backend's.
func (w *watched) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	if err := w.called("Records"); err != nil {
		return func(yield func(state.Record, error) bool) { yield(state.Record{}, err) }
	}
	return w.Backend.Records(ctx)
}

// Declared is a Backend's.
func (w *watched) Declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	if err := w.called("Declared"); err != nil {
		return nil, err
	}
	found, err := w.Backend.Declared(ctx, sums)
	return found, w.ended(err)
}

// Begin is a Backend's.
func (w *watched) Begin(ctx context.Context, owner string) (tusync.Tx, state.Head, error) {
	if err := w.called("Begin"); err != nil {
		return nil, state.Head{}, err
	}
	tx, head, err := w.Backend.Begin(ctx, owner)
	if w.ended(err) != nil {
		return nil, head, err
	}
	return &watchedTx{Tx: tx, watched: w}, head, nil
}

type watchedTx struct {
	tusync.Tx
	watched *watched
}

// Apply is a Tx's.
func (tx *watchedTx) Apply(ctx context.Context, changes []diff.Change) ([]tusync.Outcome, error) {
	if err := tx.watched.called("Apply"); err != nil {
		return nil, err
	}
	tx.watched.mu.Lock()
	tx.watched.batches = append(tx.watched.batches, slices.Clone(changes))
	tx.watched.mu.Unlock()
	outcomes, err := tx.Tx.Apply(ctx, changes)
	if tx.watched.ended(err) != nil || tx.watched.outcome == nil {
		return outcomes, err
	}
	for i := range outcomes {
		if err := tx.watched.outcome(changes[i]); err != nil {
			outcomes[i].Err = err
		}
	}
	return outcomes, nil
}

// Commit is a Tx's.
func (tx *watchedTx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	if err := tx.watched.called("Commit"); err != nil {
		return state.Head{}, err
	}
	head, err := tx.Tx.Commit(ctx, delta)
	return head, tx.watched.ended(err)
}

// Renew is a Tx's.
func (tx *watchedTx) Renew(ctx context.Context) (time.Time, error) {
	if err := tx.watched.called("Renew"); err != nil {
		return time.Time{}, err
	}
	until, err := tx.Tx.Renew(ctx)
	return until, tx.watched.ended(err)
}

// Close is a Tx's.
func (tx *watchedTx) Close(ctx context.Context) error {
	if err := tx.watched.called("Close"); err != nil {
		return err
	}
	return tx.watched.ended(tx.Tx.Close(ctx))
}
