package syncertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	tusync "github.com/trueup-go/trueup/sync"
)

// attempt is one sync of a walk: what was asked for, and what came of it.
type attempt struct {
	wants    wants
	moves    []tusync.Move
	opts     *tusync.PlanOptions
	noSource bool // it is planned without a declaration
	rollback bool
	calm     bool // nothing was done to it
	late     bool // somebody else may have synced since it was planned
	// programs are the processes that tried; none if it was another process of the
	// system, of which nothing is known.
	programs      []*program
	before, after *snapshot
	plan          *tusync.Plan
	result        *tusync.Result
	err           error
}

// attempt plans and applies, and checks what came of it.
func (w *walk) attempt(p *program, a *attempt) error {
	return w.carryOut(w.t.Context(), p, a, func(ctx context.Context) (*tusync.Plan, error) { return w.planFor(ctx, p, a) })
}

// carryOut applies the plan that plan makes, and checks what came of it.
func (w *walk) carryOut(ctx context.Context, p *program, a *attempt, plan func(context.Context) (*tusync.Plan, error)) (err error) {
	a.programs = []*program{p}
	if a.before, err = w.look(ctx); err != nil {
		return err
	}
	if a.plan, a.err = plan(ctx); a.err == nil {
		a.result, a.err = p.engine.Apply(ctx, a.plan)
	}
	return w.judge(a)
}

func (w *walk) planFor(ctx context.Context, p *program, a *attempt) (*tusync.Plan, error) {
	w.note("  %s", textOf(a.opts))
	if a.noSource {
		w.note("  without a declaration")
		return p.engine.Plan(ctx, nil, a.opts)
	}
	desired, err := a.desired(p)
	if err != nil {
		return nil, err
	}
	return p.engine.Plan(ctx, desired, a.opts)
}

// desired returns the declaration as a process reads it.
func (a *attempt) desired(p *program) (*tusync.Desired, error) {
	resources, err := a.wants.resources(p.kinds)
	return &tusync.Desired{Resources: resources, Moves: slices.Clone(a.moves), Revision: "r"}, err
}

// judge notes how a sync ended, buries the process if it died, and checks that
// everything holds.
func (w *walk) judge(a *attempt) (err error) {
	if a.plan != nil {
		w.note("%s", strings.TrimSpace(a.plan.String()))
	}
	w.note("  → %v", a.err)
	for _, p := range a.programs {
		if p.fate.isDead() {
			w.note("  it died")
		}
		if len(p.backend.open) > 0 {
			if err := w.bury(p); err != nil {
				return err
			}
		}
	}
	if a.after, err = w.look(w.t.Context()); err != nil {
		return err
	}
	return w.check(a)
}

// bury lets the lease of a dead process lapse, and goes on with another one.
func (w *walk) bury(p *program) error {
	if err := w.steal(); err != nil {
		return err
	}
	if w.program == p {
		w.program = nil
	}
	return p.backend.bury(w.t.Context())
}

// steal has another process take the lease of whoever holds it, and give it back.
func (w *walk) steal() error {
	b, err := w.Open(w.address, w.scope)
	if err != nil {
		return err
	}
	for {
		w.Lapse(w.t, w.address)
		tx, _, err := b.Begin(w.t.Context(), "a thief")
		if errors.Is(err, tusync.ErrLocked) {
			continue // it was renewed in between
		}
		if err != nil {
			return err
		}
		return tx.Close(w.t.Context())
	}
}

// textOf shows options.
func textOf(opts *tusync.PlanOptions) string {
	text, err := json.Marshal(map[string]any{
		"prune": opts.Prune, "limit": opts.PruneLimit.String(), "mode": opts.OnFailure, "existing": opts.Existing, "observe": opts.Observe,
		"nodeploy": opts.NoDeploy, "selection": opts.Selection, "forget": fmt.Sprint(opts.Forget), "adopt": fmt.Sprint(opts.Adopt),
	})
	if err != nil {
		return err.Error()
	}
	return string(text)
}
