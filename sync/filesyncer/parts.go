package filesyncer

import (
	"fmt"

	"github.com/trueup-go/trueup/state"
)

// part is what a record adds to its State's head.
type part struct {
	root                 state.Checksum
	declared             state.Checksum // zero for an orphan
	orphaned, unfinished bool
}

func partOf(r *state.Record) (*part, error) {
	root, err := r.Part()
	p := part{root: root, orphaned: r.Orphaned, unfinished: r.Unfinished()}
	if !p.orphaned {
		p.declared = state.DeclaredPart(r.Key, r.Checksum, r.After)
	}
	return &p, err
}

// parts are those of all records, and what they make together. A commit changes
// them by what it changes, whatever the size of the State.
type parts struct {
	byKey               map[state.Key]*part
	root, declared      state.Tree
	orphans, unfinished int
}

func newParts(records int) *parts { return &parts{byKey: make(map[state.Key]*part, records)} }

// swap is the part of one record before and after a commit, nil where there is
// none.
type swap struct {
	key     state.Key
	was, is *part
}

// swaps returns what a delta changes.
func (p *parts) swaps(d *state.Delta) ([]swap, error) {
	swaps := make([]swap, 0, len(d.Records)+len(d.Dropped))
	for i := range d.Records {
		is, err := partOf(&d.Records[i])
		if err != nil {
			return nil, err
		}
		key := d.Records[i].Key
		swaps = append(swaps, swap{key: key, was: p.byKey[key], is: is})
	}
	for _, key := range d.Dropped {
		swaps = append(swaps, swap{key: key, was: p.byKey[key]})
	}
	return swaps, nil
}

// apply makes the parts what they are after the swaps, which are of one delta: a
// key is in one of them only.
func (p *parts) apply(swaps []swap) {
	for _, s := range swaps {
		p.set(s.key, s.was, s.is)
	}
}

// undo makes the parts what they were before the swaps.
func (p *parts) undo(swaps []swap) {
	for _, s := range swaps {
		p.set(s.key, s.is, s.was)
	}
}

func (p *parts) set(key state.Key, was, is *part) {
	p.count(was, -1)
	p.count(is, +1)
	if was != nil {
		p.root.Remove(was.root)
	}
	if is == nil {
		delete(p.byKey, key)
	} else {
		p.byKey[key] = is
		p.root.Add(is.root)
	}
	before, after := was.inDeclared(), is.inDeclared()
	if before == after {
		return // most commits are about what is pending
	}
	if !before.IsZero() {
		p.declared.Remove(before)
	}
	if !after.IsZero() {
		p.declared.Add(after)
	}
}

func (p *parts) count(one *part, by int) {
	if one != nil && one.orphaned {
		p.orphans += by
	}
	if one != nil && one.unfinished {
		p.unfinished += by
	}
}

// inDeclared returns what the part adds to the declared root, zero if nothing.
func (p *part) inDeclared() state.Checksum {
	if p == nil {
		return state.Checksum{}
	}
	return p.declared
}

// fits returns an error if the head is not that of these parts.
func (p *parts) fits(head *state.Head) error {
	root, declared := p.root.Root(), p.declared.Root()
	switch {
	case root != head.Root:
		return &state.ChecksumError{Want: head.Root, Got: root}
	case declared != head.Declared:
		return &state.ChecksumError{Want: head.Declared, Got: declared}
	case len(p.byKey) != head.Records || p.orphans != head.Orphans || p.unfinished != head.Pending:
		return fmt.Errorf("the head counts %d records, %d orphans, %d pending; there are %d, %d, %d",
			head.Records, head.Orphans, head.Pending, len(p.byKey), p.orphans, p.unfinished)
	}
	return nil
}
