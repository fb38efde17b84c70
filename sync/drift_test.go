package sync_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// parcel is a kind with something of everything that may drift.
type parcel struct {
	Network string   `sync:"ref=network"`
	Nets    []string `sync:"ref=network"`
	Size    int
	Tier    string `sync:"default=gold"`
	Labels  map[string]string
	Token   string `sync:"sensitive"`
	Serial  string `sync:"unmanaged"`
	Extra   any
}

func observing() *sync.PlanOptions { return &sync.PlanOptions{Observe: true} }

func newParcel(t testing.TB, options ...sync.KindOption) *outside {
	t.Helper()
	return newTown(t, nil, func(w *syncertest.World) []sync.Kind {
		return []sync.Kind{
			sync.Define[wire]("network", sync.Handle(w.Finding())),
			sync.Define[parcel]("parcel", append([]sync.KindOption{sync.Handle(w.Finding())}, options...)...),
		}
	})
}

func parcels(c parcel) map[string]any {
	return map[string]any{"network/lan": wire{}, "network/wan": wire{}, "parcel/b": c}
}

// edit changes a live thing behind our back.
func (o *outside) edit(t testing.TB, key string, change func(config map[string]any)) {
	t.Helper()
	things, err := o.Things()
	require.NoError(t, err)
	at := slices.IndexFunc(things, func(thing syncertest.WorldThing) bool { return thing.Key == key })
	var config map[string]any
	require.NoError(t, json.Unmarshal(things[at].Config, &config))
	change(config)
	things[at].Config, err = json.Marshal(config)
	require.NoError(t, err)
	require.NoError(t, o.Put(things[at]))
}

func TestPromise12_WhatWasEditedWhere(t *testing.T) {
	t.Parallel()
	recorded := parcel{Network: "lan", Nets: []string{"lan", "wan"}, Size: 1, Labels: map[string]string{"a": "x"}, Token: "hunter2hunter2", Serial: "0"}
	for name, c := range map[string]struct {
		live    func(o *outside, config map[string]any)
		declare func(b *parcel)
		want    []diff.Field
	}{
		"nothing": {},
		"a default of the server's": {live: func(_ *outside, config map[string]any) {
			config["born"], config["tier"] = "2026", "gold"
		}},
		"the declaration": {declare: func(b *parcel) { b.Size = 2 }, want: []diff.Field{{Path: "config.size", Old: raw("1"), New: raw("2"), Default: raw("0")}}},
		"behind our back": {live: func(_ *outside, config map[string]any) { config["size"] = 7 },
			want: []diff.Field{{Path: "config.size", Old: raw("1"), New: raw("1"), Default: raw("0"), Drifted: true, Live: raw("7")}}},
		"both": {live: func(_ *outside, config map[string]any) { config["size"] = 7 }, declare: func(b *parcel) { b.Size = 2 },
			want: []diff.Field{{Path: "config.size", Old: raw("1"), New: raw("2"), Default: raw("0"), Drifted: true, Live: raw("7")}}},
		"both, to the same": {live: func(_ *outside, config map[string]any) { config["size"] = 2 }, declare: func(b *parcel) { b.Size = 2 },
			want: []diff.Field{{Path: "config.size", Old: raw("1"), New: raw("2"), Default: raw("0"), Drifted: true, Live: raw("2")}}},
		"one here, one there": {live: func(_ *outside, config map[string]any) { config["labels"] = map[string]string{"a": "y"} }, declare: func(b *parcel) { b.Size = 2 },
			want: []diff.Field{
				{Path: "config.labels.a", Old: raw(`"x"`), New: raw(`"x"`), Drifted: true, Live: raw(`"y"`)},
				{Path: "config.size", Old: raw("1"), New: raw("2"), Default: raw("0")}}},
		"a default of ours": {live: func(_ *outside, config map[string]any) { config["tier"] = "tin" },
			want: []diff.Field{{Path: "config.tier", Default: raw(`"gold"`), Drifted: true, Live: raw(`"tin"`)}}},
		"a field that is gone": {live: func(_ *outside, config map[string]any) { delete(config, "size") },
			want: []diff.Field{{Path: "config.size", Old: raw("1"), New: raw("1"), Default: raw("0"), Drifted: true}}},
		"a secret": {live: func(_ *outside, config map[string]any) { config["token"] = "hunter3hunter3" },
			want: []diff.Field{{Path: "config.token", Sensitive: true, Drifted: true}}},
		"a secret, on both sides": {live: func(_ *outside, config map[string]any) { config["token"] = "hunter3hunter3" }, declare: func(b *parcel) { b.Token = "hunter4hunter4" },
			want: []diff.Field{{Path: "config.token", Sensitive: true, Drifted: true}}},
		"a secret that isn't told": {live: func(_ *outside, config map[string]any) { delete(config, "token") }},
		"what isn't managed":       {live: func(_ *outside, config map[string]any) { config["serial"] = "9" }},
		"a reference": {live: func(o *outside, config map[string]any) { config["network"] = o.record(t, "network/wan").ID },
			want: []diff.Field{{Path: "config.network", Old: raw(`"lan"`), New: raw(`"lan"`), Default: raw(`""`), Drifted: true, Live: raw(`"wan"`)}}},
		"a reference to nobody knows what": {live: func(_ *outside, config map[string]any) { config["network"] = "n-0" },
			want: []diff.Field{{Path: "config.network", Old: raw(`"lan"`), New: raw(`"lan"`), Default: raw(`""`), Drifted: true, Live: raw(`"n-0"`)}}},
		"one of several references": {live: func(o *outside, config map[string]any) {
			config["nets"] = []string{o.record(t, "network/wan").ID}
		}, want: []diff.Field{{Path: "config.nets[0]", Old: raw(`"lan"`), New: raw(`"lan"`), Drifted: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newParcel(t)
			o.sync(t, o.desire(t, parcels(recorded)), nil)
			if c.live != nil {
				o.edit(t, "parcel/b", func(config map[string]any) { c.live(o, config) })
			}
			declared := recorded
			if c.declare != nil {
				c.declare(&declared)
			}
			desired := o.desire(t, parcels(declared))
			p := plan(t, o.engine, desired, observing())
			require.NotContains(t, p.String(), "hunter")
			text, err := json.Marshal(p)
			require.NoError(t, err)
			require.NotContains(t, string(text), "hunter")
			if c.want == nil {
				require.Empty(t, p.Changes, "%s", p)
				return
			}
			require.Len(t, p.Changes, 1)
			require.Equal(t, c.want, p.Changes[0].Change.(*diff.Update).Fields)
			require.Equal(t, slices.ContainsFunc(c.want, func(f diff.Field) bool { return f.Drifted }), strings.Contains(p.String(), "changed behind our back"), "%s", p)
			require.Equal(t, c.declare != nil, len(plan(t, o.engine, desired, nil).Changes) > 0, "without a look only edits of the declaration are seen")

			drift, err := o.engine.Drift(t.Context())
			require.NoError(t, err)
			drifted := slices.ContainsFunc(c.want, func(f diff.Field) bool { return f.Drifted })
			require.Equal(t, drifted, len(drift) > 0)

			_, err = o.engine.Apply(t.Context(), p)
			require.NoError(t, err)
			require.Empty(t, plan(t, o.engine, desired, observing()).Changes, "it is as it should be again")
			require.Equal(t, declared.Token, o.config(t, "parcel/b", "token"))
		})
	}
}

func raw(text string) json.RawMessage { return json.RawMessage(text) }

// What leaves the declaration alone is told without one: what is recorded counts,
// not what is declared.
func TestPromise12_DriftNeedsNoDeclaration(t *testing.T) {
	t.Parallel()
	o := newParcel(t)
	all := parcels(parcel{Network: "lan", Size: 1, Token: "hunter2hunter2"})
	all["parcel/c"], all["parcel/d"] = parcel{Network: "wan"}, parcel{}
	o.sync(t, o.desire(t, all), nil)
	drift, err := o.engine.Drift(t.Context())
	require.NoError(t, err)
	require.Empty(t, drift)

	o.edit(t, "parcel/b", func(config map[string]any) { config["size"] = 7 })
	require.NoError(t, o.Remove(o.id(t, "parcel/d")))
	require.NoError(t, o.Remove(o.id(t, "network/wan")))
	before := jsonRecords(t, o.backend)
	drift, err = o.engine.Drift(t.Context())
	require.NoError(t, err)
	var told []string
	for _, c := range drift {
		told = append(told, string(c.Op())+" "+c.Key().String())
	}
	require.Equal(t, []string{"create network/wan", "update parcel/b", "create parcel/d"}, told, "what refers to a thing that is gone is as it was")
	require.Equal(t, []string{"it is gone"}, drift[0].(*diff.Create).Reasons)
	require.Equal(t, before, jsonRecords(t, o.backend))
}

func TestPromise12_WhatIsGoneIsMadeAnewAndHeardOf(t *testing.T) {
	t.Parallel()
	o := newParcel(t)
	desired := o.desire(t, parcels(parcel{Network: "lan", Nets: []string{"wan"}}))
	o.sync(t, desired, nil)
	old := o.id(t, "network/lan")
	require.NoError(t, o.Remove(old))
	p := plan(t, o.engine, desired, observing())
	require.Equal(t, []string{"create network/lan", "update parcel/b"}, changesOf(p))
	require.Contains(t, p.String(), "it is gone")
	_, err := o.engine.Apply(t.Context(), p)
	require.NoError(t, err)
	require.NotEqual(t, old, o.id(t, "network/lan"))
	require.Equal(t, o.id(t, "network/lan"), o.config(t, "parcel/b", "network"))
	require.Empty(t, plan(t, o.engine, desired, observing()).Changes)
}

// A value that the declaration leaves to others, or that stands for an ID by
// Resource.Refs, is compared as such.
func TestPromise12_WhatTheResourceSaysOfItsFields(t *testing.T) {
	t.Parallel()
	o := newParcel(t)
	with := func(network, other string) *sync.Desired {
		desired := o.desire(t, parcels(parcel{Extra: map[string]any{"net": "net:" + network, "owner": other}}))
		for i := range desired.Resources {
			if r := &desired.Resources[i]; r.Kind == "parcel" {
				r.Refs = []state.Ref{{Path: "extra.net", To: state.Key{Kind: "network", Name: network}}}
				r.Unmanaged = []string{"extra.owner"}
			}
		}
		return desired
	}
	o.sync(t, with("lan", "us"), nil)
	require.Equal(t, o.id(t, "network/lan"), o.config(t, "parcel/b", "extra.net"))
	require.Empty(t, plan(t, o.engine, with("lan", "us"), observing()).Changes)
	o.edit(t, "parcel/b", func(config map[string]any) { config["extra"].(map[string]any)["owner"] = "them" })
	require.Empty(t, plan(t, o.engine, with("lan", "us"), observing()).Changes)

	p := plan(t, o.engine, with("wan", "us"), observing())
	require.Len(t, p.Changes, 1)
	require.False(t, slices.ContainsFunc(p.Changes[0].Change.(*diff.Update).Fields, func(f diff.Field) bool { return f.Drifted }), "%s", p)

	o.edit(t, "parcel/b", func(config map[string]any) {
		config["extra"].(map[string]any)["net"] = o.record(t, "network/wan").ID
	})
	p = plan(t, o.engine, with("lan", "us"), observing())
	require.Len(t, p.Changes, 1)
	require.True(t, p.Changes[0].Change.(*diff.Update).Fields[0].Drifted)

	desired := with("lan", "us") // from now on others have all of it
	for i := range desired.Resources {
		if r := &desired.Resources[i]; r.Kind == "parcel" {
			r.Refs, r.Unmanaged = nil, []string{"extra.owner", "extra.net"}
		}
	}
	p = plan(t, o.engine, desired, observing())
	require.Len(t, p.Changes, 1)
	require.False(t, slices.ContainsFunc(p.Changes[0].Change.(*diff.Update).Fields, func(f diff.Field) bool { return f.Drifted }), "%s", p)
}

// Kind.Normalize says what is the same in a kind's world.
func TestPromise12_AKindMayNormalizeWhatIsLive(t *testing.T) {
	t.Parallel()
	o := newParcel(t, func(k *sync.Kind) {
		k.Normalize = func(live json.RawMessage) (json.RawMessage, error) {
			if strings.Contains(string(live), "broken") {
				return nil, errBoom
			}
			return []byte(strings.ToLower(string(live))), nil
		}
	})
	desired := o.desire(t, parcels(parcel{Tier: "tin", Labels: map[string]string{"a": "x"}}))
	o.sync(t, desired, nil)
	o.edit(t, "parcel/b", func(config map[string]any) { config["tier"], config["labels"] = "TIN", map[string]string{"A": "X"} })
	require.Empty(t, plan(t, o.engine, desired, observing()).Changes)
	o.edit(t, "parcel/b", func(config map[string]any) { config["tier"] = "TIN FOIL" })
	p := plan(t, o.engine, desired, observing())
	require.Equal(t, raw(`"tin foil"`), p.Changes[0].Change.(*diff.Update).Fields[0].Live)
	o.edit(t, "parcel/b", func(config map[string]any) { config["tier"] = "broken" })
	_, err := o.engine.Plan(t.Context(), desired, observing())
	require.ErrorIs(t, err, errBoom)
	var api sync.SyncAPIErr
	require.ErrorAs(t, err, &api)
	require.Equal(t, "parcel/b", api.Resource)
}

// watcher is an Observer that says what it is told to.
type watcher struct {
	sync.Handler
	observe func(records []state.Record) []sync.Live
}

func (w watcher) Observe(_ context.Context, records []state.Record) []sync.Live {
	return w.observe(records)
}

// What can't be seen is an error: to take it for as recorded would be a guess.
func TestPromise12_WhatCantBeSeenIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		observe func(records []state.Record) []sync.Live
		err     string
	}{
		"a thing that can't be read": {func(records []state.Record) []sync.Live {
			lives := make([]sync.Live, len(records))
			for i, r := range records {
				lives[i] = sync.Live{ID: r.ID}
				if r.Name == "b" {
					lives[i].Err = errors.New("403 for the token hunter2hunter2")
				}
			}
			return lives
		}, "parcel/b - 403 for the token (sensitive)"},
		"too few answers": {func([]state.Record) []sync.Live { return nil }, `the kind "parcel"`},
		"a panic":         {func([]state.Record) []sync.Live { panic("hunter2hunter2 is wrong") }, "(sensitive) is wrong"},
		"no JSON": {func(records []state.Record) []sync.Live {
			return slices.Repeat([]sync.Live{{ID: "x", Config: raw(`{"token":"hunter2hunter2"`)}}, len(records))
		}, `the live config of kind "parcel"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newTown(t, nil, func(w *syncertest.World) []sync.Kind {
				return []sync.Kind{
					sync.Define[wire]("network", sync.Handle(w.Finding())),
					sync.Define[parcel]("parcel", sync.Handle(watcher{w.Handler(), c.observe})),
				}
			})
			desired := o.desire(t, map[string]any{"parcel/a": parcel{}, "parcel/b": parcel{Token: "hunter2hunter2"}})
			o.sync(t, desired, nil)
			_, err := o.engine.Plan(t.Context(), desired, observing())
			require.ErrorContains(t, err, c.err)
			require.NotContains(t, err.Error(), "hunter2")
			_, err = o.engine.Drift(t.Context())
			require.Error(t, err)
		})
	}
}

// seeing is a backend that can observe what it stores.
type seeing struct {
	*syncertest.Memory
	live map[string]sync.Live // by name; what isn't in it is gone
}

func (s seeing) Observe(_ context.Context, records []state.Record) []sync.Live {
	lives := make([]sync.Live, len(records))
	for i, r := range records {
		lives[i] = s.live[r.Name]
	}
	return lives
}

func TestPromise12_ABackendMayObserveWhatItStores(t *testing.T) {
	t.Parallel()
	s := seeing{syncertest.NewMemory(scope()), map[string]sync.Live{
		"a": {ID: "x", Config: raw(`{"size":1,"label":"plain"}`)}, "b": {ID: "y"},
	}}
	e := newEngine(t, s, nil)
	desired := desire(t, "a=1", "b=1", "c=1")
	syncAll(t, e, desired, nil)
	p := plan(t, e, desired, observing())
	require.Equal(t, []string{"create c"}, planned(p), "of b nothing is known")
	s.live["a"], s.live["c"] = sync.Live{ID: "x", Config: raw(`{"size":9}`)}, sync.Live{ID: "z"}
	drift, err := e.Drift(t.Context())
	require.NoError(t, err)
	require.Len(t, drift, 1)
	require.Equal(t, key("a"), drift[0].Key())
}

func TestPromise12_WhereNobodyCanLook(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	_, err := e.Drift(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	syncAll(t, e, desire(t, "a"), nil)
	require.Empty(t, plan(t, e, desire(t, "a"), observing()).Changes)
}

// Nobody is asked what things are like unless that is asked for.
func TestPromise12_NobodyIsAskedForNothing(t *testing.T) {
	t.Parallel()
	asked := 0
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind {
		return []sync.Kind{sync.Define[wire]("network", sync.Handle(watcher{w.Handler(), func(records []state.Record) []sync.Live {
			asked += len(records)
			return slices.Repeat([]sync.Live{{ID: "x"}}, len(records))
		}}))}
	})
	o.sync(t, o.desire(t, map[string]any{"network/a": wire{}, "network/b": wire{}}), nil)
	o.sync(t, o.desire(t, map[string]any{"network/a": wire{Range: "1"}, "network/b": wire{}}), nil)
	require.Zero(t, asked)
	plan(t, o.engine, o.desire(t, map[string]any{"network/a": wire{Range: "1"}, "network/c": wire{}}), observing())
	require.Equal(t, 1, asked, "of what is recorded and declared")
}
