package sync

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/trueup-go/trueup/diff"
)

// How long to pause before an act that failed is tried again: at first, and at
// most.
const (
	retryPause    = 100 * time.Millisecond
	retryPauseMax = 10 * time.Second
)

// performer calls Handlers until every change has its final Outcome. It is safe
// for concurrent use.
type performer struct {
	limiter *limiter
	// retries is how often an act that failed with a Retryable error is tried
	// again; negative means never.
	retries int
	// holder tells whose a thing is that a Finder found; nil: nobody's.
	holder holder
	// stop is done when nothing new may start: nothing is tried again then. Nil
	// means that only the context of perform says so.
	stop context.Context
}

// attempt is a change that has no final Outcome yet.
type attempt struct {
	index   int         // of the change and of its Outcome
	change  diff.Change // what is to be done: the change, or what took its place
	tries   int         // that failed, without those that were throttled
	unknown bool        // a create that may have happened: to be settled first
	again   bool        // a create that is done again, whether it has happened or not
	id      string      // of what a create turned out to have made
}

// round is one call of the Handler and what came of it.
type round struct {
	open      []attempt     // to be done again
	good      bool          // something went well
	throttled bool          // the other side asked to slow down
	after     time.Duration // for how long, at most
	tries     int           // the most tries of those that failed
}

// perform has the kind's Handler carry out the changes and blocks until each has
// its final Outcome. The caller holds a slot of the limiter for the kind.
//
// What was throttled is done again after the limiter's pause, as often as it
// takes. What failed with a Retryable error is done again after a pause that
// grows. A create whose end is unknown is settled first; if it can't be, its
// Outcome is an *UncertainError. Only what needs it is done again. When ctx is
// done, or nothing new may start, an Outcome is what it was last.
//
// A Handler that panics or returns another number of outcomes fails all changes
// of the call; the error of a create or delete among them wraps ErrUncertain.
func (p *performer) perform(ctx context.Context, kind *Kind, changes []diff.Change) []Outcome {
	outcomes := make([]Outcome, len(changes))
	open := make([]attempt, len(changes))
	for i, change := range changes {
		open[i] = attempt{index: i, change: change, unknown: isUnknown(change)}
	}
	for {
		r := p.once(ctx, kind, open, outcomes)
		p.tell(kind, &r)
		if len(r.open) == 0 || p.pause(ctx, kind, r.tries) != nil {
			return outcomes
		}
		open = r.open
	}
}

// once settles what is to be settled, calls the Handler for what is open and
// notes the outcomes.
func (p *performer) once(ctx context.Context, kind *Kind, open []attempt, outcomes []Outcome) (r round) {
	open = p.settle(ctx, kind, open, outcomes, &r)
	if len(open) == 0 {
		return r
	}
	changes := make([]diff.Change, len(open))
	for i := range open {
		changes[i] = open[i].change
	}
	results, err := call(ctx, kind, changes)
	for i, a := range open {
		outcome := &outcomes[a.index]
		if err != nil {
			*outcome = Outcome{ID: a.id, Err: broken(a.change, err)}
			continue
		}
		*outcome = results[i]
		p.judge(kind, a, outcome, &r)
	}
	return r
}

// settle settles the creates whose end is unknown and returns what the Handler is
// to be called for. What could not be settled has its Outcome.
func (p *performer) settle(ctx context.Context, kind *Kind, open []attempt, outcomes []Outcome, r *round) []attempt {
	var creates []*diff.Create
	for _, a := range open {
		if create, ok := a.change.(*diff.Create); ok && a.unknown {
			creates = append(creates, create)
		}
	}
	if len(creates) == 0 {
		return open
	}
	settled := settle(ctx, kind, creates, p.holder)
	var ready []attempt
	for _, a := range open {
		if !a.unknown {
			ready = append(ready, a)
			continue
		}
		s := settled[0]
		settled = settled[1:]
		if s.err != nil {
			outcomes[a.index] = Outcome{Err: s.err}
			p.judge(kind, a, &outcomes[a.index], r)
			continue
		}
		if update, ok := s.change.(*diff.Update); ok {
			a.id = update.Recorded.ID
		}
		a.change, a.unknown, a.again = s.change, false, isIdempotent(kind.Handler)
		ready = append(ready, a)
	}
	return ready
}

// judge notes how an attempt ended: its Outcome is final, or it is open again.
func (p *performer) judge(kind *Kind, a attempt, outcome *Outcome, r *round) {
	if a.id != "" {
		outcome.ID = a.id
	}
	err := outcome.Err
	if err == nil {
		r.good = true
		return
	}
	throttled, retryable := errors.Is(err, ErrTooManyRequests), Retryable(err)
	if create, ok := a.change.(*diff.Create); ok && !a.unknown {
		switch {
		case outcome.ID != "": // it is there, though not as it should be
			a.id, a.change = outcome.ID, updateOf(kind, create, outcome.ID)
		case throttled:
		case retryable || errors.Is(err, ErrUncertain):
			if !isSettleable(kind.Handler) {
				outcome.Err = &UncertainError{Key: create.Key(), Err: err}
				return
			}
			a.unknown, retryable = true, true
		}
		if a.again && outcome.ID == "" && isCertain(err) {
			outcome.Err = fmt.Errorf("%w: %w", err, ErrUncertain)
		}
	}
	switch {
	case throttled:
		r.slowDown(err)
	case retryable && a.tries < p.retries:
		a.tries++
		r.tries = max(r.tries, a.tries)
	default:
		return
	}
	r.open = append(r.open, a)
}

// slowDown notes that the other side asked for that.
func (r *round) slowDown(err error) {
	r.throttled = true
	var asked *ThrottledError
	if errors.As(err, &asked) {
		r.after = max(r.after, asked.After)
	}
}

// tell tells the limiter how a call went.
func (p *performer) tell(kind *Kind, r *round) {
	switch {
	case r.throttled:
		p.limiter.throttled(kind.Name, r.after)
	case r.good:
		p.limiter.succeeded(kind.Name)
	}
}

// isUnknown tells whether a change is a create that an earlier run has begun: what
// became of it is to be found out first.
func isUnknown(change diff.Change) bool {
	create, ok := change.(*diff.Create)
	return ok && isInterrupted(create.Recorded)
}

// pause waits until what is open may be done again, after so many tries that
// failed.
func (p *performer) pause(ctx context.Context, kind *Kind, tries int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if p.stop != nil {
		defer context.AfterFunc(p.stop, cancel)()
	}
	if tries > 0 {
		if err := sleep(ctx, backoff(tries, retryPause, retryPauseMax)); err != nil {
			return err
		}
	}
	return p.limiter.turn(ctx, kind.Name)
}

// call calls the kind's Handler. An error says that there are no outcomes.
func call(ctx context.Context, kind *Kind, changes []diff.Change) (outcomes []Outcome, err error) {
	err = guard(kind, "Apply", func() { outcomes = kind.Handler.Apply(ctx, changes) })
	if err == nil {
		err = wantLen(kind, "Apply", len(outcomes), len(changes))
	}
	return outcomes, err
}

// broken is the error of a change whose call has no outcomes.
func broken(change diff.Change, err error) error {
	switch change.(type) {
	case *diff.Create, *diff.Delete:
		return fmt.Errorf("%w: %w", err, ErrUncertain)
	}
	return err
}

func wantLen(kind *Kind, method string, got, want int) error {
	if got == want {
		return nil
	}
	return SyncInternalErr{Description: fmt.Sprintf("%s of the Handler of kind %q returned %d results, want %d, one for each change", method, kind.Name, got, want)}
}

// guard calls a method of a Handler on a goroutine of its own: neither a panic in
// it nor runtime.Goexit, which is how a failing test ends, takes the caller along.
func guard(kind *Kind, method string, f func()) error {
	ended := make(chan error, 1)
	go func() {
		var err error = SyncInternalErr{Description: fmt.Sprintf("%s of the Handler of kind %q ended its goroutine", method, kind.Name)}
		defer func() { ended <- err }()
		defer recovered(&err, kind, method)
		f()
		err = nil
	}()
	return <-ended
}

// recovered makes an error of a panic in a Handler. It is to be deferred.
func recovered(err *error, kind *Kind, method string) {
	if value := recover(); value != nil {
		*err = panicError(fmt.Sprintf("%s of the Handler of kind %q", method, kind.Name), value)
	}
}

// panicError makes an error of a panic that is being recovered from.
func panicError(what string, value any) error {
	cause, ok := value.(error)
	if !ok {
		cause = fmt.Errorf("%v", value)
	}
	return SyncInternalErr{Description: what + " panicked at " + panickedAt(), Err: cause}
}

// panickedAt returns where the panic that is being recovered from began.
func panickedAt() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	panicking := false
	for {
		frame, more := frames.Next()
		isRuntime := strings.HasPrefix(frame.Function, "runtime.")
		if panicking && !isRuntime {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		panicking = panicking || isRuntime
		if !more {
			return "an unknown place"
		}
	}
}
