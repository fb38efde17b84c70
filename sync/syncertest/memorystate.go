package syncertest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/trueup-go/trueup/state"
)

// memoryState is a State that deltas are applied to. A delta costs what it
// changes.
type memoryState struct {
	head             state.Head
	records          map[state.Key]memoryRecord
	root, declared   state.Tree
	orphans, pending int
	sorted           []state.Record // never changed, only replaced; nil if it must be made
}

// memoryRecord is a record with what it adds to the roots.
type memoryRecord struct {
	state.Record
	part, declared state.Checksum
}

func newMemoryState(scope state.Scope) *memoryState {
	return &memoryState{
		head:    state.Head{Version: state.DefaultStateVersion, Scope: scope, Token: "0"},
		records: map[state.Key]memoryRecord{},
	}
}

// apply applies a delta whose head fits what it makes of the records, or nothing.
func (s *memoryState) apply(d *state.Delta) error {
	if err := d.Validate(s.head.Scope); err != nil {
		return err
	}
	after := make([]memoryRecord, len(d.Records))
	for i, r := range d.Records {
		part, err := r.Part()
		if err != nil {
			return err
		}
		after[i] = memoryRecord{Record: r, part: part, declared: state.DeclaredPart(r.Key, r.Checksum, r.After)}
	}
	var before []memoryRecord
	for _, key := range slices.Concat(keysOfRecords(d.Records), d.Dropped) {
		if r, ok := s.records[key]; ok {
			before = append(before, r)
		}
	}
	s.swap(before, after)
	if err := s.fits(&d.Head); err != nil {
		s.swap(after, before)
		return &state.DeltaError{Err: err}
	}
	s.sorted, s.head = nil, withToken(d.Head)
	return nil
}

// withToken returns a head with the token of its State. What it points to is the
// caller's.
func withToken(head state.Head) state.Head {
	head.Kinds = maps.Clone(head.Kinds)
	head.Token = state.Token(fmt.Sprintf("%d %s", head.Serial, head.Root))
	return head
}

// swap removes records and adds others.
func (s *memoryState) swap(remove, add []memoryRecord) {
	for _, r := range remove {
		delete(s.records, r.Key)
		s.root.Remove(r.part)
		if !r.Orphaned {
			s.declared.Remove(r.declared)
		}
		s.count(&r, -1)
	}
	for _, r := range add {
		s.records[r.Key] = r
		s.root.Add(r.part)
		if !r.Orphaned {
			s.declared.Add(r.declared)
		}
		s.count(&r, +1)
	}
}

func (s *memoryState) count(r *memoryRecord, by int) {
	if r.Orphaned {
		s.orphans += by
	}
	if r.Unfinished() {
		s.pending += by
	}
}

// fits returns an error if a head doesn't tell of these records.
func (s *memoryState) fits(head *state.Head) error {
	switch {
	case s.root.Root() != head.Root:
		return &state.ChecksumError{Want: head.Root, Got: s.root.Root()}
	case s.declared.Root() != head.Declared:
		return &state.ChecksumError{Want: head.Declared, Got: s.declared.Root()}
	case len(s.records) != head.Records || s.orphans != head.Orphans || s.pending != head.Pending:
		return fmt.Errorf("the head counts %d records, %d orphans, %d pending; there are %d, %d, %d",
			head.Records, head.Orphans, head.Pending, len(s.records), s.orphans, s.pending)
	}
	return nil
}

// inOrder returns the records in key order. They are not changed any more.
func (s *memoryState) inOrder() []state.Record {
	if s.sorted == nil {
		s.sorted = make([]state.Record, 0, len(s.records))
		for _, key := range slices.SortedFunc(maps.Keys(s.records), state.Key.Compare) {
			s.sorted = append(s.sorted, s.records[key].Record)
		}
	}
	return s.sorted
}
