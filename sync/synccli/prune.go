package synccli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// prune deletes the orphans that are on the books. It reads the declaration,
// where there is one, for one reason: an orphan that is declared again must not
// be deleted, only because nobody has synced since.
func prune(ctx context.Context, call *Call) error {
	call.Options.Prune = true
	plan, err := call.planWithout(ctx)
	if err != nil {
		return err
	}
	var again []error
	for _, change := range plan.changes() {
		if plan.declares(change) {
			again = append(again, sync.SyncErr{Resource: change.String(), Description: "is declared again: sync before you prune"})
		}
	}
	if again != nil {
		return errors.Join(again...)
	}
	if plan.IsEmpty() && !call.JSON {
		fmt.Fprintf(call.Out, "No orphans in %s.\n", call.Scope)
		return nil
	}
	return call.Carry(ctx, plan.Plan)
}

// forget drops one record. A declared one stays: the next sync would create what
// it is a record of a second time. Not so if it is the record of a create that was
// interrupted: to forget it is to say that the thing isn't there.
func forget(ctx context.Context, call *Call) error {
	key, err := parseKey(call.Args[0])
	if err != nil {
		return err
	}
	call.Options.Forget = []state.Key{key}
	plan, err := call.planWithout(ctx)
	if err != nil {
		return err
	}
	if plan.declares(key) && plan.exists(key) {
		return sync.SyncErr{Resource: key.String(), Description: "can't be forgotten: it is declared; remove it from the declaration first"}
	}
	return call.Carry(ctx, plan.Plan)
}

// bookPlan is a plan that only concerns what is recorded, and what is declared
// nevertheless.
type bookPlan struct {
	*sync.Plan
	declaration *Declaration // nil if there is none
}

// planWithout loads the declaration, if there is one, and plans without it.
func (c *Call) planWithout(ctx context.Context) (*bookPlan, error) {
	declaration, err := c.loadIfThere(ctx)
	if err != nil {
		return nil, err // what is declared must be known
	}
	plan, err := c.Plan(ctx, nil)
	return &bookPlan{Plan: plan, declaration: declaration}, err
}

func (p *bookPlan) changes() []state.Key {
	var keys []state.Key
	for _, change := range p.Changes {
		keys = append(keys, change.Key())
	}
	return keys
}

// exists tells whether what is to be forgotten is known to have been there.
func (p *bookPlan) exists(key state.Key) bool {
	return slices.ContainsFunc(p.Changes, func(c sync.PlannedChange) bool {
		forget, ok := c.Change.(*diff.Forget)
		return ok && forget.Recorded.Key == key && forget.Recorded.ID != ""
	})
}

func (p *bookPlan) declares(key state.Key) bool {
	return p.declaration != nil && slices.ContainsFunc(p.declaration.Desired.Resources, func(r state.Resource) bool { return r.Key == key })
}
