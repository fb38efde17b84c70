package manifest

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/trueup-go/trueup/sync"
)

// Mistake is one thing that is wrong in a file. Doing the same again won't help;
// editing the file will.
type Mistake struct {
	// Position is where. Without a line, the mistake is in the file as a whole;
	// the zero Position says that no file is to blame.
	sync.Position
	// Problem says what was read and what was expected. Not empty.
	Problem string
	// Hint says what was probably meant, or what to do. May be empty.
	Hint string
	// Err is the cause; may be nil.
	Err error
}

// Error returns "file:line:col: problem; hint", as much of it as is known.
func (m Mistake) Error() string {
	text := m.Problem
	if at := m.Position.String(); at != "" {
		text = at + ": " + text
	}
	if m.Hint != "" {
		text += "; " + m.Hint
	}
	return text
}

// Unwrap returns the cause.
func (m Mistake) Unwrap() error { return m.Err }

// Mistakes collects what is wrong, so that it can be reported all at once. The
// zero Mistakes is empty and ready for use. It is not safe for concurrent use.
type Mistakes struct{ all []Mistake }

// Add adds a mistake. Hint may be empty.
func (m *Mistakes) Add(pos sync.Position, problem, hint string) {
	m.all = append(m.all, Mistake{Position: pos, Problem: problem, Hint: hint})
}

// AddErr adds an error: a Mistake as it is, each part of a *multierror.Error or
// of errors.Join on its own, and anything else as a Mistake without a position
// that has the error as its cause. Nil adds nothing.
func (m *Mistakes) AddErr(err error) {
	switch e := err.(type) { //nolint:errorlint // what wraps a mistake has something to say itself, and is kept whole
	case nil:
	case Mistake:
		m.all = append(m.all, e)
	case *multierror.Error:
		for _, part := range e.WrappedErrors() {
			m.AddErr(part)
		}
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			m.AddErr(part)
		}
	default:
		m.all = append(m.all, Mistake{Problem: err.Error(), Err: err})
	}
}

// Len returns how many mistakes were added.
func (m *Mistakes) Len() int { return len(m.all) }

// Err returns nil if there is no mistake, else a *multierror.Error of all of
// them, each a Mistake: in order of file, line and column, what was added twice
// once. Its text is one mistake a line. errors.As and errors.Is reach through.
func (m *Mistakes) Err() error {
	if len(m.all) == 0 {
		return nil
	}
	sorted := slices.Clone(m.all)
	slices.SortStableFunc(sorted, compare)
	sorted = slices.CompactFunc(sorted, func(a, b Mistake) bool { return compare(a, b) == 0 })
	errs := &multierror.Error{ErrorFormat: onePerLine}
	for _, mistake := range sorted {
		errs.Errors = append(errs.Errors, mistake)
	}
	return errs
}

func compare(a, b Mistake) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
		cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.Hint, b.Hint))
}

func onePerLine(errs []error) string {
	return strings.TrimSuffix(errors.Join(errs...).Error(), "\n")
}
