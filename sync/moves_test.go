package sync_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// renamed is what is declared once network/lan has another name.
func renamed(t *testing.T, o *outside) *sync.Desired {
	t.Helper()
	desired := o.desire(t, map[string]any{"network/home": wire{Range: "10.0.0.0/8"}})
	desired.Moves = []sync.Move{{From: state.Key{Kind: "network", Name: "lan"}, To: state.Key{Kind: "network", Name: "home"}}}
	return desired
}

// A thing that has another name and nothing else is told of it: it may be found by
// its name.
func TestPromise7_AMoveReachesTheHandler(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, nil)
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}}), nil)
	id := o.things(t)["network/lan"].ID
	plan, result := o.sync(t, renamed(t, o), nil)
	require.Equal(t, map[diff.Op]int{diff.OpMove: 1}, plan.Counts())
	require.Equal(t, id, result.Changes[0].ID)
	require.Equal(t, id, o.things(t)["network/home"].ID)
	require.Len(t, o.things(t), 1)
}

// What an interrupted create has made has the name that it was made with: under
// another one nobody would find it. So it stays on the books as what it is.
func TestPromise5_AnInterruptedCreateDoesNotMove(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, &sync.Options{Retries: -1})
	unknown := fmt.Errorf("the answer is lost: %w", sync.ErrUncertain)
	o.Hook = func(_ diff.Change, done bool) error {
		if done {
			return unknown
		}
		return nil
	}
	o.fails(t, o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}}), unknown)
	o.Hook = nil
	_, result := o.sync(t, renamed(t, o), nil)
	require.Len(t, o.things(t), 2)
	require.Len(t, result.Orphans(), 1)
	o.sync(t, renamed(t, o), &sync.PlanOptions{Prune: true})
	require.Len(t, o.things(t), 1)
	require.Contains(t, o.things(t), "network/home")
}

// What is created under a new name is on the books under that name from the start:
// there it is found again if the create is interrupted.
func TestPromise5_ACreateUnderANewNameIsCarriedOn(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(*syncertest.World) sync.Handler{
		"Finding": (*syncertest.World).Finding, "Idempotent": (*syncertest.World).Idempotent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOutside(t, handler, &sync.Options{Retries: -1})
			o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}}), nil)
			require.NoError(t, o.Remove(o.id(t, "network/lan")))
			unknown := fmt.Errorf("the answer is lost: %w", sync.ErrUncertain)
			o.Hook = func(_ diff.Change, done bool) error {
				if done {
					return unknown
				}
				return nil
			}
			plan, err := o.engine.Plan(t.Context(), renamed(t, o), &sync.PlanOptions{Observe: true})
			require.NoError(t, err)
			_, err = o.engine.Apply(t.Context(), plan)
			require.ErrorIs(t, err, unknown)
			require.Equal(t, "network/home", o.all(t)[0].Key)
			o.Hook = nil
			_, result := o.sync(t, renamed(t, o), nil)
			require.Len(t, o.all(t), 1)
			require.Empty(t, result.Orphans())
			require.Len(t, result.Records(), 1)
		})
	}
}

// A move whose replace failed is made, and the thing that stays is told of it.
func TestPromise7_AMoveWithAReplaceThatFailsIsMade(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w, sync.CreateFirst()) })
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "another"}}), nil)
	id := o.id(t, "network/lan")
	refused := errors.New("refused")
	o.Hook = func(change diff.Change, _ bool) error {
		if change.Op() == diff.OpReplace {
			return refused
		}
		return nil
	}
	o.fails(t, renamed(t, o), refused)
	desired := renamed(t, o)
	desired.Resources[0].Config = []byte(`{"range":"another"}`)
	o.sync(t, desired, nil)
	require.Equal(t, id, o.id(t, "network/home"))
}

// What has moved is the same thing: what refers to it by its new name is not
// replaced, even where it can't refer to another one, and whenever the move was
// made.
func TestPromise7_AMoveReplacesNothing(t *testing.T) {
	t.Parallel()
	move := sync.Move{From: state.Key{Kind: "network", Name: "lan"}, To: state.Key{Kind: "network", Name: "home"}}
	for name, opts := range map[string]*sync.PlanOptions{
		"all at once":       nil,
		"the network first": {Selection: &sync.Selection{Keys: []state.Key{move.To}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
			o.sync(t, o.desire(t, town("1")), nil)
			before := o.all(t)
			desired := o.desire(t, map[string]any{
				"network/home": wire{Range: "1"},
				"subnet/a":     subnet{Network: "home"},
				"gateway/g":    gateway{Network: "home", Subnet: "a"},
			})
			desired.Moves = []sync.Move{move}
			for _, opts := range []*sync.PlanOptions{opts, {Observe: true}} {
				plan, err := o.engine.Plan(t.Context(), desired, opts)
				require.NoError(t, err)
				require.Zero(t, plan.Counts()[diff.OpReplace], "%s", plan)
				_, err = o.engine.Apply(t.Context(), plan)
				require.NoError(t, err)
			}
			after := o.all(t)
			require.Len(t, after, len(before))
			for i := range before {
				require.Equal(t, before[i].ID, after[i].ID)
			}
		})
	}
}

// A thing that is recorded is nobody else's, whatever it is called.
func TestPromise8_AThingIsRecordedOnce(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, &sync.Options{Retries: -1})
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}}), nil)
	lan := o.all(t)[0]
	both := o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "network/home": wire{Range: "1"}})
	lan.Key = "network/home"
	require.NoError(t, o.Put(lan))
	for _, mode := range []sync.ExistingMode{sync.ExistingError, sync.ExistingAdopt, sync.ExistingReplace} {
		_, err := o.engine.Plan(t.Context(), both, &sync.PlanOptions{Existing: mode})
		require.ErrorIs(t, err, sync.ErrExists)
		require.ErrorContains(t, err, "which is recorded as network/lan")
	}
	_, err := o.engine.Plan(t.Context(), both, &sync.PlanOptions{Adopt: map[state.Key]string{{Kind: "network", Name: "home"}: lan.ID}})
	require.ErrorIs(t, err, sync.ErrExists)
}

// A move that was interrupted may have been made: the thing has its new name then.
// If that is declared beside the old one, each is a thing of its own.
func TestPromise5_AnInterruptedMoveThatIsTakenBack(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, &sync.Options{Retries: -1})
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}}), nil)
	refused := errors.New("refused")
	o.Hook = func(_ diff.Change, done bool) error {
		if done {
			return refused
		}
		return nil
	}
	o.fails(t, renamed(t, o), refused)
	require.Equal(t, "network/home", o.all(t)[0].Key)
	o.Hook = nil
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}, "network/home": wire{Range: "2"}}), nil)
	require.Len(t, o.things(t), 2)
}

// moving adds moves "from to" of things to a declaration.
func moving(desired *sync.Desired, moves ...string) *sync.Desired {
	for _, move := range moves {
		from, to, _ := strings.Cut(move, " ")
		desired.Moves = append(desired.Moves, sync.Move{From: key(from), To: key(to)})
	}
	return desired
}

func TestPromise7_AMoveKeepsTheThing(t *testing.T) {
	t.Parallel()
	s := newSpy()
	e := newEngine(t, s, nil)
	before := syncAll(t, e, desire(t, "a=1", "b>a"), nil).Records()
	desired := moving(desire(t, "b>z", "z=2"), "a z")
	p := plan(t, e, desired, nil)
	require.Equal(t, []string{"move z", "update b"}, planned(p))
	require.Equal(t, key("a"), p.Changes[0].Change.(*diff.Update).Recorded.Key)
	result, err := e.Apply(t.Context(), p)
	require.NoError(t, err)
	after := recordsIn(t, s)
	require.Equal(t, []string{"b", "z"}, names(result.Records()))
	require.Equal(t, before[0].ID, after["z"].ID)
	require.Equal(t, before[1].ID, after["b"].ID)
	require.Empty(t, result.Orphans())
	isUnchanged(t, s, e, desired) // whoever keeps the move in the declaration
	isUnchanged(t, s, e, desire(t, "b>z", "z=2"))
}

// A host that has missed some releases goes through all their moves at once.
func TestPromise7_MovesThatFollowEachOther(t *testing.T) {
	t.Parallel()
	for _, recorded := range []string{"a", "b", "c", "d"} {
		for _, moves := range [][]string{{"a b", "b c", "c d"}, {"c d", "b c", "a b"}} {
			e := newEngine(t, newSpy(), nil)
			id := syncAll(t, e, desire(t, recorded), nil).Records()[0].ID
			syncAll(t, e, moving(desire(t, "d"), moves...), nil)
			records := recordsIn(t, e.Backend())
			require.Len(t, records, 1)
			require.Equal(t, id, records["d"].ID, "from %s", recorded)
			require.Empty(t, plan(t, e, moving(desire(t, "d"), moves...), nil).Changes)
		}
	}
}

func TestPromise7_MovesThatCantBeMade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		desired []string
		moves   []string
		err     string
	}{
		"a swap":                {[]string{"a", "b"}, []string{"a b", "b a"}, "can't move to thing/b: it is still declared"},
		"a shift":               {[]string{"b", "c"}, []string{"a b", "b c"}, "can't move to thing/c: it is still declared"},
		"to what isn't there":   {[]string{"b"}, []string{"a x"}, "x.toml:1: thing/a - can't move to thing/x, which isn't declared"},
		"to what is recorded":   {[]string{"b"}, []string{"a b"}, "can't move to thing/b, which is recorded already; forget one of them"},
		"two to one":            {[]string{"x"}, []string{"a x", "b x"}, "can't move to thing/x, which is recorded already; forget one of them"},
		"two to one on the way": {[]string{"x"}, []string{"a b", "b x"}, "can't move to thing/x, which is recorded already; forget one of them"},
		"to itself":             {[]string{"a", "b"}, []string{"a a"}, "can't move to thing/a: it is still declared"},
		"in a circle":           {[]string{"x"}, []string{"a b", "b a"}, "which isn't declared"},
		"to another kind":       {[]string{"b"}, []string{"a other/b"}, "can't move to other/b, which is of another kind"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kinds := sync.Kinds(sync.Define[thing]("thing"), sync.Define[thing]("other"))
			e, err := sync.New(newSpy(), kinds, nil)
			require.NoError(t, err)
			syncAll(t, e, desire(t, "a", "b"), nil)
			desired := desire(t, c.desired...)
			for _, move := range c.moves {
				from, to, _ := strings.Cut(move, " ")
				target, err := state.ParseKey(to)
				if err != nil {
					target = key(to)
				}
				desired.Moves = append(desired.Moves, sync.Move{From: key(from), To: target})
			}
			desired.Positions = map[state.Key]sync.Position{key("a"): {File: "x.toml", Line: 1}}
			_, err = e.Plan(t.Context(), desired, nil)
			require.ErrorAs(t, err, &sync.SyncErr{})
			require.ErrorContains(t, err, c.err)
		})
	}
}

// A mistake in a move is told with all others, and although nothing changes.
func TestPromise7_MistakesInMovesAreToldWithTheOthers(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	desired := moving(desire(t, "a", "b"), "a b")
	syncAll(t, e, desire(t, "a", "b"), nil)
	_, err := e.Plan(t.Context(), desired, nil)
	require.ErrorContains(t, err, "thing/a - can't move to thing/b: it is still declared")
	desired.Resources[1].Config = []byte(`{"sise":1}`)
	_, err = e.Plan(t.Context(), desired, nil)
	require.ErrorContains(t, err, "thing/a - can't move to thing/b: it is still declared")
	require.ErrorContains(t, err, "unknown field")
}

// A move that fails is not made, and is made by the next run, in the backend as by a
// Handler.
func TestPromise7_AMoveThatFailsIsMadeLater(t *testing.T) {
	t.Parallel()
	for _, mode := range []sync.FailureMode{sync.AllOrNothing, sync.KeepGoing, sync.StopAtFirst} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s := newSpy()
			e := newEngine(t, s, nil)
			first := syncAll(t, e, desire(t, "a=1", "b"), nil)
			s.fail["z"] = errBoom
			desired := moving(desire(t, "b", "z=1"), "a z")
			result, err := e.Apply(t.Context(), plan(t, e, desired, &sync.PlanOptions{OnFailure: mode}))
			require.ErrorIs(t, err, errBoom)
			require.Equal(t, []string{"z failed"}, ends(result))
			require.Equal(t, first.Records(), result.Records())
			require.Equal(t, first.Head.Serial, result.Head.Serial)
			delete(s.fail, "z")
			result = syncAll(t, e, desired, nil)
			require.Equal(t, first.Records()[0].ID, result.Records()[1].ID)
		})
	}
	t.Run("by a Handler", func(t *testing.T) {
		t.Parallel()
		o := newOutside(t, (*syncertest.World).Finding, &sync.Options{Retries: -1})
		o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}}), nil)
		id := o.id(t, "network/lan")
		o.watch().fail["move network/home"] = errDown
		o.fails(t, renamed(t, o), errDown)
		r := o.record(t, "network/lan")
		require.Equal(t, "update", r.Pending[0].Op)
		require.Equal(t, id, r.ID)
		o.Hook = nil
		o.sync(t, renamed(t, o), nil)
		require.Equal(t, id, o.record(t, "network/home").ID)
		require.Equal(t, id, o.id(t, "network/home"))
	})
}

// An orphan that is declared again under another name is none any more.
func TestPromise7_AnOrphanMoves(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a", "b"), nil)
	orphans := syncAll(t, e, desire(t, "b"), nil).Orphans()
	require.Len(t, orphans, 1)
	p := plan(t, e, moving(desire(t, "b", "z"), "a z"), &sync.PlanOptions{Prune: true})
	require.Equal(t, []string{"move z"}, planned(p))
	require.Empty(t, p.Orphans)
	result, err := e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, orphans[0].ID, result.Records()[1].ID)
	require.False(t, result.Records()[1].Orphaned)
}

// A move is selected by either name, and is left alone by who selects neither.
func TestPromise9_AMoveIsSelectedByEitherName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "z", "b"} {
		e := newEngine(t, newSpy(), nil)
		before := syncAll(t, e, desire(t, "a", "b=1"), nil)
		result := syncAll(t, e, moving(desire(t, "b=2", "z"), "a z"), only(t, "thing/"+name))
		require.Len(t, result.Changes, 1)
		require.Empty(t, result.Orphans())
		if name == "b" {
			require.Equal(t, before.Records()[0], result.Records()[0])
		} else {
			require.Equal(t, before.Records()[1], result.Records()[0])
			require.Equal(t, "z", result.Records()[1].Name)
		}
	}
}

// A create that was interrupted is looked up by its name. The thing that has this
// name may be another resource's, since a move that isn't finished: neither is it
// taken over, nor deleted with what never came into being.
func TestPromise5_WhatAnInterruptedCreateFindsIsAnothersThing(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, &sync.Options{Retries: -1})
	lan := map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}}
	both := map[string]any{"network/lan": lan["network/lan"], "network/home": wire{Range: "2"}}
	o.sync(t, o.desire(t, lan), nil)
	id := o.id(t, "network/lan")
	refused := errors.New("refused")
	o.Hook = func(_ diff.Change, done bool) error {
		if done {
			return refused
		}
		return nil
	}
	o.fails(t, renamed(t, o), refused)
	unknown := fmt.Errorf("no answer: %w", sync.ErrUncertain)
	o.Hook = func(change diff.Change, _ bool) error {
		if change.Key().Name == "lan" {
			return refused
		}
		return unknown
	}
	o.fails(t, o.desire(t, both), unknown)
	require.Len(t, o.things(t), 1)
	require.Equal(t, id, o.things(t)["network/home"].ID, "lan's thing has home's name, and home has none")

	o.Hook = func(change diff.Change, _ bool) error { return refused }
	result := o.fails(t, o.desire(t, both), sync.ErrUncertain)
	require.ErrorContains(t, result.Err(), "is recorded as network/lan")
	_, result, err := o.apply(t, o.desire(t, lan), &sync.PlanOptions{Prune: true})
	require.ErrorIs(t, err, sync.ErrUncertain)
	require.ErrorContains(t, result.Err(), "is recorded as network/lan")
	require.Equal(t, id, o.all(t)[0].ID)

	o.Hook = nil
	o.sync(t, o.desire(t, lan), nil)
	o.sync(t, o.desire(t, both), nil)
	require.Len(t, o.things(t), 2)
	require.Equal(t, id, o.things(t)["network/lan"].ID)
}
