package filesyncer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Commit records the delta: the new declarations first, then, in one append that
// reaches the disk before Commit returns, a line of the journal.
func (t *tx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	if err := t.lease.why(t.commit(ctx, &delta)); err != nil {
		return state.Head{}, fmt.Errorf("commit serial %d of %s: %w", delta.Head.Serial, t.b.scope, err)
	}
	return ownHead(t.head), nil
}

func (t *tx) commit(ctx context.Context, delta *state.Delta) error {
	if err := t.usable(ctx); err != nil {
		return err
	}
	if err := t.lease.check(); err != nil {
		return err
	}
	if repeated, err := t.isRepeated(delta); repeated || err != nil {
		return err
	}
	swaps, err := t.verify(ctx, delta)
	if err != nil {
		return err
	}
	if err := t.record(ctx, delta); err != nil {
		t.books.parts.undo(swaps)
		return err
	}
	if t.journal.size > max(t.b.opts.CompactBytes, 2*t.books.snapshot, t.foldAt) {
		t.untidy = t.compact(ctx, false) // Close reports it: the commit is recorded
		t.foldAt = 2 * t.journal.size    // more than nothing if it failed: not again at every commit
	}
	return nil
}

// record adds a delta that was verified to the files.
func (t *tx) record(ctx context.Context, delta *state.Delta) error {
	line, sum, err := appendLine(nil, t.head.Root, delta)
	if err != nil {
		return err
	}
	if err := t.addDeclared(delta.Declared); err != nil {
		return err
	}
	if err := t.journal.append(func(w io.Writer) error { _, err := w.Write(line); return err }); err != nil {
		return err
	}
	if err := t.isRecorded(ctx, &delta.Head); err != nil {
		return err
	}
	t.last, t.base = sum, t.head.Root
	t.head = ownHead(t.b.complete(delta.Head))
	t.books.take(delta)
	return nil
}

// ownHead returns a head that shares nothing with another one.
func ownHead(head state.Head) state.Head {
	head.Kinds = maps.Clone(head.Kinds)
	return head
}

// isRepeated tells whether the delta is the one that was committed last.
func (t *tx) isRepeated(delta *state.Delta) (bool, error) {
	if t.last.IsZero() || delta.Head.Serial != t.head.Serial {
		return false, nil
	}
	_, sum, err := appendLine(nil, t.base, delta)
	return sum == t.last, err
}

// isRecorded makes sure that the line which was added counts. If the lease was
// lost before, nobody reads it; unless the next holder came late enough to find
// it, before it replaced the journal.
func (t *tx) isRecorded(ctx context.Context, head *state.Head) error {
	if err := t.lease.check(); !errors.Is(err, tusync.ErrLeaseLost) {
		if !t.journal.isThere() {
			return &CorruptError{File: t.journal.path, Err: errors.New("it was taken away while it was written")}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for t.journal.isThere() {
		timer := time.NewTimer(5 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return tusync.ErrLeaseLost
		}
	}
	now, err := t.b.readHead()
	if err != nil || now.Token != t.b.complete(*head).Token {
		return tusync.ErrLeaseLost
	}
	return nil
}

// verify makes the books' parts those after the delta, if it is the next one and
// its head is theirs; else they stay as they are. It returns what it changed.
func (t *tx) verify(ctx context.Context, delta *state.Delta) ([]swap, error) {
	if delta.Head.Serial != t.head.Serial+1 {
		return nil, &tusync.StaleError{
			PlannedSerial: delta.Head.Serial - 1, Serial: t.head.Serial,
			Moved: []string{fmt.Sprintf("the next serial is %d", t.head.Serial+1)},
		}
	}
	if err := delta.Validate(t.b.scope); err != nil {
		return nil, err
	}
	if err := t.load(ctx); err != nil {
		return nil, err
	}
	swaps, err := t.books.parts.swaps(delta)
	if err != nil {
		return nil, err
	}
	t.books.parts.apply(swaps)
	if err := t.books.parts.tally.Fits(&delta.Head); err != nil {
		t.books.parts.undo(swaps)
		return nil, &state.DeltaError{Err: err}
	}
	return swaps, nil
}

// addDeclared stores the declarations that are not there yet.
func (t *tx) addDeclared(resources []state.Resource) error {
	if len(resources) == 0 {
		return nil
	}
	if _, err := t.b.store.look(); err != nil {
		return err
	}
	var lines []byte // about a MiB at a time
	encode := func() (err error) {
		for lines = lines[:0]; len(resources) > 0 && len(lines) < 1<<20 && err == nil; resources = resources[1:] {
			lines, err = t.b.store.appendNew(lines, &resources[0])
		}
		return err
	}
	if err := encode(); err != nil || len(lines) == 0 {
		return err
	}
	return t.declared.append(func(w io.Writer) error {
		for len(lines) > 0 {
			if _, err := w.Write(lines); err != nil {
				return err
			}
			if err := encode(); err != nil {
				return err
			}
		}
		return nil
	})
}
