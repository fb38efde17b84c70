package sync_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// rig is processes that are deployed: of the kind app, which has a Handler that
// is its Deployer, and of the kind worker, which the backend stores.
type rig struct {
	*processes
	*lifeline
	kinds  *sync.KindSet
	engine *sync.Engine
	dir    string
}

// managed is a Handler that is a Deployer too: what it deletes no longer runs.
type managed struct {
	sync.Handler
	*processes
}

// Apply implements sync.Handler.
func (m managed) Apply(ctx context.Context, changes []diff.Change) []sync.Outcome {
	if _, deletes := changes[0].(*diff.Delete); deletes { // there is one in a call
		if err := m.stop(changes[0].Key().Name); err != nil {
			return []sync.Outcome{{Err: err}}
		}
	}
	return m.Handler.Apply(ctx, changes)
}

func newRig(t *testing.T, timeout time.Duration) *rig {
	t.Helper()
	r := openRig(t, t.TempDir(), timeout)
	r.lifeline = newLifeline(t, r.dir)
	t.Cleanup(func() {
		r.end()
		r.ours.Wait()
	})
	return r
}

// openRig opens what is in a directory, as another process does.
func openRig(t testing.TB, dir string, timeout time.Duration) *rig {
	t.Helper()
	r := &rig{processes: &processes{dir: dir}, dir: dir}
	withTimeout := func(k *sync.Kind) { k.HealthTimeout = timeout }
	r.kinds = sync.Kinds(
		sync.Define[app]("app", sync.Handle(managed{syncertest.NewWorld(t.TempDir()).Idempotent(), r.processes}), withTimeout),
		sync.Define[app]("worker", sync.Deploys(r.processes), withTimeout),
		sync.Define[thing]("thing"))
	backend, err := filesyncer.New(dir+"/state", scope(), nil)
	require.NoError(t, err)
	r.engine, err = sync.New(backend, r.kinds, nil)
	require.NoError(t, err)
	return r
}

// declares returns what is to run.
func (r *rig) declares(t testing.TB, apps map[string]app, after map[string][]string) *sync.Desired {
	t.Helper()
	desired := &sync.Desired{}
	for text, value := range apps {
		key := parse(t, text)
		resource, err := r.kinds.Resource(key.Kind, key.Name, value)
		require.NoError(t, err)
		resource.Deploy = true
		for _, text := range after[text] {
			resource.After = append(resource.After, parse(t, text))
		}
		desired.Resources = append(desired.Resources, resource)
	}
	return desired
}

// runs returns what runs, by name: its message, or how it ended.
func (r *rig) runs(names ...string) map[string]string {
	all := map[string]string{}
	for _, name := range names {
		health := r.health(name)
		all[name] = strings.TrimSpace(string(health.Phase) + " " + health.Message)
	}
	return all
}

// pid returns the process that runs under a name.
func (r *rig) pid(t testing.TB, name string) string {
	t.Helper()
	pid, err := r.tell(name, "pid")
	require.NoError(t, err)
	require.NotEmpty(t, pid)
	return pid
}

// ended waits until it is known how a process has ended.
func (r *rig) ended(t testing.TB, name string) {
	t.Helper()
	require.Eventually(t, func() bool { return r.health(name).Phase == sync.Degraded }, time.Minute, time.Millisecond)
}

// deploysIn lists the deploys of a plan with their reasons.
func deploysIn(p *sync.Plan) map[string][]string {
	deploys := map[string][]string{}
	for _, c := range p.Changes {
		if deploy, ok := c.Change.(*diff.Deploy); ok {
			deploys[deploy.Key().String()] = deploy.Reasons
		}
	}
	return deploys
}

// statuses lists how the changes ended, as "op key: status".
func statuses(result *sync.Result) map[string]sync.Status {
	all := map[string]sync.Status{}
	for _, c := range result.Changes {
		all[string(c.Change.Op())+" "+c.Change.Key().String()] = c.Status
	}
	return all
}

// What is new is deployed, what is changed is deployed anew with what comes after
// it, and what runs as it is declared is left alone.
func TestDeploy(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	after := map[string][]string{"app/web": {"worker/db"}}
	p := plan(t, r.engine, r.declares(t, map[string]app{"app/web": {Version: 1}, "worker/db": {Version: 1}, "worker/mail": {Version: 1}}, after), nil)
	require.Equal(t, map[string][]string{
		"app/web": {"it is new", "worker/db is deployed"}, "worker/db": {"it is new"}, "worker/mail": {"it is new"},
	}, deploysIn(p))
	require.Contains(t, p.String(), "» worker/db is deployed: it is new\n")
	require.Contains(t, p.String(), "Plan: 3 to create, 3 to deploy, 0 unchanged.\n")
	result, err := r.engine.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, 6, result.Count(sync.Done))
	for _, c := range result.Changes {
		require.NotEmpty(t, c.ID, "%s %s", c.Change.Op(), c.Change.Key())
	}
	require.Equal(t, map[string]string{"web": "healthy version 1", "db": "healthy version 1", "mail": "healthy version 1"}, r.runs("web", "db", "mail"))
	require.Zero(t, result.Head.Pending)
	first := map[string]string{"web": r.pid(t, "web"), "db": r.pid(t, "db"), "mail": r.pid(t, "mail")}

	same := r.declares(t, map[string]app{"app/web": {Version: 1}, "worker/db": {Version: 1}, "worker/mail": {Version: 1}}, after)
	for i := range same.Resources {
		same.Resources[i].Description, same.Resources[i].Tags = "what people see", []string{"new"}
	}
	p = plan(t, r.engine, same, nil)
	require.Equal(t, map[diff.Op]int{diff.OpUpdate: 3}, p.Counts(), "what doesn't matter to what runs is no reason")
	_, err = r.engine.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Empty(t, plan(t, r.engine, same, nil).Changes, "nor is it one in the next plan")

	p = plan(t, r.engine, r.declares(t, map[string]app{"app/web": {Version: 1}, "worker/db": {Version: 2}, "worker/mail": {Version: 1}}, after), nil)
	require.Equal(t, map[string][]string{"app/web": {"worker/db is deployed"}, "worker/db": {"it changes"}}, deploysIn(p))
	_, err = r.engine.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"web": "healthy version 1", "db": "healthy version 2", "mail": "healthy version 1"}, r.runs("web", "db", "mail"))
	require.NotEqual(t, first["web"], r.pid(t, "web"))
	require.NotEqual(t, first["db"], r.pid(t, "db"))
	require.Equal(t, first["mail"], r.pid(t, "mail"))
}

// What doesn't run, doesn't run as it should, or isn't what is declared, is
// deployed again, and nothing else is.
func TestDeploy_WhatDoesNotRun(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	desired := r.declares(t, map[string]app{"app/web": {Version: 1}, "worker/db": {Version: 1}, "worker/mail": {Version: 1}, "worker/ok": {Version: 1}}, nil)
	syncAll(t, r.engine, desired, nil)
	ok := r.pid(t, "ok")
	_, err := r.tell("web", "crash")
	require.NoError(t, err)
	r.ended(t, "web")
	_, err = r.tell("db", "become degraded")
	require.NoError(t, err)
	require.NoError(t, r.stop("mail"))
	require.NoError(t, r.start(served{Dir: r.dir, Name: "mail", Config: app{Version: 9}, Running: state.Sum([]byte("something else"))}))

	p := plan(t, r.engine, desired, nil)
	require.Equal(t, map[string][]string{
		"app/web":     {"it doesn't run as it should: exit status 7"},
		"worker/db":   {"it doesn't run as it should: version 1"},
		"worker/mail": {"something else runs than what is declared: version 9"},
	}, deploysIn(p))
	require.Len(t, p.Changes, 3)
	_, err = r.engine.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"web": "healthy version 1", "db": "healthy version 1", "mail": "healthy version 1"}, r.runs("web", "db", "mail"))
	require.Equal(t, ok, r.pid(t, "ok"))
	require.Empty(t, plan(t, r.engine, desired, nil).Changes)

	another := openRig(t, r.dir, 0) // nobody is left who started it
	require.NoError(t, r.stop("db"))
	r.ended(t, "db")
	require.NoError(t, os.Remove(r.grave("db")))
	require.Equal(t, map[string][]string{"worker/db": {"nothing runs"}}, deploysIn(plan(t, another.engine, desired, nil)))
}

// A deploy is done when what was deployed is healthy; what comes after it begins
// then.
func TestDeploy_OnlyWhatIsHealthyIsDone(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	desired := r.declares(t, map[string]app{"app/web": {Version: 1}, "worker/db": {Version: 1, Start: "slow"}, "worker/mail": {Version: 1}},
		map[string][]string{"app/web": {"thing/schema"}})
	schema, err := r.kinds.Resource("thing", "schema", thing{})
	require.NoError(t, err)
	schema.After = []state.Key{{Kind: "worker", Name: "db"}}
	desired.Resources = append(desired.Resources, schema) // what isn't deployed in between changes nothing

	p := plan(t, r.engine, desired, nil)
	done := make(chan error)
	go func() {
		_, err := r.engine.Apply(t.Context(), p)
		done <- err
	}()
	first := []string{<-r.started, <-r.started}
	require.ElementsMatch(t, []string{"db", "mail"}, first, "what depends on nothing starts at once")
	require.Eventually(t, func() bool {
		asked, err := r.tell("db", "asked")
		return err == nil && asked > "2"
	}, time.Minute, time.Millisecond, "it is asked again and again")
	select {
	case name := <-r.started:
		require.Fail(t, "it was started too early", name)
	case err := <-done:
		require.Fail(t, "done too early", err)
	default:
	}
	_, err = r.tell("db", "become healthy")
	require.NoError(t, err)
	require.Equal(t, "web", <-r.started)
	require.NoError(t, <-done)
}

// What ends as soon as it starts has failed, at once; what comes after it is
// blocked, and the rest goes on. The next sync tries again what is left.
func TestDeploy_WhatEndsAtOnceHasFailed(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Hour)
	after := map[string][]string{"app/web": {"worker/db"}}
	apps := map[string]app{"app/web": {Version: 1}, "worker/db": {Version: 1, Start: "broken"}, "worker/mail": {Version: 1}}
	desired := r.declares(t, apps, after)
	result, err := r.engine.Apply(t.Context(), plan(t, r.engine, desired, nil))
	require.ErrorIs(t, err, sync.ErrUnhealthy)
	require.ErrorContains(t, err, "unable to sync worker/db - worker/db is not healthy: exit status 3")
	require.Equal(t, map[string]sync.Status{
		"create app/web": sync.Done, "create worker/db": sync.Done, "create worker/mail": sync.Done,
		"deploy app/web": sync.Blocked, "deploy worker/db": sync.Failed, "deploy worker/mail": sync.Done,
	}, statuses(result))
	require.Equal(t, map[string]string{"web": "missing", "db": "degraded exit status 3", "mail": "healthy version 1"}, r.runs("web", "db", "mail"))
	require.Equal(t, 2, result.Head.Pending)
	for _, record := range result.Records() {
		if record.Name == "db" {
			require.Len(t, record.Pending, 1)
			require.Equal(t, "deploy", record.Pending[0].Op)
			require.Equal(t, 1, record.Pending[0].Attempts)
			require.Equal(t, "worker/db is not healthy: exit status 3", record.Pending[0].Error)
		}
	}

	p := plan(t, r.engine, desired, nil)
	require.Equal(t, map[string][]string{
		"worker/db": {"its last deploy failed: worker/db is not healthy: exit status 3"}, "app/web": {"it is not deployed yet", "worker/db is deployed"},
	}, deploysIn(p))
	require.Len(t, p.Changes, 2, "%s", p)

	apps["worker/db"] = app{Version: 2}
	mail := r.pid(t, "mail")
	syncAll(t, r.engine, r.declares(t, apps, after), nil)
	require.Equal(t, map[string]string{"web": "healthy version 1", "db": "healthy version 2", "mail": "healthy version 1"}, r.runs("web", "db", "mail"))
	require.Equal(t, mail, r.pid(t, "mail"))
	require.Empty(t, plan(t, r.engine, r.declares(t, apps, after), nil).Changes)
}

// What isn't healthy in time has failed. It is deployed again by the next sync, even
// if it has become healthy meanwhile.
func TestDeploy_ThereIsATimeLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Millisecond)
	desired := r.declares(t, map[string]app{"app/web": {Version: 1, Start: "slow"}}, nil)
	_, err := r.engine.Apply(t.Context(), plan(t, r.engine, desired, nil))
	require.ErrorIs(t, err, sync.ErrUnhealthy)
	require.ErrorContains(t, err, "app/web is not healthy after 1ms")
	_, err = r.tell("web", "become healthy")
	require.NoError(t, err)
	reasons := deploysIn(plan(t, r.engine, desired, nil))["app/web"]
	require.Len(t, reasons, 1)
	require.Contains(t, reasons[0], "its last deploy failed: app/web is not healthy after 1ms")
}

// What is left for another time stays pending, which is no change until then.
func TestDeploy_AnotherTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	later := &sync.PlanOptions{NoDeploy: true}
	desired := r.declares(t, map[string]app{"app/web": {Version: 1}, "worker/db": {Version: 1}}, nil)
	result := syncAll(t, r.engine, desired, later)
	require.Equal(t, 2, result.Head.Pending)
	require.Equal(t, map[string]string{"web": "missing", "db": "missing"}, r.runs("web", "db"))
	p := plan(t, r.engine, desired, later)
	require.Equal(t, "No changes: 2 as declared.\n", p.String())
	require.Equal(t, map[string][]string{"app/web": {"it is not deployed yet"}, "worker/db": {"it is not deployed yet"}},
		deploysIn(plan(t, r.engine, desired, nil)))
	syncAll(t, r.engine, desired, nil)
	require.Equal(t, map[string]string{"web": "healthy version 1", "db": "healthy version 1"}, r.runs("web", "db"))

	edited := r.declares(t, map[string]app{"app/web": {Version: 2}, "worker/db": {Version: 1}}, nil)
	require.Equal(t, 1, syncAll(t, r.engine, edited, later).Head.Pending)
	require.Equal(t, "No changes: 2 as declared.\n", plan(t, r.engine, edited, later).String())
	require.Equal(t, map[string]string{"web": "healthy version 1"}, r.runs("web"), "the old one runs on")
	require.Equal(t, map[string][]string{"app/web": {"it is not deployed yet"}}, deploysIn(plan(t, r.engine, edited, nil)))
	require.Zero(t, syncAll(t, r.engine, edited, nil).Head.Pending)
	require.Equal(t, map[string]string{"web": "healthy version 2"}, r.runs("web"))
}

// What is no longer declared runs until it is pruned, and what is no longer
// declared with deploy is left alone.
func TestDeploy_WhatIsNoLongerDeclared(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	desired := r.declares(t, map[string]app{"app/web": {Version: 1}, "app/old": {Version: 1}}, nil)
	syncAll(t, r.engine, desired, nil)
	fewer := r.declares(t, map[string]app{"app/web": {Version: 1}}, nil)
	fewer.Resources[0].Deploy = false
	p := plan(t, r.engine, fewer, nil)
	require.Empty(t, deploysIn(p))
	_, err := r.engine.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"web": "healthy version 1", "old": "healthy version 1"}, r.runs("web", "old"))

	_, err = r.tell("web", "crash")
	require.NoError(t, err)
	r.ended(t, "web")
	require.Empty(t, plan(t, r.engine, fewer, nil).Changes, "it isn't asked how it is doing")
	syncAll(t, r.engine, fewer, &sync.PlanOptions{Prune: true})
	require.NotEqual(t, sync.Healthy, r.health("old").Phase, "its Handler has ended what ran")

	fewer.Resources[0].Deploy = true
	require.Equal(t, map[string][]string{"app/web": {"it changes"}}, deploysIn(plan(t, r.engine, fewer, nil)))
	syncAll(t, r.engine, fewer, nil)
	require.Equal(t, map[string]string{"web": "healthy version 1"}, r.runs("web"))
}

// syncJob is a sync that a child process does.
type syncJob struct {
	Dir   string
	Apps  map[string]app
	After map[string][]string
}

func (j *syncJob) run(t *testing.T) error {
	r := openRig(t, j.Dir, 0)
	p, err := r.engine.Plan(context.Background(), r.declares(t, j.Apps, j.After), nil)
	if err != nil {
		return err
	}
	_, err = r.engine.Apply(context.Background(), p)
	return err
}

// A program that is killed while it deploys leaves it on the books: the next sync
// deploys what wasn't finished, and what comes after it.
func TestDeploy_AfterAKill(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	after := map[string][]string{"app/web": {"worker/db"}}
	apps := map[string]app{"app/web": {Version: 1}, "worker/db": {Version: 1, Start: "slow"}, "worker/mail": {Version: 1}}
	child, err := childProcess(job{Sync: &syncJob{Dir: r.dir, Apps: apps, After: after}})
	require.NoError(t, err)
	require.NoError(t, child.Start())
	require.ElementsMatch(t, []string{"db", "mail"}, []string{<-r.started, <-r.started})
	require.NoError(t, child.Process.Kill())
	_ = child.Wait() // it was killed
	require.Equal(t, map[string]string{"db": "progressing version 1", "web": "missing"}, r.runs("db", "web"), "what it started runs on")

	desired := r.declares(t, apps, after)
	p := plan(t, r.engine, desired, nil)
	require.Equal(t, []string{"its last deploy did not finish"}, deploysIn(p)["worker/db"])
	require.Equal(t, []string{"it is not deployed yet", "worker/db is deployed"}, deploysIn(p)["app/web"])
	done := make(chan error)
	go func() {
		_, err := r.engine.Apply(t.Context(), p)
		done <- err
	}()
	for name := range r.started {
		if name == "db" {
			break
		}
	}
	_, err = r.tell("db", "become healthy")
	require.NoError(t, err)
	require.NoError(t, <-done)
	require.Equal(t, map[string]string{"web": "healthy version 1", "db": "healthy version 1", "mail": "healthy version 1"}, r.runs("web", "db", "mail"))
	require.Empty(t, plan(t, r.engine, desired, nil).Changes)
}

// What is renamed is asked after by its new name: what is found by its name doesn't run
// under that yet.
func TestDeployOfWhatIsRenamed(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0)
	_, err := r.engine.Apply(t.Context(), plan(t, r.engine, r.declares(t, map[string]app{"app/db": {Version: 1}}, nil), nil))
	require.NoError(t, err)
	renamed := r.declares(t, map[string]app{"app/base": {Version: 1}}, nil)
	renamed.Moves = []sync.Move{{From: parse(t, "app/db"), To: parse(t, "app/base")}}
	p := plan(t, r.engine, renamed, nil)
	require.Len(t, deploysIn(p)["app/base"], 1)
	require.Contains(t, deploysIn(p)["app/base"][0], "nothing runs")
	_, err = r.engine.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"base": "healthy version 1"}, r.runs("base"))
	require.Empty(t, plan(t, r.engine, renamed, nil).Changes)
}
