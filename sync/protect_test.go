package sync_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// protecting returns a declaration with some of its resources protected.
func protecting(desired *sync.Desired, keys ...string) *sync.Desired {
	for i := range desired.Resources {
		for _, key := range keys {
			if desired.Resources[i].Key.String() == key {
				desired.Resources[i].Protected = true
			}
		}
	}
	return desired
}

func pruning() *sync.PlanOptions { return &sync.PlanOptions{Prune: true, AllowEmpty: true} }

func TestPromise7_WhatIsProtectedIsNeverPruned(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	all := map[string]any{"server/db": host{}, "server/web": host{}}
	o.sync(t, protecting(o.desire(t, all), "server/db"), nil)
	for range 2 { // as one that is declared, and as an orphan
		_, result := o.sync(t, &sync.Desired{}, pruning())
		require.Len(t, result.Orphans(), 1)
		require.True(t, result.Orphans()[0].Protected, "it outlives the declaration")
		require.Len(t, o.things(t), 1)
	}
	p := plan(t, o.engine, nil, pruning())
	require.Empty(t, p.Changes)
	require.Len(t, p.Orphans, 1)

	delete(all, "server/web")
	_, result := o.sync(t, o.desire(t, all), nil)
	require.Empty(t, result.Orphans())
	require.False(t, o.record(t, "server/db").Protected, "it is declared without protection")
	o.sync(t, &sync.Desired{}, pruning())
	require.Empty(t, o.things(t))
}

func TestPromise7_AProtectedKindIsNeverPrunedOrReplaced(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind {
		all := townKinds(w)
		all[0].Protected = true
		return all
	})
	o.sync(t, o.desire(t, town("a")), nil)
	_, err := o.engine.Plan(t.Context(), o.desire(t, town("b")), nil)
	require.ErrorIs(t, err, sync.ErrProtected)
	p, _ := o.sync(t, &sync.Desired{}, pruning())
	require.Equal(t, map[diff.Op]int{diff.OpDelete: 2, diff.OpOrphan: 1}, p.Counts())
	require.Len(t, o.things(t), 1)
	// A program that doesn't protect the kind any more may.
	o.with(t, nil, townKinds(o.World)...)
	o.sync(t, &sync.Desired{}, pruning())
	require.Empty(t, o.things(t))
}

// A replace is refused before anything is done, whatever it would be for: the error
// says where, why, and what to do.
func TestPromise7_WhatIsProtectedIsNeverReplaced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, then []string // what is protected
		prepare     func(t *testing.T, o *outside) *sync.PlanOptions
		cidr        string
		err         string
	}{
		"an edit": {first: []string{"network/lan"}, then: []string{"network/lan"}, cidr: "b",
			err: "town.toml:3: network/lan - is protected and would be replaced, since range can't be changed in what exists: declare it without protection first"},
		"an edit that unprotects": {first: []string{"network/lan"}, cidr: "b",
			err: "network/lan - is protected and would be replaced, since range can't be changed in what exists: declare it without protection first"},
		"an edit that protects": {then: []string{"network/lan"}, cidr: "b",
			err: "network/lan - is protected and would be replaced, since range can't be changed in what exists: declare it without protection first"},
		"a new ID below": {first: []string{"gateway/g"}, then: []string{"gateway/g"}, cidr: "b",
			err: "gateway/g - is protected and would be replaced, since subnet can't be changed in what exists"},
		"drift": {first: []string{"network/lan"}, then: []string{"network/lan"}, cidr: "a",
			prepare: func(t *testing.T, o *outside) *sync.PlanOptions {
				thing := o.things(t)["network/lan"]
				thing.Config = json.RawMessage(`{"range":"c"}`)
				require.NoError(t, o.Put(thing))
				return &sync.PlanOptions{Observe: true}
			},
			err: "network/lan - is protected and would be replaced, since range can't be changed in what exists"},
		"that it exists": {then: []string{"network/new"}, cidr: "a",
			prepare: func(t *testing.T, o *outside) *sync.PlanOptions {
				exists(t, o, "network/new")
				return &sync.PlanOptions{Existing: sync.ExistingReplace}
			},
			err: "network/new - is protected and would be replaced, since it exists already, as that-one: adopt it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
			o.sync(t, protecting(o.desire(t, town("a")), c.first...), nil)
			var opts *sync.PlanOptions
			if c.prepare != nil {
				opts = c.prepare(t, o)
			}
			all := town(c.cidr)
			if name == "that it exists" {
				all["network/new"] = wire{}
			}
			desired := protecting(o.desire(t, all), c.then...)
			desired.Positions = map[state.Key]sync.Position{lan(): {File: "town.toml", Line: 3}}
			things := o.things(t)
			_, err := o.engine.Plan(t.Context(), desired, opts)
			require.ErrorIs(t, err, sync.ErrProtected)
			require.ErrorAs(t, err, &sync.SyncErr{})
			require.ErrorContains(t, err, c.err)
			require.Equal(t, things, o.things(t))
		})
	}
}

func TestPromise7_UnprotectedAndReplacedInTwoSteps(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	o.sync(t, protecting(o.desire(t, town("a")), "network/lan"), nil)
	p, _ := o.sync(t, o.desire(t, town("a")), nil)
	require.Equal(t, map[diff.Op]int{diff.OpUpdate: 1}, p.Counts())
	p, _ = o.sync(t, o.desire(t, town("b")), nil)
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 3}, p.Counts())
}

// What is gone can't be replaced any more: it is made again.
func TestPromise7_WhatIsProtectedAndGoneIsMadeAgain(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	desired := protecting(o.desire(t, map[string]any{"network/lan": wire{}}), "network/lan")
	o.sync(t, desired, nil)
	require.NoError(t, o.Remove(o.id(t, "network/lan")))
	p, _ := o.sync(t, desired, &sync.PlanOptions{Observe: true})
	require.Equal(t, map[diff.Op]int{diff.OpCreate: 1}, p.Counts())
	require.True(t, o.record(t, "network/lan").Protected)
}

// What something protected still needs can't be pruned from under it.
func TestPromise7_WhatAProtectedThingNeedsIsNotPruned(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	all := town("a")
	all["network/wan"] = wire{}
	o.sync(t, protecting(o.desire(t, all), "gateway/g"), nil)
	for range 2 {
		_, result := o.sync(t, &sync.Desired{}, pruning())
		require.Len(t, result.Orphans(), 3)
		require.Len(t, o.things(t), 3)
	}
	opts := pruning()
	opts.Forget = []state.Key{{Kind: "gateway", Name: "g"}}
	o.sync(t, &sync.Desired{}, opts)
	require.Len(t, o.things(t), 1, "what is forgotten is no matter")
}

// What something protected needs is declared: then that needs only what is declared,
// whatever it needed before.
func TestPromise7_WhatIsDeclaredNeedsNothingThatIsNot(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	all := map[string]any{"network/lan": wire{}, "network/wan": wire{}, "subnet/a": subnet{}, "gateway/g": gateway{Subnet: "a"}}
	desired := protecting(o.desire(t, all), "gateway/g")
	for i := range desired.Resources {
		if desired.Resources[i].Kind == "subnet" {
			desired.Resources[i].After = []state.Key{{Kind: "network", Name: "wan"}}
		}
	}
	o.sync(t, desired, nil)
	delete(all, "network/wan")
	delete(all, "gateway/g")
	p, _ := o.sync(t, o.desire(t, all), pruning())
	require.Equal(t, []string{"delete network/wan", "orphan gateway/g", "update subnet/a"}, changesOf(p))
}

// What is protected and has another name from now on is declared, too.
func TestPromise7_WhatMovesNeedsWhatItIsDeclaredToNeed(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	o.sync(t, protecting(o.desire(t, map[string]any{"network/lan": wire{}, "gateway/g": gateway{Network: "lan"}}), "gateway/g"), nil)
	desired := protecting(o.desire(t, map[string]any{"gateway/h": gateway{}}), "gateway/h")
	desired.Moves = []sync.Move{{From: state.Key{Kind: "gateway", Name: "g"}, To: state.Key{Kind: "gateway", Name: "h"}}}
	p, _ := o.sync(t, desired, pruning())
	require.Equal(t, []string{"delete network/lan", "move gateway/h"}, changesOf(p))
}

// Without a declaration nothing can be said to be wanted no more but orphans, and
// those not while something else depends on them.
func TestPromise7_WhatSomethingElseNeedsIsNotPrunedWithoutADeclaration(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}, "network/wan": wire{}, "gateway/g": gateway{Network: "lan"}}), nil)
	without := o.desire(t, map[string]any{"gateway/g": gateway{}})
	opts := &sync.PlanOptions{Selection: &sync.Selection{Kinds: []string{"network"}}}
	p, _, err := o.apply(t, without, opts)
	require.NoError(t, err)
	require.Equal(t, map[diff.Op]int{diff.OpOrphan: 2}, p.Counts())
	p, _, err = o.apply(t, nil, pruning())
	require.NoError(t, err)
	require.Equal(t, []string{"delete network/wan"}, changesOf(p))
	require.Len(t, p.Orphans, 1)
	p, _ = o.sync(t, without, pruning())
	require.Equal(t, []string{"delete network/lan", "update gateway/g"}, changesOf(p))
}

// A replace is no pruning: it doesn't count, and needs none to be asked for.
func TestPromise7_TheLimitDoesNotCountReplaces(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	all := town("a")
	all["network/wan"] = wire{}
	o.sync(t, o.desire(t, all), nil)
	delete(all, "network/wan")
	all["network/lan"] = wire{Range: "b"}
	for _, limit := range []sync.Limit{sync.LimitCount(0), sync.LimitPercent(20)} {
		_, err := o.engine.Plan(t.Context(), o.desire(t, all), &sync.PlanOptions{Prune: true, PruneLimit: limit})
		var over *sync.PruneLimitError
		require.ErrorAs(t, err, &over)
		require.Equal(t, sync.PruneLimitError{Deletes: 1, Records: 4, Limit: 0}, *over)
	}
	p, _ := o.sync(t, o.desire(t, all), &sync.PlanOptions{Prune: true, PruneLimit: sync.LimitPercent(25)})
	require.Equal(t, map[diff.Op]int{diff.OpDelete: 1, diff.OpReplace: 3}, p.Counts())
}

// An orphan keeps its ID and its place on the books over failures and later runs.
func TestPromise7_AnOrphanWithAHandler(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	all := map[string]any{"network/lan": wire{}, "server/web": host{Network: "lan"}, "server/db": host{}}
	o.sync(t, o.desire(t, all), nil)
	id := o.id(t, "server/web")
	delete(all, "server/web")
	done := o.watch()
	_, result := o.sync(t, o.desire(t, all), nil)
	require.Empty(t, done.lines, "nobody is told")
	require.Equal(t, id, result.Orphans()[0].ID)

	done.fail["delete server/web"] = errDown
	_, result, err := o.apply(t, o.desire(t, all), pruning())
	require.ErrorIs(t, err, errDown)
	require.Equal(t, id, result.Orphans()[0].ID)
	require.Contains(t, result.Orphans()[0].Pending[0].Error, errDown.Error())
	_, result, err = o.apply(t, o.desire(t, all), nil)
	require.NoError(t, err)
	require.Equal(t, id, result.Orphans()[0].ID, "nothing is deleted unless it is asked for")
	o.Hook = nil

	all["server/web"] = host{Network: "lan", Size: 2}
	p, result := o.sync(t, o.desire(t, all), nil)
	require.Equal(t, map[diff.Op]int{diff.OpUpdate: 1}, p.Counts(), "it is declared again\n%s", p)
	require.Empty(t, result.Orphans())
	require.Equal(t, id, o.id(t, "server/web"))
}

// Of what may have been deleted, nothing is left to be updated.
func TestPromise7_AnOrphanThatMayBeGoneIsMadeAnew(t *testing.T) {
	t.Parallel()
	o := newTown(t, &sync.Options{Retries: -1}, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}}), nil)
	id := o.id(t, "network/lan")
	o.watch().lose["delete network/lan"] = errors.Join(errDown, sync.ErrUncertain)
	_, result, err := o.apply(t, &sync.Desired{}, pruning())
	require.ErrorIs(t, err, errDown)
	require.Equal(t, id, result.Orphans()[0].ID, "as far as anybody knows")
	o.Hook = nil
	p, _ := o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}}), nil)
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 1}, p.Counts())
	require.NotEqual(t, id, o.id(t, "network/lan"))
}
