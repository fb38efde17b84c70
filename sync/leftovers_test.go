package sync_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// What was marked and never begun leaves nothing uncertain, not even for a Handler
// without abilities: whether it is the old thing that is there or none.
func TestPromise5_WhatWasNeverBegunIsNotUncertain(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]tusync.KindOption{
		"create first": {tusync.CreateFirst()},
		"delete first": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newTown(t, nil, func(w *syncertest.World) []tusync.Kind {
				own := append([]tusync.KindOption{tusync.Handle(w.Handler())}, options...)
				return []tusync.Kind{
					tusync.Define[wire]("network", tusync.Handle(w.Handler()), tusync.CreateFirst()),
					tusync.Define[subnet]("subnet", own...),
					tusync.Define[box]("box", tusync.Handle(w.Handler())),
				}
			})
			town := func(r string, size int) *tusync.Desired {
				d := declaring(
					resource(t, o.kinds, "box/b", box{size}),
					resource(t, o.kinds, "network/n", wire{Range: r}),
					resource(t, o.kinds, "subnet/s", subnet{Network: "n"}, "box/b"))
				return d
			}
			_, _, err := o.apply(t, town("old", 1), nil)
			require.NoError(t, err)
			o.watch().fail["update box/b"] = errBoom // so that the subnet's create is not reached
			_, _, err = o.apply(t, town("new", 2), nil)
			require.ErrorIs(t, err, errBoom)
			o.Hook = nil
			_, _, err = o.apply(t, declaring(), &tusync.PlanOptions{Prune: true, AllowEmpty: true})
			require.NoError(t, err)
			require.Empty(t, o.things(t))
			require.Empty(t, allRecords(t, o.backend))
		})
	}
}

// Nothing is deleted unless it is asked for: that an earlier delete was refused is
// no reason.
func TestPromise7_WhatCouldNotBeDeletedAndIsDeclaredAgainStays(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []tusync.Kind {
		return []tusync.Kind{tusync.Define[box]("box", tusync.Handle(w.Finding()))}
	})
	desired := declaring(resource(t, o.kinds, "box/b", box{1}))
	_, _, err := o.apply(t, desired, nil)
	require.NoError(t, err)
	before := o.things(t)["box/b"]
	journal := o.watch()
	journal.fail["delete box/b"] = errBoom
	_, result, err := o.apply(t, declaring(), &tusync.PlanOptions{Prune: true, AllowEmpty: true})
	require.ErrorIs(t, err, errBoom)
	require.Len(t, result.Orphans(), 1)
	p, _ := o.sync(t, desired, nil)
	require.Contains(t, p.String(), "the last delete failed")
	require.Equal(t, []string{"delete box/b", "update box/b"}, journal.lines)
	require.Equal(t, before, o.things(t)["box/b"])
}

// A delete of which nobody knows whether it happened is done again.
func TestPromise5_ADeleteOfUnknownEndIsDoneAgain(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []tusync.Kind {
		return []tusync.Kind{tusync.Define[box]("box", tusync.Handle(w.Finding()))}
	})
	desired := declaring(resource(t, o.kinds, "box/b", box{1}))
	_, _, err := o.apply(t, desired, nil)
	require.NoError(t, err)
	o.watch().lose["delete box/b"] = tusync.ErrUncertain
	_, _, err = o.apply(t, declaring(), &tusync.PlanOptions{Prune: true, AllowEmpty: true})
	require.ErrorIs(t, err, tusync.ErrUncertain)
	o.Hook = nil
	p, _ := o.sync(t, desired, nil)
	require.Equal(t, []string{"delete b", "replace b"}, planned(p))
	require.Len(t, o.things(t), 1)
}

// sameAgain makes things whose IDs are their names, and CreateFirst is a mistake.
type sameAgain struct {
	mu    sync.Mutex
	there map[string]bool
}

func (s *sameAgain) Apply(_ context.Context, changes []diff.Change) []tusync.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c := changes[0].(type) {
	case *diff.Create:
		s.there[c.Desired.Name] = true
		return []tusync.Outcome{{ID: c.Desired.Name}}
	case *diff.Delete:
		delete(s.there, c.Recorded.ID)
	}
	return make([]tusync.Outcome, 1)
}

// What takes the place of itself is not deleted as the old one.
func TestAReplacementWithTheOldOnesIDIsNotDeleted(t *testing.T) {
	t.Parallel()
	names := &sameAgain{there: map[string]bool{}}
	o := newTown(t, nil, func(*syncertest.World) []tusync.Kind {
		return []tusync.Kind{tusync.Define[wire]("network", tusync.Handle(names), tusync.CreateFirst())}
	})
	_, _, err := o.apply(t, declaring(resource(t, o.kinds, "network/n", wire{Range: "old"})), nil)
	require.NoError(t, err)
	_, result, err := o.apply(t, declaring(resource(t, o.kinds, "network/n", wire{Range: "new"})), nil)
	require.ErrorContains(t, err, "the kind can't be created first")
	require.Equal(t, []string{"n blocked", "n failed"}, ends(result))
	require.True(t, names.there["n"])
	require.Equal(t, "n", allRecords(t, o.backend)["network/n"].ID)
}

// halfMade leaves something behind of the first create that fails.
type halfMade struct {
	tusync.Handler
	fail *bool
}

func (h halfMade) Apply(ctx context.Context, changes []diff.Change) []tusync.Outcome {
	outcomes := h.Handler.Apply(ctx, changes)
	if _, ok := changes[0].(*diff.Create); ok && *h.fail {
		outcomes[0].Err = errBoom
	}
	return outcomes
}

// What was made to take another's place, though not as it should be, is made what
// it should be, and not replaced in its turn.
func TestPromise3_AHalfMadeReplacementIsUpdated(t *testing.T) {
	t.Parallel()
	fail := false
	o := newTown(t, nil, func(w *syncertest.World) []tusync.Kind {
		return []tusync.Kind{tusync.Define[wire]("network", tusync.Handle(halfMade{w.Handler(), &fail}), tusync.CreateFirst())}
	})
	_, _, err := o.apply(t, declaring(resource(t, o.kinds, "network/n", wire{Range: "old"})), nil)
	require.NoError(t, err)
	fail = true
	desired := declaring(resource(t, o.kinds, "network/n", wire{Range: "new"}))
	_, _, err = o.apply(t, desired, nil)
	require.ErrorIs(t, err, errBoom)
	fail = false
	p, _ := o.sync(t, desired, nil)
	require.Equal(t, []string{"update n", "delete n"}, planned(p))
	require.Len(t, o.things(t), 1)
}

// allRecords returns the records by their keys.
func allRecords(t testing.TB, b tusync.Backend) map[string]state.Record {
	t.Helper()
	all := map[string]state.Record{}
	for r, err := range b.Records(t.Context()) {
		require.NoError(t, err)
		all[r.Key.String()] = r
	}
	return all
}

// What an earlier run has replaced was made from a declaration that nobody knows any
// more: the one that is recorded is its successor's, whom a Handler that goes by it
// would delete.
func TestALeftoverIsNotGivenItsSuccessorsDeclaration(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []tusync.Kind {
		return []tusync.Kind{tusync.Define[wire]("network", tusync.Handle(w.Handler()), tusync.CreateFirst())}
	})
	_, _, err := o.apply(t, declaring(resource(t, o.kinds, "network/n", wire{Range: "old"})), nil)
	require.NoError(t, err)
	o.watch().fail["delete network/n"] = errBoom
	desired := declaring(resource(t, o.kinds, "network/n", wire{Range: "new"}))
	_, _, err = o.apply(t, desired, nil)
	require.ErrorIs(t, err, errBoom)
	var priors []*state.Resource
	o.Hook = func(change diff.Change, done bool) error {
		if !done {
			priors = append(priors, change.(*diff.Delete).Prior)
		}
		return nil
	}
	o.sync(t, desired, nil)
	require.Equal(t, []*state.Resource{nil}, priors)
}
