package sync_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// only is a plan's options with a selection by keys.
func only(t testing.TB, texts ...string) *sync.PlanOptions {
	t.Helper()
	selection := &sync.Selection{}
	for _, text := range texts {
		key, err := state.ParseKey(text)
		require.NoError(t, err)
		selection.Keys = append(selection.Keys, key)
	}
	return &sync.PlanOptions{Selection: selection}
}

// changesOf lists the changes of a plan as "op kind/name", in order of the text.
func changesOf(p *sync.Plan) []string {
	all := []string{}
	for _, c := range p.Changes {
		all = append(all, fmt.Sprintf("%s %s", c.Op(), c.Key()))
	}
	slices.Sort(all)
	return all
}

// jsonRecords returns what is recorded as a State holds it, by key.
func jsonRecords(t testing.TB, b sync.Backend) map[string]string {
	t.Helper()
	all := map[string]string{}
	for r, err := range b.Records(t.Context()) {
		require.NoError(t, err)
		text, err := r.AppendJSON(nil)
		require.NoError(t, err)
		all[r.Key.String()] = string(text)
	}
	return all
}

func TestPromise9_WhatIsSelected(t *testing.T) {
	t.Parallel()
	declared := map[string]any{
		"network/lan": wire{Range: "a"}, "network/wan": wire{}, "subnet/a": subnet{Network: "lan"},
		"gateway/g": gateway{Network: "lan", Subnet: "a"}, "gateway/h": gateway{Network: "wan"},
	}
	tagged := func(o *outside) *sync.Desired {
		desired := o.desire(t, declared)
		for i := range desired.Resources {
			switch desired.Resources[i].Key.String() {
			case "network/wan":
				desired.Resources[i].Tags = []string{"edge", "old"}
			case "gateway/h":
				desired.Resources[i].Tags = []string{"edge"}
			}
		}
		return desired
	}
	for name, c := range map[string]struct {
		selection sync.Selection
		want      []string
	}{
		"nothing":            {want: []string{}},
		"a key":              {sync.Selection{Keys: []state.Key{{Kind: "network", Name: "lan"}}}, []string{"create network/lan"}},
		"a key and its need": {sync.Selection{Keys: []state.Key{{Kind: "subnet", Name: "a"}}}, []string{"create network/lan", "create subnet/a"}},
		"a kind and its need": {sync.Selection{Kinds: []string{"gateway"}},
			[]string{"create gateway/g", "create gateway/h", "create network/lan", "create network/wan", "create subnet/a"}},
		"a tag":          {sync.Selection{Tags: []string{"old"}}, []string{"create network/wan"}},
		"any of several": {sync.Selection{Tags: []string{"old", "edge"}, Keys: []state.Key{{Kind: "network", Name: "lan"}}}, []string{"create gateway/h", "create network/lan", "create network/wan"}},
		"no such tag":    {sync.Selection{Tags: []string{"new"}}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
			desired := tagged(o)
			p, result, err := o.apply(t, desired, &sync.PlanOptions{Selection: &c.selection})
			require.NoError(t, err)
			require.Equal(t, c.want, changesOf(p))
			require.Len(t, o.things(t), len(c.want))
			require.Equal(t, len(c.want), result.Head.Records)
			if len(c.want) < 5 {
				require.NotEqual(t, p.Declared, result.Head.Declared, "a part is not the whole")
			}
			p, result, err = o.apply(t, desired, nil)
			require.NoError(t, err)
			require.Len(t, p.Changes, 5-len(c.want))
			require.Equal(t, p.Declared, result.Head.Declared)
		})
	}
}

// What can't be done is no matter where it isn't asked for.
func TestPromise9_WhatIsNotSelectedCannotFail(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, nil)
	network := o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}})
	network.Resources[0].Protected = true
	o.sync(t, network, nil)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "s-1", Key: "server/old", Config: json.RawMessage(`{}`)}))
	desired := o.desire(t, map[string]any{
		"network/lan": wire{Range: "10.0.0.0/16"}, // which would replace it
		"server/old":  host{},                     // which exists, unrecorded
		"server/new":  host{Size: 2},
		"server/web":  host{Network: "lan"},
	})
	for i := range desired.Resources {
		desired.Resources[i].Protected = desired.Resources[i].Kind == "network"
	}
	_, err := o.engine.Plan(t.Context(), desired, nil)
	require.ErrorIs(t, err, sync.ErrExists)
	_, err = o.engine.Plan(t.Context(), desired, only(t, "server/old"))
	require.ErrorIs(t, err, sync.ErrExists)
	_, err = o.engine.Plan(t.Context(), desired, only(t, "server/web"))
	require.ErrorIs(t, err, sync.ErrProtected, "it needs the network")
	require.NotErrorIs(t, err, sync.ErrExists)

	plan, err := o.engine.Plan(t.Context(), desired, only(t, "server/new"))
	require.NoError(t, err)
	require.Len(t, plan.Changes, 1)
	result, err := o.engine.Apply(t.Context(), plan)
	require.NoError(t, err)
	require.Equal(t, 1, result.Count(sync.Done))
	plan, err = o.engine.Plan(t.Context(), desired, only(t, "server/new"))
	require.NoError(t, err)
	require.Empty(t, plan.Changes)
}

// A misspelt name is told, even if everything is as declared.
func TestPromise9_WhatIsSelectedMustBeThere(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, nil)
	desired := o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}})
	o.sync(t, desired, nil)
	_, err := o.engine.Plan(t.Context(), desired, only(t, "network/lam"))
	require.ErrorContains(t, err, "network/lam - can't be selected: it is neither declared nor recorded")
	_, err = o.engine.Plan(t.Context(), desired, &sync.PlanOptions{Selection: &sync.Selection{Kinds: []string{"netwrok"}}})
	require.ErrorIs(t, err, sync.ErrUnknownKind)
}

// What is not selected is neither changed nor an orphan, whatever became of its
// declaration.
func TestPromise9_TheRestIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}, "network/wan": wire{}, "subnet/a": subnet{Network: "lan"}, "gateway/h": gateway{Network: "wan"}}), nil)
	before := jsonRecords(t, o.backend)
	desired := o.desire(t, map[string]any{"network/wan": wire{}, "network/new": wire{}, "gateway/h": gateway{Network: "wan", Size: 2}})
	p, result, err := o.apply(t, desired, only(t, "gateway/h"))
	require.NoError(t, err)
	require.Equal(t, []string{"update gateway/h"}, changesOf(p))
	require.Empty(t, result.Orphans())
	require.Empty(t, p.Orphans)
	after := jsonRecords(t, o.backend)
	delete(before, "gateway/h")
	delete(after, "gateway/h")
	require.Equal(t, before, after)

	p, result, err = o.apply(t, desired, only(t, "network/lan"))
	require.NoError(t, err)
	require.Equal(t, []string{"orphan network/lan"}, changesOf(p))
	require.Len(t, result.Orphans(), 1)

	opts := only(t, "network/lan")
	opts.Prune = true
	p, result, err = o.apply(t, desired, opts)
	require.NoError(t, err)
	require.Equal(t, []string{"delete network/lan", "delete subnet/a"}, changesOf(p), "with what depends on it")
	require.Empty(t, result.Orphans())
}

// What was recorded with a tag and is no longer declared is selected by it.
func TestPromise9_TagsOfWhatIsNoLongerDeclared(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	desired := o.desire(t, map[string]any{"network/a": wire{}, "network/b": wire{}})
	for i := range desired.Resources {
		desired.Resources[i].Tags = []string{desired.Resources[i].Name}
	}
	o.sync(t, desired, nil)
	p, _, err := o.apply(t, &sync.Desired{}, &sync.PlanOptions{Prune: true, AllowEmpty: true, Selection: &sync.Selection{Tags: []string{"b"}}})
	require.NoError(t, err)
	require.Equal(t, []string{"delete network/b"}, changesOf(p))
}

// What gets a new ID is not selected without what refers to it: the next plan would
// not know that it has to be changed.
func TestPromise9_ReferrersComeAlong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(o *outside) *sync.PlanOptions
		cidr    string
		want    []string
	}{
		"replaced": {cidr: "b", want: []string{
			"delete gateway/g", "delete network/lan", "delete subnet/a", "replace gateway/g", "replace network/lan", "replace subnet/a", "update server/web"}},
		"gone": {cidr: "a", want: []string{"create network/lan", "delete gateway/g", "delete subnet/a", "replace gateway/g", "replace subnet/a", "update server/web"},
			prepare: func(o *outside) *sync.PlanOptions {
				require.NoError(t, o.Remove(o.id(t, "network/lan")))
				return &sync.PlanOptions{Observe: true}
			}},
		"adopted": {cidr: "a", want: []string{"adopt network/lan", "delete gateway/g", "delete subnet/a", "replace gateway/g", "replace subnet/a", "update server/web"},
			prepare: func(o *outside) *sync.PlanOptions {
				lan := state.Key{Kind: "network", Name: "lan"}
				_, _, err := o.apply(t, nil, &sync.PlanOptions{Forget: []state.Key{lan}})
				require.NoError(t, err)
				require.NoError(t, o.Remove(o.id(t, "network/lan")))
				require.NoError(t, o.Put(syncertest.WorldThing{ID: "other", Key: "network/lan", Config: json.RawMessage(`{"range":"a"}`)}))
				return &sync.PlanOptions{Adopt: map[state.Key]string{lan: "other"}}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newTown(t, nil, func(w *syncertest.World) []sync.Kind {
				return append(townKinds(w), sync.Define[host]("server", sync.Handle(w.Finding())))
			})
			declared := func(cidr string) *sync.Desired {
				all := town(cidr)
				all["server/web"], all["network/wan"], all["server/db"] = host{Network: "lan"}, wire{Range: cidr}, host{Network: "wan"}
				return o.desire(t, all)
			}
			o.sync(t, declared("a"), nil)
			opts := &sync.PlanOptions{}
			if c.prepare != nil {
				opts = c.prepare(o)
			}
			opts.Selection = only(t, "network/lan").Selection
			p, _, err := o.apply(t, declared(c.cidr), opts)
			require.NoError(t, err)
			require.Equal(t, c.want, changesOf(p), "%s", p)
			o.sync(t, declared(c.cidr), nil)
			require.Equal(t, o.id(t, "network/lan"), o.config(t, "server/web", "network"))
			require.Equal(t, o.id(t, "network/lan"), o.config(t, "subnet/a", "network"))
		})
	}
}

// Whatever is selected, the next full plan has exactly the rest.
func TestPromise9_TheNextPlanHasTheRest(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			world, engine := newGlobe(t)
			g := &graph{rand: rand.New(rand.NewPCG(seed, 9))}
			opts := &sync.PlanOptions{Prune: true, PruneLimit: sync.LimitPercent(100)}
			for range 6 {
				g.change()
				desired := g.desired(t, engine.Kinds())
				for range 3 {
					full := plan(t, engine, desired, opts)
					part := *opts
					part.Selection = &sync.Selection{}
					for _, c := range full.Changes {
						if g.oneIn(6) {
							part.Selection.Keys = append(part.Selection.Keys, c.Key())
						}
					}
					before := jsonRecords(t, engine.Backend())
					some := plan(t, engine, desired, &part)
					_, err := engine.Apply(t.Context(), some)
					require.NoError(t, err, "%s", some)
					after := jsonRecords(t, engine.Backend())
					for _, c := range some.Changes {
						for _, key := range []string{c.Key().String(), recordedKey(c.Change)} {
							delete(before, key)
							delete(after, key)
						}
					}
					require.Equal(t, before, after, "%s", some)
					rest := changesOf(full)
					for _, done := range changesOf(some) {
						at := slices.Index(rest, done)
						require.GreaterOrEqual(t, at, 0, "%s is not in the full plan", done)
						rest = slices.Delete(rest, at, at+1)
					}
					require.Equal(t, rest, changesOf(plan(t, engine, desired, opts)), "of\n%s\ndone\n%s", full, some)
				}
				syncAll(t, engine, desired, opts)
				world.matches(t, engine.Backend(), g)
			}
		})
	}
}

// recordedKey is the key that a change's resource had before.
func recordedKey(change diff.Change) string {
	switch c := change.(type) {
	case *diff.Update:
		return c.Recorded.Key.String()
	case *diff.Create:
		if c.Recorded != nil {
			return c.Recorded.Key.String()
		}
	}
	return change.Key().String()
}

// The limit is one of what a plan deletes, not of what the whole one would.
func TestPromise9_ThePruningOfAPartHasItsLimit(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a", "b", "c", "d"), nil)
	opts := only(t, "thing/b", "thing/c")
	opts.Prune, opts.PruneLimit = true, sync.LimitCount(1)
	_, err := e.Plan(t.Context(), desire(t, "a"), opts)
	require.ErrorIs(t, err, sync.ErrPruneLimit)
	opts.Selection = only(t, "thing/b").Selection
	require.Equal(t, []string{"delete b"}, planned(plan(t, e, desire(t, "a"), opts)))
}
