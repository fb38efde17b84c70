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
	return t.finishCompaction(&end)
}

// open opens the files that are appended to, and finds out how far they go.
func (t *tx) open() (tail, error) {
	end, err := reread(func() (tail, error) { return readTail(t.b.dir) })
	if err != nil {
		return tail{}, err
	}
	if err := t.journal.open(end.size); err != nil {
		return tail{}, err
	}
	declared, err := t.b.store.look()
	if err != nil {
		return tail{}, err
	}
	return end, t.declared.open(declared)
}

// finishCompaction takes the journal away if the snapshot holds all of it.
func (t *tx) finishCompaction(end *tail) error {
	if len(end.last.delta) == 0 {
		return nil
	}
	last, err := end.last.head()
	if err != nil || last.Serial != t.head.Serial {
		return err
	}
	s, err := openSnapshot(t.b.dir)
	if err != nil {
		return err
	}
	defer s.close()
	if s.head().Serial < last.Serial {
		return nil
	}
	return t.journal.retire()
}
