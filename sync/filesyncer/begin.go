package filesyncer

import (
	"context"
	"errors"
)

// begin makes sure that nobody else writes, and cleans up after those before.
func (t *tx) begin(ctx context.Context, before *holder) error {
	if err := t.lease.clear(); err != nil {
		return err
	}
	if err := t.open(); err != nil {
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
	var err error
	t.head, err = t.b.readHead()
	return err
}

// open opens the files that are appended to, and finds out how far they go.
func (t *tx) open() error {
	end, err := reread(func() (tail, error) { return readTail(t.b.dir) })
	if err != nil {
		return err
	}
	if err := t.journal.open(end.size); err != nil {
		return err
	}
	declared, err := t.b.store.look()
	if err != nil {
		return err
	}
	return t.declared.open(declared)
}
