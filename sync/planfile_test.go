package sync_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// saved returns what Plan.Encode writes.
func saved(t testing.TB, p *sync.Plan) *bytes.Buffer {
	t.Helper()
	var file bytes.Buffer
	require.NoError(t, p.Encode(&file))
	return &file
}

// another returns an engine like the one at hand, as another process would have it.
func (o *outside) another(t testing.TB) *sync.Engine {
	t.Helper()
	engine, err := sync.New(o.backend.Reopen(), o.kinds, &sync.Options{DigestKey: []byte("a key of sixteen bytes")})
	require.NoError(t, err)
	return engine
}

func lan() state.Key { return state.Key{Kind: "network", Name: "lan"} }

func newServed(t testing.TB) *outside {
	t.Helper()
	return newTown(t, nil, func(w *syncertest.World) []sync.Kind {
		return append(townKinds(w), sync.Define[host]("server", sync.Handle(w.Finding())))
	})
}

// TestPromise1_ThePlanIsTheSameHoweverItIsMade also asks the world, in parallel.
func TestPromise1_ThePlanIsTheSameHoweverItIsMade(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	all := map[string]any{}
	for _, name := range strings.Fields("a b c d e f g h i j k l m n o p q r s t u v w x y z") {
		all["network/"+name], all["server/"+name] = wire{Range: "1"}, host{Network: name, Token: "secret of " + name}
		all["subnet/"+name] = subnet{Network: name}
	}
	var opts *sync.PlanOptions
	same := func(values map[string]any) {
		t.Helper()
		desired := o.desire(t, values)
		var want string
		for range 5 {
			rand.Shuffle(len(desired.Resources), func(i, j int) {
				desired.Resources[i], desired.Resources[j] = desired.Resources[j], desired.Resources[i]
			})
			p, err := o.another(t).Plan(t.Context(), desired, opts)
			require.NoError(t, err)
			require.NotEmpty(t, p.Changes)
			text, err := json.Marshal(p)
			require.NoError(t, err)
			require.NotContains(t, string(text), "secret of")
			digest, err := p.Digest()
			require.NoError(t, err)
			require.Equal(t, state.Sum(text), digest)
			if want == "" {
				want = string(text)
			}
			require.Equal(t, want, string(text))
		}
	}
	same(all)
	o.sync(t, o.desire(t, all), nil)
	things := o.things(t)
	for _, key := range []string{"server/c", "network/x", "subnet/y"} {
		thing := things[key]
		thing.Config = json.RawMessage(`{"network":"other","range":"2","size":7}`)
		require.NoError(t, o.Put(thing))
	}
	require.NoError(t, o.Remove(things["network/q"].ID))
	for _, name := range []string{"b", "d", "f"} {
		delete(all, "server/"+name)
		all["network/"+name] = wire{Range: "3"}
	}
	opts = &sync.PlanOptions{Observe: true, Prune: true, By: "me", Adopt: map[state.Key]string{}}
	same(all)
}

func TestPromise1_ASavedPlanIsThePlan(t *testing.T) {
	t.Parallel()
	declared := func(edit func(all map[string]any)) func(o *outside) *sync.Desired {
		return func(o *outside) *sync.Desired {
			all := map[string]any{
				"network/lan": wire{Range: "1"}, "network/wan": wire{}, "network/old": wire{},
				"subnet/a": subnet{Network: "lan"}, "server/web": host{Network: "lan", Size: 1, Token: "hunter2hunter2"},
			}
			if edit != nil {
				edit(all)
			}
			return o.desire(t, all)
		}
	}
	edited := declared(func(all map[string]any) {
		all["network/lan"], all["server/web"] = wire{Range: "2"}, host{Network: "wan", Token: "hunter3hunter3"}
		delete(all, "network/old")
	})
	old := state.Key{Kind: "network", Name: "old"}
	for name, c := range map[string]struct {
		desired func(o *outside) *sync.Desired
		opts    sync.PlanOptions
		prepare func(o *outside)
	}{
		"by default":       {desired: edited},
		"by somebody":      {desired: edited, opts: sync.PlanOptions{By: "me"}},
		"prune":            {desired: edited, opts: sync.PlanOptions{Prune: true}},
		"a limit":          {desired: edited, opts: sync.PlanOptions{Prune: true, PruneLimit: sync.LimitCount(1)}},
		"a percentage":     {desired: edited, opts: sync.PlanOptions{Prune: true, PruneLimit: sync.LimitPercent(33.3)}},
		"without a limit":  {desired: edited, opts: sync.PlanOptions{Prune: true, PruneLimit: sync.LimitPercent(250)}},
		"keep going":       {desired: edited, opts: sync.PlanOptions{OnFailure: sync.KeepGoing}},
		"stop":             {desired: edited, opts: sync.PlanOptions{OnFailure: sync.StopAtFirst}},
		"all or nothing":   {desired: edited, opts: sync.PlanOptions{OnFailure: sync.AllOrNothing}},
		"a key":            {desired: edited, opts: sync.PlanOptions{Selection: &sync.Selection{Keys: []state.Key{old}}}},
		"a kind":           {desired: edited, opts: sync.PlanOptions{Selection: &sync.Selection{Kinds: []string{"server"}}}},
		"a tag":            {desired: edited, opts: sync.PlanOptions{Selection: &sync.Selection{Tags: []string{"none"}}}},
		"nothing selected": {desired: edited, opts: sync.PlanOptions{Selection: &sync.Selection{}}},
		"no deploy":        {desired: edited, opts: sync.PlanOptions{NoDeploy: true}},
		"all records":      {desired: edited, opts: sync.PlanOptions{Records: true}},
		"forget":           {desired: edited, opts: sync.PlanOptions{Forget: []state.Key{old}}},
		"undeclared":       {opts: sync.PlanOptions{Forget: []state.Key{old}}},
		"undeclared prune": {opts: sync.PlanOptions{Prune: true}, prepare: func(o *outside) { _, _, err := o.apply(t, edited(o), nil); require.NoError(t, err) }},
		"an empty one": {desired: func(*outside) *sync.Desired { return &sync.Desired{Revision: "v9"} },
			opts: sync.PlanOptions{Prune: true, AllowEmpty: true}},
		"existing": {desired: declared(func(all map[string]any) { all["network/new"] = wire{Range: "9"} }), opts: sync.PlanOptions{Existing: sync.ExistingAdopt},
			prepare: func(o *outside) { exists(t, o, "network/new") }},
		"existing replaced": {desired: declared(func(all map[string]any) { all["network/new"] = wire{Range: "9"} }), opts: sync.PlanOptions{Existing: sync.ExistingReplace},
			prepare: func(o *outside) { exists(t, o, "network/new") }},
		"adopt": {desired: declared(func(all map[string]any) { all["network/new"] = wire{Range: "9"} }),
			opts:    sync.PlanOptions{Adopt: map[state.Key]string{{Kind: "network", Name: "new"}: "that-one"}},
			prepare: func(o *outside) { exists(t, o, "network/new") }},
		"adopt what is found": {desired: declared(func(all map[string]any) { all["network/new"] = wire{Range: "9"} }),
			opts:    sync.PlanOptions{Adopt: map[state.Key]string{{Kind: "network", Name: "new"}: ""}},
			prepare: func(o *outside) { exists(t, o, "network/new") }},
		"observe": {desired: declared(nil), opts: sync.PlanOptions{Observe: true},
			prepare: func(o *outside) { require.NoError(t, o.Remove(o.id(t, "network/lan"))) }},
		"moves": {desired: func(o *outside) *sync.Desired {
			d := declared(func(all map[string]any) { delete(all, "network/old"); all["network/new"] = wire{} })(o)
			d.Moves = []sync.Move{{From: old, To: state.Key{Kind: "network", Name: "new"}}}
			return d
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newServed(t)
			o.sync(t, declared(nil)(o), nil)
			if c.prepare != nil {
				c.prepare(o)
			}
			var desired *sync.Desired
			if c.desired != nil {
				desired = c.desired(o)
			}
			p := plan(t, o.engine, desired, &c.opts)
			file := saved(t, p)
			require.NotContains(t, file.String(), "hunter")
			require.Equal(t, 1, strings.Count(file.String(), "\n"), "it is one line")
			other := o.another(t)
			loaded, err := other.LoadPlan(t.Context(), file, desired)
			require.NoError(t, err)
			want, err := json.Marshal(p)
			require.NoError(t, err)
			got, err := json.Marshal(loaded)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got))
			require.Equal(t, p.String(), loaded.String())
			result, err := other.Apply(t.Context(), loaded)
			require.NoError(t, err)
			require.Len(t, result.Changes, len(p.Changes))
			require.Equal(t, len(p.Changes), result.Count(sync.Done))
			if len(p.Changes) > 0 && c.opts.By != "" {
				require.Equal(t, c.opts.By, result.Head.By)
			}
		})
	}
}

// exists puts a thing in the world that is not recorded.
func exists(t testing.TB, o *outside, key string) {
	t.Helper()
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "that-one", Key: key, Config: json.RawMessage(`{"range":"9"}`)}))
}

func TestPromise1_ASavedPlanThatIsNoLongerTheSameIsStale(t *testing.T) {
	t.Parallel()
	first := map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{}, "server/web": host{Network: "lan", Size: 1}}
	planned := map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{}, "server/web": host{Network: "lan", Size: 2}}
	for name, c := range map[string]struct {
		meanwhile map[string]any // is declared by somebody else, and synced
		world     func(o *outside)
		desired   map[string]any // with which the plan is loaded
		opts      sync.PlanOptions
		moved     []string
	}{
		"a recorded change": {
			meanwhile: map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{}, "server/web": host{Network: "lan", Size: 3}},
			moved:     []string{"server/web was changed"}},
		"done already": {meanwhile: planned, moved: []string{"server/web: update is no longer due"}},
		"something new": {
			meanwhile: map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{}, "network/new": wire{}, "server/web": host{Network: "lan", Size: 1}},
			moved:     []string{"network/new: orphan is due now"}},
		"an orphan": {
			meanwhile: map[string]any{"network/lan": wire{Range: "1"}, "server/web": host{Network: "lan", Size: 1}},
			moved:     []string{"network/wan: update is due now"}},
		"another declaration of the same": {
			desired: map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{}, "server/web": host{Network: "lan", Size: 5}},
			moved:   []string{"the declaration is another one than the plan was made from"}},
		"another declaration": {
			desired: map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{Range: "5"}, "server/web": host{Network: "lan", Size: 2}},
			moved:   []string{"network/wan: replace is due now", "network/wan: delete is due now"}},
		"another secret": {
			desired: map[string]any{"network/lan": wire{Range: "1"}, "network/wan": wire{}, "server/web": host{Network: "lan", Size: 2, Token: "hunter2hunter2"}},
			moved:   []string{"the declaration is another one than the plan was made from"}},
		"a thing that has drifted": {
			opts: sync.PlanOptions{Observe: true},
			world: func(o *outside) {
				thing := o.things(t)["server/web"]
				thing.Config = bytes.Replace(thing.Config, []byte(`"size":1`), []byte(`"size":7`), 1)
				require.NoError(t, o.Put(thing))
			},
			moved: []string{"server/web was changed"}},
		"a thing that is gone": {
			opts:  sync.PlanOptions{Observe: true},
			world: func(o *outside) { require.NoError(t, o.Remove(o.id(t, "network/wan"))) },
			moved: []string{"network/wan: create is due now"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newServed(t)
			o.sync(t, o.desire(t, first), nil)
			p := plan(t, o.engine, o.desire(t, planned), &c.opts)
			file := saved(t, p)
			if c.meanwhile != nil {
				o.sync(t, o.desire(t, c.meanwhile), nil)
			}
			if c.world != nil {
				c.world(o)
			}
			if c.desired == nil {
				c.desired = planned
			}
			head, err := o.backend.Head(t.Context())
			require.NoError(t, err)
			before := o.things(t)
			_, err = o.another(t).LoadPlan(t.Context(), bytes.NewReader(file.Bytes()), o.desire(t, c.desired))
			var stale *sync.StaleError
			require.ErrorAs(t, err, &stale)
			require.ErrorIs(t, err, sync.ErrStale)
			require.ElementsMatch(t, c.moved, stale.Moved)
			require.Equal(t, []int64{p.Base.Serial, head.Serial}, []int64{stale.PlannedSerial, stale.Serial})
			require.NotContains(t, err.Error(), "hunter")
			if c.meanwhile != nil { // the same plan, held by who made it
				_, err = o.engine.Apply(t.Context(), p)
				require.ErrorAs(t, err, &stale)
				require.ElementsMatch(t, c.moved, stale.Moved)
			}
			require.Equal(t, before, o.things(t), "nothing was touched")
			after, err := o.backend.Head(t.Context())
			require.NoError(t, err)
			require.Equal(t, head, after)
		})
	}
}

// A change that has nothing to do with the plan doesn't stop it, whenever it comes.
func TestPromise1_ASavedPlanGoesAheadAfterWhatIsIrrelevant(t *testing.T) {
	t.Parallel()
	web := state.Key{Kind: "server", Name: "web"}
	for _, late := range []bool{false, true} {
		o := newServed(t)
		all := func(size, other int) map[string]any {
			return map[string]any{"server/web": host{Size: size}, "server/db": host{Size: other}}
		}
		o.sync(t, o.desire(t, all(1, 1)), nil)
		opts := &sync.PlanOptions{By: "who planned it", Selection: &sync.Selection{Keys: []state.Key{web}}}
		desired := o.desire(t, all(2, 1))
		file := saved(t, plan(t, o.engine, desired, opts))
		meanwhile := func() {
			_, _, err := o.apply(t, o.desire(t, all(1, 2)), only(t, "server/db"))
			require.NoError(t, err)
		}
		if !late {
			meanwhile()
		}
		other := o.another(t)
		loaded, err := other.LoadPlan(t.Context(), file, desired)
		require.NoError(t, err)
		if late {
			meanwhile()
		}
		require.Equal(t, "who planned it", loaded.By)
		loaded.By = "who applies it"
		result, err := other.Apply(t.Context(), loaded)
		require.NoError(t, err)
		require.Equal(t, "who applies it", result.Head.By)
		require.Equal(t, 1, result.Count(sync.Done))
		require.Contains(t, string(o.things(t)["server/web"].Config), `"size":2`)
		require.Contains(t, string(o.things(t)["server/db"].Config), `"size":2`)
	}
}

func TestPromise1_APlanIsAppliedOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		desired map[string]any
		opts    *sync.PlanOptions
	}{
		"changes": {desired: map[string]any{"network/lan": wire{Range: "2"}, "server/web": host{Network: "lan"}, "network/new": wire{}}},
		"prune":   {desired: map[string]any{"network/lan": wire{Range: "1"}}, opts: &sync.PlanOptions{Prune: true}},
		"orphan":  {desired: map[string]any{"network/lan": wire{Range: "1"}}},
		"forget":  {opts: &sync.PlanOptions{Forget: []state.Key{{Kind: "server", Name: "web"}}}},
		"adopt": {desired: map[string]any{"network/lan": wire{Range: "1"}, "server/web": host{Network: "lan"}, "network/new": wire{Range: "9"}},
			opts: &sync.PlanOptions{Adopt: map[state.Key]string{{Kind: "network", Name: "new"}: "that-one"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newServed(t)
			o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "server/web": host{Network: "lan"}}), nil)
			if name == "adopt" {
				exists(t, o, "network/new")
			}
			var desired *sync.Desired
			if c.desired != nil {
				desired = o.desire(t, c.desired)
			}
			p := plan(t, o.engine, desired, c.opts)
			require.NotEmpty(t, p.Changes)
			file := saved(t, p)
			_, err := o.engine.Apply(t.Context(), p)
			require.NoError(t, err)
			before, things := jsonRecords(t, o.backend), o.things(t)
			_, err = o.engine.Apply(t.Context(), p)
			require.ErrorIs(t, err, sync.ErrStale)
			_, err = o.another(t).LoadPlan(t.Context(), file, desired)
			var stale *sync.StaleError
			require.ErrorAs(t, err, &stale)
			require.Len(t, stale.Moved, len(p.Changes), "%s", stale.Moved)
			if name == "forget" {
				require.Equal(t, []string{"unable to sync server/web - can't be forgotten: it isn't recorded"}, stale.Moved)
				require.ErrorAs(t, err, &sync.SyncErr{})
			}
			require.Equal(t, before, jsonRecords(t, o.backend))
			require.Equal(t, things, o.things(t))
		})
	}
}

// keyed is a kind with a secret, in a scope whose backend keeps the digest key.
func keyed(t testing.TB, o *outside) *sync.Engine {
	t.Helper()
	engine, err := sync.New(o.backend.Reopen(), o.kinds, nil)
	require.NoError(t, err)
	return engine
}

// The first plan of all is made before there is a key for digests, and applied when
// there is one, by another process.
func TestPromise1_TheFirstPlanOfAllCanBeSaved(t *testing.T) {
	t.Parallel()
	all := map[string]any{"network/lan": wire{}, "server/web": host{Network: "lan", Token: "hunter2hunter2"}}
	o := newServed(t)
	desired := o.desire(t, all)
	file := saved(t, plan(t, keyed(t, o), desired, nil)).String()
	require.NotContains(t, file, "hunter2")

	// A key that somebody else needed meanwhile makes no difference, another secret does.
	_, err := o.backend.KeepDigestKey(t.Context(), []byte("the key that the backend keeps: 32"))
	require.NoError(t, err)
	_, err = keyed(t, o).LoadPlan(t.Context(), strings.NewReader(file), o.desire(t, map[string]any{"network/lan": wire{}, "server/web": host{Network: "lan", Size: 1, Token: "hunter2hunter2"}}))
	require.ErrorIs(t, err, sync.ErrStale)
	other := keyed(t, o)
	loaded, err := other.LoadPlan(t.Context(), strings.NewReader(file), desired)
	require.NoError(t, err)
	result, err := other.Apply(t.Context(), loaded)
	require.NoError(t, err)
	require.Equal(t, "hunter2hunter2", o.config(t, "server/web", "token"))
	require.NotContains(t, jsonRecords(t, o.backend)["server/web"], "hunter2")
	p := plan(t, keyed(t, o), desired, nil)
	require.Empty(t, p.Changes)
	require.Equal(t, result.Head.Declared, p.Declared)
}

func TestPromise1_TheFirstPlanOfAllMakesTheKey(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	desired := o.desire(t, map[string]any{"server/web": host{Token: "hunter2hunter2"}})
	file := saved(t, plan(t, keyed(t, o), desired, nil))
	key, err := o.backend.DigestKey(t.Context())
	require.NoError(t, err)
	require.Nil(t, key, "a plan has no side effects")
	other := keyed(t, o)
	loaded, err := other.LoadPlan(t.Context(), file, desired)
	require.NoError(t, err)
	key, err = o.backend.DigestKey(t.Context())
	require.NoError(t, err)
	require.Nil(t, key)
	_, err = other.Apply(t.Context(), loaded)
	require.NoError(t, err)
	require.Empty(t, plan(t, keyed(t, o), desired, nil).Changes)
	require.NotEmpty(t, plan(t, keyed(t, o), o.desire(t, map[string]any{"server/web": host{Token: "hunter3hunter3"}}), nil).Changes)
}

func TestPromise1_AFileThatIsNoPlanIsRefused(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	desired := o.desire(t, map[string]any{"network/lan": wire{Range: "1"}})
	good := saved(t, plan(t, o.engine, desired, nil)).String()
	newer := func(from, to string) string {
		var file struct {
			Digest state.Checksum  `json:"digest"`
			Plan   json.RawMessage `json:"plan"`
		}
		require.NoError(t, json.Unmarshal([]byte(good), &file))
		require.Contains(t, string(file.Plan), from)
		file.Plan = json.RawMessage(strings.Replace(string(file.Plan), from, to, 1))
		file.Digest = state.Sum(file.Plan)
		text, err := json.Marshal(file)
		require.NoError(t, err)
		return string(text)
	}
	for name, c := range map[string]struct{ text, err string }{
		"nothing":              {"", "it is not a saved plan: it ends early"},
		"null":                 {"null", "it is not a saved plan"},
		"something else":       {"a = 1", "it is not a saved plan: invalid character"},
		"something else still": {`{"plan": {"version": "v1"}, "more": 1}`, `it is not a saved plan: json: unknown field "more"`},
		"truncated":            {good[:len(good)/2], "it is not a saved plan: it ends early"},
		"two of them":          {good + good, "it is not a saved plan: there is more after its end"},
		"something after it":   {good + "}", "it is not a saved plan: there is more after its end"},
		"edited":               {strings.Replace(good, `"network/lan"`, `"network/wan"`, 1), "it was changed after it was written; plan again"},
		"without its digest":   {strings.Replace(good, `"digest":"sha256:`, `"digest":"","x":"`, 1), "it is not a saved plan"},
		"newer":                {newer(`"version":"v1"`, `"version":"v2"`), `it is a plan of version "v2"; this program reads "v1"`},
		"with more in it":      {newer(`"changes":[`, `"future":1,"changes":[`), `unknown field "future"`},
		"of another scope":     {newer(`"app":"shop"`, `"app":"mail"`), "it is one for acme/mail, not for acme/shop"},
		"with a bad option":    {newer(`"on_failure":"keep-going"`, `"on_failure":"keep-going","options":{"existing":"never"}`), `unknown existing mode "never"`},
		"with a bad key":       {newer(`"on_failure":"keep-going"`, `"on_failure":"keep-going","options":{"forget":["lan"]}`), `"lan"`},
		"with a bad limit":     {newer(`"on_failure":"keep-going"`, `"on_failure":"keep-going","options":{"prune_limit":"all"}`), `prune limit "all"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := o.engine.LoadPlan(t.Context(), strings.NewReader(c.text), desired)
			require.ErrorContains(t, err, "load the plan")
			require.ErrorContains(t, err, c.err)
			require.False(t, sync.Retryable(err))
			var internal sync.SyncInternalErr
			require.ErrorAs(t, err, &internal)
		})
	}
	_, err := o.engine.LoadPlan(t.Context(), strings.NewReader(good), nil)
	require.ErrorContains(t, err, "it was made from a declaration, and none is at hand")
}

func TestPromise1_ASavedPlanSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "server/web": host{Network: "lan"}}), nil)
	p := plan(t, o.engine, o.desire(t, map[string]any{"network/lan": wire{Range: "2"}, "server/web": host{Network: "lan"}}), nil)
	var file struct {
		Plan struct {
			Counts  map[diff.Op]int
			Changes []struct {
				Op, Key, ID string
				Replaced    bool
				Reasons     []string
				After       []int `json:"waits_for"`
			}
		}
	}
	require.NoError(t, json.Unmarshal(saved(t, p).Bytes(), &file))
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 1, diff.OpUpdate: 1}, file.Plan.Counts)
	require.Len(t, file.Plan.Changes, 3)
	require.True(t, file.Plan.Changes[0].Replaced)
	require.Equal(t, []int{0}, file.Plan.Changes[1].After)
	require.Equal(t, []string{"network/lan gets a new ID"}, file.Plan.Changes[2].Reasons)
	require.False(t, slices.ContainsFunc(file.Plan.Changes, func(c struct {
		Op, Key, ID string
		Replaced    bool
		Reasons     []string
		After       []int `json:"waits_for"`
	}) bool {
		return c.ID == ""
	}))
}

// Whatever is in a file, it is a plan or an error. The text is tried as a file and
// as what is in one, with the digest that fits.
func FuzzLoadPlan(f *testing.F) {
	o := newServed(f)
	desired := &sync.Desired{}
	r, err := o.kinds.Resource("network", "lan", wire{Range: "1"})
	require.NoError(f, err)
	desired.Resources = append(desired.Resources, r)
	for _, p := range []*sync.Plan{
		plan(f, o.engine, desired, nil), plan(f, o.engine, nil, nil),
		plan(f, o.engine, desired, &sync.PlanOptions{
			Prune: true, PruneLimit: sync.LimitPercent(1), Selection: &sync.Selection{Tags: []string{"x"}, Keys: []state.Key{lan()}},
			Existing: sync.ExistingAdopt, Observe: true,
		}),
	} {
		text, err := json.Marshal(p)
		require.NoError(f, err)
		f.Add(text)
		f.Add(saved(f, p).Bytes())
	}
	f.Add([]byte(`{"version":"v1","scope":{"org":"acme","app":"shop"},"options":{"rollback":1,"forget":["a/b"],"adopt":{"a":""}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, file := range []string{string(text), fmt.Sprintf(`{"digest":%q,"plan":%s}`, state.Sum(bytes.TrimSpace(text)), text)} {
			p, err := o.engine.LoadPlan(t.Context(), strings.NewReader(file), desired)
			if err != nil {
				require.Nil(t, p)
				continue
			}
			_, err = o.engine.LoadPlan(t.Context(), saved(t, p), desired)
			require.NoError(t, err)
		}
	})
}
