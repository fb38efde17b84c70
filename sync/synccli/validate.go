package synccli

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

func validate(ctx context.Context, call *Call) error {
	declaration, err := call.Load(ctx)
	if err != nil {
		return err
	}
	engine, err := sync.New(nowhere{scope: call.Scope}, call.kinds, nil)
	if err != nil {
		return err
	}
	// To plan towards it from nothing is to check all that can be checked: the
	// kinds' fields, unknown dependencies, cycles. Nobody outside is asked.
	if _, err := engine.Plan(ctx, declaration.Desired, &sync.PlanOptions{NoDeploy: true}); err != nil {
		return err
	}
	resources := len(declaration.Desired.Resources)
	if call.JSON {
		var warnings []string
		for _, warning := range declaration.Desired.Warnings {
			warnings = append(warnings, warning.String())
		}
		return call.writeJSON(struct {
			Resources int      `json:"resources"`
			Warnings  []string `json:"warnings,omitempty"`
		}{resources, warnings})
	}
	valid := "all valid"
	if resources == 1 {
		valid = "valid"
	}
	fmt.Fprintf(call.Out, "%s, %s.\n", count(resources, "resource"), valid)
	return nil
}

// nowhere is a backend in which nothing is recorded, nor ever will be.
type nowhere struct{ scope state.Scope }

func (n nowhere) Scope() state.Scope { return n.scope }

func (n nowhere) Head(context.Context) (state.Head, error) {
	return state.Head{Scope: n.scope}, nil
}

func (nowhere) Records(context.Context) iter.Seq2[state.Record, error] {
	return func(func(state.Record, error) bool) {}
}

func (nowhere) Declared(context.Context, []state.Checksum) (map[state.Checksum]state.Resource, error) {
	return nil, nil
}

// DigestKey implements sync.DigestKeeper: there is none.
func (nowhere) DigestKey(context.Context) ([]byte, error) { return nil, nil }

func (nowhere) KeepDigestKey(context.Context, []byte) ([]byte, error) { return nil, errReads }

func (nowhere) Begin(context.Context, string) (sync.Tx, state.Head, error) {
	return nil, state.Head{}, errReads
}

var errReads = errors.New("validate only reads")
