package sync

import (
	"context"
	"iter"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Backend records one scope. It plans, orders, retries and decides nothing: the
// engine does. A Backend must be safe for concurrent use; what it lacks returns
// an error for which errors.Is(err, errors.ErrUnsupported).
//
// The conformance suite in sync/syncertest is the whole contract.
type Backend interface {
	// Scope returns whose State it records.
	Scope() state.Scope
	// Head returns the State's head: one round trip, whatever the State's size. A
	// scope in which nothing was ever recorded has Serial 0 and no roots.
	Head(ctx context.Context) (state.Head, error)
	// Records yields the records in key order, all as of one serial. It ends
	// after the first error.
	Records(ctx context.Context) iter.Seq2[state.Record, error]
	// Declared returns the declarations with these checksums. What it doesn't
	// have is not in the map, and no error.
	Declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error)
	// Begin takes the scope's lease for owner and returns the head as of then.
	// If somebody else holds the lease, the error is a *LockedError, at once.
	Begin(ctx context.Context, owner string) (Tx, state.Head, error)
}

// Tx is the one writer of a scope, from Begin to Close. The engine uses it from
// one goroutine at a time, except for Renew, which it may call at any time.
type Tx interface {
	// Apply carries out changes on what the backend itself stores and returns
	// one Outcome for each, in their order. Every change is a *diff.Create,
	// *diff.Update or *diff.Delete; none depends on another of the same call, and
	// what they depend on was in earlier calls. Nothing of it is visible to
	// others before Commit. An error means that nothing of the call was done.
	Apply(ctx context.Context, changes []diff.Change) ([]Outcome, error)
	// Commit records the delta, together with what was applied since the last
	// Commit: all of it or nothing. It returns the head as recorded, with its
	// Token. There may be several in a Tx; the same delta given twice in a row
	// counts once. If the lease is lost the error is ErrLeaseLost; if the delta's
	// serial is not the next one it is ErrStale. Nothing is recorded then.
	Commit(ctx context.Context, delta state.Delta) (state.Head, error)
	// Renew prolongs the lease and returns until when it is held now. If it was
	// lost the error is ErrLeaseLost.
	Renew(ctx context.Context) (until time.Time, err error)
	// Close gives up the lease. What was not committed is gone. Closing twice is
	// fine.
	Close(ctx context.Context) error
}

// Outcome is how one change ended in a backend's hands.
type Outcome struct {
	// ID is the resource's identity after a create: the Create's own ID, or what
	// the backend chose instead. Ignored otherwise.
	ID string
	// Err says why the change failed; the others go on.
	Err error
}

// Atomic is implemented by a Backend that can tell whether a Tx may stage
// everything until one Commit at its end, so that a failure leaves nothing
// behind. A Backend without it can.
type Atomic interface {
	// Atomic tells whether all-or-nothing can be had.
	Atomic() bool
}

// LeaseTTL is how long a lease is held without being renewed: how long a dead
// holder can stand in the way where its death can't be seen.
const LeaseTTL = 15 * time.Second
