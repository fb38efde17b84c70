package sync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/trueup-go/trueup/state"
)

// Errors that can be asked for with errors.Is. What wraps them says more.
var (
	// ErrStale: what is recorded moved since the plan was made, and the plan
	// would no longer be the same. Nothing was touched. Plan again.
	ErrStale = errors.New("the plan is stale")
	// ErrLocked: somebody else is applying a plan to the scope. The error is a
	// *LockedError that says who.
	ErrLocked = errors.New("the scope is locked")
	// ErrLeaseLost: the lease lapsed and may be somebody else's now. What was
	// committed before stays.
	ErrLeaseLost = errors.New("the lease on the scope was lost")
	// ErrEmptyDeclaration: nothing is declared, and pruning would delete
	// everything. PlanOptions.AllowEmpty allows it.
	ErrEmptyDeclaration = errors.New("the declaration is empty")
	// ErrPruneLimit: pruning would delete more than the limit. The error is a
	// *PruneLimitError.
	ErrPruneLimit = errors.New("too much would be deleted")
	// ErrUnknownKind: a kind that is declared, or of which something is to be
	// pruned, is not registered.
	ErrUnknownKind = errors.New("unknown kind")
	// ErrKindVersion: what is recorded of a kind was made by a newer release, in
	// which its fields mean something else. Upgrade this program.
	ErrKindVersion = errors.New("recorded by a newer version of the kind")
	// ErrExists: a thing that is to be created exists and isn't recorded. Adopt it
	// or have it replaced (PlanOptions.Existing).
	ErrExists = errors.New("it exists and is not recorded")
	// ErrUncertain: a create was interrupted and nobody can tell whether the thing
	// exists. Look, and adopt it or forget the record.
	ErrUncertain = errors.New("nobody knows whether it exists")
	// ErrSecretUnavailable: a sensitive value is needed, and only its digest is at
	// hand.
	ErrSecretUnavailable = errors.New("the sensitive value is not at hand")
	// ErrDigestKeyWithheld: there is a key for the digests of sensitive values, and it
	// isn't for this caller, who may only read.
	ErrDigestKeyWithheld = errors.New("the digest key is for those who may write")
	// ErrProtected: the change would delete or replace a protected resource.
	ErrProtected = errors.New("it is protected")
	// ErrTooManyRequests: the other side asks to slow down. The error may be a
	// *ThrottledError that says for how long.
	ErrTooManyRequests = errors.New("too many requests")
	// ErrUnhealthy: what was deployed did not become healthy.
	ErrUnhealthy = errors.New("not healthy")
	// ErrNoState: the State that was asked for is not kept.
	ErrNoState = errors.New("that State is not kept")
)

// SyncErr says that the declaration is wrong. Retrying won't help.
//
// SyncErr, SyncAPIErr and SyncInternalErr are the error types of the sync
// package that this module generalises (seed 003), with Unwrap added.
type SyncErr struct {
	// Resource is the resource's key, after its position in a file if it has one.
	Resource string
	// Description says what is wrong and what to do.
	Description string
	// Err is the cause; may be nil.
	Err error
}

// Error implements error.
func (e SyncErr) Error() string {
	return fmt.Sprintf("unable to sync %s - %s", e.Resource, e.Description)
}

// Unwrap returns the cause.
func (e SyncErr) Unwrap() error { return e.Err }

// SyncAPIErr says that the backend failed on a resource.
type SyncAPIErr struct {
	// Resource is the resource's key.
	Resource string
	// Err is the backend's error.
	Err error
}

// Error implements error.
func (e SyncAPIErr) Error() string {
	return fmt.Sprintf("unable to sync %s - %v", e.Resource, e.Err)
}

// Unwrap returns the backend's error.
func (e SyncAPIErr) Unwrap() error { return e.Err }

// SyncInternalErr says that something failed that has to do with no resource.
type SyncInternalErr struct {
	// Description says what was being done.
	Description string
	// Err is the cause; may be nil.
	Err error
}

// Error implements error.
func (e SyncInternalErr) Error() string {
	if e.Err == nil {
		return "error syncing - " + e.Description
	}
	return fmt.Sprintf("error syncing - %s: %v", e.Description, e.Err)
}

// Unwrap returns the cause.
func (e SyncInternalErr) Unwrap() error { return e.Err }

// LockedError says who holds the lease on a scope. errors.Is(err, ErrLocked).
type LockedError struct {
	Scope state.Scope
	// Owner is who began; Since is when.
	Owner string
	Since time.Time
	// Expires is when the lease lapses unless it is renewed.
	Expires time.Time
}

// Error implements error.
func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is locked by %s since %s: wait for it to end; a dead holder's lock lapses by itself within %s",
		e.Scope, e.Owner, e.Since.UTC().Format(time.RFC3339), LeaseTTL)
}

// Is makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// StaleError says what moved since a plan was made. errors.Is(err, ErrStale).
type StaleError struct {
	// PlannedSerial and Serial are the State's serials at the plan and now.
	PlannedSerial, Serial int64
	// Moved are the differences between the plan and what it would be now, one
	// sentence each, in key order.
	Moved []string
	// Err is why the plan can't be made any more; nil if it can.
	Err error
}

// Error implements error.
func (e *StaleError) Error() string {
	return fmt.Sprintf("the plan is stale: it was made at serial %d, now it is %d: %s: plan again",
		e.PlannedSerial, e.Serial, strings.Join(e.Moved, "; "))
}

// Unwrap returns why the plan can't be made any more.
func (e *StaleError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrStale) true.
func (e *StaleError) Is(target error) bool { return target == ErrStale }

// PruneLimitError says how much pruning would delete. errors.Is(err,
// ErrPruneLimit).
type PruneLimitError struct {
	// Deletes is how many records would be deleted, of Records; Limit is how many
	// may be.
	Deletes, Records, Limit int
}

// Error implements error.
func (e *PruneLimitError) Error() string {
	return fmt.Sprintf("pruning would delete %d of %d resources, more than %d: check the declaration, or set a higher prune limit",
		e.Deletes, e.Records, e.Limit)
}

// Is makes errors.Is(err, ErrPruneLimit) true.
func (e *PruneLimitError) Is(target error) bool { return target == ErrPruneLimit }

// BlockedError is the error of a change that was not attempted since something
// that it depends on failed.
type BlockedError struct {
	// Key is the blocked resource, By the one whose failure blocks it.
	Key, By state.Key
}

// Error implements error.
func (e *BlockedError) Error() string { return fmt.Sprintf("%s is blocked: %s failed", e.Key, e.By) }

// ThrottledError says that the other side asks to slow down.
// errors.Is(err, ErrTooManyRequests).
type ThrottledError struct {
	// After is how long to wait; 0 if it wasn't said.
	After time.Duration
	// Err is the other side's error; may be nil.
	Err error
}

// Error implements error.
func (e *ThrottledError) Error() string {
	if e.Err == nil {
		return ErrTooManyRequests.Error()
	}
	return fmt.Sprintf("%v: %v", ErrTooManyRequests, e.Err)
}

// Is makes errors.Is(err, ErrTooManyRequests) true.
func (e *ThrottledError) Is(target error) bool { return target == ErrTooManyRequests }

// Unwrap returns the other side's error.
func (e *ThrottledError) Unwrap() error { return e.Err }

// Retryable tells whether doing the same again may succeed: after ErrLocked,
// after a lost lease, after a timeout or a connection that broke. It is false
// for nil, for a mistake in the declaration and for a cancelled context. An
// error that knows better has a method Retryable() bool, which decides.
func Retryable(err error) bool {
	var sync SyncErr
	var knows interface{ Retryable() bool }
	var network net.Error
	switch {
	case err == nil, errors.As(err, &sync):
		return false
	case errors.As(err, &knows):
		return knows.Retryable()
	case errors.Is(err, ErrLocked), errors.Is(err, ErrLeaseLost):
		return true
	case errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &network) && network.Timeout():
		return true
	}
	for _, broken := range []error{syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return false
}
