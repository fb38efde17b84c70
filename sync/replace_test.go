package sync_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// subnet can't move to another wire; gateway can.
type subnet struct {
	Network string `sync:"immutable,ref=network"`
	Size    int
}

type gateway struct {
	Network string `sync:"ref=network"`
	Subnet  string `sync:"immutable,ref=subnet"`
	Size    int
}

// townKinds are networks, subnets in them and gateways in both, acted on in w.
func townKinds(w *syncertest.World, options ...tusync.KindOption) []tusync.Kind {
	options = append(options, tusync.Handle(w.Finding()))
	return []tusync.Kind{
		tusync.Define[wire]("network", options...),
		tusync.Define[subnet]("subnet", options...),
		tusync.Define[gateway]("gateway", options...),
	}
}

// newTown returns an engine for kinds of the test's choice, on a memory and a
// directory.
func newTown(t testing.TB, opts *tusync.Options, define func(w *syncertest.World) []tusync.Kind) *outside {
	t.Helper()
	o := &outside{World: syncertest.NewWorld(t.TempDir()), backend: syncertest.NewMemory(scope())}
	if opts == nil {
		opts = &tusync.Options{DigestKey: []byte("a key of sixteen bytes")}
	}
	o.with(t, opts, define(o.World)...)
	return o
}

// with gives what is there an engine with other kinds, as a newer program has.
func (o *outside) with(t testing.TB, opts *tusync.Options, kinds ...tusync.Kind) {
	t.Helper()
	o.kinds = tusync.Kinds(kinds...)
	var err error
	o.engine, err = tusync.New(o.backend, o.kinds, opts)
	require.NoError(t, err)
}

// apply plans and applies, and returns what came of it.
func (o *outside) apply(t testing.TB, desired *tusync.Desired, opts *tusync.PlanOptions) (*tusync.Plan, *tusync.Result, error) {
	t.Helper()
	p, err := o.engine.Plan(t.Context(), desired, opts)
	require.NoError(t, err)
	result, err := o.engine.Apply(t.Context(), p)
	return p, result, err
}

// journal notes what is carried out in a world, as "op kind/name", and fails or
// waits where it is told to.
type journal struct {
	mu    sync.Mutex
	lines []string
	// fail is what an act ends with, by its line: before anything is done.
	fail map[string]error
	// lose is what an act ends with although it was done.
	lose map[string]error
}

// watch makes a journal of what is carried out from now on.
func (o *outside) watch() *journal {
	j := &journal{fail: map[string]error{}, lose: map[string]error{}}
	o.Hook = func(change diff.Change, done bool) error {
		line := fmt.Sprintf("%s %s", change.Op(), change.Key())
		j.mu.Lock()
		defer j.mu.Unlock()
		if done {
			return j.lose[line]
		}
		j.lines = append(j.lines, line)
		return j.fail[line]
	}
	return j
}

// config returns the Config that a thing was given last, as text by path.
func (o *outside) config(t testing.TB, key, path string) string {
	t.Helper()
	things, err := o.Things()
	require.NoError(t, err)
	at := slices.IndexFunc(things, func(thing syncertest.WorldThing) bool { return thing.Key == key })
	require.GreaterOrEqual(t, at, 0, "there is no %s", key)
	value, ok := diff.Lookup(things[at].Config, path)
	require.True(t, ok, "%s has no %s: %s", key, path, things[at].Config)
	var text string
	require.NoError(t, json.Unmarshal(value, &text))
	return text
}

// id returns the ID of the one thing that there is of a key.
func (o *outside) id(t *testing.T, key string) string {
	t.Helper()
	things := o.things(t)
	require.Contains(t, things, key)
	return things[key].ID
}

// record returns what is recorded under a key.
func (o *outside) record(t testing.TB, text string) state.Record {
	t.Helper()
	for r, err := range o.backend.Records(t.Context()) {
		require.NoError(t, err)
		if r.Key.String() == text {
			return r
		}
	}
	require.Fail(t, "it is not recorded", text)
	return state.Record{}
}

func town(cidr string) map[string]any {
	return map[string]any{
		"network/lan": wire{Range: cidr},
		"subnet/a":    subnet{Network: "lan"},
		"gateway/g":   gateway{Network: "lan", Subnet: "a"},
	}
}

func TestPromise3_AReplaceOfThreeLevels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first map[string]bool // the kinds that create first
		want  []string
	}{
		"deletes first": {want: []string{
			"delete gateway/g", "delete subnet/a", "delete network/lan",
			"replace network/lan", "replace subnet/a", "replace gateway/g"}},
		"creates first": {first: map[string]bool{"network": true, "subnet": true, "gateway": true}, want: []string{
			"replace network/lan", "replace subnet/a", "replace gateway/g",
			"delete gateway/g", "delete subnet/a", "delete network/lan"}},
		"creates first below": {first: map[string]bool{"network": true}, want: []string{
			"replace network/lan", "delete gateway/g", "delete subnet/a", "replace subnet/a", "replace gateway/g", "delete network/lan"}},
		"creating first above what deletes first can't be": {first: map[string]bool{"gateway": true}, want: []string{
			"delete gateway/g", "delete subnet/a", "delete network/lan",
			"replace network/lan", "replace subnet/a", "replace gateway/g"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newTown(t, &tusync.Options{Parallel: 1}, func(w *syncertest.World) []tusync.Kind {
				all := townKinds(w)
				for i := range all {
					all[i].CreateFirst = c.first[all[i].Name]
				}
				return all
			})
			o.sync(t, o.desire(t, town("10.0.0.0/8")), nil)
			before := o.things(t)
			done := o.watch()
			plan, result := o.sync(t, o.desire(t, town("10.0.0.0/16")), nil)
			require.Equal(t, map[diff.Op]int{diff.OpReplace: 3}, plan.Counts())
			require.Equal(t, c.want, done.lines)
			require.Equal(t, 6, result.Count(tusync.Done))
			for key, thing := range o.things(t) {
				require.NotEqual(t, before[key].ID, thing.ID, "%s is the old one", key)
			}
			require.Equal(t, o.id(t, "network/lan"), o.config(t, "gateway/g", "network"))
			require.Equal(t, o.id(t, "subnet/a"), o.config(t, "gateway/g", "subnet"))
			require.Empty(t, o.record(t, "network/lan").Replaced)
			require.Zero(t, result.Head.Pending)
		})
	}
}

var errDown = errors.New("the line is dead")

func TestPromise3_ActsBeginInThePlansOrder(t *testing.T) {
	t.Parallel()
	o := newTown(t, &tusync.Options{Parallel: 1}, func(w *syncertest.World) []tusync.Kind { return townKinds(w) })
	desired := o.desire(t, map[string]any{
		"network/a": wire{}, "network/z": wire{}, "subnet/a": subnet{Network: "a"}, "subnet/z": subnet{Network: "z"},
		"gateway/a": gateway{Network: "a", Subnet: "a"}, "gateway/z": gateway{Network: "z", Subnet: "z"},
	})
	done := o.watch()
	plan, _ := o.sync(t, desired, nil)
	var want []string
	for _, c := range plan.Changes {
		want = append(want, fmt.Sprintf("%s %s", c.Op(), c.Key()))
	}
	require.Equal(t, "create gateway/a", want[2], "as soon as it is ready, in the order of the plan")
	require.Equal(t, want, done.lines)
}

// A create-first replace that stops anywhere is carried on: the old thing is
// neither lost nor left behind, and nothing exists twice.
func TestPromise3_ACreateFirstReplaceThatStopsIsCarriedOn(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*journal){
		"before the create": func(j *journal) { j.fail["replace network/lan"] = errDown },
		"in the create": func(j *journal) {
			j.lose["replace network/lan"] = errors.Join(errDown, tusync.ErrUncertain)
		},
		"before the delete": func(j *journal) { j.fail["delete network/lan"] = errDown },
		"in the delete":     func(j *journal) { j.lose["delete network/lan"] = errDown },
		"at the referrer":   func(j *journal) { j.fail["update server/web"] = errDown },
	} {
		for ability, handler := range map[string]func(*syncertest.World) tusync.Handler{
			"Finding": (*syncertest.World).Finding, "Idempotent": (*syncertest.World).Idempotent,
		} {
			for _, next := range []string{"10.0.0.0/16", "10.0.0.0/8", "10.0.0.0/24"} {
				t.Run(name+"/"+ability+"/"+next, func(t *testing.T) {
					t.Parallel()
					o := newTown(t, &tusync.Options{Retries: -1, DigestKey: []byte("a key of sixteen bytes")}, func(w *syncertest.World) []tusync.Kind {
						return []tusync.Kind{
							tusync.Define[wire]("network", tusync.Handle(handler(w)), tusync.CreateFirst()),
							tusync.Define[host]("server", tusync.Handle(handler(w))),
						}
					})
					desired := func(cidr string) *tusync.Desired {
						return o.desire(t, map[string]any{"network/lan": wire{Range: cidr}, "server/web": host{Network: "lan"}})
					}
					o.sync(t, desired("10.0.0.0/8"), nil)
					stop(o.watch())
					_, _, err := o.apply(t, desired("10.0.0.0/16"), nil)
					require.ErrorIs(t, err, errDown)
					o.Hook = nil
					plan, _ := o.sync(t, desired(next), nil)
					require.Equal(t, o.id(t, "network/lan"), o.config(t, "server/web", "network"), "%s", plan)
					require.Equal(t, next, o.config(t, "network/lan", "range"), "%s", plan)
					require.Equal(t, o.id(t, "network/lan"), o.record(t, "network/lan").ID)
				})
			}
		}
	}
}

// Whatever stops a run right after something got a new ID, the next run brings it
// to all that refer to it, whether they are updated or replaced.
func TestPromise3_ANewIDReachesItsReferrersLater(t *testing.T) {
	t.Parallel()
	stops := map[string]func(t *testing.T, o *outside) context.Context{
		"cancelled": func(t *testing.T, o *outside) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			o.Hook = func(change diff.Change, done bool) error {
				if _, creates := change.(*diff.Create); creates && done && change.Key().Kind == "network" {
					cancel()
				}
				return nil
			}
			return ctx
		},
		"failed": func(t *testing.T, o *outside) context.Context {
			o.Hook = func(change diff.Change, done bool) error {
				if !done && change.Key().Kind != "network" {
					return errDown
				}
				return nil
			}
			return t.Context()
		},
		"without an answer": func(t *testing.T, o *outside) context.Context {
			o.Hook = func(change diff.Change, done bool) error {
				if _, deletes := change.(*diff.Delete); done && change.Key().Kind != "network" && !deletes {
					return errors.Join(errDown, tusync.ErrUncertain)
				}
				return nil
			}
			return t.Context()
		},
	}
	declared := func(o *outside, cidr string, size int) *tusync.Desired {
		return o.desire(t, map[string]any{
			"network/lan": wire{Range: cidr}, "subnet/a": subnet{Network: "lan", Size: size},
			"gateway/g": gateway{Network: "lan", Subnet: "a", Size: size}, "server/web": host{Network: "lan", Size: size},
		})
	}
	nexts := map[string]func(o *outside) *tusync.Desired{
		"the same":  func(o *outside) *tusync.Desired { return declared(o, "10.0.0.0/16", 1) },
		"reverted":  func(o *outside) *tusync.Desired { return declared(o, "10.0.0.0/8", 1) },
		"edited":    func(o *outside) *tusync.Desired { return declared(o, "10.0.0.0/16", 2) },
		"edited on": func(o *outside) *tusync.Desired { return declared(o, "10.0.0.0/24", 2) },
	}
	for stop, prepare := range stops {
		for next, desired := range nexts {
			for first := range 4 {
				t.Run(fmt.Sprintf("%s/%s/%d", stop, next, first), func(t *testing.T) {
					t.Parallel()
					o := newTown(t, &tusync.Options{Retries: -1, DigestKey: []byte("a key of sixteen bytes")}, func(w *syncertest.World) []tusync.Kind {
						all := append(townKinds(w), tusync.Define[host]("server", tusync.Handle(w.Finding())))
						for i := range all {
							all[i].CreateFirst = first&1 != 0 && all[i].Name == "network" || first&2 != 0 && all[i].Name != "network"
						}
						return all
					})
					o.sync(t, declared(o, "10.0.0.0/8", 1), nil)
					ctx := prepare(t, o)
					p := plan(t, o.engine, declared(o, "10.0.0.0/16", 1), nil)
					_, err := o.engine.Apply(ctx, p)
					require.Error(t, err)
					o.Hook = nil
					p, _ = o.sync(t, desired(o), nil)
					network, a := o.id(t, "network/lan"), o.id(t, "subnet/a")
					require.Equal(t, network, o.config(t, "subnet/a", "network"), "%s", p)
					require.Equal(t, network, o.config(t, "gateway/g", "network"), "%s", p)
					require.Equal(t, a, o.config(t, "gateway/g", "subnet"), "%s", p)
					require.Equal(t, network, o.config(t, "server/web", "network"), "%s", p)
					require.Len(t, o.things(t), 4)
				})
			}
		}
	}
}

func early(color int) map[string]any { return map[string]any{"early/a": node{Color: color}} }

// newEarly returns a town of things that are replaced by creating first, by a
// handler whose creates are idempotent.
func newEarly(t *testing.T) *outside {
	t.Helper()
	return newTown(t, &tusync.Options{Retries: -1}, func(w *syncertest.World) []tusync.Kind {
		return []tusync.Kind{
			tusync.Define[node]("early", tusync.Handle(w.Idempotent()), tusync.CreateFirst()),
			tusync.Define[node]("late", tusync.Handle(w.Idempotent())),
		}
	})
}

// What was replaced and is not gone yet goes before its successor is replaced in
// turn: only one old ID can be on the books.
func TestPromise3_WhatWasReplacedIsNotLostByTheNextReplace(t *testing.T) {
	t.Parallel()
	o := newEarly(t)
	o.sync(t, o.desire(t, early(1)), nil)
	done := o.watch()
	done.fail["delete early/a"] = errDown
	for color := range 3 {
		_, result, err := o.apply(t, o.desire(t, early(color+2)), nil)
		require.ErrorIs(t, err, errDown)
		require.Equal(t, 1, result.Head.Pending)
		things, err := o.Things()
		require.NoError(t, err)
		require.Len(t, things, 2)
	}
	o.Hook = nil
	plan, _ := o.sync(t, o.desire(t, early(4)), nil)
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 1, diff.OpDelete: 1}, plan.Counts())
	require.Contains(t, plan.String(), "which was replaced\nPlan: 1 to replace, 1 to delete, 0 unchanged.")
	require.Len(t, o.things(t), 1)
}

func TestPromise3_AnInterruptedReplaceThatIsPrunedLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(*syncertest.World) tusync.Handler{
		"Finding": (*syncertest.World).Finding, "Idempotent": (*syncertest.World).Idempotent,
	} {
		for _, created := range []bool{true, false} {
			t.Run(fmt.Sprint(name, created), func(t *testing.T) {
				t.Parallel()
				o := newTown(t, &tusync.Options{Retries: -1}, func(w *syncertest.World) []tusync.Kind {
					return []tusync.Kind{tusync.Define[wire]("network", tusync.Handle(handler(w)), tusync.CreateFirst())}
				})
				o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "a"}}), nil)
				done := o.watch()
				where := done.fail
				if created {
					where = done.lose
				}
				where["replace network/lan"] = errors.Join(errDown, tusync.ErrUncertain)
				_, _, err := o.apply(t, o.desire(t, map[string]any{"network/lan": wire{Range: "b"}}), nil)
				require.ErrorIs(t, err, errDown)
				o.Hook = nil
				o.sync(t, o.desire(t, nil), &tusync.PlanOptions{Prune: true, AllowEmpty: true})
				require.Empty(t, o.things(t))
			})
		}
	}
}
