package sync

import (
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
}

// clone returns a copy that shares nothing that anybody changes: a plan is carried
// out later, and may be made again then. A copy of nil is nil.
func (d *Desired) clone() *Desired {
	if d == nil {
		return nil
	}
	own := *d
	own.Resources, own.Moves, own.Positions = slices.Clone(d.Resources), slices.Clone(d.Moves), maps.Clone(d.Positions)
	for i := range own.Resources {
		r := &own.Resources[i]
		r.Tags, r.After = slices.Clone(r.Tags), slices.Clone(r.After)
		r.Refs, r.Unmanaged = slices.Clone(r.Refs), slices.Clone(r.Unmanaged)
	}
	return &own
}

// Move is a resource that has a new key, of the same kind.
type Move struct{ From, To state.Key }

// Position is a place in a file.
type Position struct {
	File string
	// Line and Col count from 1; 0 means unknown. Col counts bytes.
	Line, Col int
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
