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
	head    state.Head
	records map[state.Key]memoryRecord
	tally   state.Tally
	sorted  []state.Record // never changed, only replaced; nil if it must be made
}

// memoryRecord is a record with its part. The zero one is none.
type memoryRecord struct {
	state.Record
	part state.Part
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
	keys := slices.Concat(keysOfRecords(d.Records), d.Dropped)
	was, is := make([]memoryRecord, len(keys)), make([]memoryRecord, len(keys))
	for i, key := range keys {
		was[i] = s.records[key]
	}
	for i, r := range d.Records {
		part, err := r.Part()
		if err != nil {
			return err
		}
		is[i] = memoryRecord{Record: r, part: part}
	}
	s.swap(keys, was, is)
	if err := s.tally.Fits(&d.Head); err != nil {
		s.swap(keys, is, was)
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

// swap replaces the records under keys.
func (s *memoryState) swap(keys []state.Key, was, is []memoryRecord) {
	for i, key := range keys {
		s.tally.Swap(was[i].part, is[i].part)
		if is[i].part == (state.Part{}) {
			delete(s.records, key)
		} else {
			s.records[key] = is[i]
		}
	}
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
