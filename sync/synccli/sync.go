package synccli

import (
	"context"
	"errors"
	"fmt"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

func syncs(ctx context.Context, call *Call) error {
	if err := call.checkSaved(); err != nil {
		return err
	}
	declaration, err := call.Load(ctx)
	if err != nil {
		return err
	}
	return call.Sync(ctx, declaration)
}

// Sync plans towards a declaration, or takes the plan that --plan-file names, shows
// it, asks whether it is meant, carries it out with its progress shown, and tells
// how it ended.
func (c *Call) Sync(ctx context.Context, declaration *Declaration) error {
	engine, err := c.Engine(ctx)
	if err != nil {
		return err
	}
	plan := engine.Plan
	if c.planFile != "" {
		plan = func(ctx context.Context, desired *sync.Desired, _ *sync.PlanOptions) (*sync.Plan, error) {
			return c.savedPlan(ctx, engine, desired)
		}
	}
	return c.run(ctx, engine, declaration, plan)
}

// planner makes a plan, as Engine.Plan does.
type planner func(ctx context.Context, desired *sync.Desired, opts *sync.PlanOptions) (*sync.Plan, error)

// run makes a plan and goes on with it as Sync does, in the way that the
// declaration's host wants it.
func (c *Call) run(ctx context.Context, engine *sync.Engine, declaration *Declaration, plan planner) error {
	s := &shownSyncer{call: c, engine: engine, plan: plan}
	return s.end(c.PlanAgain(func() (bool, error) {
		err := s.sync(ctx, declaration)
		return s.shouldPlanAgain(err), err
	}))
}

// PlanAgain calls once, which plans and applies, and again as long as that says so: what
// is recorded has changed while it waited for the lease, and nothing was begun. It gives
// up after a few times. It returns the last error.
func (c *Call) PlanAgain(once func() (again bool, err error)) error {
	for tries := 1; ; tries++ {
		again, err := once()
		if !again || tries == maxPlans {
			return err
		}
		fmt.Fprintln(c.Err, "What is recorded has changed while this waited: it plans again.")
	}
}

// maxPlans is how often a plan is made at most for one that has become stale.
const maxPlans = 5

// Carry does with a plan what Sync does with the one that it makes.
func (c *Call) Carry(ctx context.Context, plan *sync.Plan) error {
	engine, err := c.Engine(ctx)
	if err != nil {
		return err
	}
	s := &shownSyncer{call: c, engine: engine}
	_, err = s.Apply(ctx, plan)
	return s.end(err)
}

// shownSyncer is an engine of which somebody sees what it does.
type shownSyncer struct {
	call    *Call
	engine  *sync.Engine
	plan    planner
	applied *sync.Plan   // the last
	result  *sync.Result // of that; nil if nothing was begun
}

var _ sync.Syncer = (*shownSyncer)(nil)

// Scope returns the engine's.
func (s *shownSyncer) Scope() state.Scope { return s.engine.Scope() }

// Plan implements sync.Syncer: the plan may be a saved one, or one that leads to an
// earlier State.
func (s *shownSyncer) Plan(ctx context.Context, desired *sync.Desired, opts *sync.PlanOptions) (*sync.Plan, error) {
	return s.plan(ctx, desired, opts)
}

// Apply implements sync.Syncer: it shows the plan and asks, and then applies it.
func (s *shownSyncer) Apply(ctx context.Context, plan *sync.Plan) (*sync.Result, error) {
	c := s.call
	if !c.JSON {
		if err := c.ShowPlan(plan); err != nil {
			return nil, err
		}
	}
	if err := c.Confirm(ctx, plan); err != nil {
		return nil, err
	}
	c.progress = c.newProgress()
	defer func() {
		c.progress.end()
		c.progress = nil
	}()
	var err error
	s.applied = plan
	s.result, err = s.engine.Apply(ctx, plan)
	return s.result, err
}

// sync plans and applies in the way that the declaration's host wants it.
func (s *shownSyncer) sync(ctx context.Context, declaration *Declaration) error {
	if declaration.Sync != nil {
		return declaration.Sync(ctx, s)
	}
	plan, err := s.Plan(ctx, declaration.Desired, &s.call.Options)
	if err == nil {
		_, err = s.Apply(ctx, plan)
	}
	return err
}

// shouldPlanAgain tells whether the plan became stale while it waited for whoever
// had the lease, who has changed what is recorded: to be expected, and no reason to
// give up. A saved plan is carried out as it is or not at all.
func (s *shownSyncer) shouldPlanAgain(err error) bool {
	return s.result == nil && s.call.Options.Wait && s.call.planFile == "" && errors.Is(err, sync.ErrStale)
}

// end tells how it ended, with what error. If nothing was begun the error says
// it all.
func (s *shownSyncer) end(err error) error {
	c := s.call
	if s.result == nil {
		return err
	}
	if c.JSON {
		if failed := c.writeResult(s.applied, s.result, err); failed != nil {
			return errors.Join(err, failed)
		}
	} else {
		if err != nil {
			c.ShowErrors(err)
		}
		c.summarize(s.applied, s.result, err)
	}
	if err != nil {
		return &ExitError{Code: c.host.exitCode(err)}
	}
	return nil
}
