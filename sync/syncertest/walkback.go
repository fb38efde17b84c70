package syncertest

import (
	"context"
	"math/rand/v2"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// rollback returns to an earlier State.
func (w *walk) rollback(r *rand.Rand) error {
	historian, ok := tusync.AbilityOf[tusync.Historian](w.reader)
	if !ok {
		return nil
	}
	var serials []int64
	for head, err := range historian.History(w.t.Context()) {
		if err != nil {
			return err
		}
		serials = append(serials, head.Serial)
	}
	serial, ok := pick(r, serials)
	if !ok {
		return nil
	}
	p, err := w.process(r)
	if err != nil {
		return err
	}
	a := &attempt{opts: w.options(r), rollback: true, calm: r.IntN(2) == 0}
	a.opts.Selection = nil
	if !a.calm {
		w.trouble(r, p)
	}
	w.note("  roll back to %d: %s", serial, textOf(a.opts))
	source, err := (&attempt{wants: w.wants}).desired(p)
	if err != nil {
		return err
	}
	if err := w.wantsAt(historian, serial, a); err != nil {
		return err
	}
	w.moves = nil // what they lead to may be gone
	return w.carryOut(w.t.Context(), p, a, func(ctx context.Context) (*tusync.Plan, error) {
		return p.engine.Rollback(ctx, serial, source, a.opts)
	})
}

// wantsAt notes what was declared in an earlier State, without the sensitive values,
// and what has moved since.
func (w *walk) wantsAt(historian tusync.Historian, serial int64, a *attempt) error {
	now, err := w.look(w.t.Context())
	if err != nil {
		return err
	}
	names := map[string]state.Key{}
	for _, record := range now.list {
		names[record.ID] = record.Key
	}
	_, records, err := historian.StateAt(w.t.Context(), serial)
	if err != nil {
		return err
	}
	a.wants = wants{}
	var moves []tusync.Move
	for record, err := range records {
		if err != nil {
			return err
		}
		if name := names[record.ID]; !name.IsZero() && name != record.Key {
			moves = append(moves, tusync.Move{From: name, To: record.Key})
		}
		if record.Orphaned || record.Checksum.IsZero() {
			continue
		}
		resource, err := w.declared(w.t.Context(), record.Checksum)
		if err != nil {
			return err
		}
		one := &want{After: resource.After, Tags: resource.Tags, Protected: resource.Protected, Deploy: resource.Deploy}
		if one.piece, err = pieceOf(resource.Config); err != nil {
			return err
		}
		one.Token = unknownToken
		a.wants[resource.Key] = one
	}
	for _, m := range moves {
		_, stays := a.wants[m.From]
		_, wanted := a.wants[m.To]
		if _, taken := now.records[m.To]; wanted && !stays && !taken {
			a.moves = append(a.moves, m)
		}
	}
	return nil
}

// unknownToken stands for a sensitive value that only the engine can find.
const unknownToken = "unknown"
