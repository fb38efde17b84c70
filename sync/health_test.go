package sync_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// fleet is a Deployer that notes what it deploys, by name.
type fleet struct {
	mu       sync.Mutex
	deployed []string
	refuse   []error                  // what the next deploys end with
	health   map[string]tusync.Health // healthy if it isn't there
}

func (f *fleet) Deploy(_ context.Context, d *diff.Deploy) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deployed = append(f.deployed, d.Key().Name)
	if len(f.refuse) > 0 {
		err := f.refuse[0]
		f.refuse = f.refuse[1:]
		return err
	}
	return nil
}

func (f *fleet) Health(_ context.Context, records []state.Record) []tusync.Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	healths := make([]tusync.Health, len(records))
	for i := range records {
		health, ok := f.health[records[i].Name]
		if !ok {
			health.Phase = tusync.Healthy
		}
		healths[i] = health
	}
	return healths
}

// newFleet returns an engine whose things are deployed by a fleet.
func newFleet(t testing.TB) (*fleet, *spy, *tusync.Engine) {
	t.Helper()
	f, s := &fleet{health: map[string]tusync.Health{}}, newSpy()
	e, err := tusync.New(s, tusync.Kinds(tusync.Define[thing]("thing", tusync.Deploys(f))), &tusync.Options{Retries: -1})
	require.NoError(t, err)
	return f, s, e
}

// running declares things that are deployed.
func running(t testing.TB, texts ...string) *tusync.Desired {
	t.Helper()
	desired := desire(t, texts...)
	for i := range desired.Resources {
		desired.Resources[i].Deploy = true
	}
	return desired
}

// whyDeployed returns the reasons of a plan's deploys, by name.
func whyDeployed(p *tusync.Plan) map[string][]string {
	why := map[string][]string{}
	for _, c := range p.Changes {
		if d, ok := c.Change.(*diff.Deploy); ok {
			why[d.Key().Name] = d.Reasons
		}
	}
	return why
}

func TestPromise3_WhatComesAfterADeployIsDeployed(t *testing.T) {
	t.Parallel()
	f, _, e := newFleet(t)
	p := plan(t, e, running(t, "a>b", "b", "c"), nil)
	require.Equal(t, map[string][]string{"a": {"it is new", "thing/b is deployed"}, "b": {"it is new"}, "c": {"it is new"}}, whyDeployed(p))
	_, err := e.Apply(t.Context(), p)
	require.NoError(t, err)
	f.deployed = nil
	p = plan(t, e, running(t, "a>b", "b=2", "c"), nil)
	require.Equal(t, map[string][]string{"a": {"thing/b is deployed"}, "b": {"it changes"}}, whyDeployed(p))
	_, err = e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, []string{"b", "a"}, f.deployed)
	require.Empty(t, plan(t, e, running(t, "a>b", "b=2", "c"), nil).Changes)
}

func TestPromise12_WhatDoesNotRunIsDeployed(t *testing.T) {
	t.Parallel()
	f, _, e := newFleet(t)
	syncAll(t, e, running(t, "a", "b"), nil)
	for want, health := range map[string]tusync.Health{
		"nothing runs":                              {Phase: tusync.Missing},
		"it doesn't run as it should: crash":        {Phase: tusync.Degraded, Message: "crash"},
		"something else runs than what is declared": {Phase: tusync.Healthy, Running: state.Sum([]byte("another one"))},
	} {
		f.health["a"] = health
		require.Equal(t, map[string][]string{"a": {want}}, whyDeployed(plan(t, e, running(t, "a", "b"), nil)))
		require.Empty(t, plan(t, e, running(t, "a", "b"), &tusync.PlanOptions{NoDeploy: true}).Changes)
	}
	f.health["a"] = tusync.Health{Phase: tusync.Progressing}
	require.Empty(t, plan(t, e, running(t, "a", "b"), nil).Changes, "it may become healthy by itself")
	f.health["a"] = tusync.Health{Err: errBoom}
	_, err := e.Plan(t.Context(), running(t, "a", "b"), nil)
	require.ErrorIs(t, err, errBoom)
}

func TestPromise4_ADeployThatFailsIsDoneAgain(t *testing.T) {
	t.Parallel()
	desired := running(t, "a", "b>a")
	for name, fails := range map[string]func(f *fleet){
		"it can't be started": func(f *fleet) { f.refuse = []error{errBoom} },
		"it doesn't run":      func(f *fleet) { f.health["a"] = tusync.Health{Phase: tusync.Degraded, Message: "boom"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _, e := newFleet(t)
			fails(f)
			result, err := e.Apply(t.Context(), plan(t, e, desired, nil))
			require.ErrorContains(t, err, "boom")
			require.Equal(t, []string{"a done", "a failed", "b blocked", "b done"}, ends(result))
			require.Equal(t, []string{"a"}, f.deployed)
			clear(f.health)
			p := plan(t, e, desired, nil)
			require.Len(t, whyDeployed(p)["a"], 1)
			require.Contains(t, whyDeployed(p)["a"][0], "its last deploy failed: ")
			require.Contains(t, whyDeployed(p)["a"][0], "boom")
			require.Equal(t, []string{"it is not deployed yet", "thing/a is deployed"}, whyDeployed(p)["b"])
			_, err = e.Apply(t.Context(), p)
			require.NoError(t, err)
			require.Empty(t, plan(t, e, desired, nil).Changes)
		})
	}
}

// Nobody knows whether it was started: the end of it is not on the books.
func TestPromise5_ADeployThatDidNotFinishIsDoneAgain(t *testing.T) {
	t.Parallel()
	f, s, e := newFleet(t)
	s.failCommit = func(int64) error {
		if len(f.deployed) > 0 {
			return errBoom
		}
		return nil
	}
	_, err := e.Apply(t.Context(), plan(t, e, running(t, "a"), nil))
	require.ErrorIs(t, err, errBoom)
	s.failCommit = nil
	p := plan(t, e, running(t, "a"), nil)
	require.Equal(t, map[string][]string{"a": {"its last deploy did not finish"}}, whyDeployed(p))
}

// A deploy that is left for later stays due, whatever else is edited in between.
func TestPromise5_ADeployThatIsDueStaysDue(t *testing.T) {
	t.Parallel()
	_, _, e := newFleet(t)
	later := &tusync.PlanOptions{NoDeploy: true}
	desired := running(t, "a")
	syncAll(t, e, desired, later)
	desired.Resources[0].Description = "what people see"
	syncAll(t, e, desired, later)
	require.Equal(t, map[string][]string{"a": {"it is not deployed yet"}}, whyDeployed(plan(t, e, desired, nil)))
	syncAll(t, e, desired, nil)
	desired.Resources[0].Description = "what other people see"
	syncAll(t, e, desired, later)
	require.Empty(t, plan(t, e, desired, nil).Changes, "what runs hasn't changed")
}

func TestPromise4_WhatNeverBecomesHealthyFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _, e := newFleet(t)
		f.health["a"] = tusync.Health{Phase: tusync.Progressing, Message: "pulling"}
		began := time.Now()
		_, err := e.Apply(t.Context(), plan(t, e, running(t, "a"), nil))
		require.ErrorIs(t, err, tusync.ErrUnhealthy)
		require.ErrorContains(t, err, "after 5m0s: pulling")
		require.Less(t, time.Since(began), 6*time.Minute)
	})
}

// hanging is a fleet that doesn't say how it is doing.
type hanging struct{ *fleet }

func (h hanging) Health(ctx context.Context, records []state.Record) []tusync.Health {
	<-ctx.Done()
	healths := h.fleet.Health(ctx, records)
	for i := range healths {
		healths[i] = tusync.Health{Err: context.Cause(ctx)}
	}
	return healths
}

func TestPromise4_WhatDoesNotAnswerIsNotHealthy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kinds := tusync.Kinds(tusync.Define[thing]("thing", tusync.Deploys(hanging{&fleet{}})))
		e, err := tusync.New(newSpy(), kinds, &tusync.Options{Retries: -1})
		require.NoError(t, err)
		began := time.Now()
		_, err = e.Apply(t.Context(), plan(t, e, running(t, "a"), nil))
		require.ErrorIs(t, err, tusync.ErrUnhealthy)
		require.ErrorContains(t, err, "after 5m0s")
		require.Equal(t, 5*time.Minute, time.Since(began))
	})
}

func TestPromise3_ADeployerThatIsAskedTooOftenIsAskedLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _, e := newFleet(t)
		slow := &tusync.ThrottledError{After: time.Minute, Err: errors.New("slow down")}
		f.refuse = []error{slow, slow}
		began := time.Now()
		syncAll(t, e, running(t, "a"), nil)
		require.Equal(t, []string{"a", "a", "a"}, f.deployed)
		require.GreaterOrEqual(t, time.Since(began), 2*time.Minute)
	})
}
