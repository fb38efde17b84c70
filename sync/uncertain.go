package sync

import (
	"context"
	"fmt"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// UncertainError says that a create was interrupted and that nothing can tell
// whether the thing exists: its kind's Handler is neither Idempotent nor a
// Finder. errors.Is(err, ErrUncertain). Trying again won't help: somebody has to
// look.
type UncertainError struct {
	// Key is the resource's.
	Key state.Key
	// Err is what the create ended with; nil if it never came to an end.
	Err error
}

// Error implements error.
func (e *UncertainError) Error() string {
	cause := ""
	if e.Err != nil {
		cause = fmt.Sprintf(" (%v)", e.Err)
	}
	return fmt.Sprintf("the create of %s was interrupted%s and nobody knows whether it exists: look; if it does, adopt it by its ID, else forget its record",
		e.Key, cause)
}

// Is makes errors.Is(err, ErrUncertain) true.
func (e *UncertainError) Is(target error) bool { return target == ErrUncertain }

// Unwrap returns what the create ended with.
func (e *UncertainError) Unwrap() error { return e.Err }

// Retryable returns false, whatever the create ended with; see Retryable.
func (e *UncertainError) Retryable() bool { return false }

// settlement is what is to be done about a create whose end is unknown: the
// change, or nothing, since err stands in the way.
type settlement struct {
	change diff.Change
	err    error
}

// settle finds out what to do about creates of the kind that may have happened
// already, and returns one settlement for each, in their order. If the Handler is
// Idempotent the same create is done again. If it is a Finder, it is asked: what
// it found is updated, and what it didn't find is created. Else it is an
// *UncertainError. The creates have their ID and their Config.
//
// An error of the Finder's leaves it open, and so does a thing that is recorded as
// another resource's, as after a move that didn't finish: the settlement's wraps
// ErrUncertain.
func settle(ctx context.Context, kind *Kind, creates []*diff.Create, holder holder) []settlement {
	settled := make([]settlement, len(creates))
	for i, create := range creates {
		settled[i].change = create
	}
	if isIdempotent(kind.Handler) {
		return settled
	}
	finder, ok := abilityOf[Finder](kind.Handler)
	if !ok {
		for i, create := range creates {
			settled[i] = settlement{err: &UncertainError{Key: create.Key()}}
		}
		return settled
	}
	lives, err := find(ctx, kind, finder, creates)
	for i, create := range creates {
		live := Live{Err: err}
		if err == nil {
			live = lives[i]
		}
		if live.Err == nil {
			live.Err = holder.refuse(create.Key(), live.ID)
		}
		switch {
		case live.Err != nil:
			settled[i] = settlement{err: fmt.Errorf("%s: %w, and it could not be looked up: %w", create.Key(), ErrUncertain, live.Err)}
		case live.ID != "" && !isReplaced(create, live.ID):
			settled[i].change = updateOf(kind, create, live.ID)
		}
	}
	return settled
}

// isReplaced tells whether what was found is what the create takes the place of.
func isReplaced(create *diff.Create, id string) bool {
	return create.Replaces && create.Recorded != nil && create.Recorded.ID == id
}

// updateOf returns the update that makes the thing of that ID what the create was
// to make, without what is somebody else's from its creation on.
func updateOf(kind *Kind, create *diff.Create, id string) *diff.Update {
	update := &diff.Update{
		Target:   create.Target,
		Recorded: &state.Record{Key: create.Key(), Type: create.Desired.Type, ID: id},
	}
	update.Config = kind.managed(update.Config, create.Desired.Unmanaged)
	return update
}

// isSettleable tells whether settle can find out what to do.
func isSettleable(h Handler) bool {
	_, ok := abilityOf[Finder](h)
	return ok || isIdempotent(h)
}

// isIdempotent tells whether a create may simply be done again.
func isIdempotent(h Handler) bool {
	idempotent, ok := abilityOf[Idempotent](h)
	return ok && idempotent.Idempotent()
}

// abilityOf returns what a handler, or one that it wraps (Unwrap() Handler), can
// do beyond a Handler.
func abilityOf[T any](h Handler) (T, bool) {
	for h != nil {
		if able, ok := h.(T); ok {
			return able, true
		}
		wrapper, ok := h.(interface{ Unwrap() Handler })
		if !ok {
			break
		}
		h = wrapper.Unwrap()
	}
	var none T
	return none, false
}
