package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// run is one Apply under way: the scheduler and what it keeps.
type run struct {
	engine *Engine
	lease  *lease
	plan   *Plan
	ledger *ledger
	head   state.Head // as of the last commit
	birth  int64      // the incarnation of what this run creates

	results    []ChangeResult
	ended      []bool
	acted      []bool  // done, though perhaps not committed
	waits      []int   // per change: how many of those it waits for have not ended well
	dependents [][]int // per change: those that wait for it
	ready      []int
	unrecorded []int // done in the backend, and not committed yet
	torn       bool  // a commit failed: nothing more may happen
	errs       []error
	events     Event // the last one's counts
}

func newRun(e *Engine, lease *lease, head state.Head, plan *Plan, ledger *ledger) (*run, error) {
	n := len(plan.Changes)
	r := &run{
		engine: e, lease: lease, plan: plan, ledger: ledger, head: head, birth: head.Serial + 1,
		results: make([]ChangeResult, n), ended: make([]bool, n), acted: make([]bool, n), waits: make([]int, n), dependents: make([][]int, n),
		events: Event{Total: n},
	}
	for i, change := range plan.Changes {
		r.results[i] = ChangeResult{Change: change.Change, Status: NotAttempted}
		r.waits[i] = len(change.After)
		for _, before := range change.After {
			if before < 0 || before >= i {
				return nil, SyncInternalErr{Description: fmt.Sprintf("the plan is not as it was made: %s waits for change %d of it", change.Key(), before)}
			}
			r.dependents[before] = append(r.dependents[before], i)
		}
		if len(change.After) == 0 {
			r.ready = append(r.ready, i)
		}
	}
	return r, nil
}

// do runs the plan to its end.
func (r *run) do() (*Result, error) {
	r.emit(Event{Type: EventBegin})
	for len(r.ready) > 0 && r.goesOn() {
		slices.Sort(r.ready)
		batch := slices.Clone(r.ready[:min(len(r.ready), r.engine.opts.BatchSize)])
		r.ready = r.ready[len(batch):]
		r.apply(batch)
		if r.plan.OnFailure != AllOrNothing && len(r.unrecorded) >= r.engine.opts.BatchSize {
			r.commit()
		}
	}
	if r.plan.OnFailure != AllOrNothing || len(r.errs) == 0 && r.goesOn() {
		r.keepOrphans()
		r.commit()
	}
	r.ledger.revert()
	if cause := r.lease.cause(); cause != nil && r.events.Done < r.events.Total {
		r.errs = append(r.errs, SyncInternalErr{Description: "sync " + r.engine.Scope().String(), Err: cause})
	}
	r.endTheRest()
	err := joinErrors(r.errs...)
	r.emit(Event{Type: EventFinish, Serial: r.head.Serial, Err: err})
	return r.result(), err
}

// keepOrphans marks what was to be pruned and is still there: it left the
// declaration, and must not be forgotten because its delete failed.
func (r *run) keepOrphans() {
	if r.torn {
		return
	}
	for i, change := range r.plan.Changes {
		deletion, ok := change.Change.(*diff.Delete)
		if !ok || deletion.Recorded.Orphaned || r.acted[i] {
			continue
		}
		if err := r.ledger.record(&diff.Orphan{Recorded: deletion.Recorded}, deletion.Recorded.ID); err != nil {
			r.errs = append(r.errs, SyncInternalErr{Description: "record " + change.Key().String(), Err: err})
		}
	}
}

// goesOn tells whether anything new may start.
func (r *run) goesOn() bool {
	return r.lease.cause() == nil && (len(r.errs) == 0 || r.plan.OnFailure == KeepGoing)
}

// apply hands a batch to the backend, except what only concerns the books.
func (r *run) apply(batch []int) {
	var acts []int
	var changes []diff.Change
	for _, i := range batch {
		change := r.plan.Changes[i].Change
		switch c := change.(type) {
		case *diff.Create:
			scope, key := r.engine.Scope(), c.Key()
			create := *c // the plan stays as it is
			create.ID = state.DeriveID("resource", scope.Org, scope.App, key.Kind, key.Name, strconv.FormatInt(r.birth, 10))
			change = &create
			r.results[i].Change = change
		case *diff.Orphan, *diff.Forget:
			r.emit(Event{Type: EventStart, Key: change.Key(), Op: change.Op()})
			r.succeed(i, recordOf(change).ID)
			continue
		}
		r.emit(Event{Type: EventStart, Key: change.Key(), Op: change.Op()})
		acts, changes = append(acts, i), append(changes, change)
	}
	if len(acts) == 0 {
		return
	}
	outcomes, err := r.lease.tx.Apply(r.lease.work, changes)
	if err == nil && len(outcomes) != len(changes) {
		err = errors.New("the backend returned too few or too many outcomes")
	}
	for at, i := range acts {
		var outcome Outcome
		if err != nil {
			outcome.Err = err
		} else {
			outcome = outcomes[at]
		}
		r.outcome(i, outcome)
	}
}

func (r *run) outcome(i int, outcome Outcome) {
	change := r.results[i].Change
	if outcome.Err != nil {
		r.fail(i, SyncAPIErr{Resource: change.Key().String(), Err: r.why(outcome.Err)})
		return
	}
	id := outcome.ID
	if record := recordOf(change); record != nil {
		id = record.ID
	} else if create, ok := change.(*diff.Create); ok && id == "" {
		id = create.ID
	}
	r.succeed(i, id)
}

// why puts the reason of a cancelled context in place of the cancellation.
func (r *run) why(err error) error {
	if cause := r.lease.cause(); cause != nil && errors.Is(err, context.Canceled) && !errors.Is(err, cause) {
		return errors.Join(cause, err)
	}
	return err
}

// succeed notes a change that the backend has done.
func (r *run) succeed(i int, id string) {
	r.results[i].ID = id
	if err := r.ledger.record(r.plan.Changes[i].Change, id); err != nil {
		r.fail(i, SyncInternalErr{Description: "record " + r.plan.Changes[i].Key().String(), Err: err})
		return
	}
	r.acted[i] = true
	r.unrecorded = append(r.unrecorded, i)
	for _, next := range r.dependents[i] {
		if r.waits[next]--; r.waits[next] == 0 && !r.ended[next] {
			r.ready = append(r.ready, next)
		}
	}
}

// fail ends a change, and all that depends on it.
func (r *run) fail(i int, err error) {
	r.errs = append(r.errs, err)
	r.end(i, Failed, err)
	by := r.plan.Changes[i].Key()
	blocked := slices.Clone(r.dependents[i])
	for len(blocked) > 0 {
		next := blocked[0]
		blocked = blocked[1:]
		if r.ended[next] {
			continue
		}
		r.end(next, Blocked, &BlockedError{Key: r.plan.Changes[next].Key(), By: by})
		blocked = append(blocked, r.dependents[next]...)
	}
}

func (r *run) end(i int, status Status, err error) {
	r.results[i].Status, r.results[i].Err = status, err
	r.ended[i] = true
	r.events.Done++
	change := r.plan.Changes[i].Change
	r.emit(Event{Type: EventEnd, Key: change.Key(), Op: change.Op(), Status: status, Err: err})
}

// commit records what was done since the last one, on a context of its own: what
// has happened must be on the books.
func (r *run) commit() {
	if r.torn || r.ledger.isClean() {
		return
	}
	delta := r.ledger.delta(r.next())
	// From what is recorded, not from the serial: how many commits a run makes
	// depends on the size of its batches.
	scope := r.engine.Scope()
	delta.Head.ConfigID = state.DeriveID("snapshot", scope.Org, scope.App, r.plan.Base.ConfigID, delta.Head.Root.String())
	done := r.unrecorded
	r.unrecorded = nil
	head, err := r.record(delta)
	if err != nil {
		r.ledger.revert()
		err = SyncInternalErr{Description: "record what was done in " + r.engine.Scope().String(), Err: r.why(err)}
		r.torn, r.ready = true, nil
		r.errs = append(r.errs, err)
		for _, i := range done {
			r.end(i, Failed, err)
		}
		return
	}
	r.head = head
	r.ledger.committed()
	r.emit(Event{Type: EventCommit, Serial: head.Serial})
	for _, i := range done {
		r.end(i, Done, nil)
	}
}

// record gives the delta to the backend. One that may have been recorded although
// the answer was lost is given once more: a commit counts once.
func (r *run) record(delta state.Delta) (state.Head, error) {
	ctx, cancel := r.lease.lastWords()
	defer cancel()
	head, err := r.lease.tx.Commit(ctx, delta)
	if Retryable(err) && !errors.Is(err, ErrLeaseLost) {
		return r.lease.tx.Commit(ctx, delta)
	}
	return head, err
}

// next returns the head of the commit to come, but for what the ledger knows.
func (r *run) next() state.Head {
	head := r.head
	head.Scope = r.engine.Scope()
	head.Serial++
	head.By, head.When = r.plan.By, r.engine.opts.Now().UTC()
	if r.plan.desired != nil {
		head.Revision = r.plan.Revision
	}
	return head
}

// endTheRest gives every change that has no end yet its end.
func (r *run) endTheRest() {
	for i := range r.results {
		if !r.ended[i] {
			r.results[i].ID = ""
			if record := recordOf(r.results[i].Change); record != nil {
				r.results[i].ID = record.ID
			}
			r.end(i, NotAttempted, nil)
		}
	}
}

func (r *run) result() *Result {
	result := &Result{Head: r.head, Changes: r.results, Unchanged: r.plan.Unchanged}
	result.records = r.ledger.records()
	result.orphans = orphansOf(result.records)
	return result
}

func (r *run) emit(event Event) {
	if r.engine.opts.OnEvent == nil {
		return
	}
	r.events.Seq++
	event.Seq, event.Done, event.Total = r.events.Seq, r.events.Done, r.events.Total
	r.engine.opts.OnEvent(event)
}
