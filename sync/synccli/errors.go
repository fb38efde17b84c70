package synccli

import (
	"errors"
	"fmt"
)

// ExitError is an error that decides the exit code.
type ExitError struct {
	// Code is the exit code.
	Code int
	// Err is shown. Nil means that there is nothing to show: the code says it, or
	// it was shown already.
	Err error
}

// Error implements error.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the error that is shown.
func (e *ExitError) Unwrap() error { return e.Err }

// UsageError says that the command line makes no sense. It is shown with the
// command's usage.
type UsageError struct {
	// Problem says what is wrong; Hint, which may be empty, what was probably
	// meant.
	Problem, Hint string

	command *Command // nil if it isn't known which
}

// Error implements error.
func (e *UsageError) Error() string {
	if e.Hint == "" {
		return e.Problem
	}
	return e.Problem + "; " + e.Hint
}

// exitCode returns the exit code for an error.
func (h *Host) exitCode(err error) int {
	var exit *ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.Code
	case h.ExitCode != nil:
		return h.ExitCode(err)
	}
	return 1
}

// errDeclined says that somebody was asked and did not say yes.
var errDeclined = errors.New("nothing was changed")

// mistakes is the error of a declaration that can't be loaded.
type mistakes struct{ err error }

func (m *mistakes) Error() string { return m.err.Error() }

func (m *mistakes) Unwrap() []error { return []error{m.err} }
