package filesyncer

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	return t.head, nil
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
	next, err := t.verify(ctx, delta)
	if err != nil {
		return err
	}
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
	t.head = t.b.complete(delta.Head)
	t.books.take(next, delta)
	if t.journal.size > max(t.b.opts.CompactBytes, 2*t.books.snapshot) {
		t.untidy = t.compact(ctx, false) // Close reports it: the commit is recorded
	}
	return nil
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

// verify returns the parts of the State after the delta, if it is the next one.
func (t *tx) verify(ctx context.Context, delta *state.Delta) (parts, error) {
	if delta.Head.Serial != t.head.Serial+1 {
		return nil, &tusync.StaleError{
			PlannedSerial: delta.Head.Serial - 1, Serial: t.head.Serial,
			Moved: []string{fmt.Sprintf("the next serial is %d", t.head.Serial+1)},
		}
	}
	if err := checkDelta(delta, t.b.scope); err != nil {
		return nil, err
	}
	if err := t.load(ctx); err != nil {
		return nil, err
	}
	next, err := t.books.parts.with(delta, t.books.spare)
	if err != nil {
		return nil, err
	}
	t.books.spare = next
	return next, next.fits(&delta.Head)
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
