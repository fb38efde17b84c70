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
)

func TestPromise1_PlanHasNoSideEffects(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	e := newEngine(t, spy, nil)
	p := plan(t, e, desire(t, "a", "b>a"), nil)
	require.Equal(t, []string{"create a", "create b"}, planned(p))
	require.Zero(t, spy.begins.Load())
	head, err := spy.Backend.Head(t.Context())
	require.NoError(t, err)
	require.Zero(t, head.Serial)
}

func TestPromise1_SameInputSamePlanByteByByte(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a=1", "b=1>a", "gone"), nil)
	desired := desire(t, "a=2", "b=1>a", "c>b>a", "d")
	want, err := plan(t, e, desired, nil).Digest()
	require.NoError(t, err)
	for range 50 {
		rand.Shuffle(len(desired.Resources), func(i, j int) {
			desired.Resources[i], desired.Resources[j] = desired.Resources[j], desired.Resources[i]
		})
		p := plan(t, e, desired, nil)
		require.Equal(t, []string{"update a", "create c", "create d", "orphan gone"}, planned(p))
		require.Equal(t, []int{0}, p.Changes[1].After, "through b, which is unchanged")
		got, err := p.Digest()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestPromise1_APlanShowsFields(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a=1", "b", "gone"), nil)
	require.Equal(t, `~ thing/a
    size: 1 → 2
+ thing/c
    after: "thing/a"
! thing/gone [`+recordsIn(t, e.Backend())["gone"].ID+`] is no longer declared: it stays, as an orphan
Plan: 1 to create, 1 to update, 1 no longer declared, 1 unchanged.
`, plan(t, e, desire(t, "a=2", "b", "c>a"), nil).String())
	var wire struct {
		Serial  int
		Changes []struct {
			Op, Key string
			Fields  []diff.Field
			Waits   []int `json:"waits_for"`
		}
		Orphans []string
	}
	raw, err := json.Marshal(plan(t, e, desire(t, "a=2", "b", "c>a"), nil))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &wire))
	require.Equal(t, 1, wire.Serial)
	require.Equal(t, "update", wire.Changes[0].Op)
	require.Equal(t, "config.size", wire.Changes[0].Fields[0].Path)
	require.Equal(t, []int{0}, wire.Changes[1].Waits)
	require.Equal(t, []string{"thing/gone"}, wire.Orphans)
}

func TestPromise2_NoChangeNoWork(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	e := newEngine(t, spy, nil)
	first := syncAll(t, e, desire(t, "a", "b>a"), nil)
	before := spy.heads.Load()
	begins := spy.begins.Load()
	p := plan(t, e, desire(t, "b>a", "a"), &sync.PlanOptions{Prune: true})
	require.True(t, p.IsEmpty())
	require.Equal(t, 2, p.Unchanged)
	result, err := e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, first.Head, result.Head, "no new serial, no new ConfigID")
	require.Equal(t, before+1, spy.heads.Load(), "one Head")
	require.Equal(t, begins, spy.begins.Load(), "no lease")
	require.Zero(t, spy.records.Load(), "where nothing is recorded, and where nothing has changed, no record is read")
	require.Equal(t, "No changes: 2 as declared.\n", p.String())
}

func TestPromise2_DefaultsDontCount(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	declare := func(config string) *sync.Desired {
		return &sync.Desired{Resources: []state.Resource{{Key: key("a"), Config: json.RawMessage(config)}}}
	}
	syncAll(t, e, declare(`{}`), nil)
	for _, same := range []string{`{"label":"plain"}`, `{"size":0}`, `{"size":0.0,"label":"plain"}`, ``} {
		require.True(t, plan(t, e, declare(same), nil).IsEmpty(), same)
	}
	require.False(t, plan(t, e, declare(`{"label":""}`), nil).IsEmpty())
	// A release that adds a field changes nothing.
	type newer struct {
		thing
		Color string `sync:"default=red"`
		More  []string
	}
	later, err := sync.New(e.Backend(), sync.Kinds(sync.Define[newer]("thing")), nil)
	require.NoError(t, err)
	require.True(t, plan(t, later, declare(`{"color":"red"}`), nil).IsEmpty())
}

func TestPromise3_MistakesInTheDeclarationAreAllNamed(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	e := newEngine(t, spy, nil)
	desired := desire(t, "a>a", "b>c", "c>d", "d>b", "e>bb")
	desired.Positions = map[state.Key]sync.Position{
		key("a"): {File: "x.toml", Line: 3, Col: 1}, key("b"): {File: "x.toml", Line: 9}, key("d"): {File: "y.toml"},
	}
	_, err := e.Plan(t.Context(), desired, nil)
	require.ErrorContains(t, err, "unable to sync x.toml:3:1: thing/a - depends on itself")
	require.ErrorContains(t, err, "unable to sync x.toml:9: thing/b - a dependency cycle: thing/b → thing/c → thing/d → thing/b (thing/b at x.toml:9, thing/d at y.toml)")
	require.ErrorContains(t, err, "thing/e - depends on thing/bb, which is not declared; did you mean thing/b?")
	var wrong sync.SyncErr
	require.ErrorAs(t, err, &wrong)
	var cycle *diff.CycleError
	require.ErrorAs(t, err, &cycle)

	desired = desire(t, "a", "b", "a")
	desired.Resources[1].Kind = "thign"
	desired.Resources = append(desired.Resources, state.Resource{Key: key("z"), Config: json.RawMessage(`{"sise":1,"label":5}`)})
	_, err = e.Plan(t.Context(), desired, nil)
	require.ErrorIs(t, err, sync.ErrUnknownKind)
	require.ErrorContains(t, err, `unknown kind "thign"; did you mean "thing"?`)
	require.ErrorContains(t, err, `label: want text, found the number 5`)
	require.ErrorContains(t, err, `sise: unknown field; did you mean "size"?`)
	_, err = e.Plan(t.Context(), desire(t, "a", "b", "a"), nil)
	require.ErrorContains(t, err, "unable to sync thing/a - is declared twice")
	require.Zero(t, spy.begins.Load())
}

func TestPromise3_DeletesRunInReverse(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	e := newEngine(t, spy, nil)
	syncAll(t, e, desire(t, "a", "b>a", "c>b", "d>c>a", "keep>a", "lone"), nil)
	p := plan(t, e, desire(t, "keep"), &sync.PlanOptions{Prune: true})
	require.Equal(t, []string{"update keep", "delete d", "delete c", "delete b", "delete a", "delete lone"}, planned(p))
	require.Equal(t, []int{0, 1, 3}, p.Changes[4].After, "a goes after all whose recorded edges name it, keep's update included")
	spy.batches = nil
	_, err := e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, [][]string{{"update keep", "delete d", "delete lone"}, {"delete c"}, {"delete b"}, {"delete a"}}, spy.batches)
}

func TestPromise3_WhatIsReadyGoesTogether(t *testing.T) {
	t.Parallel()
	spy := newSpy()
	e := newEngine(t, spy, &sync.Options{BatchSize: 2})
	syncAll(t, e, desire(t, "a", "b", "c", "d>a", "e>d", "f>c>d"), nil)
	require.Equal(t, [][]string{{"create a", "create b"}, {"create c", "create d"}, {"create e", "create f"}}, spy.batches)
}

func TestPromise7_OrphansStayOnTheBooks(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a", "b", "c"), nil)
	result := syncAll(t, e, desire(t, "a"), nil)
	require.Equal(t, []string{"b", "c"}, names(result.Orphans()))
	for range 3 { // in every later result
		result = syncAll(t, e, desire(t, "a"), nil)
		require.Equal(t, []string{"b", "c"}, names(result.Orphans()))
		require.Equal(t, int64(2), result.Head.Serial)
	}
	id := recordsIn(t, e.Backend())["b"].ID
	result = syncAll(t, e, desire(t, "a", "b=5"), nil) // declared again
	require.Equal(t, []string{"c"}, names(result.Orphans()))
	require.Equal(t, id, recordsIn(t, e.Backend())["b"].ID)
	result = syncAll(t, e, desire(t, "a", "b=5"), &sync.PlanOptions{Prune: true})
	require.Empty(t, result.Orphans())
	require.Len(t, recordsIn(t, e.Backend()), 2)
	result = syncAll(t, e, desire(t, "a"), &sync.PlanOptions{Forget: []state.Key{key("b")}})
	require.Empty(t, result.Orphans())
	require.Len(t, recordsIn(t, e.Backend()), 1)
}

func TestPromise7_AnOrphanDeclaredAgainUnchanged(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a", "b=1"), nil)
	before := recordsIn(t, e.Backend())["b"]
	syncAll(t, e, desire(t, "a"), nil)
	p := plan(t, e, desire(t, "a", "b=1"), nil)
	require.Contains(t, p.String(), "~ thing/b, declared again\n")
	_, err := e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, before, recordsIn(t, e.Backend())["b"])
}

func TestPromise7_WithoutADeclaration(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, desire(t, "a", "b", "c"), nil)
	syncAll(t, e, desire(t, "a"), nil)
	require.Equal(t, []string{"forget c"}, planned(plan(t, e, nil, &sync.PlanOptions{Forget: []state.Key{key("c")}})))
	require.Equal(t, []string{"delete b", "delete c"}, planned(plan(t, e, nil, &sync.PlanOptions{Prune: true})))
	p := plan(t, e, nil, nil)
	require.True(t, p.IsEmpty())
	require.Equal(t, []string{"b", "c"}, names(p.Orphans))
	declared := recordsIn(t, e.Backend())["a"].Checksum
	result := syncAll(t, e, nil, &sync.PlanOptions{Prune: true})
	require.Equal(t, declared, result.Records()[0].Checksum)
	require.True(t, plan(t, e, desire(t, "a"), nil).IsEmpty(), "the declared root is as it was")
	_, err := e.Plan(t.Context(), nil, &sync.PlanOptions{Forget: []state.Key{key("x")}})
	require.ErrorContains(t, err, "can't be forgotten: it isn't recorded")
	_, err = e.Plan(t.Context(), desire(t, "a"), &sync.PlanOptions{Forget: []state.Key{key("a")}})
	require.ErrorContains(t, err, "can't be forgotten: it is declared")
}

func TestPromise7_PruneHasALimit(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	var all []string
	for i := range 100 {
		all = append(all, fmt.Sprintf("n%03d", i))
	}
	syncAll(t, e, desire(t, all...), nil)
	prune := func(keep int, limit string) error {
		parsed, err := sync.ParseLimit(limit)
		require.NoError(t, err)
		_, err = e.Plan(t.Context(), desire(t, all[:keep]...), &sync.PlanOptions{Prune: true, PruneLimit: parsed})
		return err
	}
	require.NoError(t, prune(75, ""))
	require.ErrorIs(t, prune(74, ""), sync.ErrPruneLimit)
	var limit *sync.PruneLimitError
	require.ErrorAs(t, prune(74, ""), &limit)
	require.Equal(t, sync.PruneLimitError{Deletes: 26, Records: 100, Limit: 25}, *limit)
	require.NoError(t, prune(50, "50"))
	require.ErrorIs(t, prune(49, "50"), sync.ErrPruneLimit)
	require.NoError(t, prune(50, "50%"))
	require.ErrorIs(t, prune(49, "50%"), sync.ErrPruneLimit)
	require.ErrorIs(t, prune(99, "0"), sync.ErrPruneLimit)
	require.ErrorIs(t, prune(99, "0%"), sync.ErrPruneLimit)
	require.ErrorIs(t, prune(0, "100%"), sync.ErrEmptyDeclaration)
	_, err := e.Plan(t.Context(), &sync.Desired{}, &sync.PlanOptions{Prune: true, PruneLimit: sync.LimitPercent(100), AllowEmpty: true})
	require.NoError(t, err)
	p := plan(t, e, &sync.Desired{}, nil)
	require.Len(t, p.Orphans, 100, "without pruning, an empty declaration deletes nothing")
	for _, bad := range []string{"x", "-1", "101%", "%", "1.5", "NaN%"} {
		_, err := sync.ParseLimit(bad)
		require.Error(t, err, bad)
	}
}

func TestPromise8_OrphansAreOnlyWhatThisScopeRecorded(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	require.Empty(t, plan(t, e, desire(t, "a"), nil).Orphans)
}

func TestPlanRefusesBadOptions(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	_, err := e.Plan(t.Context(), desire(t, "a"), &sync.PlanOptions{OnFailure: "panic"})
	require.ErrorContains(t, err, `unknown failure mode "panic"`)
	desired := desire(t, "a")
	desired.Resources[0].Deploy = true
	_, err = e.Plan(t.Context(), desired, nil)
	require.ErrorContains(t, err, "asks for a deploy")
	desired.Resources[0].Deploy = false
	desired.Resources[0].Refs = []state.Ref{{Path: "x", To: key("b")}}
	_, err = e.Plan(t.Context(), desired, nil)
	require.ErrorContains(t, err, `refers to thing/b at "x", where its config has nothing`)
}

// A declaration where every third resource changes, in a mesh of edges: what is
// unchanged passes on what it waits for, and the order holds.
func TestPromise3_OrderHoldsInAMesh(t *testing.T) {
	t.Parallel()
	const n = 300
	random := rand.New(rand.NewPCG(7, 7))
	edges := make([][]int, n)
	for i := 1; i < n; i++ {
		for range random.IntN(4) {
			edges[i] = append(edges[i], random.IntN(i))
		}
	}
	mesh := func(size func(i int) int) *sync.Desired {
		var texts []string
		for i := range n {
			text := fmt.Sprintf("n%03d=%d", i, size(i))
			for _, to := range edges[i] {
				text += fmt.Sprintf(">n%03d", to)
			}
			texts = append(texts, text)
		}
		return desire(t, texts...)
	}
	e := newEngine(t, newSpy(), nil)
	syncAll(t, e, mesh(func(int) int { return 0 }), nil)
	p := plan(t, e, mesh(func(i int) int { return i % 3 }), nil)
	require.Len(t, p.Changes, n*2/3)
	// below[i] are the changed nodes that i depends on, at any depth.
	below := make([]map[int]bool, n)
	for i := range n {
		below[i] = map[int]bool{}
		for _, to := range edges[i] {
			for b := range below[to] {
				below[i][b] = true
			}
			if to%3 != 0 {
				below[i][to] = true
			}
		}
	}
	waited := make([]map[int]bool, len(p.Changes)) // the nodes that a change waits for, at any depth
	for i, c := range p.Changes {
		var node int
		_, err := fmt.Sscanf(c.Key().Name, "n%d", &node)
		require.NoError(t, err)
		waited[i] = map[int]bool{}
		for _, before := range c.After {
			require.Less(t, before, i)
			for b := range waited[before] {
				waited[i][b] = true
			}
		}
		require.Equal(t, below[node], waited[i], "node %d", node)
		require.True(t, slices.IsSorted(c.After))
		waited[i][node] = true
	}
}

// A plan has the declaration's warnings, so that whoever shows it shows them.
func TestAPlanHasTheDeclarationsWarnings(t *testing.T) {
	t.Parallel()
	e := newEngine(t, newSpy(), nil)
	desired := desire(t, "a")
	desired.Warnings = []sync.Warning{{Position: sync.Position{File: "a.toml", Line: 1, Col: 2}, Text: "looks odd"}, {Text: "so does all"}}
	p := plan(t, e, desired, nil)
	desired.Warnings[0].Text = "changed"
	require.Equal(t, "[a.toml:1:2: looks odd so does all]", fmt.Sprint(p.Warnings))
	text, err := p.MarshalJSON()
	require.NoError(t, err)
	require.Contains(t, string(text), `"warnings":["a.toml:1:2: looks odd","so does all"]`)
	require.Empty(t, plan(t, e, nil, nil).Warnings)
}
