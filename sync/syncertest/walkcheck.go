package syncertest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// check checks all that must hold after a sync, against the records and the
// things that there are, not against what the engine says.
func (w *walk) check(a *attempt) error {
	for _, p := range a.programs {
		if len(p.trace.wrong) > 0 {
			return errors.New(strings.Join(p.trace.wrong, "; "))
		}
		if err := p.trace.isOrdered(a.wants.dependencies(), dependents(a.before.records)); err != nil && !a.noSource {
			return err
		}
	}
	w.forgotten(a)
	checks := []func(*attempt) error{
		w.nothingIsLost, w.whatIsClaimedIsThere, w.recordsStay, w.thingsStay, w.ends, w.serials, w.silent, w.expected, w.converged,
	}
	for _, check := range checks {
		if err := check(a); err != nil {
			return err
		}
	}
	for id := range w.removed {
		if _, there := a.after.things[id]; there {
			delete(w.removed, id)
		}
	}
	return nil
}

// forgotten notes which things belong to nobody from now on, and which do again.
func (w *walk) forgotten(a *attempt) {
	for _, key := range a.opts.Forget {
		record, was := a.before.records[key]
		if _, is := a.after.records[key]; !was || is {
			continue
		}
		for _, id := range []string{record.ID, record.Replaced, a.before.unnamed(key, w.unowned)} {
			if _, there := a.after.things[id]; there {
				w.unowned[id] = true
			}
		}
	}
	for _, record := range a.after.list {
		if before := a.before.records[record.Key]; w.unowned[record.ID] && isInterrupted(&before) {
			// Of two things of one name either is found: what the create made is nobody's now.
			if other := a.before.unnamed(record.Key, w.unowned); other != "" {
				w.unowned[other] = true
			}
		}
		delete(w.unowned, record.ID)
	}
}

// nothingIsLost checks that every thing is one that a record names, and that no
// key has two, unless a new one has just taken the place of an old one.
func (w *walk) nothingIsLost(a *attempt) error {
	named := map[string]state.Key{}
	for _, record := range a.after.list {
		for _, id := range []string{record.ID, record.Replaced} {
			if other, twice := named[id]; twice && id != "" {
				return fmt.Errorf("%s and %s are both %s", record.Key, other, id)
			}
			named[id] = record.Key
		}
	}
	pending := map[state.Key]string{}
	for id, thing := range a.after.things {
		if _, ok := named[id]; ok || w.unowned[id] {
			continue
		}
		key, err := state.ParseKey(thing.Key)
		if err != nil {
			return err
		}
		record := a.after.records[key]
		if !isInterrupted(&record) {
			return fmt.Errorf("lost: the thing %s of %s is in no record (its record says %s)", id, key, show(record))
		}
		if other, twice := pending[key]; twice {
			return fmt.Errorf("double: of %s there are %s and %s, and its record says %s", key, other, id, show(record))
		}
		pending[key] = id
	}
	return nil
}

// whatIsClaimedIsThere checks that every record that has an ID has its thing,
// unless we removed it.
func (w *walk) whatIsClaimedIsThere(a *attempt) error {
	for _, record := range a.after.list {
		if w.isStored(record.Kind) {
			continue
		}
		if record.ID == "" && len(record.Pending) == 0 {
			return fmt.Errorf("%s has no ID, and nothing is pending", record.Key)
		}
		if _, there := a.after.things[record.ID]; record.ID != "" && !there && !w.removed[record.ID] && pendingOf(&record, diff.OpDelete) == nil {
			return fmt.Errorf("gone: %s is recorded as %s, which isn't there: %s", record.Key, record.ID, show(record))
		}
	}
	return nil
}

// ends checks that every change has one end, and that the result tells what is
// recorded.
func (w *walk) ends(a *attempt) error {
	switch {
	case a.result != nil:
	case a.err == nil && len(a.programs) > 0:
		return errors.New("neither a result nor an error")
	default:
		return nil
	}
	total := 0
	for _, status := range []tusync.Status{tusync.Done, tusync.Failed, tusync.Blocked, tusync.NotAttempted} {
		total += a.result.Count(status)
	}
	if total != len(a.result.Changes) || len(a.result.Changes) != len(a.plan.Changes) && len(a.programs) == 1 {
		return fmt.Errorf("%d changes were planned, %d are in the result, and %d have an end", len(a.plan.Changes), len(a.result.Changes), total)
	}
	if done := a.result.Count(tusync.Done); a.err == nil && done != total {
		return fmt.Errorf("no error, and %d of %d changes are done", done, total)
	}
	if !a.calm {
		return nil
	}
	if a.result.Head.Root != a.after.head.Root || a.result.Head.Serial != a.after.head.Serial {
		return fmt.Errorf("the result's head is %+v, and the State's is %+v", a.result.Head, a.after.head)
	}
	for _, change := range a.result.Changes {
		_, creates := change.Change.(*diff.Create)
		if record := a.after.records[change.Change.Key()]; creates && change.Status == tusync.Done && record.ID != change.ID {
			return fmt.Errorf("%s was created as %s, and is recorded as %s", record.Key, change.ID, record.ID)
		}
	}
	return nil
}

// serials checks that every commit has added one.
func (w *walk) serials(a *attempt) error {
	commits := 0
	for _, p := range a.programs {
		commits += len(p.trace.serials)
	}
	if len(a.programs) == 0 {
		return nil
	}
	if grown := int(a.after.head.Serial - a.before.head.Serial); grown != commits {
		return fmt.Errorf("%d commits, and the serial grew by %d", commits, grown)
	}
	return nil
}
