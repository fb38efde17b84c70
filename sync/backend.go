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
	// Apply carries out changes on what the backend itself stores, of kinds
	// without a Handler, and returns one Outcome for each, in their order. Every
	// change is a *diff.Create, *diff.Update, *diff.Adopt or *diff.Delete with its
	// Config; none depends on another of the same call, and
	// what they depend on was in earlier calls. Nothing of it is visible to
	// others before Commit. An error means that nothing of the call was done; after
	// one that is Retryable the engine makes the same call again.
	Apply(ctx context.Context, changes []diff.Change) ([]Outcome, error)
	// Commit records the delta, together with what was applied since the last
	// Commit: all of it or nothing. It returns the head as recorded, with its
	// Token. There may be several in a Tx; the same delta given twice in a row
	// counts once. If the lease is lost the error is ErrLeaseLost; if the delta's
	// serial is not the next one it is ErrStale; if the delta is wrong by itself, or
	// doesn't fit what is recorded, it is a *state.DeltaError. Nothing is recorded then.
	// The delta's head and records are the caller's again when it returns.
	Commit(ctx context.Context, delta state.Delta) (state.Head, error)
	// Renew prolongs the lease to LeaseTTL from now and returns until when that is,
	// by the backend's own clock: the engine counts by its own, from before the call.
	// If it was lost the error is ErrLeaseLost.
	Renew(ctx context.Context) (until time.Time, err error)
	// Close gives up the lease. What was not committed is gone. Closing twice is
	// fine; after a Retryable error the engine does.
	Close(ctx context.Context) error
}

// Concluder is implemented by a Tx that keeps how runs ended, beside the State.
type Concluder interface {
	// Conclude says how the run ended, before Close, which records it: nil if all went
	// well. The error's text has no sensitive values in it.
	Conclude(err error)
}

// Outcome is how one change ended in a backend's or handler's hands.
type Outcome struct {
	// ID is the resource's identity after a create: the Create's own ID, or what
	// was chosen instead. Ignored otherwise.
	ID string
	// Err says why the change failed; the others go on. After a Handler's create
	// that failed, an empty ID says that nothing is there, unless the error is
	// Retryable, wraps ErrUncertain or comes from the context: then nobody knows.
	// With an ID, the thing is there, though not as it should be. After a delete
	// that failed the thing is still there, with the same exceptions.
	//
	// An error of a Handler's that wraps ErrTooManyRequests (see ThrottledError) is
	// no failure: the change waits and is done again, and the kind slows down. A
	// backend waits itself.
	Err error
}

// Atomic is implemented by a Backend that can tell whether a Tx may stage
// everything until one Commit at its end, so that a failure leaves nothing
// behind. A Backend without it can.
type Atomic interface {
	// Atomic tells whether all-or-nothing can be had.
	Atomic() bool
}

// DigestKeeper is implemented by a Backend that keeps a key for the digests of
// sensitive values, and gives it only to those who may write. A Backend that
// lacks it needs Options.DigestKey where a kind has sensitive fields.
type DigestKeeper interface {
	// DigestKey returns the scope's key, nil if there is none yet. Who may only read
	// gets ErrDigestKeyWithheld if there is one: with it one could guess.
	DigestKey(ctx context.Context) ([]byte, error)
	// KeepDigestKey keeps a key for the scope, unless there is one, and returns
	// the one that it keeps: of several callers all get the same. It needs no
	// lease. An empty key is an error.
	KeepDigestKey(ctx context.Context, key []byte) ([]byte, error)
}

// Historian is implemented by a Backend that keeps earlier States.
type Historian interface {
	// History yields the heads of the States that are kept, newest first and
	// without a gap: the present one, and as many earlier ones as the backend keeps.
	// If nothing was ever recorded there is none. It ends after the first error.
	History(ctx context.Context) iter.Seq2[state.Head, error]
	// StateAt returns the head of an earlier State, or of the present one, and its
	// records, in key order, whatever is committed meanwhile. The error is
	// ErrNoState if that serial isn't kept, or no longer when the records are read.
	// Declared returns the declarations that records of kept States name, those of
	// what was pending included.
	StateAt(ctx context.Context, serial int64) (state.Head, iter.Seq2[state.Record, error], error)
}

// Unlocker is implemented by a Backend whose lease can be taken from its holder
// before it lapses.
type Unlocker interface {
	// Holder returns who holds the lease, nil if nobody does.
	Holder(ctx context.Context) (*LockedError, error)
	// Unlock ends the lease of that holder, who can't commit from then on, as if it
	// had lapsed and somebody had taken it; others can begin at once. If the lease
	// has lapsed or is another's meanwhile, or holder is nil, it does nothing.
	Unlock(ctx context.Context, holder *LockedError) error
}

// AbilityOf returns what a backend, or one that it wraps (Unwrap() Backend), can
// do beyond a Backend: a Historian, say. It is false if it can't.
func AbilityOf[T any](b Backend) (T, bool) {
	for b != nil {
		if able, ok := b.(T); ok {
			return able, true
		}
		wrapper, ok := b.(interface{ Unwrap() Backend })
		if !ok {
			break
		}
		b = wrapper.Unwrap()
	}
	var none T
	return none, false
}

// LeaseTTL is how long a lease is held without being renewed: how long a dead
// holder can stand in the way where its death can't be seen.
const LeaseTTL = 15 * time.Second
