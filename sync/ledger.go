package sync

import (
	"maps"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// ledger is the State as a run changes it: every record, and the roots over them,
// so that a commit hashes what it changes and no more.
type ledger struct {
	kinds   *KindSet
	entries []entry       // in key order: of all records before, and of all that may come
	before  map[int]entry // what entries were at the last commit, by index, if they changed since
	news    map[state.Checksum]*state.Resource
	marked  map[state.Key]bool // see mark
	tally   state.Tally        // of what is present
}

type entry struct {
	record  state.Record
	part    state.Part // zero if it is not present
	present bool
}

// newLedger makes the ledger of records, with room for what the plan brings.
func newLedger(kinds *KindSet, records []state.Record, changes []PlannedChange) (*ledger, error) {
	l := &ledger{kinds: kinds, marked: map[state.Key]bool{}, entries: make([]entry, 0, len(records)+len(changes))}
	l.committed()
	for i := range records {
		l.entries = append(l.entries, entry{record: records[i], present: true})
	}
	for _, change := range changes {
		switch change.Change.(type) {
		case *diff.Create, *diff.Adopt, *diff.Update:
			l.entries = append(l.entries, entry{record: state.Record{Key: change.Key()}})
		}
	}
	slices.SortStableFunc(l.entries, func(a, b entry) int { return a.record.Compare(b.record.Key) })
	// What is recorded comes first of those with the same key.
	l.entries = slices.CompactFunc(l.entries, func(a, b entry) bool { return a.record.Key == b.record.Key })
	errs := make([]error, len(l.entries))
	inParallel(len(l.entries), func(first, last int) {
		for i := first; i < last; i++ {
			if l.entries[i].present {
				l.entries[i].part, errs[i] = l.entries[i].record.Part()
			}
		}
	})
	for i := range l.entries {
		l.tally.Swap(state.Part{}, l.entries[i].part)
	}
	return l, joinErrors(errs...)
}

func (l *ledger) find(key state.Key) (int, bool) {
	return slices.BinarySearchFunc(l.entries, key, func(e entry, key state.Key) int { return e.record.Compare(key) })
}

// id returns the ID of what is recorded under a key.
func (l *ledger) id(key state.Key) (string, bool) {
	i, found := l.find(key)
	if !found || !l.entries[i].present || l.entries[i].record.ID == "" {
		return "", false
	}
	return l.entries[i].record.ID, true
}

// set makes an entry's record what it is now, or takes it away if it is nil.
func (l *ledger) set(key state.Key, record *state.Record) error {
	i, _ := l.find(key)
	e := &l.entries[i]
	before := *e
	now := entry{record: state.Record{Key: key}}
	if record != nil {
		part, err := record.Part()
		if err != nil {
			return err
		}
		now = entry{record: *record, part: part, present: true}
	}
	if _, changed := l.before[i]; !changed {
		l.before[i] = before
	}
	l.tally.Swap(before.part, now.part)
	*e = now
	return nil
}

// get returns a copy of what is recorded under a key, and whether anything is.
func (l *ledger) get(key state.Key) (state.Record, bool) {
	i, found := l.find(key)
	if !found || !l.entries[i].present {
		return state.Record{Key: key}, false
	}
	record := l.entries[i].record
	record.Pending = slices.Clone(record.Pending)
	return record, true
}

// isClean tells whether nothing changed since the last commit.
func (l *ledger) isClean() bool { return len(l.before) == 0 }

// done notes that a change is done: id is that of what it has created or adopted,
// birth the serial since which what is to be deployed is pending.
func (l *ledger) done(change diff.Change, id string, birth int64) error {
	key := l.keyOf(change)
	record, present := l.get(key)
	if key != change.Key() { // it has moved
		if err := l.set(key, nil); err != nil {
			return err
		}
		record.Key = change.Key()
	}
	switch c := change.(type) {
	case *diff.Create:
		if !c.Replaces {
			record.ID = ""
		}
		record = state.Record{Key: c.Desired.Key, ID: record.ID}
		supersede(&record, id)
		l.declare(&record, &c.Target, true, birth)
	case *diff.Adopt:
		record = state.Record{Key: c.Desired.Key, ID: record.ID, Replaced: record.Replaced}
		supersede(&record, c.ID)
		l.declare(&record, &c.Target, true, birth)
	case *diff.Update:
		record.Orphaned = false
		l.declare(&record, &c.Target, matters(l.kinds.kind(c.Desired.Kind), c), birth)
	case *diff.Delete:
		pending := pendingOp(&record)
		switch {
		case !present:
			return nil
		case c.Replaced && record.ID == c.Recorded.ID && pending != nil && pending.Op == string(diff.OpCreate):
			record.ID, record.ConfigID, record.Checksum = "", "", state.Checksum{} // that create goes on
			record.Pending = []state.Pending{*pending}
		case !c.Replaced || record.ID == c.Recorded.ID:
			return l.set(key, nil)
		case c.Recorded.ID == "": // nothing is left of the interrupted replace
			record.Pending = without(record.Pending, diff.OpCreate)
		case record.Replaced == c.Recorded.ID:
			record.Replaced = ""
		}
	case *diff.Forget:
		return l.set(c.Recorded.Key, nil)
	case *diff.Orphan:
		record.Orphaned = true
	case *diff.Deploy:
		record.Pending = without(record.Pending, diff.OpDeploy)
	}
	return l.set(change.Key(), &record)
}

// keyOf returns the key under which the resource of a change is on the books now:
// what moves has its old one until that is done, or until it is created under its
// new one.
func (l *ledger) keyOf(change diff.Change) state.Key {
	switch change.(type) {
	case *diff.Create, *diff.Update, *diff.Adopt, *diff.Deploy:
		if record := recordOf(change); record != nil {
			if _, present := l.get(record.Key); present {
				return record.Key
			}
		}
	}
	return change.Key()
}

// supersede gives a record's thing an ID: if it had another one, that is of the
// thing whose place it takes, and which is to be deleted.
func supersede(r *state.Record, id string) {
	if r.ID != "" && r.ID != id {
		r.Replaced = r.ID
	}
	r.ID = id
}

// declare makes the record that of a declaration.
func (l *ledger) declare(r *state.Record, target *diff.Target, matters bool, birth int64) {
	deploy := pendingDeploy(r)
	r.Pending = nil
	switch {
	case !target.Desired.Deploy:
	case matters || deploy == nil && r.Checksum.IsZero():
		r.Pending = []state.Pending{{Op: string(diff.OpDeploy), Serial: birth, Checksum: target.Checksum}}
	case deploy != nil:
		r.Pending = []state.Pending{*deploy}
	}
	if r.Checksum != target.Checksum {
		l.news[target.Checksum] = target.Desired
	}
	r.Type, r.Checksum, r.After = target.Desired.Type, target.Checksum, target.Edges
	r.Protected = target.Desired.Protected
	r.ConfigID = state.DeriveID("config", r.ID, r.Checksum.String())
}

// intend notes that a change is about to be carried out.
func (l *ledger) intend(change diff.Change, serial int64) error {
	key := l.keyOf(change)
	record, present := l.get(key)
	pending := state.Pending{Op: string(change.Op()), Serial: serial}
	target := targetOf(change)
	if target != nil {
		pending.Checksum = target.Checksum
		l.news[target.Checksum] = target.Desired
	}
	switch c := change.(type) {
	case *diff.Create:
		pending.Op = string(diff.OpCreate)
		if key != c.Desired.Key { // it is looked for by the name that it is created with
			if err := l.set(key, nil); err != nil {
				return err
			}
			key, record.Key = c.Desired.Key, c.Desired.Key
		}
		if c.Replaces && record.ID != "" {
			break // the old one's record has to stay
		}
		record = state.Record{Key: key, Type: c.Desired.Type, After: c.Edges, Protected: c.Desired.Protected, Pending: record.Pending}
	case *diff.Adopt:
		pending.Op = string(diff.OpUpdate)
		record = state.Record{
			Key: key, Type: c.Desired.Type, ID: record.ID, After: c.Edges, Protected: c.Desired.Protected,
			Replaced: record.Replaced, Pending: without(record.Pending, diff.OpCreate),
		}
		supersede(&record, c.ID)
	case *diff.Update:
		pending.Op = string(diff.OpUpdate)
	case *diff.Delete:
		if !present || c.Recorded.ID == "" || record.Replaced != "" {
			return nil // Replaced says it already; what isn't recorded is looked up again
		}
	}
	pending.Attempts = 1
	for _, before := range record.Pending {
		if before.Op == pending.Op && before.Attempts > 0 {
			pending.Serial, pending.Attempts = before.Serial, before.Attempts+1
		}
	}
	record.Pending = append(without(record.Pending, diff.Op(pending.Op)), pending)
	return l.set(key, &record)
}

// failed notes that a change was attempted and is not done. If nothing of it is
// there, certain is true and id is empty; with an ID a create has left something
// behind. What could for certain not be deleted is still there.
func (l *ledger) failed(change diff.Change, id string, certain bool, message string) error {
	key := l.keyOf(change)
	record, present := l.get(key)
	if !present {
		return nil
	}
	if create, ok := change.(*diff.Create); ok {
		switch {
		case id != "": // it is there, and has to be made what it should be
			record.Pending = without(record.Pending, diff.OpUpdate)
			for i := range record.Pending {
				if record.Pending[i].Op == string(diff.OpCreate) {
					record.Pending[i].Op = string(diff.OpUpdate)
				}
			}
			supersede(&record, id)
			record.Type, record.After, record.Checksum = create.Desired.Type, create.Edges, state.Checksum{} // not the old one's
		case certain && record.ID == "":
			return l.set(key, nil)
		case certain && (l.marked[key] || create.Recorded != nil && pendingOp(create.Recorded) != nil): // it still has to be replaced
			for i := range record.Pending {
				if record.Pending[i].Op == string(diff.OpCreate) {
					record.Pending[i].Attempts = 0
				}
			}
		case certain:
			record.Pending = without(record.Pending, diff.OpCreate)
			return l.set(key, &record)
		}
	}
	_, deletes := change.(*diff.Delete)
	for i := range record.Pending {
		if p := &record.Pending[i]; p.Op == string(change.Op()) || p.Op == intentOf(change) {
			p.Error = shortened(message)
			if deletes && certain {
				p.Attempts = 0 // it is still there
			}
		}
	}
	return l.set(key, &record)
}

// shortened returns a message that is fit for a record.
func shortened(message string) string {
	const most = 500
	if len(message) <= most {
		return storable(message)
	}
	return storable(strings.ToValidUTF8(message[:most], "")) + " …"
}

// storable returns a text that every backend can store: as UTF-8, without NUL.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

// intentOf returns the op that the intent of a change is recorded as.
func intentOf(change diff.Change) string {
	switch change.(type) {
	case *diff.Create:
		return string(diff.OpCreate)
	case *diff.Update, *diff.Adopt:
		return string(diff.OpUpdate)
	}
	return string(change.Op())
}

// mark notes that a recorded resource has to be updated or replaced, since what it
// refers to has a new ID: even if its own change is never reached. Without an
// attempt, a create that is pending has not been begun.
func (l *ledger) mark(key state.Key, op diff.Op, target *diff.Target, serial int64) error {
	record, present := l.get(key)
	if !present || record.ID == "" || target == nil || pendingOf(&record, op) != nil {
		return nil
	}
	l.marked[key] = true
	if target.Desired != nil {
		l.news[target.Checksum] = target.Desired
	}
	record.Pending = append(record.Pending, state.Pending{Op: string(op), Serial: serial, Checksum: target.Checksum})
	return l.set(key, &record)
}

// markDeploy notes that a recorded resource is to be deployed, since something that
// it comes after was: even if its own deploy is never reached.
func (l *ledger) markDeploy(deploy *diff.Deploy, serial int64) error {
	key := l.keyOf(deploy)
	record, present := l.get(key)
	if !present || record.ID == "" || pendingDeploy(&record) != nil {
		return nil
	}
	l.news[deploy.Checksum] = deploy.Desired
	record.Pending = append(record.Pending, state.Pending{Op: string(diff.OpDeploy), Serial: serial, Checksum: deploy.Checksum})
	return l.set(key, &record)
}

func without(pending []state.Pending, op diff.Op) []state.Pending {
	kept := slices.DeleteFunc(slices.Clone(pending), func(p state.Pending) bool { return p.Op == string(op) })
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// targetOf returns what a change works towards, nil if it only takes away.
func targetOf(change diff.Change) *diff.Target {
	switch c := change.(type) {
	case *diff.Create:
		return &c.Target
	case *diff.Update:
		return &c.Target
	case *diff.Adopt:
		return &c.Target
	case *diff.Deploy:
		return &c.Target
	}
	return nil
}

// delta returns what changed since the last commit, as the one that leads to
// next.
func (l *ledger) delta(next state.Head) state.Delta {
	delta := state.Delta{Head: l.tally.Seal(next)}
	sums := map[state.Checksum]bool{}
	declare := func(sum state.Checksum) {
		if resource := l.news[sum]; resource != nil && !sums[sum] {
			sums[sum] = true
			delta.Declared = append(delta.Declared, *resource)
		}
	}
	for _, i := range slices.Sorted(maps.Keys(l.before)) {
		e, before := &l.entries[i], l.before[i]
		if !e.present {
			if before.present {
				delta.Dropped = append(delta.Dropped, e.record.Key)
			}
			continue
		}
		delta.Records = append(delta.Records, e.record)
		declare(e.record.Checksum)
		for _, pending := range e.record.Pending {
			declare(pending.Checksum)
		}
	}
	slices.SortStableFunc(delta.Declared, func(a, b state.Resource) int { return a.Compare(b.Key) })
	return delta
}

// committed notes that the last delta is recorded.
func (l *ledger) committed() {
	l.before, l.news = map[int]entry{}, map[state.Checksum]*state.Resource{}
}

// revert goes back to the last commit.
func (l *ledger) revert() {
	for i, e := range l.before {
		l.tally.Swap(l.entries[i].part, e.part)
		l.entries[i] = e
	}
	l.committed()
}

// all returns what is present.
func (l *ledger) all() []state.Record {
	records := make([]state.Record, 0, len(l.entries))
	for i := range l.entries {
		if l.entries[i].present {
			records = append(records, l.entries[i].record)
		}
	}
	return records
}
