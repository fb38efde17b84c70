package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/trueup-go/trueup/examples/resourcesync/deploy"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/synccli"
)

func runCommand(p *program) synccli.Command {
	return synccli.Command{
		Name: "run", Args: []string{"PROCEDURE"}, Run: p.procedure,
		Takes: synccli.TakesPaths | synccli.TakesScope | synccli.TakesJSON | synccli.TakesWait,
		Short: "run a procedure",
		Long:  "Runs a declared procedure: its stages one after the other, the executions of a stage at once.\nA stage of which something fails is the last one.",
	}
}

// procedure runs a procedure and shows its steps as they end.
func (p *program) procedure(ctx context.Context, call *synccli.Call) error {
	declaration, err := call.Load(ctx)
	if err != nil {
		return err
	}
	engine, err := call.Engine(ctx)
	if err != nil {
		return err
	}
	p.redeploy = func(ctx context.Context, keys []state.Key) error {
		opts := call.Options
		opts.Redeploy, opts.Selection = keys, &sync.Selection{Keys: keys}
		plan, err := engine.Plan(ctx, declaration.Desired, &opts)
		if err == nil {
			_, err = engine.Apply(ctx, plan)
		}
		return err
	}
	var unwritten error
	err = p.deployer.RunProcedure(ctx, call.Args[0], func(step deploy.Step) {
		unwritten = errors.Join(unwritten, showStep(call, step))
	})
	return errors.Join(err, unwritten)
}

func showStep(call *synccli.Call, step deploy.Step) error {
	outcome := ""
	switch {
	case !step.Done:
		outcome = "begun"
	case step.Err != nil:
		outcome = "failed"
	default:
		outcome = "done"
	}
	if call.JSON {
		line := map[string]string{"event": "step", "procedure": step.Procedure, "stage": step.Stage, "execution": step.Execution, "outcome": outcome}
		if step.Err != nil {
			line["error"] = step.Err.Error()
		}
		return json.NewEncoder(call.Out).Encode(line)
	}
	if !step.Done {
		return nil
	}
	_, err := fmt.Fprintf(call.Out, "%s, %s: %s: %s\n", step.Procedure, step.Stage, step.Execution, outcome)
	return err
}
