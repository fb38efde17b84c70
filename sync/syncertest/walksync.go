package syncertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	tusync "github.com/trueup-go/trueup/sync"
)

// options chooses what a plan may do.
func (w *walk) options(r *rand.Rand) *tusync.PlanOptions {
	opts := &tusync.PlanOptions{By: "ada", Records: r.IntN(4) == 0}
	if r.IntN(5) < 2 {
		opts.Prune, opts.AllowEmpty, opts.PruneLimit = true, true, tusync.LimitPercent(100)
		if r.IntN(6) == 0 {
			opts.PruneLimit = tusync.LimitCount(1)
		}
	}
	opts.OnFailure, _ = pick(r, []tusync.FailureMode{"", tusync.KeepGoing, tusync.KeepGoing, tusync.StopAtFirst, tusync.AllOrNothing})
	if opts.OnFailure == tusync.AllOrNothing && w.lacks(AllOrNothing) {
		opts.OnFailure = ""
	}
	opts.Existing, _ = pick(r, []tusync.ExistingMode{"", tusync.ExistingError, tusync.ExistingAdopt, tusync.ExistingAdopt, tusync.ExistingReplace})
	opts.Observe, opts.NoDeploy = r.IntN(3) == 0, r.IntN(6) == 0
	if r.IntN(8) == 0 {
		opts.Selection = w.selection(r)
	}
	return opts
}

func (w *walk) selection(r *rand.Rand) *tusync.Selection {
	s := &tusync.Selection{}
	for range 1 + r.IntN(3) {
		switch r.IntN(3) {
		case 0:
			if key, ok := pick(r, w.wants.keys()); ok {
				s.Keys = append(s.Keys, key)
			}
		case 1:
			kind, _ := pick(r, pieceKinds())
			s.Kinds = append(s.Kinds, kind.name)
		default:
			s.Tags = append(s.Tags, fmt.Sprint("tag", r.IntN(3)))
		}
	}
	return s
}

// sync plans and applies, and may be disturbed.
func (w *walk) sync(r *rand.Rand) error {
	p, err := w.process(r)
	if err != nil {
		return err
	}
	a := &attempt{wants: w.wants, moves: w.moves, opts: w.options(r), calm: true}
	a.noSource = r.IntN(25) == 0 && a.opts.Selection == nil
	if r.IntN(2) == 0 {
		return w.attempt(p, a)
	}
	a.calm = false
	w.trouble(r, p)
	ctx, cancel := context.WithCancelCause(w.t.Context())
	defer cancel(nil)
	if r.IntN(10) == 0 {
		p.fate.turn, p.fate.at = 1+r.IntN(40), func() { cancel(errors.New("cancelled by the walk")) }
		w.note("  cancelled at boundary %d", p.fate.turn)
	}
	return w.carryOut(ctx, p, a, func(ctx context.Context) (*tusync.Plan, error) { return w.planFor(ctx, p, a) })
}

// race lets two processes sync the scope at once.
func (w *walk) race(r *rand.Rand) error {
	a := &attempt{wants: w.wants, moves: w.moves, opts: w.options(r)}
	var err error
	if a.before, err = w.look(w.t.Context()); err != nil {
		return err
	}
	var plans [2]*tusync.Plan
	for i := range plans {
		p, err := w.outside.program(&tusync.Options{BatchSize: 1 + r.IntN(5), Owner: fmt.Sprint("racer ", i)})
		if err != nil {
			return err
		}
		a.programs = append(a.programs, p)
		opts := *a.opts
		opts.Wait = r.IntN(2) == 0
		a.plan, a.err = w.planFor(w.t.Context(), p, &attempt{wants: a.wants, moves: a.moves, opts: &opts})
		if a.err != nil {
			return w.judge(a)
		}
		plans[i] = a.plan
	}
	type end struct {
		result *tusync.Result
		err    error
	}
	ends := make(chan end, len(plans))
	for i, p := range a.programs {
		go func() {
			result, err := p.engine.Apply(w.t.Context(), plans[i])
			ends <- end{result, err}
		}()
	}
	for range plans {
		e := <-ends
		switch {
		case errors.Is(e.err, tusync.ErrLocked), errors.Is(e.err, tusync.ErrStale):
			w.note("  one of two: %v", e.err)
		default:
			a.result, a.err = e.result, errors.Join(a.err, e.err)
		}
	}
	if a.result == nil && a.err == nil {
		return errors.New("of two processes none got its turn")
	}
	return w.judge(a)
}

// later saves a plan, and applies it when something else may have happened.
func (w *walk) later(r *rand.Rand) error {
	p, err := w.process(r)
	if err != nil {
		return err
	}
	a := &attempt{wants: w.wants.clone(), moves: slices.Clone(w.moves), opts: w.options(r)}
	plan, err := w.planFor(w.t.Context(), p, a)
	if err != nil {
		w.note("  no plan to save: %v", err)
		return nil
	}
	var file bytes.Buffer
	if err := plan.Encode(&file); err != nil {
		return err
	}
	if err := noSecret("a saved plan", file.String()); err != nil {
		return err
	}
	edited, synced := r.IntN(3) == 0, r.IntN(3) > 0
	if edited {
		err = w.edit(r)
	}
	if synced && err == nil {
		err = w.sync(r)
	}
	if err != nil {
		return err
	}
	w.note("  now the saved plan")
	if p, err = w.process(r); err != nil {
		return err
	}
	a.calm, a.late = !edited, synced
	return w.carryOut(w.t.Context(), p, a, func(ctx context.Context) (*tusync.Plan, error) {
		desired, err := a.desired(p)
		if err != nil {
			return nil, err
		}
		return p.engine.LoadPlan(ctx, &file, desired)
	})
}
