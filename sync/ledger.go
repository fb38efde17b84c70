package sync

import (
	"maps"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// ledger is the State as a run changes it: every record, and what each adds to
// the roots, so that a commit hashes what it changes.
type ledger struct {
	entries []entry       // in key order: of all records before, and of all that may come
	before  map[int]entry // what entries were at the last commit, by index, if they changed since
	news    map[state.Key]*state.Resource
}

type entry struct {
	record   state.Record
	part     state.Checksum // what the record adds to the root
	declared state.Checksum // what it adds to the declared root
	present  bool
}

// newLedger makes the ledger of records, with room for what the plan creates.
func newLedger(records []state.Record, changes []PlannedChange) (*ledger, error) {
	l := &ledger{entries: make([]entry, 0, len(records)+len(changes))}
	l.committed()
	for i := range records {
		l.entries = append(l.entries, entry{record: records[i], present: true})
	}
	for _, change := range changes {
		if c, ok := change.Change.(*diff.Create); ok {
			l.entries = append(l.entries, entry{record: state.Record{Key: c.Key()}})
		}
	}
	slices.SortFunc(l.entries, func(a, b entry) int { return a.record.Compare(b.record.Key) })
	errs := make([]error, len(l.entries))
	inParallel(len(l.entries), func(first, last int) {
		for i := first; i < last; i++ {
			if l.entries[i].present {
				errs[i] = l.entries[i].hash()
			}
		}
	})
	return l, joinErrors(errs...)
}

// hash brings the entry's parts up to date.
func (e *entry) hash() error {
	part, err := e.record.Part()
	if err != nil {
		return err
	}
	e.part = part
	if !e.record.Orphaned {
		e.declared = state.DeclaredPart(e.record.Key, e.record.Checksum, e.record.After)
	}
	return nil
}

func (l *ledger) find(key state.Key) int {
	i, _ := slices.BinarySearchFunc(l.entries, key, func(e entry, key state.Key) int { return e.record.Compare(key) })
	return i
}

// record notes how a change ended well: the id is a create's.
func (l *ledger) record(change diff.Change, id string) error {
	i := l.find(change.Key())
	e := &l.entries[i]
	before := *e
	switch c := change.(type) {
	case *diff.Create:
		e.record = state.Record{Key: c.Key(), ID: id}
		l.declare(&e.record, c.Desired, c.Checksum)
	case *diff.Update:
		e.record.Orphaned = false
		l.declare(&e.record, c.Desired, c.Checksum)
	case *diff.Orphan:
		e.record.Orphaned = true
	}
	switch change.(type) {
	case *diff.Delete, *diff.Forget:
		e.present = false
	default:
		e.present = true
		if err := e.hash(); err != nil {
			*e = before
			delete(l.news, change.Key())
			return err
		}
	}
	if _, changed := l.before[i]; !changed {
		l.before[i] = before
	}
	return nil
}

// isClean tells whether nothing changed since the last commit.
func (l *ledger) isClean() bool { return len(l.before) == 0 }

// declare makes the record that of a declaration.
func (l *ledger) declare(r *state.Record, desired *state.Resource, sum state.Checksum) {
	if r.Checksum != sum {
		l.news[desired.Key] = desired
	}
	r.Type, r.Checksum, r.After = desired.Type, sum, desired.Edges()
	r.ConfigID = state.DeriveID("config", r.ID, sum.String())
}

// delta returns what changed since the last commit, as the one that leads to
// next.
func (l *ledger) delta(next state.Head) state.Delta {
	delta := state.Delta{Head: l.seal(next)}
	for _, i := range slices.Sorted(maps.Keys(l.before)) {
		e := &l.entries[i]
		if !e.present {
			delta.Dropped = append(delta.Dropped, e.record.Key)
			continue
		}
		delta.Records = append(delta.Records, e.record)
		if resource := l.news[e.record.Key]; resource != nil {
			delta.Declared = append(delta.Declared, *resource)
		}
	}
	return delta
}

// committed notes that the last delta is recorded.
func (l *ledger) committed() {
	l.before, l.news = map[int]entry{}, map[state.Key]*state.Resource{}
}

// revert goes back to the last commit.
func (l *ledger) revert() {
	for i, e := range l.before {
		l.entries[i] = e
	}
	l.committed()
}

// seal returns the head with the roots and counts of what is present.
func (l *ledger) seal(head state.Head) state.Head {
	var root, declared state.Hasher
	head.Records, head.Orphans, head.Pending = 0, 0, 0
	for i := range l.entries {
		e := &l.entries[i]
		if !e.present {
			continue
		}
		head.Records++
		root.Add(e.part)
		if e.record.Orphaned {
			head.Orphans++
		} else {
			declared.Add(e.declared)
		}
		if len(e.record.Pending) > 0 {
			head.Pending++
		}
	}
	head.Version = state.DefaultStateVersion
	head.Root, head.Declared = root.Root(), declared.Root()
	return head
}

// records returns what is present.
func (l *ledger) records() []state.Record {
	records := make([]state.Record, 0, len(l.entries))
	for i := range l.entries {
		if l.entries[i].present {
			records = append(records, l.entries[i].record)
		}
	}
	return records
}
