package syncertest

import (
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// recordsStay checks that no record has gone that was not pruned, forgotten,
// moved, or replaced, or whose create failed with certainty.
func (w *walk) recordsStay(a *attempt) error {
	for key, record := range a.before.records {
		to := a.movedTo(&record)
		now, stays := a.after.records[to]
		if stays && (to == key || now.ID == record.ID || record.ID == "" || w.mayBeReplaced(a, &record, to)) {
			continue
		}
		switch {
		case slices.Contains(a.opts.Forget, key):
		case w.mayBePruned(a, &record), w.mayBeReplaced(a, &record, to):
			for _, id := range []string{record.ID, record.Replaced} {
				if _, there := a.after.things[id]; there {
					return fmt.Errorf("lost: the record of %s is gone, and %s is still there: %s", key, id, show(record))
				}
			}
		case record.ID == "" && pendingOf(&record, diff.OpCreate) != nil:
		default:
			return fmt.Errorf("lost: the record of %s is gone, and nobody asked for that: %s", key, show(record))
		}
	}
	return nil
}

// mayBePruned tells whether a record was there to be pruned.
func (w *walk) mayBePruned(a *attempt, record *state.Record) bool {
	_, declared := a.wants[a.nowCalled(record)]
	if a.noSource {
		declared = !record.Orphaned
	}
	return !declared && a.opts.Prune && !record.Protected && !pieceKindOf(record.Kind).protected
}

// mayBeReplaced tells whether something that is declared had to be replaced: what
// can't be changed differs, or what it refers to there is another thing now.
func (w *walk) mayBeReplaced(a *attempt, record *state.Record, to state.Key) bool {
	want, declared := a.wants[to]
	switch {
	case !declared:
		return false
	case w.removed[record.ID]:
		return true // it is made anew
	case a.noSource, pieceKindOf(record.Kind).protected:
		return false
	case pendingOf(record, diff.OpDelete) != nil, record.ID != "" && pendingOf(record, diff.OpCreate) != nil:
		return true // that was begun before
	case record.Protected:
		return false
	case record.ID != "" && record.Checksum.IsZero():
		return true // made by a create that failed: nobody knows what it is like
	}
	_, base := want.links(to)
	if before, _ := a.recordBefore(base); !base.IsZero() {
		if before.ID == "" || before.ID != a.after.records[base].ID || w.mayBeReplaced(a, &before, base) {
			return true
		}
	}
	if thing, there := a.before.things[record.ID]; there {
		real, err := pieceOf(thing.Config)
		if err != nil || real.Range != want.Range || pieceKindOf(record.Kind).base != "" && real.Base != a.after.records[base].ID {
			return true
		}
	}
	resource, kept := a.before.declared[record.Checksum]
	if !kept {
		return false
	}
	recorded, err := pieceOf(resource.Config)
	return err != nil || recorded.Range != want.Range || recorded.Base != want.Base && !a.isMove(base.Kind, recorded.Base, want.Base)
}

// isMove tells whether two names of a kind are those of one thing, which has moved.
func (a *attempt) isMove(kind, from, to string) bool {
	return slices.Contains(a.moves, tusync.Move{From: state.Key{Kind: kind, Name: from}, To: state.Key{Kind: kind, Name: to}})
}

// recordBefore returns what was recorded of a declared key, under whatever name.
func (a *attempt) recordBefore(key state.Key) (record state.Record, recorded bool) {
	record, recorded = a.before.records[key]
	for _, m := range a.moves {
		if was, ok := a.before.records[m.From]; ok && m.To == key && !recorded {
			return was, true
		}
	}
	return record, recorded
}

// thingsStay checks that nothing was deleted that was neither pruned nor replaced,
// and nothing protected whatever was asked for.
func (w *walk) thingsStay(a *attempt) error {
	for id, thing := range a.before.things {
		if _, there := a.after.things[id]; there {
			continue
		}
		owner := a.before.ownerOf(thing)
		switch {
		case owner == nil && w.unowned[id]:
			key, err := state.ParseKey(thing.Key)
			if _, declared := a.wants[key]; err != nil || !declared || a.opts.Existing != tusync.ExistingReplace {
				return fmt.Errorf("deleted: %s of %s was nobody's", id, thing.Key)
			}
			delete(w.unowned, id)
		case owner == nil:
			return fmt.Errorf("deleted: %s of %s, which had no record", id, thing.Key)
		case owner.Replaced == id:
		case !w.mayBePruned(a, owner) && !w.mayBeReplaced(a, owner, a.nowCalled(owner)):
			return fmt.Errorf("deleted: %s of %s, which nobody asked for: %s", id, thing.Key, show(*owner))
		}
	}
	return nil
}

// nowCalled returns the key under which what is recorded may be declared: the one
// that it moves to, unless it is one of a create that was interrupted.
func (a *attempt) nowCalled(record *state.Record) state.Key {
	for _, m := range a.moves {
		if m.From == record.Key && !isInterrupted(record) {
			return m.To
		}
	}
	return record.Key
}

// movedTo returns the key that a record has after a sync.
func (a *attempt) movedTo(record *state.Record) state.Key {
	if _, still := a.after.records[record.Key]; still {
		return record.Key
	}
	return a.nowCalled(record)
}
