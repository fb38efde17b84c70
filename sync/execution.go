package sync

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/trueup-go/trueup/diff"
)

// maxKept is how many changes that are not Done an Execute keeps, and how many
// errors: its memory must not grow with the number of changes.
const maxKept = 1000

// execution is one Execute under way. A batcher reads on one goroutine, each call
// of the Handler is on one of its own, and all else is on that of who called
// Execute.
type execution struct {
	opts      ExecuteOptions
	handler   Handler
	kind      *Kind           // of the Handler, named by the first change
	ctx       context.Context // the caller's: when it is done nothing new may start
	work      context.Context // the calls'
	cancel    context.CancelCauseFunc
	stop      context.CancelFunc // stops the batcher
	performer *performer
	batcher   *batcher
	finished  chan executed
	running   int            // calls
	started   sync.WaitGroup // calls, and the batcher
	stopped   bool           // nothing new may start

	result  *Result
	errs    []error
	dropped int            // errors that are not among errs
	ended   []ChangeResult // of the last call
	events  Event          // the last one's counts
}

// executed is one call that came back.
type executed struct {
	changes  []diff.Change
	outcomes []Outcome
}

// startExecution makes an execution, in which the batcher reads already.
func startExecution(ctx context.Context, changes iter.Seq2[diff.Change, error], handler Handler, opts ExecuteOptions) *execution {
	x := &execution{
		opts:      opts,
		handler:   handler,
		ctx:       ctx,
		performer: &performer{limiter: newLimiter(opts.Parallel), retries: opts.Retries, stop: ctx},
		batcher:   &batcher{size: opts.Batch, batches: make(chan []diff.Change)},
		finished:  make(chan executed, opts.Parallel),
		result:    &Result{counts: map[Status]int{}},
	}
	x.work, x.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	reading, stop := context.WithCancel(ctx)
	x.stop = stop
	x.started.Go(func() { x.batcher.read(reading, changes) })
	return x
}

// close ends what was started and waits for it.
func (x *execution) close() {
	x.stop()
	x.cancel(nil)
	for range x.batcher.batches { // which the batcher would wait to be rid of
	}
	x.started.Wait()
}

// run carries out the changes to their end.
func (x *execution) run() {
	x.emit(Event{Type: EventBegin})
	var waiting []diff.Change // read, without a slot to carry it out
	open, cancelled := true, x.ctx.Done()
	var late <-chan time.Time
	for {
		if waiting != nil && x.goesOn() && x.begin(waiting) {
			waiting = nil
		}
		var batches <-chan []diff.Change // nil unless another one is wanted
		if open && waiting == nil && x.goesOn() {
			batches = x.batcher.batches
		}
		if batches == nil && x.running == 0 {
			break
		}
		select {
		case waiting, open = <-batches:
		case call := <-x.finished:
			x.running--
			x.end(call)
		case <-cancelled:
			cancelled, late = nil, time.After(x.opts.Grace)
		case <-late:
			x.cancel(context.Cause(x.ctx))
		}
	}
	x.leave(waiting)
	x.finish()
}

// goesOn tells whether anything new may start.
func (x *execution) goesOn() bool { return x.ctx.Err() == nil && !x.stopped }

// begin has a batch carried out, if there is a slot. If there is none a call is
// under way, and the next one's end is the time to try again.
func (x *execution) begin(batch []diff.Change) bool {
	if x.kind == nil {
		x.kind = &Kind{Name: batch[0].Key().Kind, Handler: x.handler}
	}
	if !x.performer.limiter.tryAcquire(x.kind.Name, 0) {
		return false
	}
	for _, change := range batch {
		x.emit(about(change, EventStart))
	}
	x.running++
	x.started.Go(func() {
		outcomes := x.carryOut(batch)
		x.performer.limiter.release(x.kind.Name)
		x.finished <- executed{batch, outcomes}
	})
	return true
}

// carryOut has the Handler carry out what of a batch is for it.
func (x *execution) carryOut(batch []diff.Change) []Outcome {
	acts := make([]diff.Change, 0, len(batch))
	for _, change := range batch {
		if isAct(change) {
			acts = append(acts, change)
		}
	}
	done := x.performer.perform(x.work, x.kind, acts)
	if len(acts) == len(batch) {
		return done
	}
	outcomes := make([]Outcome, len(batch))
	for i, change := range batch {
		switch change.(type) {
		case *diff.Create, *diff.Update, *diff.Delete:
			outcomes[i], done = done[0], done[1:]
		case *diff.Orphan, *diff.Forget:
		default:
			outcomes[i].Err = fmt.Errorf("%s in a stream: %w", change.Op(), errors.ErrUnsupported)
		}
	}
	return outcomes
}

// isAct tells whether a change is for a Handler.
func isAct(change diff.Change) bool {
	switch change.(type) {
	case *diff.Create, *diff.Update, *diff.Delete:
		return true
	}
	return false
}

// end notes how the changes of a call ended, once the host has recorded it.
func (x *execution) end(call executed) {
	x.ended = x.ended[:0]
	for i, change := range call.changes {
		ended := endOf(change, call.outcomes[i])
		x.ended = append(x.ended, ended)
		if ended.Err != nil {
			x.fail(ended.Err)
			x.stopped = x.stopped || x.opts.OnFailure == StopAtFirst
		}
	}
	if x.opts.OnEnd != nil {
		if err := x.opts.OnEnd(x.ended); err != nil {
			x.unrecorded(err)
		}
	}
	for _, ended := range x.ended {
		x.count(ended)
	}
}

// endOf returns how a change ended that has its Outcome.
func endOf(change diff.Change, outcome Outcome) ChangeResult {
	ended := ChangeResult{Change: change, Status: Done, ID: outcome.ID}
	if create, ok := change.(*diff.Create); ok && ended.ID == "" && outcome.Err == nil {
		ended.ID = create.ID
	}
	if ended.ID == "" {
		ended.ID = idBefore(change)
	}
	if outcome.Err != nil {
		ended.Status, ended.Err = Failed, SyncAPIErr{Resource: change.Key().String(), Err: outcome.Err}
	}
	return ended
}

// idBefore returns the ID that is recorded of what is to be changed.
func idBefore(change diff.Change) string {
	if record := recordOf(change); record != nil {
		return record.ID
	}
	return ""
}

// unrecorded notes that what has just ended is not on the host's books.
func (x *execution) unrecorded(err error) {
	err = SyncInternalErr{Description: "record what was done", Err: err}
	x.errs = append(x.errs, err)
	x.stopped = true
	for i := range x.ended {
		if x.ended[i].Status == Done {
			x.ended[i].Status, x.ended[i].Err = Failed, err
		}
	}
}

// leave ends what was read and never began: what waited, and what the batcher
// still has.
func (x *execution) leave(waiting []diff.Change) {
	leave := func(batch []diff.Change) {
		for _, change := range batch {
			x.count(ChangeResult{Change: change, Status: NotAttempted, ID: idBefore(change)})
		}
	}
	x.stop()
	leave(waiting)
	for batch := range x.batcher.batches {
		leave(batch)
	}
}

// count counts one change that has ended.
func (x *execution) count(ended ChangeResult) {
	x.result.counts[ended.Status]++
	if ended.Status != Done && len(x.result.Changes) < maxKept {
		x.result.Changes = append(x.result.Changes, ended)
	}
	x.events.Done++
	event := about(ended.Change, EventEnd)
	event.ID, event.Status, event.Err = ended.ID, ended.Status, ended.Err
	x.emit(event)
}

// fail notes why a change failed.
func (x *execution) fail(err error) {
	if len(x.errs) >= maxKept {
		x.dropped++
		return
	}
	x.errs = append(x.errs, err)
}

// finish makes the Result whole. The batcher has ended.
func (x *execution) finish() {
	x.result.Unchanged = x.batcher.unchanged
	cause := context.Cause(x.ctx)
	switch {
	case x.batcher.err != nil:
		x.errs = append(x.errs, SyncInternalErr{Description: "read the changes", Err: x.batcher.err})
	case cause != nil && (!x.batcher.complete || x.result.Count(Done) < x.events.Done):
		x.errs = append(x.errs, SyncInternalErr{Description: "execute", Err: cause})
	}
	if x.dropped > 0 {
		x.errs = append(x.errs, SyncInternalErr{Description: fmt.Sprintf("%d more changes failed", x.dropped)})
	}
	x.result.err = joinErrors(x.errs...)
	x.emit(Event{Type: EventFinish, Err: x.result.err})
}

func (x *execution) emit(event Event) {
	if x.opts.OnEvent == nil {
		return
	}
	x.events.Seq++
	event.Seq, event.Done = x.events.Seq, x.events.Done
	x.opts.OnEvent(event)
}
