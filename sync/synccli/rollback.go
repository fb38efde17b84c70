package synccli

import (
	"context"
	"errors"
	"fmt"

	"github.com/trueup-go/trueup/sync"
)

// rollback plans towards what was declared in an earlier State. The declaration,
// if there is one, is where sensitive values come from: it is no reason not to roll
// back if it has mistakes, which may be why somebody does.
func rollback(ctx context.Context, call *Call) error {
	serial, err := parseSerial(call.Args[0])
	if err != nil {
		return err
	}
	declaration, err := call.loadSource(ctx)
	if err != nil {
		return err
	}
	engine, err := call.Engine(ctx)
	if err != nil {
		return err
	}
	changes := false
	err = call.run(ctx, engine, declaration, func(ctx context.Context, source *sync.Desired, opts *sync.PlanOptions) (*sync.Plan, error) {
		plan, err := engine.Rollback(ctx, serial, source, opts)
		changes = err == nil && !plan.IsEmpty()
		return plan, err
	})
	if err == nil && changes && declaration.Desired != nil && !call.JSON {
		fmt.Fprintf(call.Out, "\"%s\" leads back to what is declared: bring that to where you are now, too.\n", call.line("sync"))
	}
	return err
}

// loadSource loads the declaration; one without Desired if there is none, or none
// that can be read.
func (c *Call) loadSource(ctx context.Context) (*Declaration, error) {
	declaration, err := c.loadIfThere(ctx)
	var wrong *mistakes
	if errors.As(err, &wrong) {
		fmt.Fprintf(c.Err, "warning: the declaration can't be read, and no sensitive value taken from it: %s\n", count(len(texts(err)), "mistake"))
		declaration, err = nil, nil
	}
	if declaration == nil {
		declaration = &Declaration{}
	}
	return declaration, err
}
