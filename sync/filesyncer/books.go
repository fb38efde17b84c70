package filesyncer

import (
	"context"

	"github.com/trueup-go/trueup/state"
)

// books are what a writer keeps in memory of the State: enough to verify a
// commit, and to write the next snapshot.
type books struct {
	parts, spare parts
	overlay      overlay // what the journal adds to the snapshot
	snapshot     int64   // its size in bytes
}

// load reads the books. The head is theirs: while a former holder may still
// write, this is the moment from which on nothing that it adds counts.
func (t *tx) load(ctx context.Context) error {
	if t.books != nil {
		return nil
	}
	v, err := t.b.openView()
	if err != nil {
		return err
	}
	defer v.close()
	books := &books{overlay: v.overlay, parts: make(parts, 0, v.head.Records)}
	if v.snapshot != nil {
		books.snapshot = v.snapshot.size
	}
	for record, err := range v.records() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		p, err := partOf(&record)
		if err != nil {
			return err
		}
		books.parts = append(books.parts, p)
	}
	if v.head.Serial > 0 {
		if err := books.parts.fits(&v.head); err != nil {
			return &CorruptError{File: t.journal.path, Err: err}
		}
	}
	t.books, t.head = books, v.head
	return nil
}

// take notes a commit.
func (b *books) take(next parts, delta *state.Delta) {
	b.parts, b.spare = next, b.parts
	b.overlay.add(delta)
}
