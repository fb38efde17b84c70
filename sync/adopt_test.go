package sync_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func adopting(key, id string) *tusync.PlanOptions {
	k, err := state.ParseKey(key)
	if err != nil {
		panic(err)
	}
	return &tusync.PlanOptions{Adopt: map[state.Key]string{k: id}}
}

func TestPromise8_WhatExistsUnrecordedIsAnErrorThatSaysWhichAndWhere(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "w-7", Key: "server/web", Config: json.RawMessage(`{"size":3}`)}))
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "n-1", Key: "network/lan", Config: json.RawMessage(`{}`)}))
	desired := o.desire(t, map[string]any{"network/lan": wire{}, "server/web": host{Network: "lan"}, "server/db": host{}})
	desired.Positions = map[state.Key]tusync.Position{{Kind: "server", Name: "web"}: {File: "web.toml", Line: 4}}
	for _, opts := range []*tusync.PlanOptions{nil, {Existing: tusync.ExistingError}} {
		_, err := o.engine.Plan(t.Context(), desired, opts)
		require.ErrorIs(t, err, tusync.ErrExists)
		require.ErrorContains(t, err, "web.toml:4: server/web - exists already, as w-7, and is not recorded: adopt it, or have it replaced")
		require.ErrorContains(t, err, "network/lan - exists already, as n-1", "all of them are named")
	}
	require.Len(t, o.things(t), 2)
}

func TestPromise8_WhatExistsIsAdopted(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*tusync.PlanOptions{
		"all that exists": {Existing: tusync.ExistingAdopt},
		"by its ID":       adopting("server/web", "w-7"),
		"as it is found":  adopting("server/web", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newServed(t)
			o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}}), nil)
			require.NoError(t, o.Put(syncertest.WorldThing{ID: "w-7", Key: "server/web", Config: json.RawMessage(`{"size":3,"token":"hunter2hunter2"}`)}))
			desired := o.desire(t, map[string]any{"network/lan": wire{}, "server/web": host{Network: "lan", Size: 1, Token: "hunter3hunter3"}, "server/db": host{}})
			done := o.watch()
			p, result := o.sync(t, desired, opts)
			require.Equal(t, map[diff.Op]int{diff.OpAdopt: 1, diff.OpCreate: 1}, p.Counts())
			require.Contains(t, p.String(), "> server/web [w-7] exists and is adopted")
			require.Contains(t, p.String(), "size: 3 → 1")
			require.NotContains(t, p.String(), "hunter")
			require.Equal(t, 2, result.Count(tusync.Done))
			require.ElementsMatch(t, []string{"create server/db", "update server/web"}, done.lines, "it is made what is declared")
			require.Equal(t, "w-7", o.record(t, "server/web").ID)
			require.Equal(t, "w-7", o.id(t, "server/web"))
			require.Equal(t, o.id(t, "network/lan"), o.config(t, "server/web", "network"))
			_, result = o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}}), &tusync.PlanOptions{Prune: true})
			require.Equal(t, 2, result.Count(tusync.Done))
			require.Len(t, o.things(t), 1, "it is ours now")
		})
	}
}

func TestPromise8_WhatExistsIsReplaced(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "n-1", Key: "network/lan", Config: json.RawMessage(`{"range":"0"}`)}))
	done := o.watch()
	p, result := o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "server/web": host{Network: "lan"}}), &tusync.PlanOptions{Existing: tusync.ExistingReplace, PruneLimit: tusync.LimitCount(0)})
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 1, diff.OpCreate: 1}, p.Counts())
	require.Equal(t, []string{"delete network/lan", "replace network/lan", "create server/web"}, done.lines)
	require.Equal(t, 3, result.Count(tusync.Done))
	require.NotEqual(t, "n-1", o.id(t, "network/lan"))
	require.Empty(t, o.record(t, "network/lan").Replaced)
}

func TestPromise8_WhatCantBeAdopted(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{}}), nil)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "n-2", Key: "network/new", Config: json.RawMessage(`{"range":"0"}`)}))
	desired := o.desire(t, map[string]any{
		"network/lan": wire{Range: "1"}, "network/wan": wire{}, "network/new": wire{Range: "1"}, "network/more": wire{}, "server/web": host{},
	})
	wan := o.id(t, "network/wan")
	for name, c := range map[string]struct {
		opts *tusync.PlanOptions
		err  string
	}{
		"what isn't declared":            {adopting("network/none", "x"), "network/none - can't be adopted: it isn't declared; declare it as it is first"},
		"what is recorded":               {adopting("network/lan", "x"), "network/lan - can't be adopted: it is recorded as " + o.id(t, "network/lan") + "; forget that first"},
		"what isn't there":               {adopting("server/web", "w-1"), "server/web - can't be adopted: there is no such thing"},
		"what isn't found":               {adopting("server/web", ""), "server/web - can't be adopted: there is no such thing"},
		"what can't be as it's declared": {adopting("network/new", "n-2"), "network/new - exists already, as n-2, and can't be adopted, since range can't be changed in what exists: declare it as it is, or have it replaced"},
		"what is something else's":       {adopting("network/more", wan), "network/more - exists already, as " + wan + ", which is recorded as network/wan"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := o.engine.Plan(t.Context(), desired, c.opts)
			require.ErrorContains(t, err, c.err)
			require.ErrorAs(t, err, &tusync.SyncErr{})
		})
	}
	t.Run("one thing twice", func(t *testing.T) {
		t.Parallel()
		other := o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{}, "network/x": wire{Range: "0"}, "network/y": wire{Range: "0"}})
		_, err := o.engine.Plan(t.Context(), other, &tusync.PlanOptions{Adopt: map[state.Key]string{{Kind: "network", Name: "x"}: "n-2", {Kind: "network", Name: "y"}: "n-2"}})
		require.ErrorContains(t, err, "network/y - can't be adopted: n-2 is adopted as network/x")
	})
}

// A Handler need not look for itself what an adoption has to change.
func TestPromise8_WhoAdoptsIsToldWhatDiffers(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "w-7", Key: "server/web", Config: json.RawMessage(`{"size":3}`)}))
	var told []*diff.Update
	o.Hook = func(change diff.Change, done bool) error {
		if update, ok := change.(*diff.Update); ok && !done {
			told = append(told, update)
		}
		return nil
	}
	o.sync(t, o.desire(t, map[string]any{"server/web": host{Size: 1}}), &tusync.PlanOptions{Existing: tusync.ExistingAdopt})
	require.Len(t, told, 1)
	require.Equal(t, "w-7", told[0].Recorded.ID)
	require.Equal(t, []diff.Field{{Path: "config.size", Old: json.RawMessage("3"), New: json.RawMessage("1"), Default: json.RawMessage("0")}}, told[0].Fields)
	require.JSONEq(t, `{"size":1}`, string(told[0].Config))
}

// plain is a Handler without abilities that makes things whose IDs are numbers.
type plain struct {
	mu      sync.Mutex
	updated []string
}

func (p *plain) Apply(_ context.Context, changes []diff.Change) []tusync.Outcome {
	outcomes := make([]tusync.Outcome, len(changes))
	for i, change := range changes {
		outcomes[i].ID = "made"
		if update, ok := change.(*diff.Update); ok {
			p.mu.Lock()
			p.updated = append(p.updated, update.Recorded.ID)
			p.mu.Unlock()
		}
	}
	return outcomes
}

// Where nobody can look, an ID is taken on trust; without one there is nothing to
// adopt.
func TestPromise8_AdoptingWithoutALook(t *testing.T) {
	t.Parallel()
	handler := &plain{}
	kinds := tusync.Kinds(tusync.Define[thing]("thing", tusync.Handle(handler)))
	e, err := tusync.New(syncertest.NewMemory(scope()), kinds, nil)
	require.NoError(t, err)
	_, err = e.Plan(t.Context(), desire(t, "a", "b"), adopting("thing/a", ""))
	require.ErrorContains(t, err, "thing/a - can't be looked up: its kind has no Finder; give the ID of the thing to adopt")
	result := syncAll(t, e, desire(t, "a", "b"), adopting("thing/a", "given"))
	require.Equal(t, []string{"given"}, handler.updated)
	require.Equal(t, []string{"given", "made"}, []string{result.Records()[0].ID, result.Records()[1].ID})
	require.Empty(t, plan(t, e, desire(t, "a", "b"), nil).Changes)
}

// IDs are those of a kind: what one has recorded is no matter to another.
func TestPromise8_AnIDIsOneOfItsKind(t *testing.T) {
	t.Parallel()
	handler := &plain{}
	kinds := tusync.Kinds(tusync.Define[thing]("thing", tusync.Handle(handler)), tusync.Define[thing]("part", tusync.Handle(handler)), tusync.Define[thing]("whole", tusync.Handle(handler)))
	e, err := tusync.New(syncertest.NewMemory(scope()), kinds, nil)
	require.NoError(t, err)
	desired := desire(t, "a")
	syncAll(t, e, desired, adopting("thing/a", "1"))
	adopt := map[state.Key]string{}
	for _, kind := range []string{"part", "whole"} {
		r, err := kinds.Resource(kind, "b", thing{})
		require.NoError(t, err)
		desired.Resources = append(desired.Resources, r)
		adopt[r.Key] = "1"
	}
	for _, r := range syncAll(t, e, desired, &tusync.PlanOptions{Adopt: adopt}).Records() {
		require.Equal(t, "1", r.ID, r.Key)
	}
	require.Equal(t, []string{"1", "1", "1"}, handler.updated)
}

// A kind without a Handler has nothing but records: what is adopted gets its ID.
func TestPromise8_AdoptingInTheBackend(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	result := syncAll(t, e, desire(t, "a", "b>a"), adopting("thing/a", "given"))
	require.Equal(t, "given", result.Changes[0].ID)
	require.Equal(t, "given", result.Records()[0].ID)
	require.NotEqual(t, "given", result.Records()[1].ID)
	require.Empty(t, plan(t, e, desire(t, "a", "b>a"), nil).Changes)
}

// An adoption that fails is not undone: the thing is ours, and is made what is
// declared later.
func TestPromise8_AnAdoptionThatFailsIsCarriedOn(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "w-7", Key: "server/web", Config: json.RawMessage(`{"size":3}`)}))
	o.watch().fail["update server/web"] = errDown
	desired := o.desire(t, map[string]any{"server/web": host{Size: 1}})
	_, result, err := o.apply(t, desired, adopting("server/web", "w-7"))
	require.ErrorIs(t, err, errDown)
	require.Equal(t, 1, result.Count(tusync.Failed))
	r := o.record(t, "server/web")
	require.Equal(t, "w-7", r.ID)
	require.Equal(t, "update", r.Pending[0].Op)
	require.Contains(t, r.Pending[0].Error, errDown.Error())
	o.Hook = nil
	p, _ := o.sync(t, desired, nil)
	require.Equal(t, map[diff.Op]int{diff.OpUpdate: 1}, p.Counts())
	require.JSONEq(t, `{"size":1}`, string(o.things(t)["server/web"].Config))
}

func newUncertain(t *testing.T, options ...tusync.KindOption) *outside {
	t.Helper()
	return newTown(t, &tusync.Options{Retries: -1}, func(w *syncertest.World) []tusync.Kind {
		return []tusync.Kind{tusync.Define[wire]("network", append(options, tusync.Handle(w.Handler()))...)}
	})
}

// A create that nobody knows the end of is resolved by whoever looks.
func TestPromise8_AnUncertainCreateIsAdoptedOrForgotten(t *testing.T) {
	t.Parallel()
	for name, created := range map[string]bool{"it exists": true, "it doesn't": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newUncertain(t)
			lost := errors.Join(errDown, tusync.ErrUncertain)
			done := o.watch()
			done.fail["create network/lan"] = lost
			if created {
				done.fail, done.lose = nil, map[string]error{"create network/lan": lost}
			}
			desired := o.desire(t, map[string]any{"network/lan": wire{Range: "1"}})
			_, _, err := o.apply(t, desired, nil)
			require.ErrorIs(t, err, errDown)
			o.Hook = nil
			_, result, err := o.apply(t, desired, nil)
			var uncertain *tusync.UncertainError
			require.ErrorAs(t, err, &uncertain)
			require.ErrorContains(t, err, "network/lan")
			require.Equal(t, 1, result.Head.Pending)
			if created {
				o.sync(t, desired, adopting("network/lan", o.id(t, "network/lan")))
			} else {
				_, err = o.engine.Plan(t.Context(), desired, &tusync.PlanOptions{Forget: []state.Key{lan()}})
				require.ErrorContains(t, err, "it is declared")
				_, _, err := o.apply(t, nil, &tusync.PlanOptions{Forget: []state.Key{lan()}})
				require.NoError(t, err)
				o.sync(t, desired, nil)
			}
			require.Len(t, o.things(t), 1)
			require.Equal(t, o.id(t, "network/lan"), o.record(t, "network/lan").ID)
		})
	}
}

// Of a replace that nobody knows the end of, the new thing is adopted, and the old
// one goes.
func TestPromise8_AnUncertainReplaceIsAdopted(t *testing.T) {
	t.Parallel()
	o := newUncertain(t, tusync.CreateFirst())
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}}), nil)
	old := o.id(t, "network/lan")
	done := o.watch()
	done.lose["replace network/lan"] = errors.Join(errDown, tusync.ErrUncertain)
	desired := o.desire(t, map[string]any{"network/lan": wire{Range: "2"}})
	_, _, err := o.apply(t, desired, nil)
	require.ErrorIs(t, err, errDown)
	o.Hook = nil
	_, _, err = o.apply(t, desired, nil)
	require.ErrorIs(t, err, tusync.ErrUncertain)
	things, err := o.Things()
	require.NoError(t, err)
	require.Len(t, things, 2)
	id := things[0].ID
	if id == old {
		id = things[1].ID
	}
	_, err = o.engine.Plan(t.Context(), desired, adopting("network/lan", old))
	require.ErrorContains(t, err, "can't be adopted: it is recorded as "+old)
	p, _ := o.sync(t, desired, adopting("network/lan", id))
	require.Equal(t, map[diff.Op]int{diff.OpAdopt: 1, diff.OpDelete: 1}, p.Counts())
	require.Equal(t, id, o.id(t, "network/lan"))
	require.Empty(t, o.record(t, "network/lan").Replaced)
}
