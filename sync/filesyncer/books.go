package filesyncer

import (
	"context"
	"slices"

	"github.com/trueup-go/trueup/state"
)

// books are what a writer keeps in memory of the State: enough to verify a
// commit by hashing what it changes, and to write the next snapshot.
type books struct {
	parts    *parts
	overlay  overlay // what the journal adds to the snapshot
	snapshot int64   // its size in bytes
	folded   int64   // its serial
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
	books := &books{overlay: v.overlay, parts: newParts(v.head.Records)}
	if v.snapshot != nil {
		books.snapshot, books.folded = v.snapshot.size, v.snapshot.head().Serial
	}
	for record, err := range v.records() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		part, err := record.Part()
		if err != nil {
			return err
		}
		books.parts.set(record.Key, state.Part{}, part)
	}
	if v.head.Serial > 0 {
		if err := books.parts.tally.Fits(&v.head); err != nil {
			return &CorruptError{File: t.journal.path, Err: err}
		}
	}
	t.books, t.head = books, v.head
	return nil
}

// take notes the records of a commit. They are the caller's: it may change them
// once the commit is done.
func (b *books) take(d *state.Delta) {
	own := state.Delta{Records: slices.Clone(d.Records), Dropped: d.Dropped}
	for i := range own.Records {
		r := &own.Records[i]
		r.After, r.Pending = slices.Clone(r.After), slices.Clone(r.Pending)
	}
	b.overlay.add(&own)
}
