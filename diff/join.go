package diff

import (
	"fmt"
	"iter"
	"slices"

	"github.com/trueup-go/trueup/state"
)

// Join compares what is declared with what is recorded, both in key order, and
// yields a Change for every key of either, in key order: a *Create for what is
// not recorded, an *Update for what differs, is declared again or was begun and
// not finished (Prior, Fields and Reasons are the caller's to fill in), an
// *Orphan for what is not declared, a NoOp for the rest. It is a merge-join: one
// pass, constant memory, no allocation for a NoOp. It ends after the first error,
// which is the recorded side's, or says which keys are not in order.
func Join(declared iter.Seq[Declared], recorded iter.Seq2[state.Record, error]) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		next, stop := iter.Pull(declared)
		defer stop()
		j := joiner{next: next, yield: yield}
		j.advance()
		var slot state.Record // what a NoOp points to
		for record, err := range recorded {
			if err != nil {
				yield(nil, err)
				return
			}
			if slot.Key != (state.Key{}) && slot.Key.Compare(record.Key) >= 0 {
				yield(nil, fmt.Errorf("the records %s and %s are not in key order", slot.Key, record.Key))
				return
			}
			slot = record
			if !j.creates(&slot.Key) || !j.match(&slot) {
				return
			}
		}
		j.creates(nil)
	}
}

type joiner struct {
	next    func() (Declared, bool)
	yield   func(Change, error) bool
	current Declared
	more    bool
	err     error
}

func (j *joiner) advance() {
	last := j.current.Resource
	j.current, j.more = j.next()
	if j.more && last != nil && last.Compare(j.current.Resource.Key) >= 0 {
		j.err = fmt.Errorf("the resources %s and %s are not in key order", last.Key, j.current.Resource.Key)
	}
}

// creates yields a Create for everything declared before the key, or for all if
// it is nil, and tells whether to go on.
func (j *joiner) creates(before *state.Key) bool {
	for j.err == nil && j.more && (before == nil || j.current.Resource.Compare(*before) < 0) {
		create := &Create{Target: j.current.target()}
		if !j.yield(create, nil) {
			return false
		}
		j.advance()
	}
	if j.err != nil {
		j.yield(nil, j.err)
		return false
	}
	return true
}

// match yields what is to be done about one record, and tells whether to go on.
func (j *joiner) match(slot *state.Record) bool {
	if !j.more || j.current.Resource.Key != slot.Key {
		if slot.Orphaned {
			return j.yield(NoOp{slot}, nil)
		}
		recorded := *slot
		return j.yield(&Orphan{&recorded}, nil)
	}
	declared := j.current
	j.advance()
	if declared.Checksum == slot.Checksum && !slot.Orphaned && isSettled(slot) && slices.Equal(declared.Edges, slot.After) {
		return j.yield(NoOp{slot}, nil)
	}
	recorded := *slot
	return j.yield(&Update{Recorded: &recorded, Target: declared.target()}, nil)
}

// isSettled tells whether nothing that was begun is unfinished, but for a deploy.
func isSettled(r *state.Record) bool {
	for i := range r.Pending {
		if r.Pending[i].Op != string(OpDeploy) {
			return false
		}
	}
	return r.Replaced == ""
}

func (d *Declared) target() Target {
	return Target{Desired: d.Resource, Checksum: d.Checksum, Edges: d.Edges}
}
