package synccli

import (
	"context"
	"errors"

	"github.com/trueup-go/trueup/sync"
)

func syncs(ctx context.Context, call *Call) error {
	declaration, err := call.Load(ctx)
	if err != nil {
		return err
	}
	plan, err := call.Plan(ctx, declaration)
	if err != nil {
		return err
	}
	return call.Carry(ctx, plan, declaration)
}

// Carry shows a plan, asks whether it is meant, carries it out with its progress
// shown, and tells how it ended. The declaration is the one that the plan was
// made towards, or nil.
func (c *Call) Carry(ctx context.Context, plan *sync.Plan, declaration *Declaration) error {
	if !c.JSON {
		if err := c.ShowPlan(plan); err != nil {
			return err
		}
	}
	if err := c.Confirm(ctx, plan); err != nil {
		return err
	}
	result, err := c.apply(ctx, plan)
	if result == nil {
		return err
	}
	if declaration != nil && declaration.Synced != nil {
		// What was synced is to be followed up even if not everything was.
		err = errors.Join(err, declaration.Synced(ctx, result))
	}
	if c.JSON {
		c.writeResult(plan, result, err)
	} else {
		if err != nil {
			c.showErrors(err)
		}
		c.summarize(plan, result, err)
	}
	if err != nil {
		return &ExitError{Code: c.host.ExitCode(err)}
	}
	return nil
}

// apply carries the plan out and shows its progress.
func (c *Call) apply(ctx context.Context, plan *sync.Plan) (*sync.Result, error) {
	engine, err := c.Engine(ctx)
	if err != nil {
		return nil, err
	}
	c.progress = c.newProgress()
	defer func() {
		c.progress.end()
		c.progress = nil
	}()
	return engine.Apply(ctx, plan)
}
