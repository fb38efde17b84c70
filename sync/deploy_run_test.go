package sync_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// stage is a Deployer of which the test says what happens; nothing really runs.
type stage struct {
	// deploy is what a deploy does, and health what is said of a thing, given how
	// often it was deployed. Nil: all goes well.
	deploy func(ctx context.Context, name string, times int) error
	health func(name string, times int) tusync.Health
	apply  func(diff.Change) // is called by the Handler of parts; nil does nothing

	mu    sync.Mutex
	times map[string]int
	order []string // of the deploys
	given map[string]*diff.Deploy
}

func (s *stage) Deploy(ctx context.Context, deploy *diff.Deploy) error {
	name := deploy.Desired.Name
	s.mu.Lock()
	s.times[name]++
	times := s.times[name]
	s.order = append(s.order, name)
	s.given[name] = deploy
	s.mu.Unlock()
	if s.deploy == nil {
		return nil
	}
	return s.deploy(ctx, name, times)
}

func (s *stage) Health(_ context.Context, records []state.Record) []tusync.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	healths := make([]tusync.Health, len(records))
	for i := range records {
		healths[i].Phase = tusync.Healthy
		if s.health != nil {
			healths[i] = s.health(records[i].Name, s.times[records[i].Name])
		}
	}
	return healths
}

// deployed returns the deploys since the last time.
func (s *stage) deployed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	order := s.order
	s.order = nil
	return order
}

// play is an engine with kinds that deploy on a stage: "job", which the backend
// stores, "part", which a Handler does nothing for, and "plain", which isn't
// deployed.
type play struct {
	*stage
	backend *syncertest.Memory
	kinds   *tusync.KindSet
	engine  *tusync.Engine
}

func newPlay(t *testing.T, opts *tusync.Options, options ...tusync.KindOption) *play {
	t.Helper()
	s := &stage{times: map[string]int{}, given: map[string]*diff.Deploy{}}
	nothing := tusync.HandlerFunc(func(_ context.Context, changes []diff.Change) []tusync.Outcome {
		if s.apply != nil {
			s.apply(changes[0])
		}
		return make([]tusync.Outcome, len(changes))
	})
	p := &play{stage: s, backend: syncertest.NewMemory(scope())}
	p.kinds = tusync.Kinds(
		tusync.Define[thing]("job", append(options, tusync.Deploys(s))...),
		tusync.Define[thing]("part", append(options, tusync.Handle(nothing), tusync.Deploys(s))...),
		tusync.Define[thing]("plain"))
	var err error
	p.engine, err = tusync.New(p.backend, p.kinds, opts)
	require.NoError(t, err)
	return p
}

// declares is desire with keys for names, all but "plain/…" to be deployed.
func (p *play) declares(t testing.TB, texts ...string) *tusync.Desired {
	t.Helper()
	desired := desire(t)
	for _, text := range texts {
		for _, r := range desire(t, text).Resources {
			r.Key = parse(t, r.Name)
			r.Deploy = r.Kind != "plain"
			for i := range r.After {
				r.After[i] = parse(t, r.After[i].Name)
			}
			desired.Resources = append(desired.Resources, r)
		}
	}
	return desired
}

func parse(t testing.TB, text string) state.Key {
	t.Helper()
	k, err := state.ParseKey(text)
	require.NoError(t, err)
	return k
}

func TestDeploy_ADeployerGetsWhatItNeeds(t *testing.T) {
	t.Parallel()
	type linked struct {
		Network string `sync:"ref=plain"`
		Token   tusync.Secret
		Left    int `sync:"unmanaged"`
	}
	s := &stage{times: map[string]int{}, given: map[string]*diff.Deploy{}}
	kinds := tusync.Kinds(tusync.Define[linked]("job", tusync.Deploys(s)), tusync.Define[thing]("plain"))
	engine, err := tusync.New(syncertest.NewMemory(scope()), kinds, nil)
	require.NoError(t, err)
	lan, err := kinds.Resource("plain", "lan", thing{})
	require.NoError(t, err)
	web, err := kinds.Resource("job", "web", linked{Network: "lan", Token: "hunter2", Left: 3})
	require.NoError(t, err)
	web.Deploy = true
	result := syncAll(t, engine, &tusync.Desired{Resources: []state.Resource{lan, web}}, nil)
	records := result.Records()
	require.Equal(t, "lan", records[1].Name)
	given := s.given["web"]
	require.JSONEq(t, fmt.Sprintf(`{"network":%q,"token":"hunter2"}`, records[1].ID), string(given.Config), "IDs and secrets, and nothing that is somebody else's")
	require.Equal(t, records[0].ID, given.Recorded.ID, "what was created just now has its record")
	require.Equal(t, records[0].Checksum, given.Recorded.Checksum)
	require.Equal(t, []string{"it is new"}, given.Reasons)
	require.False(t, given.Running.IsZero())
}

// The reasons of a deploy, in all cases in which nothing has to run for it.
func TestDeploy_Reasons(t *testing.T) {
	t.Parallel()
	refused := errors.New("no such image")
	healthy := tusync.Health{Phase: tusync.Healthy}
	for name, c := range map[string]struct {
		before, after string
		edit          func(r *state.Resource)
		deploy        error
		health        tusync.Health
		opts          *tusync.PlanOptions
		want          []string
	}{
		"nothing":                   {before: "job/a", after: "job/a", health: healthy},
		"it is new":                 {after: "job/a", health: healthy, want: []string{"it is new"}},
		"a field":                   {before: "job/a", after: "job/a=2", health: healthy, want: []string{"it changes"}},
		"its type":                  {before: "job/a", after: "job/a", edit: func(r *state.Resource) { r.Type = "big" }, health: healthy, want: []string{"it changes"}},
		"its description":           {before: "job/a", after: "job/a", edit: func(r *state.Resource) { r.Description = "x" }, health: healthy},
		"its tags":                  {before: "job/a", after: "job/a", edit: func(r *state.Resource) { r.Tags = []string{"x"} }, health: healthy},
		"its protection":            {before: "job/a", after: "job/a", edit: func(r *state.Resource) { r.Protected = true }, health: healthy},
		"what it comes after":       {before: "job/a", after: "job/a>plain/x", health: healthy},
		"missing":                   {before: "job/a", after: "job/a", health: tusync.Health{Phase: tusync.Missing}, want: []string{"nothing runs"}},
		"missing, and why":          {before: "job/a", after: "job/a", health: tusync.Health{Phase: tusync.Missing, Message: "it was removed"}, want: []string{"nothing runs: it was removed"}},
		"degraded":                  {before: "job/a", after: "job/a", health: tusync.Health{Phase: tusync.Degraded, Message: "2 of 3"}, want: []string{"it doesn't run as it should: 2 of 3"}},
		"progressing":               {before: "job/a", after: "job/a", health: tusync.Health{Phase: tusync.Progressing, Message: "2 of 3"}},
		"something else":            {before: "job/a", after: "job/a", health: tusync.Health{Phase: tusync.Healthy, Running: state.Sum([]byte("x"))}, want: []string{"something else runs than what is declared"}},
		"the last one failed":       {before: "job/a", after: "job/a", deploy: refused, health: healthy, want: []string{"its last deploy failed: no such image"}},
		"it failed and is edited":   {before: "job/a", after: "job/a=2", deploy: refused, health: healthy, want: []string{"it changes"}},
		"it was asked for":          {before: "job/a", after: "job/a", opts: &tusync.PlanOptions{Redeploy: []state.Key{{Kind: "job", Name: "a"}}}, health: healthy, want: []string{"it was asked for"}},
		"asked for, and needed":     {before: "job/a", after: "job/a=2", opts: &tusync.PlanOptions{Redeploy: []state.Key{{Kind: "job", Name: "a"}}}, health: healthy, want: []string{"it changes"}},
		"not now":                   {before: "job/a", after: "job/a=2", opts: &tusync.PlanOptions{NoDeploy: true}, health: tusync.Health{Phase: tusync.Missing}},
		"it is declared again":      {before: "job/b", after: "job/a", health: healthy, want: []string{"it is new"}},
		"what it runs isn't known":  {before: "job/a", after: "job/a", health: tusync.Health{}, want: nil},
		"a Handler's kind, changed": {before: "part/a", after: "part/a=2", health: healthy, want: []string{"it changes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, nil)
			p.deploy = func(context.Context, string, int) error { return c.deploy }
			if c.before != "" {
				_, err := p.engine.Apply(t.Context(), plan(t, p.engine, p.declares(t, c.before, "plain/x"), nil))
				require.Equal(t, c.deploy != nil, err != nil)
			}
			after := p.declares(t, c.after, "plain/x")
			if c.edit != nil {
				c.edit(&after.Resources[0])
			}
			p.health = func(string, int) tusync.Health { return c.health }
			require.Equal(t, c.want, deploysIn(plan(t, p.engine, after, c.opts))[after.Resources[0].String()])
		})
	}
}

// What comes after something that is deployed is deployed too, across kinds, and in
// that order.
func TestDeploy_WhatComesAfterFollows(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	declared := []string{"job/db", "part/api>job/db", "job/web>part/api", "part/cron>job/web>job/db", "job/mail"}
	syncAll(t, p.engine, p.declares(t, declared...), nil)
	order := p.deployed()
	require.Len(t, order, 5)
	require.Less(t, slices.Index(order, "db"), slices.Index(order, "api"))
	require.Less(t, slices.Index(order, "api"), slices.Index(order, "web"))
	require.Less(t, slices.Index(order, "web"), slices.Index(order, "cron"))

	declared[0] = "job/db=2"
	edited := plan(t, p.engine, p.declares(t, declared...), nil)
	require.Equal(t, map[string][]string{
		"job/db": {"it changes"}, "part/api": {"job/db is deployed"}, "job/web": {"part/api is deployed"}, "part/cron": {"job/db is deployed", "job/web is deployed"},
	}, deploysIn(edited))
	_, err := p.engine.Apply(t.Context(), edited)
	require.NoError(t, err)
	require.Equal(t, []string{"db", "api", "web", "cron"}, p.deployed())
}

// With a selection one deploys one resource, and with it what comes after it, and
// nothing else.
func TestDeploy_One(t *testing.T) {
	t.Parallel()
	declared := []string{"job/db", "job/api>job/db", "job/web>job/api", "job/mail", "plain/x"}
	for name, c := range map[string]struct {
		edits    []string
		selected []string
		redeploy []string
		want     []string
		deploys  map[string][]string
	}{
		"the last":                   {selected: []string{"job/web"}, redeploy: []string{"job/web"}, want: []string{"deploy web"}, deploys: map[string][]string{"job/web": {"it was asked for"}}},
		"one in the middle":          {selected: []string{"job/api"}, redeploy: []string{"job/api"}, want: []string{"deploy api", "deploy web"}, deploys: map[string][]string{"job/api": {"it was asked for"}, "job/web": {"job/api is deployed"}}},
		"without a reason":           {selected: []string{"job/api"}},
		"with all the rest":          {redeploy: []string{"job/web"}, edits: []string{"job/mail=2"}, want: []string{"update mail", "deploy mail", "deploy web"}},
		"what others need is theirs": {selected: []string{"job/web"}, edits: []string{"job/mail=2", "plain/x=2"}},
		"not what is below":          {selected: []string{"job/web"}, redeploy: []string{"job/web", "job/db"}, want: []string{"deploy web"}, deploys: map[string][]string{"job/web": {"it was asked for"}}},
		"nor what follows from it":   {selected: []string{"job/web"}, redeploy: []string{"job/db"}},
		"what is changed":            {selected: []string{"job/api"}, edits: []string{"job/api=2>job/db", "job/mail=2"}, want: []string{"update api", "deploy api", "deploy web"}, deploys: map[string][]string{"job/api": {"it changes"}, "job/web": {"job/api is deployed"}}},
		"what is changed above":      {selected: []string{"job/api"}, redeploy: []string{"job/api"}, edits: []string{"job/web=2>job/api"}, want: []string{"deploy api", "update web", "deploy web"}},
		"what is changed below":      {selected: []string{"job/api"}, edits: []string{"job/db=2", "job/api=2>job/db"}, want: []string{"update db", "deploy db", "update api", "deploy api", "deploy web"}},
		"what is new below":          {selected: []string{"job/api"}, edits: []string{"job/api>job/db>job/new", "job/new"}, want: []string{"create new", "deploy new", "update api", "deploy api", "deploy web"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, nil)
			syncAll(t, p.engine, p.declares(t, declared...), nil)
			after := p.declares(t, declared...)
			for _, r := range p.declares(t, c.edits...).Resources {
				at := slices.IndexFunc(after.Resources, func(was state.Resource) bool { return was.Key == r.Key })
				if at >= 0 {
					after.Resources[at] = r
				} else {
					after.Resources = append(after.Resources, r)
				}
			}
			opts := &tusync.PlanOptions{}
			for _, text := range c.redeploy {
				opts.Redeploy = append(opts.Redeploy, parse(t, text))
			}
			if c.selected != nil {
				opts.Selection = &tusync.Selection{}
				for _, text := range c.selected {
					opts.Selection.Keys = append(opts.Selection.Keys, parse(t, text))
				}
			}
			one := plan(t, p.engine, after, opts)
			require.ElementsMatch(t, c.want, planned(one))
			if c.deploys != nil {
				require.Equal(t, c.deploys, deploysIn(one))
			}
			_, err := p.engine.Apply(t.Context(), one)
			require.NoError(t, err)
		})
	}
}

func TestDeploy_WhatCantBeAskedFor(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	desired := p.declares(t, "job/a", "plain/x")
	syncAll(t, p.engine, desired, nil)
	for _, text := range []string{"job/b", "plain/x", "nothing/a"} {
		_, err := p.engine.Plan(t.Context(), desired, &tusync.PlanOptions{Redeploy: []state.Key{parse(t, text)}})
		require.ErrorContains(t, err, "unable to sync "+text+" - can't be deployed")
	}
	_, err := p.engine.Plan(t.Context(), p.declares(t, "plain/x"), &tusync.PlanOptions{Redeploy: []state.Key{parse(t, "plain/x")}})
	require.ErrorContains(t, err, "can't be deployed", "even if nothing else is to be looked at")
	_, err = p.engine.Plan(t.Context(), desired, &tusync.PlanOptions{Redeploy: []state.Key{parse(t, "job/a")}, NoDeploy: true})
	require.ErrorContains(t, err, "NoDeploy")
}

// What is asked for is in a saved plan.
func TestDeploy_APlanThatIsSaved(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	desired := p.declares(t, "job/a", "job/b")
	syncAll(t, p.engine, desired, nil)
	p.deployed()
	saved := plan(t, p.engine, desired, &tusync.PlanOptions{Redeploy: []state.Key{parse(t, "job/b")}})
	var file bytes.Buffer
	require.NoError(t, saved.Encode(&file))
	loaded, err := p.engine.LoadPlan(t.Context(), &file, desired)
	require.NoError(t, err)
	_, err = p.engine.Apply(t.Context(), loaded)
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, p.deployed())
}

// What has to follow a deploy stays on the books, even if the program ends between
// the two.
func TestDeploy_WhatHasToFollowIsNotForgotten(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	syncAll(t, p.engine, p.declares(t, "job/db", "job/web>job/db"), nil)
	p.deployed()
	desired := p.declares(t, "job/db=2", "job/web>job/db")
	ctx, cancel := context.WithCancel(t.Context())
	p.health = func(name string, times int) tusync.Health {
		if name == "db" && times == 2 {
			cancel() // while it is looked at
		}
		return tusync.Health{Phase: tusync.Healthy}
	}
	result, err := p.engine.Apply(ctx, plan(t, p.engine, desired, nil))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, map[string]tusync.Status{"update job/db": tusync.Done, "deploy job/db": tusync.Done, "deploy job/web": tusync.NotAttempted}, statuses(result))
	require.Equal(t, 1, result.Head.Pending)
	next := plan(t, p.engine, desired, nil)
	require.Equal(t, map[string][]string{"job/web": {"it is not deployed yet"}}, deploysIn(next))
	_, err = p.engine.Apply(t.Context(), next)
	require.NoError(t, err)
	require.Equal(t, []string{"db", "web"}, p.deployed())
	require.Empty(t, plan(t, p.engine, desired, nil).Changes)
}

// Nor is it, if it has another name by then.
func TestDeploy_WhatHasToFollowMayMove(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	syncAll(t, p.engine, p.declares(t, "job/db", "part/web>job/db"), nil)
	desired := p.declares(t, "job/db=2", "part/site>job/db")
	desired.Moves = []tusync.Move{{From: parse(t, "part/web"), To: parse(t, "part/site")}}
	ctx, cancel := context.WithCancel(t.Context())
	recorded := make(chan struct{})
	engine, err := tusync.New(p.backend, p.kinds, &tusync.Options{OnEvent: func(e tusync.Event) {
		if e.Type == tusync.EventEnd && e.Op == diff.OpDeploy && e.Key.Name == "db" {
			close(recorded)
		}
	}})
	require.NoError(t, err)
	p.apply = func(diff.Change) {
		<-recorded
		cancel()
	}
	result, err := engine.Apply(ctx, plan(t, engine, desired, nil))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, map[string]tusync.Status{
		"update job/db": tusync.Done, "deploy job/db": tusync.Done, "move part/site": tusync.Done, "deploy part/site": tusync.NotAttempted,
	}, statuses(result))
	require.Equal(t, map[string][]string{"part/site": {"it is not deployed yet"}}, deploysIn(plan(t, engine, desired, nil)))
}

// So many at once as the options and the kind allow, and not more.
func TestDeploy_InParallel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts    *tusync.Options
		options []tusync.KindOption
		want    int32
	}{
		"in all":   {opts: &tusync.Options{Parallel: 3}, want: 3},
		"the kind": {options: []tusync.KindOption{tusync.Parallel(2)}, want: 4}, // of either kind
		"default":  {want: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, c.opts, c.options...)
				var running, most atomic.Int32
				p.deploy = func(context.Context, string, int) error {
					most.Store(max(most.Load(), running.Add(1)))
					timer := time.NewTimer(time.Second)
					<-timer.C // in a bubble: when everybody waits
					running.Add(-1)
					return nil
				}
				var texts []string
				for n := range 12 {
					texts = append(texts, fmt.Sprintf("job/%d", n), fmt.Sprintf("part/%d", n))
				}
				syncAll(t, p.engine, p.declares(t, texts...), nil)
				require.Equal(t, c.want, most.Load())
			})
		})
	}
}

// Whoever is asked to slow down does so, and it is no failure: of a deploy, or of
// who is asked how it is doing.
func TestDeploy_Throttled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlay(t, nil)
		p.deploy = func(_ context.Context, _ string, times int) error {
			if times < 3 {
				return &tusync.ThrottledError{After: time.Minute}
			}
			return nil
		}
		asked := 0
		p.health = func(string, int) tusync.Health {
			if asked++; asked < 3 {
				return tusync.Health{Err: &tusync.ThrottledError{}}
			}
			return tusync.Health{Phase: tusync.Healthy}
		}
		began := time.Now()
		syncAll(t, p.engine, p.declares(t, "job/a"), nil)
		require.Equal(t, []string{"a", "a", "a"}, p.deployed())
		require.GreaterOrEqual(t, time.Since(began), 2*time.Minute)
	})
}

// A deploy that failed for a reason that may pass is tried again, and so is the
// question how it is doing.
func TestDeploy_TriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlay(t, nil)
		p.deploy = func(_ context.Context, _ string, times int) error {
			if times < 3 {
				return context.DeadlineExceeded // of the other side's
			}
			return nil
		}
		asked := 0
		p.health = func(string, int) tusync.Health {
			if asked++; asked < 9 {
				return tusync.Health{Err: context.DeadlineExceeded}
			}
			return tusync.Health{Phase: tusync.Healthy}
		}
		syncAll(t, p.engine, p.declares(t, "job/a"), nil)
		require.Equal(t, []string{"a", "a", "a"}, p.deployed())

		p.deploy = func(context.Context, string, int) error { return context.DeadlineExceeded }
		_, err := p.engine.Apply(t.Context(), plan(t, p.engine, p.declares(t, "job/a=2"), nil))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, p.deployed(), 4, "once, and Options.Retries times again")
	})
}

// Who isn't told how things are doing can't plan, and can't call a deploy done.
func TestDeploy_HealthThatIsNotKnown(t *testing.T) {
	t.Parallel()
	refused := errors.New("permission denied")
	p := newPlay(t, nil)
	p.health = func(string, int) tusync.Health { return tusync.Health{Phase: tusync.Healthy, Err: refused} }
	desired := p.declares(t, "job/a")
	_, err := p.engine.Apply(t.Context(), plan(t, p.engine, desired, nil))
	require.ErrorIs(t, err, refused)
	require.ErrorContains(t, err, "ask how it is doing")
	_, err = p.engine.Plan(t.Context(), desired, nil)
	require.ErrorIs(t, err, refused)
	require.ErrorContains(t, err, "unable to sync job/a")
	require.Empty(t, plan(t, p.engine, desired, &tusync.PlanOptions{NoDeploy: true}).Changes, "who doesn't deploy doesn't ask")
}

// A Deployer that panics, or doesn't answer what it was asked, fails its deploy.
func TestDeploy_ABrokenDeployer(t *testing.T) {
	t.Parallel()
	p := newPlay(t, nil)
	p.deploy = func(context.Context, string, int) error { panic("nil map") }
	_, err := p.engine.Apply(t.Context(), plan(t, p.engine, p.declares(t, "job/a"), nil))
	require.ErrorContains(t, err, "nil map")
	p.deploy = nil
	p.health = func(string, int) tusync.Health { panic("nil map") }
	_, err = p.engine.Plan(t.Context(), p.declares(t, "job/a"), nil)
	require.ErrorContains(t, err, "nil map")
}

// All or nothing is for what the backend stores: if that fails nothing is deployed,
// and a deploy that fails takes nothing back.
func TestDeploy_AllOrNothing(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	all := &tusync.PlanOptions{OnFailure: tusync.AllOrNothing}
	p := newPlay(t, nil)
	b := newSpy()
	b.Backend = p.backend
	b.fail["x"] = refused
	engine, err := tusync.New(b, p.kinds, nil)
	require.NoError(t, err)
	desired := p.declares(t, "job/a", "plain/x")
	result, err := engine.Apply(t.Context(), plan(t, engine, desired, all))
	require.ErrorIs(t, err, refused)
	require.Equal(t, map[string]tusync.Status{"create job/a": tusync.NotAttempted, "deploy job/a": tusync.NotAttempted, "create plain/x": tusync.Failed}, statuses(result))
	require.Empty(t, p.deployed())
	require.Zero(t, result.Head.Serial)

	delete(b.fail, "x")
	p.deploy = func(context.Context, string, int) error { return refused }
	result, err = engine.Apply(t.Context(), plan(t, engine, desired, all))
	require.ErrorIs(t, err, refused)
	require.Equal(t, map[string]tusync.Status{"create job/a": tusync.Done, "deploy job/a": tusync.Failed, "create plain/x": tusync.Done}, statuses(result))
	require.Equal(t, 1, result.Head.Pending)
	p.deploy = nil
	require.Equal(t, map[string][]string{"job/a": {"its last deploy failed: refused"}}, deploysIn(plan(t, engine, desired, all)))
	syncAll(t, engine, desired, all)
	require.Empty(t, plan(t, engine, desired, all).Changes)
}

// When the context is cancelled nothing new is deployed. What was has the grace
// period to become healthy, and is on the books either way.
func TestDeploy_Cancelled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		healthyAfter time.Duration
		want         tusync.Status
		pending      int
	}{
		"healthy in time": {3 * time.Second, tusync.Done, 1}, // which has to follow
		"too late":        {time.Hour, tusync.Failed, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlay(t, &tusync.Options{Grace: 5 * time.Second})
				ctx, cancel := context.WithCancelCause(t.Context())
				enough := errors.New("enough")
				began := time.Now()
				p.deploy = func(context.Context, string, int) error {
					synctest.Wait() // until web, too, is on the books
					cancel(enough)
					return nil
				}
				p.health = func(string, int) tusync.Health {
					if time.Since(began) < c.healthyAfter {
						return tusync.Health{Phase: tusync.Progressing}
					}
					return tusync.Health{Phase: tusync.Healthy}
				}
				desired := p.declares(t, "job/db", "job/web>job/db")
				result, err := p.engine.Apply(ctx, plan(t, p.engine, desired, nil))
				require.ErrorIs(t, err, enough)
				require.LessOrEqual(t, time.Since(began), 6*time.Second)
				require.Equal(t, c.want, statuses(result)["deploy job/db"])
				require.Equal(t, []string{"db"}, p.deployed())
				require.Equal(t, c.pending, result.Head.Pending)

				p.deploy, p.health = nil, nil
				syncAll(t, p.engine, desired, nil)
				require.Equal(t, c.pending, len(p.deployed()))
				require.Empty(t, plan(t, p.engine, desired, nil).Changes)
			})
		})
	}
}

// A run that is to stop at a failure starts no deploy after it.
func TestDeploy_StopAtFirst(t *testing.T) {
	t.Parallel()
	p := newPlay(t, &tusync.Options{Parallel: 1})
	p.deploy = func(_ context.Context, name string, _ int) error {
		if name == "b" {
			return errors.New("refused")
		}
		return nil
	}
	result, err := p.engine.Apply(t.Context(), plan(t, p.engine, p.declares(t, "job/a", "job/b", "job/c"), &tusync.PlanOptions{OnFailure: tusync.StopAtFirst}))
	require.Error(t, err)
	require.Equal(t, []string{"a", "b"}, p.deployed())
	require.Equal(t, tusync.NotAttempted, statuses(result)["deploy job/c"])
	require.Equal(t, 2, result.Head.Pending)
}
