package sync

import (
	"fmt"

	"github.com/trueup-go/trueup/state"
)

// Desired is a declaration: what there should be.
type Desired struct {
	// Resources are what is declared, in any order, each key once.
	Resources []state.Resource
	// Revision names the version of the source, such as a commit. May be empty.
	Revision string
	// Positions tell where resources are declared, for error messages. May be
	// nil or incomplete.
	Positions map[state.Key]Position
}

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
