package synccli

import (
	"context"
	"errors"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

func syncs(ctx context.Context, call *Call) error {
	declaration, err := call.Load(ctx)
	if err != nil {
		return err
	}
	return call.Sync(ctx, declaration)
}

// Sync plans towards a declaration, shows the plan, asks whether it is meant,
// carries it out with its progress shown, and tells how it ended.
func (c *Call) Sync(ctx context.Context, declaration *Declaration) error {
	engine, err := c.Engine(ctx)
	if err != nil {
		return err
	}
	s := &shownSyncer{call: c, engine: engine}
	if declaration.Sync != nil {
		err = declaration.Sync(ctx, s)
		return s.end(err)
	}
	plan, err := s.Plan(ctx, declaration.Desired, &c.Options)
	if err == nil {
		_, err = s.Apply(ctx, plan)
	}
	return s.end(err)
}

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
	call   *Call
	engine *sync.Engine
	plan   *sync.Plan   // the last that was applied
	result *sync.Result // of that; nil if nothing was begun
}

var _ sync.Syncer = (*shownSyncer)(nil)

// Scope returns the engine's.
func (s *shownSyncer) Scope() state.Scope { return s.engine.Scope() }

// Plan implements sync.Syncer.
func (s *shownSyncer) Plan(ctx context.Context, desired *sync.Desired, opts *sync.PlanOptions) (*sync.Plan, error) {
	return s.engine.Plan(ctx, desired, opts)
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
	s.plan = plan
	s.result, err = s.engine.Apply(ctx, plan)
	return s.result, err
}

// end tells how it ended, with what error. If nothing was begun the error says
// it all.
func (s *shownSyncer) end(err error) error {
	c := s.call
	if s.result == nil {
		return err
	}
	if c.JSON {
		if failed := c.writeResult(s.plan, s.result, err); failed != nil {
			return errors.Join(err, failed)
		}
	} else {
		if err != nil {
			c.showErrors(err)
		}
		c.summarize(s.plan, s.result, err)
	}
	if err != nil {
		return &ExitError{Code: c.host.exitCode(err)}
	}
	return nil
}
