package sync_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// cluster refers to networks and to other clusters from wherever it can.
type cluster struct {
	Main  string            `sync:"ref=network"`
	List  []string          `sync:"ref=network"`
	Map   map[string]string `sync:"ref=network"`
	Pools []struct {
		Name    string
		Network string `sync:"ref=network"`
	}
	Peer string `sync:"ref=cluster"`
	Note any
}

func newCluster(t *testing.T) *outside {
	t.Helper()
	return newTown(t, nil, func(w *syncertest.World) []sync.Kind {
		return []sync.Kind{sync.Define[wire]("network", sync.Handle(w.Finding())), sync.Define[cluster]("cluster", sync.Handle(w.Finding()))}
	})
}

func TestPromise3_ReferencesAreFoundWhereverTheyStand(t *testing.T) {
	t.Parallel()
	o := newCluster(t)
	desired := func(cidr string) *sync.Desired {
		d := o.desire(t, map[string]any{
			"network/a": wire{Range: cidr}, "network/b": wire{},
			"cluster/c": map[string]any{
				"main": "a", "list": []string{"b", "a", "b"}, "map": map[string]string{"x": "a", "y.z": "b"},
				"pools": []any{map[string]any{"name": "small", "network": "a"}, map[string]any{"name": "none"}},
				"note":  map[string]any{"deep": []any{"a", "a"}},
			},
		})
		for i := range d.Resources {
			if d.Resources[i].Kind == "cluster" {
				d.Resources[i].Refs = []state.Ref{{Path: "note.deep[1]", To: state.Key{Kind: "network", Name: "a"}}}
			}
		}
		return d
	}
	check := func() {
		t.Helper()
		a, b := o.id(t, "network/a"), o.id(t, "network/b")
		want, err := json.Marshal(map[string]any{
			"main": a, "list": []string{b, a, b}, "map": map[string]string{"x": a, "y.z": b},
			"pools": []any{map[string]any{"name": "small", "network": a}, map[string]any{"name": "none"}},
			"note":  map[string]any{"deep": []any{"a", a}},
		})
		require.NoError(t, err)
		got, err := state.Canonical(o.things(t)["cluster/c"].Config)
		require.NoError(t, err)
		want, err = state.Canonical(want)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(got))
	}
	o.sync(t, desired("10.0.0.0/8"), nil)
	check()
	require.Equal(t, []state.Key{{Kind: "network", Name: "a"}, {Kind: "network", Name: "b"}}, o.record(t, "cluster/c").After)
	plan, _ := o.sync(t, desired("10.0.0.0/16"), nil)
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 1, diff.OpUpdate: 1}, plan.Counts(), "%s", plan)
	require.Equal(t, []string{"network/a gets a new ID"}, plan.Changes[len(plan.Changes)-1].Change.(*diff.Update).Reasons)
	check()
}

// What is on the books has names, so that a declaration can be compared with it
// whatever the IDs are.
func TestPromise3_RecordsHaveNames(t *testing.T) {
	t.Parallel()
	o := newCluster(t)
	o.sync(t, o.desire(t, map[string]any{"network/a": wire{}, "cluster/c": cluster{Main: "a"}}), nil)
	declared, err := o.backend.Declared(t.Context(), []state.Checksum{o.record(t, "cluster/c").Checksum})
	require.NoError(t, err)
	require.Len(t, declared, 1)
	for _, r := range declared {
		require.JSONEq(t, `{"main":"a"}`, string(r.Config))
	}
}

func TestPromise3_MistakesInReferencesSayWhere(t *testing.T) {
	t.Parallel()
	o := newCluster(t)
	desired := o.desire(t, map[string]any{
		"network/main": wire{}, "cluster/a": cluster{Peer: "b"}, "cluster/b": cluster{Peer: "c"}, "cluster/c": cluster{Peer: "a"},
		"cluster/d": cluster{List: []string{"mian"}}, "cluster/e": cluster{Peer: "e"},
	})
	desired.Positions = map[state.Key]sync.Position{}
	for i, name := range []string{"a", "b", "c", "d", "e"} {
		desired.Positions[state.Key{Kind: "cluster", Name: name}] = sync.Position{File: name + ".toml", Line: i + 1}
	}
	_, err := o.engine.Plan(t.Context(), desired, nil)
	var wrong sync.SyncErr
	require.ErrorAs(t, err, &wrong)
	require.ErrorContains(t, err, "a.toml:1: cluster/a - a dependency cycle: cluster/a → cluster/b → cluster/c → cluster/a (cluster/a at a.toml:1, cluster/b at b.toml:2, cluster/c at c.toml:3)")
	require.ErrorContains(t, err, "d.toml:4: cluster/d - depends on network/mian, which is not declared; did you mean network/main?")
	require.ErrorContains(t, err, "e.toml:5: cluster/e - depends on itself")
}

// A declaration that names what it doesn't declare is a mistake although nothing
// else changed: what is named must not be pruned.
func TestPromise3_WhatIsStillNamedCantLeaveTheDeclaration(t *testing.T) {
	t.Parallel()
	o := newCluster(t)
	o.sync(t, o.desire(t, map[string]any{"network/a": wire{}, "cluster/c": cluster{Main: "a"}}), nil)
	for _, opts := range []*sync.PlanOptions{nil, {Prune: true}, {Selection: &sync.Selection{Kinds: []string{"network"}}, Prune: true}} {
		_, err := o.engine.Plan(t.Context(), o.desire(t, map[string]any{"cluster/c": cluster{Main: "a"}}), opts)
		require.ErrorContains(t, err, "cluster/c - depends on network/a, which is not declared")
	}
}

func TestPromise3_AReferenceToNothingIsNone(t *testing.T) {
	t.Parallel()
	o := newCluster(t)
	o.sync(t, o.desire(t, map[string]any{"network/a": wire{}, "cluster/c": map[string]any{"main": "", "list": []string{"", "a"}}}), nil)
	require.Equal(t, o.id(t, "network/a"), o.config(t, "cluster/c", "list[1]"))
	require.Equal(t, "", o.config(t, "cluster/c", "list[0]"))
}

func TestPromise3_APathThatLeadsNowhereIsAMistake(t *testing.T) {
	t.Parallel()
	o := newCluster(t)
	desired := o.desire(t, map[string]any{"network/a": wire{}, "cluster/c": cluster{}})
	for i := range desired.Resources {
		if desired.Resources[i].Kind == "cluster" {
			desired.Resources[i].Refs = []state.Ref{{Path: "note.deep", To: state.Key{Kind: "network", Name: "a"}}}
		}
	}
	_, err := o.engine.Plan(t.Context(), desired, nil)
	require.ErrorContains(t, err, `cluster/c - refers to network/a at "note.deep", where its config has nothing`)
}
