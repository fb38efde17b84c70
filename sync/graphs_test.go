package sync_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// node is a resource that refers to many others. There are two kinds of them:
// "early" is replaced by creating first, "late" by deleting first.
type node struct {
	Early      []string `sync:"ref=early"`
	Late       []string `sync:"ref=late"`
	FixedEarly string   `sync:"ref=early,immutable"`
	FixedLate  string   `sync:"ref=late,immutable"`
	Color      int      `sync:"immutable"`
	Size       int
}

// graph is a random declaration that changes at random.
type graph struct {
	rand  *rand.Rand
	nodes []graphNode // each refers to earlier ones alone
	moves []tusync.Move
	names int
}

type graphNode struct {
	key   state.Key
	value node
	after []state.Key
}

// edges are the keys that a node depends on.
func (n *graphNode) edges() []state.Key {
	all := slices.Clone(n.after)
	for kind, names := range map[string][]string{
		"early": append(slices.Clone(n.value.Early), n.value.FixedEarly), "late": append(slices.Clone(n.value.Late), n.value.FixedLate),
	} {
		for _, name := range names {
			if name != "" {
				all = append(all, state.Key{Kind: kind, Name: name})
			}
		}
	}
	return all
}

func (g *graph) oneIn(n int) bool { return g.rand.IntN(n) == 0 }

// below returns the names of some nodes of a kind before the nth.
func (g *graph) below(n int, kind string, oneIn int) []string {
	var names []string
	for _, other := range g.nodes[:n] {
		if other.key.Kind == kind && g.oneIn(oneIn) {
			names = append(names, other.key.Name)
		}
	}
	return names
}

// link gives the nth node other references.
func (g *graph) link(n int) {
	v := &g.nodes[n].value
	v.Early, v.Late, g.nodes[n].after = g.below(n, "early", 3), g.below(n, "late", 3), nil
	for _, name := range g.below(n, "late", 6) {
		g.nodes[n].after = append(g.nodes[n].after, state.Key{Kind: "late", Name: name})
	}
}

// fix gives the nth node other references that are immutable.
func (g *graph) fix(n int) {
	v := &g.nodes[n].value
	v.FixedEarly, v.FixedLate = "", ""
	if names := g.below(n, "early", 2); len(names) > 0 && g.oneIn(2) {
		v.FixedEarly = names[0]
	}
	if names := g.below(n, "late", 2); len(names) > 0 && g.oneIn(2) {
		v.FixedLate = names[0]
	}
}

// remove takes the nth node away, with all references to it.
func (g *graph) remove(n int) {
	g.rename(g.nodes[n].key, "")
	g.nodes = slices.Delete(g.nodes, n, n+1)
}

// rename changes all references to a key; no name means that there are none left.
func (g *graph) rename(key state.Key, name string) {
	text := func(at *string) {
		if *at == key.Name {
			*at = name
		}
	}
	for i := range g.nodes {
		n := &g.nodes[i]
		list, fixed := &n.value.Early, &n.value.FixedEarly
		if key.Kind == "late" {
			list, fixed = &n.value.Late, &n.value.FixedLate
		}
		*list = slices.Clone(*list)
		for i := range *list {
			text(&(*list)[i])
		}
		*list = slices.DeleteFunc(*list, func(name string) bool { return name == "" })
		text(fixed)
		n.after = slices.Clone(n.after)
		for i := range n.after {
			if n.after[i] == key {
				n.after[i].Name = name
			}
		}
		n.after = slices.DeleteFunc(n.after, func(k state.Key) bool { return k.Name == "" })
	}
}

// change edits the declaration.
func (g *graph) change() {
	g.moves = nil
	for i := len(g.nodes) - 1; i >= 0; i-- {
		n := &g.nodes[i]
		switch g.rand.IntN(12) {
		case 0:
			g.remove(i)
		case 1, 2:
			n.value.Color++
		case 3:
			n.value.Size++
		case 4:
			g.link(i)
		case 5:
			g.fix(i)
		case 6:
			to := state.Key{Kind: n.key.Kind, Name: n.key.Name + "x"}
			g.moves = append(g.moves, tusync.Move{From: n.key, To: to})
			g.rename(n.key, to.Name)
			n.key = to
			if g.oneIn(2) {
				n.value.Color++
			}
		}
	}
	for range 1 + g.rand.IntN(3) {
		g.names++
		kind := []string{"early", "late"}[g.rand.IntN(2)]
		g.nodes = append(g.nodes, graphNode{key: state.Key{Kind: kind, Name: fmt.Sprintf("n%d", g.names)}})
		g.link(len(g.nodes) - 1)
		g.fix(len(g.nodes) - 1)
	}
}

func (g *graph) desired(t testing.TB, kinds *tusync.KindSet) *tusync.Desired {
	t.Helper()
	desired := &tusync.Desired{Moves: g.moves}
	for _, n := range g.nodes {
		r, err := kinds.Resource(n.key.Kind, n.key.Name, n.value)
		require.NoError(t, err)
		r.After = n.after
		desired.Resources = append(desired.Resources, r)
	}
	return desired
}

// globe is an outside world in memory, whose things have the IDs that are
// proposed. It notes what was done to it and what should never have been.
type globe struct {
	mu     sync.Mutex
	things map[string]globeThing // by ID
	acts   []string              // "begin op id" and "end op id", in order
	wrong  []string
	trip   func() error // what an act ends with, before or after it is done
}

type globeThing struct {
	key    string
	config json.RawMessage
}

func (*globe) Idempotent() bool { return true }

// Apply implements tusync.Handler.
func (g *globe) Apply(ctx context.Context, changes []diff.Change) []tusync.Outcome {
	outcomes := make([]tusync.Outcome, len(changes))
	for i, change := range changes {
		if outcomes[i].Err = g.trip(); outcomes[i].Err == nil {
			g.carryOut(change)
			outcomes[i].Err = g.trip()
			if outcomes[i].Err != nil {
				outcomes[i].Err = errors.Join(outcomes[i].Err, tusync.ErrUncertain)
			}
		}
	}
	return outcomes
}

func (g *globe) carryOut(change diff.Change) {
	op, id := "update ", ""
	switch c := change.(type) {
	case *diff.Create:
		op, id = "create ", c.ID
	case *diff.Update:
		id = c.Recorded.ID
	case *diff.Delete:
		op, id = "delete ", c.Recorded.ID
	}
	g.note("begin " + op + id)
	runtime.Gosched() // let others begin in between
	g.mu.Lock()
	switch c := change.(type) {
	case *diff.Create:
		g.things[id] = globeThing{c.Desired.String(), c.Config}
	case *diff.Update:
		if _, ok := g.things[id]; !ok {
			g.wrong = append(g.wrong, "an update of "+c.Recorded.String()+", which isn't there")
		}
		g.things[id] = globeThing{c.Desired.String(), c.Config}
	case *diff.Delete:
		delete(g.things, id)
	}
	g.mu.Unlock()
	g.note("end " + op + id)
}

func (g *globe) note(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.acts = append(g.acts, what)
}

// matches checks that there is what is declared, once, and nothing else.
func (g *globe) matches(t *testing.T, b tusync.Backend, graph *graph) {
	t.Helper()
	require.Empty(t, g.wrong)
	ids := map[state.Key]string{}
	for r, err := range b.Records(t.Context()) {
		require.NoError(t, err)
		ids[r.Key] = r.ID
	}
	require.Len(t, ids, len(graph.nodes))
	var keys []string
	for _, thing := range g.things {
		keys = append(keys, thing.key)
	}
	require.Len(t, keys, len(graph.nodes))
	for _, n := range graph.nodes {
		thing, ok := g.things[ids[n.key]]
		require.True(t, ok, "there is no %s", n.key)
		require.Equal(t, n.key.String(), thing.key)
		var got node
		require.NoError(t, json.Unmarshal(thing.config, &struct {
			Early      *[]string
			Late       *[]string
			FixedEarly *string `json:"fixed_early"`
			FixedLate  *string `json:"fixed_late"`
			Color      *int
			Size       *int
		}{&got.Early, &got.Late, &got.FixedEarly, &got.FixedLate, &got.Color, &got.Size}))
		want := n.value
		want.Early, want.Late = slices.Clone(want.Early), slices.Clone(want.Late)
		for i, name := range want.Early {
			want.Early[i] = ids[state.Key{Kind: "early", Name: name}]
		}
		for i, name := range want.Late {
			want.Late[i] = ids[state.Key{Kind: "late", Name: name}]
		}
		want.FixedEarly, want.FixedLate = ids[state.Key{Kind: "early", Name: want.FixedEarly}], ids[state.Key{Kind: "late", Name: want.FixedLate}]
		require.Equal(t, want, got, "%s", n.key)
	}
}

func newGlobe(t testing.TB) (*globe, *tusync.Engine) {
	t.Helper()
	g := &globe{things: map[string]globeThing{}, trip: func() error { return nil }}
	kinds := tusync.Kinds(tusync.Define[node]("early", tusync.Handle(g), tusync.CreateFirst()), tusync.Define[node]("late", tusync.Handle(g)))
	engine, err := tusync.New(syncertest.NewMemory(scope()), kinds, &tusync.Options{Retries: -1})
	require.NoError(t, err)
	return g, engine
}

// However a graph of resources changes, whatever fails on the way and wherever it
// stops, a run that goes through does everything in order and makes everything what
// is declared.
func TestPromise3_AnyGraphConverges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			world, engine := newGlobe(t)
			g := &graph{rand: rand.New(rand.NewPCG(seed, 0))}
			opts := func(prune bool) *tusync.PlanOptions {
				return &tusync.PlanOptions{Prune: prune, PruneLimit: tusync.LimitPercent(100)}
			}
			for range 12 {
				g.change()
				desired := g.desired(t, engine.Kinds())
				for g.oneIn(2) {
					ctx, cancel := context.WithCancel(t.Context())
					world.stumbles(rand.New(rand.NewPCG(g.rand.Uint64(), 0)), cancel)
					_, err := engine.Apply(ctx, plan(t, engine, desired, opts(g.oneIn(2))))
					require.NotErrorIs(t, err, tusync.ErrStale)
					cancel()
				}
				world.trip = func() error { return nil }
				world.acts = nil
				p := plan(t, engine, desired, opts(true))
				result, err := engine.Apply(t.Context(), p)
				require.NoError(t, err, "%s", p)
				world.matches(t, engine.Backend(), g)
				inOrder(t, g, world.acts, p, result)
				require.Empty(t, plan(t, engine, desired, nil).Changes, "after\n%s", p)
			}
		})
	}
}

// stumbles makes acts fail at random, and calls stop at some time.
func (g *globe) stumbles(random *rand.Rand, stop func()) {
	var mu sync.Mutex
	g.trip = func() error {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(40) == 0 {
			stop()
		}
		if random.IntN(8) == 0 {
			return errDown
		}
		return nil
	}
}

// inOrder checks that acts were carried out in an order that satisfies what is
// declared and what was recorded.
func inOrder(t *testing.T, g *graph, acts []string, p *tusync.Plan, result *tusync.Result) {
	t.Helper()
	o := &orderCheck{t: t, began: make([]int, len(p.Changes)), ended: make([]int, len(p.Changes)), after: make([][]int, len(p.Changes))}
	var deletes, others []int
	name := func(i int) string { return fmt.Sprintf("%s %s", p.Changes[i].Op(), p.Changes[i].Key()) }
	for i, c := range p.Changes {
		op := "update "
		switch c.Change.(type) {
		case *diff.Create:
			op = "create "
		case *diff.Delete:
			op = "delete "
			deletes = append(deletes, i)
		}
		if op != "delete " {
			others = append(others, i)
		}
		o.began[i] = slices.Index(acts, "begin "+op+result.Changes[i].ID)
		o.ended[i] = slices.Index(acts, "end "+op+result.Changes[i].ID)
		for _, before := range c.After {
			o.must(i, before, "%s waits for %s", name(i), name(before))
		}
	}
	for _, i := range others {
		n := g.nodes[slices.IndexFunc(g.nodes, func(n graphNode) bool { return n.key == p.Changes[i].Key() })]
		for _, before := range others {
			if slices.Contains(n.edges(), p.Changes[before].Key()) {
				o.must(i, before, "%s depends on %s", name(i), name(before))
			}
		}
	}
	type wish struct{ whose, before int }
	var wishes []wish
	for _, i := range deletes {
		r := p.Changes[i].Change.(*diff.Delete).Recorded
		for _, before := range deletes {
			if before != i && slices.Contains(p.Changes[before].Change.(*diff.Delete).Recorded.After, r.Key) {
				o.must(i, before, "%s: %s depended on it", name(i), name(before))
			}
		}
		for _, before := range others {
			if update, ok := p.Changes[before].Change.(*diff.Update); ok && slices.Contains(update.Recorded.After, r.Key) {
				wishes = append(wishes, wish{i, before})
				o.after[i] = append(o.after[i], before)
			}
		}
	}
	for _, w := range wishes {
		if !o.reaches(w.before, w.whose) {
			o.must(w.whose, w.before, "%s: %s made it free", name(w.whose), name(w.before))
		}
	}
}

// orderCheck is what was carried out when, and what comes after what.
type orderCheck struct {
	t            *testing.T
	began, ended []int // -1 for what only concerns the books
	after        [][]int
}

func (o *orderCheck) must(i, before int, format string, args ...any) {
	o.t.Helper()
	o.after[i] = append(o.after[i], before)
	if o.began[i] >= 0 {
		require.Less(o.t, o.ended[before], o.began[i], fmt.Sprintf(format, args...))
	}
}

// reaches tells whether one change comes after another one, in any number of steps.
func (o *orderCheck) reaches(from, to int) bool {
	seen := map[int]bool{}
	open := []int{from}
	for len(open) > 0 {
		i := open[len(open)-1]
		open = open[:len(open)-1]
		if i == to {
			return true
		}
		if !seen[i] {
			seen[i] = true
			open = append(open, o.after[i]...)
		}
	}
	return false
}

// From wherever a graph has got to, it can be brought back to every State that was
// ever recorded of it.
func TestPromise13_AnyGraphRollsBack(t *testing.T) {
	t.Parallel()
	type moment struct {
		serial  int64
		nodes   []graphNode
		desired *tusync.Desired
	}
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			world, engine := newGlobe(t)
			g := &graph{rand: rand.New(rand.NewPCG(seed, 13))}
			opts := &tusync.PlanOptions{Prune: true, AllowEmpty: true, PruneLimit: tusync.LimitPercent(100)}
			var past []moment
			for range 8 {
				g.change()
				desired := g.desired(t, engine.Kinds())
				result := syncAll(t, engine, desired, opts)
				past = append(past, moment{result.Head.Serial, slices.Clone(g.nodes), desired})
			}
			for range 8 {
				then := past[g.rand.IntN(len(past))]
				p, err := engine.Rollback(t.Context(), then.serial, nil, opts)
				require.NoError(t, err)
				world.acts = nil
				result, err := engine.Apply(t.Context(), p)
				require.NoError(t, err, "%s", p)
				world.matches(t, engine.Backend(), &graph{nodes: then.nodes})
				inOrder(t, &graph{nodes: then.nodes}, world.acts, p, result)
				then.desired.Moves = nil
				require.Empty(t, plan(t, engine, then.desired, nil).Changes, "after\n%s", p)
			}
		})
	}
}
