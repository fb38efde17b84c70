package sync

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/trueup-go/trueup/diff"
)

// ExecuteOptions are those of Execute. The zero value and nil mean every default.
type ExecuteOptions struct {
	// Batch is how many changes a call of the Handler has: so many, and in the
	// last one what is left. Defaults to 100.
	Batch int
	// Parallel is how many calls may be under way at once. Defaults to 10.
	Parallel int
	// Retries is how often a change that failed with a Retryable error is tried
	// again, after a pause that grows. Defaults to 3; -1 means never.
	Retries int
	// OnFailure is KeepGoing, which is the default, or StopAtFirst.
	OnFailure FailureMode
	// Grace is how long calls that are under way may go on after the context is
	// cancelled. Defaults to 10 s.
	Grace time.Duration
	// OnEnd is called with the changes of each call that came back, in their order,
	// each with how it ended and its ID, which is that of its Outcome if it has one
	// (an Update's may be a new ETag): for a ledger of the host's own, which can
	// write them in one go. An error means that they are not recorded: those that
	// were Done have Failed, and nothing new starts; OnEnd is still called for what
	// is under way. The slice is valid until OnEnd returns. Nil means that nobody
	// keeps a ledger.
	OnEnd func(ended []ChangeResult) error
	// OnEvent is called with every step, as Options.OnEvent: EventBegin, an
	// EventStart and an EventEnd per change, EventFinish. How many changes there
	// will be is not known: Event.Total is 0. Nil means that nobody listens.
	OnEvent func(Event)
}

// Execute carries out a stream of changes of one kind that don't depend on each
// other, without a Backend: millions of objects in constant memory. If they are
// to be remembered the host keeps a ledger of its own (ExecuteOptions.OnEnd). The
// options may be nil.
//
// The Handler is given each *diff.Create, *diff.Update and *diff.Delete as it is:
// its Config, and a Create's ID, are there if the sequence put them there. A
// diff.NoOp is counted (Result.Unchanged) and no more. A *diff.Orphan and a
// *diff.Forget concern the ledger alone: they are Done without the Handler. Any
// other change has Failed with errors.ErrUnsupported.
//
// The sequence is read on a goroutine of its own, at most two batches ahead of the
// calls: no more than (Parallel + 2) * Batch changes are held, however slow the
// Handler is. An error that it yields ends it; what it yielded before is carried
// out. Where it may block it has to watch ctx.
//
// OnEnd and OnEvent are called on the goroutine that called Execute, one at a
// time: for each change EventStart, then OnEnd with all of its call, then
// EventEnd. Calls end in any order.
//
// Throttling, retries and creates whose end is unknown are as in Engine.Apply.
// When ctx is cancelled nothing new starts, and what is under way gets Grace.
// Execute returns when all that it started has ended.
//
// The Result counts every change that was read. Its Changes are those that are not
// Done, the first 1,000 that ended; it has no Head and no records. The error is
// nil or a *multierror.Error of what went wrong: of the first 1,000 failures, and
// of one that says how many more there were. The Result is nil only if nothing
// was begun.
func Execute(ctx context.Context, changes iter.Seq2[diff.Change, error], handler Handler, opts *ExecuteOptions) (*Result, error) {
	filled, err := opts.withDefaults()
	switch {
	case err != nil:
		return nil, joinErrors(SyncInternalErr{Description: "execute", Err: err})
	case changes == nil:
		return nil, joinErrors(SyncInternalErr{Description: "execute: the sequence of changes is nil"})
	case handler == nil:
		return nil, joinErrors(SyncInternalErr{Description: "execute: the handler is nil"})
	}
	x := startExecution(ctx, changes, handler, filled)
	defer x.close() // even if a callback panics: nothing that was started outlives Execute
	x.run()
	return x.result, x.result.err
}

func (o *ExecuteOptions) withDefaults() (ExecuteOptions, error) {
	var opts ExecuteOptions
	if o != nil {
		opts = *o
	}
	switch {
	case opts.Batch < 0:
		return opts, fmt.Errorf("ExecuteOptions.Batch is %d: want 1 or more, or 0 for the default", opts.Batch)
	case opts.Parallel < 0:
		return opts, fmt.Errorf("ExecuteOptions.Parallel is %d: want 1 or more, or 0 for the default", opts.Parallel)
	case opts.Grace < 0:
		return opts, fmt.Errorf("ExecuteOptions.Grace is %s: want more than 0, or 0 for the default", opts.Grace)
	case opts.OnFailure == AllOrNothing:
		return opts, fmt.Errorf("ExecuteOptions.OnFailure is %s: acts of a Handler can't be taken back: %w", opts.OnFailure, errors.ErrUnsupported)
	case !opts.OnFailure.valid():
		return opts, fmt.Errorf("ExecuteOptions.OnFailure is %q: want %s or %s", opts.OnFailure, KeepGoing, StopAtFirst)
	}
	if opts.Batch == 0 {
		opts.Batch = 100
	}
	if opts.Parallel == 0 {
		opts.Parallel = 10
	}
	if opts.Retries == 0 {
		opts.Retries = 3
	}
	if opts.Grace == 0 {
		opts.Grace = 10 * time.Second
	}
	return opts, nil
}
