package syncertest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// expected checks that a sync which nothing has disturbed did not fail, or for a
// reason that is known.
func (w *walk) expected(a *attempt) error {
	if !a.calm || a.err == nil {
		return nil
	}
	known := map[error]bool{
		tusync.ErrPruneLimit:        a.opts.Prune && a.opts.PruneLimit != tusync.LimitPercent(100),
		tusync.ErrExists:            a.opts.Existing != tusync.ExistingReplace, // what can't be changed may differ in what exists
		tusync.ErrUncertain:         slices.ContainsFunc(a.before.list, func(r state.Record) bool { return isUncertain(&r) || a.before.isTaken(&r) }),
		tusync.ErrProtected:         a.anyProtected(),
		tusync.ErrStale:             a.late,
		tusync.ErrSecretUnavailable: a.rollback,
	}
	for err, may := range known {
		if may && errors.Is(a.err, err) {
			return nil
		}
	}
	var wrong tusync.SyncErr
	if a.rollback && a.result == nil && errors.As(a.err, &wrong) {
		return nil // a State in which something failed may declare what depends on an orphan
	}
	if a.opts.Selection != nil && errors.As(a.err, &wrong) {
		return nil // what is selected may need what isn't
	}
	return fmt.Errorf("an undisturbed sync failed: %w", a.err)
}

// anyProtected tells whether something that is declared may not be replaced.
func (a *attempt) anyProtected() bool {
	for key, want := range a.wants {
		record, _ := a.recordBefore(key)
		if want.Protected || record.Protected || pieceKindOf(key.Kind).protected {
			return true
		}
	}
	return false
}

// converged checks, after a sync of everything that went well, that what is
// declared is what there is, and that there is nothing left to do.
func (w *walk) converged(a *attempt) error {
	if a.err != nil || a.opts.Selection != nil || a.noSource || len(a.programs) != 1 || a.programs[0].fate.isDead() {
		return nil
	}
	for key, want := range a.wants {
		if err := w.isAsWanted(a, key, want); err != nil {
			return err
		}
	}
	for key, record := range a.after.records {
		if _, declared := a.wants[key]; declared {
			continue
		}
		if !record.Orphaned {
			return fmt.Errorf("%s isn't declared, and no orphan", key)
		}
		if w.mayBePruned(a, &record) && !a.after.isNeeded(key) {
			return fmt.Errorf("%s was to be pruned, and is still recorded", key)
		}
	}
	if a.rollback {
		return nil
	}
	return w.nothingIsLeft(a)
}

// isAsWanted checks that one thing is what is declared.
func (w *walk) isAsWanted(a *attempt, key state.Key, want *want) error {
	record, recorded := a.after.records[key]
	if !recorded || record.ID == "" || record.Orphaned || record.Replaced != "" || record.Protected != want.Protected {
		return fmt.Errorf("%s is declared as %s, and recorded as %s", key, want, show(record))
	}
	for _, pending := range record.Pending {
		if pending.Op != string(diff.OpDeploy) || !a.opts.NoDeploy || !want.Deploy {
			return fmt.Errorf("all went well, and %s is pending: %s", key, show(record))
		}
	}
	real, err := w.realPiece(a, &record)
	if err != nil || real == nil {
		return err
	}
	wanted := want.piece
	if wanted.Token == unknownToken || w.isStored(key.Kind) {
		real.Token = wanted.Token
	}
	wanted.Hint, real.Hint = "", ""
	if *real != wanted {
		return fmt.Errorf("%s is %+v, and declared as %+v", key, *real, wanted)
	}
	if health := w.health(record.ID); want.Deploy && !a.opts.NoDeploy && health.Phase != tusync.Healthy {
		return fmt.Errorf("%s is to run, and is %s", key, health.Phase)
	}
	return nil
}

// isStored tells whether the backend itself stores what is of a kind.
func (w *walk) isStored(kind string) bool { return pieceKindOf(kind).handler == nil && !w.onlyOwnKinds }

// realPiece returns what there is of a declared record, with names in place of IDs;
// nil if it was changed behind the engine's back, and the engine was not to look.
func (w *walk) realPiece(a *attempt, record *state.Record) (*piece, error) {
	key := record.Key
	if w.isStored(key.Kind) {
		resource, err := w.declared(w.t.Context(), record.Checksum)
		if err != nil {
			return nil, err
		}
		real, err := pieceOf(resource.Config)
		return &real, err
	}
	thing, there := a.after.things[record.ID]
	drifted := w.edited[record.ID] || w.removed[record.ID]
	if drifted && (!there || !a.opts.Observe || !pieceKindOf(key.Kind).observes()) {
		return nil, nil
	}
	delete(w.edited, record.ID)
	if thing.Key != key.String() {
		return nil, fmt.Errorf("the thing of %s is called %s", key, thing.Key)
	}
	real, err := pieceOf(thing.Config)
	if err != nil {
		return nil, err
	}
	link, base := a.wants[key].links(key)
	if real.Link, err = a.nameIn(link, real.Link); err != nil {
		return nil, fmt.Errorf("the link of %s: %w", key, err)
	}
	if real.Base, err = a.nameIn(base, real.Base); err != nil {
		return nil, fmt.Errorf("the base of %s: %w", key, err)
	}
	return &real, nil
}

// nameIn returns the name in place of the ID of what a thing refers to.
func (a *attempt) nameIn(to state.Key, id string) (string, error) {
	if to.IsZero() {
		return id, nil
	}
	now, recorded := a.after.records[to]
	if _, declared := a.wants[to]; !declared && !recorded && a.rollback {
		return to.Name, nil // a State in which something failed may name what has moved since
	}
	if now.ID != id {
		return "", fmt.Errorf("it is %s, and %s is %s", id, to, show(now))
	}
	return to.Name, nil
}

// nothingIsLeft checks that the next plan is empty, and changes nothing.
func (w *walk) nothingIsLeft(a *attempt) error {
	opts := *a.opts
	opts.Forget, opts.Adopt = nil, nil
	p, err := w.outside.program(nil)
	if err != nil {
		return err
	}
	desired, err := a.desired(p)
	if err != nil {
		return err
	}
	plan, err := p.engine.Plan(w.t.Context(), desired, &opts)
	if err != nil {
		return err
	}
	if !plan.IsEmpty() {
		return fmt.Errorf("all went well, and there is something left to do:\n%s", plan)
	}
	result, err := p.engine.Apply(w.t.Context(), plan)
	if err != nil {
		return err
	}
	if result.Head.Serial != a.after.head.Serial {
		return errors.New("an empty plan has moved the State")
	}
	return nil
}
