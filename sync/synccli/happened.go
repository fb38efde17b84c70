package synccli

import (
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// The words for what one commit can have done to a record. Whether a thing was
// created or adopted, deleted or forgotten, the records don't tell.
const (
	wasBegun    = "begun"
	wasCreated  = "created"
	wasUpdated  = "updated"
	wasReplaced = "replaced"
	wasMoved    = "moved"
	wasOrphaned = "orphaned"
	wasRemoved  = "removed"
	wasDeployed = "deployed"
)

// happenings are the words in the order in which they are shown.
func happenings() []string {
	return []string{wasCreated, wasUpdated, wasReplaced, wasMoved, wasRemoved, wasOrphaned, wasDeployed, wasBegun}
}

// happened counts what became of records, which are in key order before and after.
func happened(before, after []state.Record) map[string]int {
	counts := map[string]int{}
	gone := map[state.Key]bool{} // by kind and ID
	var came []state.Key
	note := func(was, is *state.Record) {
		word := between(was, is)
		switch {
		case word == wasRemoved && was.ID != "":
			gone[state.Key{Kind: was.Kind, Name: was.ID}] = true
		case word == wasCreated:
			came = append(came, state.Key{Kind: is.Kind, Name: is.ID})
		}
		if word != "" {
			counts[word]++
		}
	}
	for len(before) > 0 || len(after) > 0 {
		switch {
		case len(after) == 0 || len(before) > 0 && before[0].Compare(after[0].Key) < 0:
			note(&before[0], nil)
			before = before[1:]
		case len(before) == 0 || after[0].Compare(before[0].Key) < 0:
			note(nil, &after[0])
			after = after[1:]
		default:
			note(&before[0], &after[0])
			before, after = before[1:], after[1:]
		}
	}
	for _, id := range came { // what is gone under one key and came under another has moved
		if gone[id] {
			counts[wasMoved]++
			counts[wasCreated]--
			counts[wasRemoved]--
		}
	}
	return counts
}

// between says what became of a record; either may be nil.
func between(was, is *state.Record) string {
	switch {
	case is == nil:
		return wasRemoved
	case is.ID == "":
		return begun(was, is)
	case was == nil || was.ID == "":
		return wasCreated
	case was.ID != is.ID:
		return wasReplaced
	case is.Orphaned && !was.Orphaned:
		return wasOrphaned
	case was.Checksum != is.Checksum || was.Orphaned && !is.Orphaned || !slices.Equal(was.After, is.After):
		return wasUpdated
	case isDue(was, diff.OpDeploy) && !isDue(is, diff.OpDeploy):
		return wasDeployed
	}
	return begun(was, is)
}

// begun tells whether more was tried than before.
func begun(was, is *state.Record) string {
	tries := func(r *state.Record) (n int) {
		if r != nil {
			for _, p := range r.Pending {
				n += p.Attempts
			}
		}
		return n
	}
	if tries(is) > tries(was) {
		return wasBegun
	}
	return ""
}

func isDue(r *state.Record, op diff.Op) bool {
	return slices.ContainsFunc(r.Pending, func(p state.Pending) bool { return p.Op == string(op) })
}
