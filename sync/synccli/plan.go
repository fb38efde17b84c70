package synccli

import (
	"context"
	"fmt"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// changesAhead is the exit code of plan if sync would do something.
const changesAhead = 2

func plan(ctx context.Context, call *Call) error {
	declaration, err := call.Load(ctx)
	if err != nil {
		return err
	}
	plan, err := call.Plan(ctx, declaration)
	if err != nil {
		return err
	}
	if err := call.SavePlan(plan); err != nil {
		return err
	}
	if err := call.savePage(plan, declaration.Desired.Warnings); err != nil {
		return err
	}
	if err := call.ShowPlan(plan); err != nil {
		return err
	}
	if !plan.IsEmpty() {
		return &ExitError{Code: changesAhead}
	}
	return nil
}

// Plan plans towards a declaration; nil means towards none, which leaves only
// what the Options ask for.
func (c *Call) Plan(ctx context.Context, declaration *Declaration) (*sync.Plan, error) {
	engine, err := c.Engine(ctx)
	if err != nil {
		return nil, err
	}
	var desired *sync.Desired
	if declaration != nil {
		desired = declaration.Desired
	}
	return engine.Plan(ctx, desired, &c.Options)
}

// ShowPlan writes the plan, and which orphans there are beside those that it
// deals with; or the plan's JSON.
func (c *Call) ShowPlan(plan *sync.Plan) error {
	c.warn(plan.Warnings)
	if c.JSON {
		return c.writeJSON(plan)
	}
	if err := plan.WriteText(c.Out, &diff.TextOptions{Color: c.Color}); err != nil {
		return fmt.Errorf("show the plan: %w", err)
	}
	dealt := map[state.Key]bool{}
	for _, change := range plan.Changes {
		dealt[change.Key()] = true
	}
	var others []state.Record
	for _, orphan := range plan.Orphans {
		if !dealt[orphan.Key] {
			others = append(others, orphan)
		}
	}
	c.showOrphans(others)
	return nil
}
