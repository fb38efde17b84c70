package filesyncer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/state"
)

// part is what a record adds to its State's head.
type part struct {
	key                  state.Key
	root, declared       state.Checksum
	orphaned, unfinished bool
}

// parts are those of all records, in key order: enough to verify a commit by
// hashing what it changes.
type parts []part

func partOf(r *state.Record) (part, error) {
	root, err := r.Part()
	p := part{key: r.Key, root: root, orphaned: r.Orphaned, unfinished: len(r.Pending) > 0}
	if !p.orphaned {
		p.declared = state.DeclaredPart(r.Key, r.Checksum, r.After)
	}
	return p, err
}

// with returns the parts as a delta changes them, in the memory of spare.
func (p parts) with(d *state.Delta, spare parts) (parts, error) {
	next := slices.Grow(spare[:0], len(p)+len(d.Records))
	records, dropped := d.Records, d.Dropped
	take := func() error {
		changed, err := partOf(&records[0])
		next, records = append(next, changed), records[1:]
		return err
	}
	for i := range p {
		for len(records) > 0 && records[0].Compare(p[i].key) < 0 {
			if err := take(); err != nil {
				return nil, err
			}
		}
		for len(dropped) > 0 && dropped[0].Compare(p[i].key) < 0 {
			dropped = dropped[1:]
		}
		switch {
		case len(records) > 0 && records[0].Key == p[i].key: // the next turn takes it
		case len(dropped) > 0 && dropped[0] == p[i].key:
		default:
			next = append(next, p[i])
		}
	}
	for len(records) > 0 {
		if err := take(); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// fits returns an error if the head is not that of these parts.
func (p parts) fits(head *state.Head) error {
	var root, declared state.Hasher
	orphans, unfinished := 0, 0
	for i := range p {
		root.Add(p[i].root)
		if p[i].orphaned {
			orphans++
		} else {
			declared.Add(p[i].declared)
		}
		if p[i].unfinished {
			unfinished++
		}
	}
	switch {
	case root.Root() != head.Root:
		return &state.ChecksumError{Want: head.Root, Got: root.Root()}
	case declared.Root() != head.Declared:
		return &state.ChecksumError{Want: head.Declared, Got: declared.Root()}
	case len(p) != head.Records || orphans != head.Orphans || unfinished != head.Pending:
		return fmt.Errorf("the head counts %d records, %d orphans, %d pending; there are %d, %d, %d",
			head.Records, head.Orphans, head.Pending, len(p), orphans, unfinished)
	}
	return nil
}

// checkDelta returns what is wrong with a delta by itself: what could be written
// and not be read again.
func checkDelta(d *state.Delta, scope state.Scope) error {
	switch {
	case d.Head.Scope != scope:
		return fmt.Errorf("the delta is one of %s", d.Head.Scope)
	case d.Head.Version != state.DefaultStateVersion:
		return fmt.Errorf("the delta is of version %q; want %q", d.Head.Version, state.DefaultStateVersion)
	}
	dropped := d.Dropped
	for i := range d.Records {
		key := d.Records[i].Key
		if err := key.Validate(); err != nil {
			return err
		}
		if i > 0 && d.Records[i-1].Compare(key) >= 0 {
			return fmt.Errorf("the records %s and %s of the delta are not in key order", d.Records[i-1].Key, key)
		}
		for len(dropped) > 0 && dropped[0].Compare(key) < 0 {
			dropped = dropped[1:]
		}
		if len(dropped) > 0 && dropped[0] == key {
			return fmt.Errorf("the delta both records and drops %s", key)
		}
	}
	for i := range d.Dropped {
		if err := d.Dropped[i].Validate(); err != nil {
			return err
		}
		if i > 0 && d.Dropped[i-1].Compare(d.Dropped[i]) >= 0 {
			return errors.New("the keys that the delta drops are not in key order")
		}
	}
	return nil
}
