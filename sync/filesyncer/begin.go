package filesyncer

import (
	"context"
	"errors"
	"fmt"
)

// begin makes sure that nobody else writes, and cleans up after those before.
func (t *tx) begin(ctx context.Context, before *holder) error {
	if err := t.lease.clear(); err != nil {
		return err
	}
	end, err := t.open()
	if err != nil {
		return err
	}
	// If the lease is ours still, the files that are open are those of our time:
	// who takes it from us replaces them.
	if err := t.lease.check(); err != nil {
		return err
	}
	if before.mayGoOn() {
		// It may have the files open, and add to them at any time. So they are
		// replaced, and what it adds is seen by nobody.
		if err := t.compact(ctx, true); err != nil {
			return err
		}
		return t.lease.fenced()
	}
	if err := errors.Join(t.journal.trim(), t.declared.trim()); err != nil {
		return err
	}
	if t.head, err = t.b.readHead(); err != nil {
		return err
	}
	return t.reaches(end)
}

// reaches returns an error if the journal ends before the State that it is folded
// into. A crash leaves a journal that ends with it, or goes on; so it is the serial
// in state.json that was changed, and the next commit would follow nothing.
func (t *tx) reaches(end tail) error {
	if len(end.last.delta) == 0 {
		return nil
	}
	last, err := end.last.head()
	if err == nil && last.Serial < t.head.Serial {
		err = fmt.Errorf("it is of serial %d, and %s ends with %d", t.head.Serial, journalFile, last.Serial)
	}
	if err != nil {
		return damaged(t.b.path(snapshotFile), 0, err)
	}
	return nil
}

// open opens the files that are appended to, and finds out how far they go: it
// returns the journal's end.
func (t *tx) open() (end tail, err error) {
	end, err = reread(func() (tail, error) { return readTail(t.journal.path) })
	if err != nil {
		return end, err
	}
	if err := t.journal.open(end.size); err != nil {
		return end, err
	}
	declared, err := t.b.store.look()
	if err != nil {
		return end, err
	}
	return end, t.declared.open(declared)
}
