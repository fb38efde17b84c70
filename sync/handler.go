package sync

import (
	"context"
	"encoding/json"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Handler acts for a kind in the outside world: a container engine, a machine,
// somebody's API. It plans, orders, records and retries nothing: before it is
// called the engine has recorded the intent, and what it returns is recorded
// next. It must be safe for concurrent use.
//
// What else a Handler can do it says by implementing Finder, Observer, Idempotent
// or Deployer.
type Handler interface {
	// Apply carries out changes that don't depend on each other and returns one
	// Outcome for each, in their order. Every change is a *diff.Create,
	// *diff.Update or *diff.Delete of the kind, with Config to act on. A call has
	// no more of them than the kind's batch size, which is 1 unless Batch says
	// otherwise.
	//
	// An Update makes the thing what is declared, whatever it is now; a Delete of
	// what is gone succeeds. Both may come again after a crash.
	//
	// ctx is done when the lease is lost, or Options.Grace after the caller's is:
	// Apply then returns soon, with an error for what it doesn't know the end of.
	// The engine waits for it, however long that takes, since whoever syncs next
	// must not meet an act under way.
	Apply(ctx context.Context, changes []diff.Change) []Outcome
}

// HandlerFunc is a Handler that is one function.
type HandlerFunc func(ctx context.Context, changes []diff.Change) []Outcome

// Apply calls f.
func (f HandlerFunc) Apply(ctx context.Context, changes []diff.Change) []Outcome {
	return f(ctx, changes)
}

// Idempotent is implemented by a Handler for which the ID that the engine
// proposes (diff.Create.ID) is a key: of two Creates with the same ID the second
// makes what the first made what is declared, and a Delete of a record with that
// ID removes it, or finds nothing and succeeds. An interrupted create is then
// simply done again.
type Idempotent interface {
	// Idempotent tells whether that is so.
	Idempotent() bool
}

// Finder is implemented by a Handler that can look a thing up by what identifies
// it in its own world: a name, a label that holds Create.ID. The engine asks
// before it creates, so that nothing exists twice, and after an interrupted
// create.
type Finder interface {
	// Find returns what there is of each, in their order: a Live without an ID
	// where there is nothing. The creates have their ID and their Config; when what
	// an interrupted one has made is to be deleted the Config is as recorded, with
	// names in place of IDs and without sensitive values. What one
	// takes the place of (Recorded, if it Replaces) isn't what is looked for. Where
	// several things could be the one, none of them is: that is an Err.
	Find(ctx context.Context, creates []*diff.Create) []Live
}

// Observer is implemented by a Handler, and by a Backend for the kinds that it
// stores itself, that can read the live thing.
type Observer interface {
	// Observe returns what each of the recorded things is now, in their order: a
	// Live without an ID where the thing is gone.
	Observe(ctx context.Context, records []state.Record) []Live
}

// Live is a thing as it is.
type Live struct {
	// ID is its identity. Empty: there is no such thing.
	ID string
	// Config is what it is like, in the form of its kind's Config with IDs in
	// place of references. Sensitive fields may be left out. Nil: unknown.
	Config json.RawMessage
	// Err is why it couldn't be read.
	Err error
}
