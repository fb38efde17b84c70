package sync

import (
	"context"
	"errors"
	"time"

	"github.com/trueup-go/trueup/state"
)

// Apply carries out a plan of this engine: each change after what it waits for,
// in batches of what is ready, recorded as it goes or once at the end
// (PlanOptions.OnFailure). An empty plan touches nothing.
//
// It holds the scope's lease meanwhile; if somebody else does, the error is a
// *LockedError, or it waits, as PlanOptions.Wait says. If the State moved since
// the plan was made, it plans again: if that makes the same changes they go
// ahead, else the error is a *StaleError and nothing was touched.
//
// When ctx is cancelled nothing new starts, what is under way gets
// Options.Grace, and what was done is recorded (unless it is all or nothing).
//
// The error is nil or a *multierror.Error of all that went wrong; errors.As
// reaches through it. The Result is nil only if nothing was begun.
func (e *Engine) Apply(ctx context.Context, plan *Plan) (result *Result, err error) {
	if plan == nil || plan.Base.Scope != e.Scope() {
		return nil, joinErrors(SyncInternalErr{Description: "apply: the plan is not one for " + e.Scope().String()})
	}
	if plan.IsEmpty() {
		return plan.nothingToDo(), nil
	}
	if plan.declaration == nil && (plan.desired != nil || plan.rollback != nil) {
		return nil, joinErrors(SyncInternalErr{Description: "apply: the plan was not made by an engine"})
	}
	if runner := e.runner(); runner != nil {
		return e.handOver(ctx, runner, plan)
	}
	tx, head, since, err := e.begin(ctx, plan)
	if err != nil {
		return nil, joinErrors(err)
	}
	lease := e.hold(ctx, tx, since)
	defer func() { // even if a callback panics: nobody should have to wait for the lease to lapse
		lease.end()
		if concluder, ok := tx.(Concluder); ok {
			if err == nil && result == nil {
				concluder.Conclude(errors.New("it panicked"))
			} else {
				concluder.Conclude(err)
			}
		}
		if cerr := e.close(lease); cerr != nil {
			err = joinErrors(err, plan.declaration.redactor(e.kinds).redact(cerr))
		}
		if result != nil {
			result.err = err
		}
	}()
	return e.applyIn(lease, head, plan)
}

func (p *Plan) nothingToDo() *Result {
	result := &Result{Head: p.Base, Unchanged: p.Unchanged, orphans: p.Orphans}
	if p.opts.Records {
		result.records = p.records
	}
	return result
}

func (e *Engine) applyIn(lease *lease, head state.Head, plan *Plan) (*Result, error) {
	keyless := plan.declaration != nil && plan.declaration.keyless
	if keyless {
		if err := e.makeDigestKey(lease.work); err != nil {
			return nil, joinErrors(err)
		}
	}
	if keyless || head.Token != plan.Base.Token {
		ctx, cancel := context.WithCancelCause(lease.caller)
		undo := context.AfterFunc(lease.held, func() { cancel(context.Cause(lease.held)) })
		moved, err := e.replan(ctx, head, plan)
		undo()
		cancel(nil)
		if err != nil {
			return nil, joinErrors(err)
		}
		plan = moved
	}
	ledger, err := newLedger(e.kinds, plan.records, plan.Changes)
	if err != nil {
		return nil, joinErrors(SyncInternalErr{Description: "read the records of " + e.Scope().String(), Err: err})
	}
	r, err := newRun(e, lease, head, plan, ledger)
	if err != nil {
		return nil, joinErrors(err)
	}
	return r.do()
}

// replan makes the plan again against the head that is under the lease, and
// returns it if its changes are the same.
func (e *Engine) replan(ctx context.Context, head state.Head, plan *Plan) (*Plan, error) {
	p := e.planner(nil, &plan.opts)
	p.plan.desired, p.plan.rollback = plan.desired, plan.rollback
	if err := p.start(ctx); err != nil {
		return nil, err
	}
	again, err := p.against(ctx, head)
	if err != nil {
		return nil, p.outdone(plan.Base.Serial, plan.Base.Token, err)
	}
	if moved := differences(plan.identities(), again.identities()); len(moved) > 0 {
		return nil, &StaleError{PlannedSerial: plan.Base.Serial, Serial: head.Serial, Moved: moved}
	}
	again.By = plan.By
	return again, nil
}

// begin takes the lease, and waits for it if the plan says so. It also returns
// since when the lease counts.
func (e *Engine) begin(ctx context.Context, plan *Plan) (tx Tx, head state.Head, since time.Time, err error) {
	owner := e.opts.Owner
	if plan.By != "" {
		owner = plan.By + " (" + owner + ")"
	}
	var locked error // who had it when it was last tried
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		since = time.Now()
		tx, head, err = e.backend.Begin(ctx, owner)
		switch {
		case err == nil:
			return tx, head, since, nil
		case errors.Is(err, ErrLocked) && plan.Wait:
			locked = err
		default:
			return nil, head, since, SyncInternalErr{Description: "begin to sync " + e.Scope().String(), Err: errors.Join(err, locked)}
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, head, since, SyncInternalErr{Description: "wait for the lease on " + e.Scope().String(), Err: errors.Join(context.Cause(ctx), locked)}
		case <-timer.C:
		}
	}
}

// close gives the lease back, even if the caller's context is over.
func (e *Engine) close(l *lease) error {
	ctx, cancel := l.lastWords()
	defer cancel()
	err := again(ctx, e.opts.Retries, func() error { return l.tx.Close(ctx) })
	if err != nil && !errors.Is(err, ErrLeaseLost) {
		return SyncInternalErr{Description: "give up the lease on " + e.Scope().String(), Err: err}
	}
	return nil
}
