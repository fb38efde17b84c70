package sync

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/trueup-go/trueup/state"
)

// Desired is a declaration: what there should be. A Plan keeps a copy, but for the
// bytes of each Config, which it shares: don't change those.
type Desired struct {
	// Resources are what is declared, in any order, each key once.
	Resources []state.Resource
	// Moves say which resources have been renamed: the record of From becomes that
	// of To. A move whose From isn't recorded has been made and means nothing. One
	// whose From is being created by a run that was interrupted isn't made: From
	// becomes an orphan, and To is created. Moves may be kept for good: of several
	// that follow each other, all that were not made yet are made at once.
	Moves []Move
	// Revision names the version of the source, such as a commit. May be empty.
	Revision string
	// Positions tell where resources are declared, for error messages. May be
	// nil or incomplete.
	Positions map[state.Key]Position
	// Warnings are what in the files is no mistake but may be meant otherwise, in
	// order of their positions. They are shown and change nothing.
	Warnings []Warning
}

// clone returns a copy that shares nothing that anybody changes: a plan is carried
// out later, and may be made again then. A copy of nil is nil.
func (d *Desired) clone() *Desired {
	if d == nil {
		return nil
	}
	own := *d
	own.Resources, own.Moves, own.Positions = slices.Clone(d.Resources), slices.Clone(d.Moves), maps.Clone(d.Positions)
	own.Warnings = slices.Clone(d.Warnings)
	for i := range own.Resources {
		r := &own.Resources[i]
		r.Tags, r.After = slices.Clone(r.Tags), slices.Clone(r.After)
		r.Refs, r.Unmanaged = slices.Clone(r.Refs), slices.Clone(r.Unmanaged)
	}
	return &own
}

// Warning is something in a declaration that is no mistake but may be meant
// otherwise.
type Warning struct {
	Position
	// Text says what it is and what becomes of it.
	Text string
}

// String returns "file:line:col: text", as much of it as is known.
func (w Warning) String() string {
	if at := w.Position.String(); at != "" {
		return at + ": " + w.Text
	}
	return w.Text
}

// Move is a resource that has a new key, of the same kind.
type Move struct{ From, To state.Key }

// Position is a place in a file.
type Position struct {
	File string
	// Line and Col count from 1; 0 means unknown. Col counts bytes.
	Line, Col int
}

// Compare orders positions by file, line and column.
func (p Position) Compare(other Position) int {
	return cmp.Or(cmp.Compare(p.File, other.File), cmp.Compare(p.Line, other.Line), cmp.Compare(p.Col, other.Col))
}

// String returns "file:line:col", as much of it as is known.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
	}
}
