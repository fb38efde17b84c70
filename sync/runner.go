package sync

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/trueup-go/trueup/state"
)

// Runner is implemented by a Backend that has a plan carried out on the other side of
// a wire, by an engine over there: one request in place of one for each batch. Apply
// hands over to it if no kind has a Handler or Deployer, which act on this side.
type Runner interface {
	// Run has a Run carried out, as Engine.CarryOut does it, and hands its events on,
	// in order, from the calling goroutine. The same Run given twice is carried out
	// once. The error is that of CarryOut; the result is nil only if nothing was
	// begun.
	Run(ctx context.Context, run *Run, onEvent func(Event)) (*RunResult, error)
}

// Run is a plan on its way to where it is carried out. It holds what is sensitive.
type Run struct {
	// ID is another one for each Apply.
	ID string
	// Plan is what LoadPlan reads, without what is for people, and without the changes
	// where a checksum does.
	Plan []byte
	// Desired is what the plan was made from, with every value in the clear; nil if it
	// was made without a declaration.
	Desired *Desired
	// Kinds are the kinds that the plan was made with, without what can't be sent.
	Kinds []Kind
	// DigestKey is Options.DigestKey, nil if the backend keeps it.
	DigestKey []byte
	// Owner and BatchSize are those of the Options.
	Owner     string
	BatchSize int
	// Wait is the plan's.
	Wait bool
	// Records asks for RunResult.Records.
	Records bool
	// Events says that somebody listens to events.
	Events bool
}

// RunResult is how a Run ended.
type RunResult struct {
	// Head is the State's head after the run.
	Head state.Head
	// Ends are how the plan's changes ended, in its order.
	Ends []RunEnd
	// Unchanged is the Result's.
	Unchanged int
	// Orphans and Records are the Result's.
	Orphans, Records []state.Record
}

// RunEnd is how one change ended; see ChangeResult.
type RunEnd struct {
	Status Status
	ID     string
	Err    error
}

// CarryOut carries out a Run that was handed over by another engine: the other side
// of Runner. It makes the plan again and applies it, with the kinds of this engine,
// whose options count but for those that the Run brings along. If the plan would be
// another one by now the error is a *StaleError, and nothing was touched. It doesn't say
// what moved if the Run doesn't hold the changes: the other engine asks again with them.
func (e *Engine) CarryOut(ctx context.Context, run *Run) (*RunResult, error) {
	own := *e
	own.opts.Owner = run.Owner
	if run.BatchSize > 0 { // with batches of none the run would never end
		own.opts.BatchSize = run.BatchSize
	}
	if run.DigestKey != nil {
		own.keys = &keyring{key: run.DigestKey, own: true}
	}
	plan, err := own.LoadPlan(ctx, bytes.NewReader(run.Plan), run.Desired)
	if err != nil {
		return nil, joinErrors(err)
	}
	plan.Wait, plan.opts.Records = run.Wait, run.Records
	result, err := own.Apply(ctx, plan)
	if result == nil {
		return nil, err
	}
	ended := &RunResult{Head: result.Head, Unchanged: result.Unchanged, Orphans: result.orphans, Ends: make([]RunEnd, len(result.Changes))}
	if run.Records {
		ended.Records = result.records
	}
	for i, c := range result.Changes {
		ended.Ends[i] = RunEnd{c.Status, c.ID, c.Err}
	}
	return ended, err
}

// runner returns who carries out a plan on the other side of a wire, nil if the
// engine does it here.
func (e *Engine) runner() Runner {
	if e.kinds.acts {
		return nil
	}
	runner, _ := e.backend.Backend.(Runner) // and not one that is wrapped: who wraps it wants to see what is done
	return runner
}

// handOver has a plan carried out by a Runner.
func (e *Engine) handOver(ctx context.Context, runner Runner, plan *Plan) (*Result, error) {
	ended, err := e.runBy(ctx, runner, plan, true)
	var stale *StaleError
	if errors.As(err, &stale) && ended == nil && len(stale.Moved) == 0 {
		ended, err = e.runBy(ctx, runner, plan, false) // to hear what moved
	}
	if ended == nil {
		return nil, joinErrors(err)
	}
	if err != nil && ctx.Err() != nil { // over there nobody knows why
		err = joinErrors(err, context.Cause(ctx))
	}
	if len(ended.Ends) != len(plan.Changes) {
		return nil, joinErrors(err, SyncInternalErr{Description: fmt.Sprintf("carry out a plan of %d changes: %d came back", len(plan.Changes), len(ended.Ends))})
	}
	result := &Result{
		Head: ended.Head, Unchanged: ended.Unchanged, Changes: make([]ChangeResult, len(plan.Changes)),
		orphans: ended.Orphans, records: ended.Records, err: err,
	}
	for i, end := range ended.Ends {
		result.Changes[i] = ChangeResult{plan.Changes[i].Change, end.Status, end.ID, end.Err}
	}
	return result, err
}

// runBy has a plan carried out, whose changes are sent or, if sum is true, the checksum
// of what makes them what they are. The result is nil only if nothing was begun.
func (e *Engine) runBy(ctx context.Context, runner Runner, plan *Plan, sum bool) (ended *RunResult, err error) {
	run, err := e.runOf(plan, sum)
	if err != nil {
		return nil, err
	}
	onEvent := e.opts.OnEvent
	if run.Events = onEvent != nil; !run.Events {
		onEvent = func(Event) {}
	}
	lost := again(ctx, e.opts.Retries, func() error {
		if ended, err = runner.Run(ctx, run, onEvent); ended != nil {
			return nil // it is over, whatever came of it
		}
		return err
	})
	if ended == nil {
		return nil, lost
	}
	return ended, err
}

func (e *Engine) runOf(plan *Plan, sum bool) (*Run, error) {
	var text bytes.Buffer
	if err := plan.encodeBrief(&text, sum); err != nil {
		return nil, err
	}
	run := &Run{
		ID: rand.Text(), Plan: text.Bytes(), Desired: plan.desired, Owner: e.opts.Owner, BatchSize: e.opts.BatchSize,
		Wait: plan.Wait, Records: plan.opts.Records,
	}
	if plan.rollback != nil {
		run.Desired = plan.rollback.source
	}
	if e.keys.own {
		run.DigestKey = e.knownKey()
	}
	for _, name := range e.kinds.Names() {
		kind := e.kinds.kind(name)
		run.Kinds = append(run.Kinds, Kind{
			Name: name, Schema: kind.Schema, Version: kind.Version, CreateFirst: kind.CreateFirst, Protected: kind.Protected,
		})
	}
	return run, nil
}
