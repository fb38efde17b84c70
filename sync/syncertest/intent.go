package syncertest

import (
	"context"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// isIntended checks that an act which begins is on the books: under the key that
// its resource has there.
func (o *outside) isIntended(ctx context.Context, change diff.Change) error {
	keys := []state.Key{change.Key()}
	if known := knownOf(change); known != nil {
		keys = append(keys, known.Key)
	}
	found := "it has no record"
	for r, err := range o.reader.Records(ctx) {
		if err != nil {
			return err
		}
		if !slices.Contains(keys, r.Key) {
			continue
		}
		if isOnTheBooks(change, &r) {
			return nil
		}
		found = "its record says " + show(r)
	}
	if d, ok := change.(*diff.Delete); ok && d.Replaced && d.Recorded.Checksum.IsZero() {
		return nil // it was never recorded, and is found again
	}
	return fmt.Errorf("no intent: the %s of %s began, and %s", change.Op(), change.Key(), found)
}

// isOnTheBooks tells whether a record says that a change may be under way.
func isOnTheBooks(change diff.Change, r *state.Record) bool {
	pending := func(ops ...diff.Op) bool {
		return slices.ContainsFunc(ops, func(op diff.Op) bool { return pendingOf(r, op) != nil })
	}
	switch c := change.(type) {
	case *diff.Create:
		return pending(diff.OpCreate)
	case *diff.Update: // or a create that turned out to have happened
		return pending(diff.OpUpdate, diff.OpCreate)
	case *diff.Delete:
		return pending(diff.OpDelete) || r.Replaced != "" && r.Replaced == c.Recorded.ID ||
			pending(diff.OpCreate) && r.ID != c.Recorded.ID // what an interrupted create has made
	}
	return pending(change.Op())
}

// knownOf returns what a Handler is told of what there is, nil if there is nothing.
func knownOf(change diff.Change) *state.Record {
	switch c := change.(type) {
	case *diff.Create:
		return c.Recorded
	case *diff.Update:
		return c.Recorded
	case *diff.Delete:
		return c.Recorded
	}
	return nil
}

// pendingOf returns a record's unfinished op, nil if there is none.
func pendingOf(record *state.Record, op diff.Op) *state.Pending {
	i := slices.IndexFunc(record.Pending, func(p state.Pending) bool { return p.Op == string(op) })
	if i < 0 {
		return nil
	}
	return &record.Pending[i]
}

// isInterrupted tells whether a record is one of a create that was begun, and not
// only marked as due.
func isInterrupted(record *state.Record) bool {
	pending := pendingOf(record, diff.OpCreate)
	return pending != nil && pending.Attempts > 0
}

// show shows a record.
func show(record state.Record) string {
	text, err := record.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}
