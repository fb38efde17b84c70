package wire

import (
	"errors"
	"fmt"
	"reflect"
)

// Errors of types that have no name on the wire.

// timeoutError is a net.Error.
type timeoutError struct{ timeout bool }

func (e timeoutError) Error() string { return fmt.Sprintf("timed out: %v", e.timeout) }
func (e timeoutError) Timeout() bool { return e.timeout }
func (timeoutError) Temporary() bool { return false }

// verdictError knows whether it is retryable.
type verdictError struct{ retryable bool }

func (e *verdictError) Error() string   { return fmt.Sprintf("retryable: %v", e.retryable) }
func (e *verdictError) Retryable() bool { return e.retryable }

// decidingError decides, whatever its cause is.
type decidingError struct {
	verdictError
	cause error
}

func (e *decidingError) Unwrap() error { return e.cause }

// isError is what its inner error is, without wrapping it.
type isError struct{ inner error }

func (e *isError) Error() string        { return "like another" }
func (e *isError) Is(target error) bool { return errors.Is(e.inner, target) }

// hidingError shows its inner error to those who know what to look for, as the
// engine's redacted errors do.
type hidingError struct{ inner error }

func (e *hidingError) Error() string        { return "(sensitive)" }
func (e *hidingError) Is(target error) bool { return errors.Is(e.inner, target) }
func (e *hidingError) As(target any) bool   { return errors.As(e.inner, target) }

// loopError has any causes, itself included.
type loopError struct {
	text   string
	causes []error
}

func (e *loopError) Error() string   { return e.text }
func (e *loopError) Unwrap() []error { return e.causes }

// ownCauseError wraps itself.
type ownCauseError struct{}

func (e *ownCauseError) Error() string { return "mine" }
func (e *ownCauseError) Unwrap() error { return e }

func errorType() reflect.Type { return reflect.TypeFor[error]() }
