package appsync_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// store is a backend that can be told to fail on some resources, and counts
// what is asked of it.
type store struct {
	*syncertest.Memory
	calls int
	fails map[string]error
}

func newStore() *store {
	return &store{Memory: syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"}), fails: map[string]error{}}
}

func (s *store) Head(ctx context.Context) (state.Head, error) {
	s.calls++
	return s.Memory.Head(ctx)
}

func (s *store) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	s.calls++
	tx, head, err := s.Memory.Begin(ctx, owner)
	return &storeTx{tx, s}, head, err
}

type storeTx struct {
	sync.Tx
	store *store
}

func (tx *storeTx) Apply(ctx context.Context, changes []diff.Change) ([]sync.Outcome, error) {
	outcomes, err := tx.Tx.Apply(ctx, changes)
	for i := range outcomes {
		if failure := tx.store.fails[changes[i].Key().String()]; failure != nil {
			outcomes[i] = sync.Outcome{Err: failure}
		}
	}
	return outcomes, err
}

// sync syncs an app with the files and returns the Syncer, and what it returned.
func (s *store) sync(t *testing.T, files map[string]string, builds appsync.Builds) (*appsync.AppSyncer, error) {
	t.Helper()
	engine, err := sync.New(s, appsync.Kinds(), nil)
	require.NoError(t, err)
	syncer := appsync.New(engine, &appsync.Config{Desired: load(t, files), Builds: builds})
	return syncer, syncer.Sync(asAcme(t))
}

func asAcme(t *testing.T) context.Context {
	return appsync.SetAccountContext(appsync.SetOrgContext(t.Context(), "acme"), "ann")
}

func names(components []appsync.ComponentState) []string {
	var names []string
	for _, c := range components {
		names = append(names, c.Name)
	}
	return names
}

func job(name, more string) string { return "name = '" + name + "'\ntype = 'job'\n" + more }

func TestSync(t *testing.T) {
	t.Parallel()
	s := newStore()
	files := map[string]string{
		"components/a.toml": job("a", ""), "components/b.toml": job("b", "dependencies = ['a']\n"),
		"actions/x.toml": "name = 'x'\n", "inputs.toml": "[[input]]\nname = 'i'\n",
	}
	first, err := s.sync(t, files, nil)
	require.NoError(t, err)
	require.Len(t, first.GetComponentStateIds(), 2)
	require.Len(t, first.GetActionStateIds(), 1)
	require.Equal(t, []string{"a", "b"}, names(first.GetComponentsScheduled()))
	require.Empty(t, first.OrphanedComponents())
	require.Equal(t, "ann", first.Result().Head.By)
	st := first.State()
	require.Equal(t, first.GetAppConfigID(), st.CfgID)
	require.Equal(t, "shop", st.AppID)
	require.NotEmpty(t, st.RunnerConfigID)
	require.NotEmpty(t, st.SandboxConfigID)
	require.NotEmpty(t, st.InputConfigID)
	require.Equal(t, first.GetComponentsScheduled(), st.Components)
	require.Equal(t, appsync.Job, st.Components[0].Type)

	again, err := s.sync(t, files, nil)
	require.NoError(t, err)
	require.Empty(t, again.GetComponentsScheduled())
	require.Equal(t, encoded(t, first.State()), encoded(t, again.State()))

	files["components/a.toml"] = job("a", "tag = '2'\n")
	changed, err := s.sync(t, files, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, names(changed.GetComponentsScheduled()))
	require.NotEqual(t, st.CfgID, changed.GetAppConfigID())
	require.Equal(t, first.GetComponentStateIds(), changed.GetComponentStateIds())
	require.NotEqual(t, st.Components[0].ConfigID, changed.State().Components[0].ConfigID)
	require.Equal(t, st.Components[1], changed.State().Components[1])
}

// TestSyncOrphans: what left the config is told again and again.
func TestSyncOrphans(t *testing.T) {
	t.Parallel()
	s := newStore()
	first, err := s.sync(t, map[string]string{"components/a.toml": job("a", ""), "actions/x.toml": "name = 'x'\n", "secrets/s.toml": "name = 's'\n"}, nil)
	require.NoError(t, err)
	a, x := first.GetComponentStateIds()[0], first.GetActionStateIds()[0]
	for range 3 {
		syncer, err := s.sync(t, nil, nil)
		require.NoError(t, err)
		require.Equal(t, map[string]string{"a": a}, syncer.OrphanedComponents())
		require.Equal(t, map[string]string{"x": x}, syncer.OrphanedActions())
		require.Len(t, syncer.Result().Orphans(), 3)
		require.Empty(t, syncer.State().Components)
		require.Empty(t, syncer.GetComponentStateIds())
	}
	s.fails["component/b"] = errors.New("no")
	syncer, err := s.sync(t, map[string]string{"components/b.toml": job("b", "")}, nil)
	require.Error(t, err)
	require.Equal(t, map[string]string{"a": a}, syncer.OrphanedComponents())
}

// TestSyncKeepsGoing: one that fails leaves the rest in place, and the next sync
// does what is missing.
func TestSyncKeepsGoing(t *testing.T) {
	t.Parallel()
	s := newStore()
	files := map[string]string{
		"components/a.toml": job("a", ""), "components/b.toml": job("b", ""), "components/c.toml": job("c", "dependencies = ['b']\n"),
	}
	cause := errors.New("out of cheese")
	s.fails["component/b"] = cause
	syncer, err := s.sync(t, files, nil)
	require.ErrorIs(t, err, cause)
	var api sync.SyncAPIErr
	require.ErrorAs(t, err, &api)
	require.Equal(t, []string{"a"}, names(syncer.State().Components))
	require.Equal(t, []string{"a"}, names(syncer.GetComponentsScheduled()))

	delete(s.fails, "component/b")
	syncer, err = s.sync(t, files, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, names(syncer.State().Components))
	require.Equal(t, []string{"b", "c"}, names(syncer.GetComponentsScheduled()))
}

// TestSyncAllOrNothing is what a host can ask for.
func TestSyncAllOrNothing(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.fails["component/b"] = errors.New("no")
	engine, err := sync.New(s, appsync.Kinds(), nil)
	require.NoError(t, err)
	syncer := appsync.New(engine, &appsync.Config{
		Desired: load(t, map[string]string{"components/a.toml": job("a", ""), "components/b.toml": job("b", "")}),
		Options: &sync.PlanOptions{OnFailure: sync.AllOrNothing},
	})
	require.Error(t, syncer.Sync(asAcme(t)))
	require.Empty(t, syncer.GetComponentsScheduled())
	require.Empty(t, syncer.GetComponentStateIds())
}

// builds are builds of which some failed.
type builds struct {
	failed []string
	err    error
}

func (b builds) Failed(context.Context) ([]string, error) { return b.failed, b.err }

// TestBuildsThatRunAgain: without a change, components are built whose last
// build failed and those that always are.
func TestBuildsThatRunAgain(t *testing.T) {
	t.Parallel()
	s := newStore()
	files := map[string]string{
		"components/a.toml": job("a", ""), "components/b.toml": job("b", ""),
		"components/always.toml": job("always", "build = 'always'\n"),
		"components/image.toml":  "name = 'image'\ntype = 'container_image'\n[aws_ecr]\nimage_url = 'i'\nupdate_policy = '~1'\n",
	}
	first, err := s.sync(t, files, nil)
	require.NoError(t, err)
	again, err := s.sync(t, files, builds{failed: []string{"b", "nobody"}})
	require.NoError(t, err)
	require.Equal(t, []string{"always", "b", "image"}, names(again.GetComponentsScheduled()))
	require.Equal(t, first.GetAppConfigID(), again.GetAppConfigID())

	before := s.calls
	cause := errors.New("the builds are away")
	_, err = s.sync(t, files, builds{err: cause})
	require.ErrorIs(t, err, cause)
	require.Equal(t, before, s.calls)
}

// unscoped is a Syncer that doesn't tell its scope beforehand.
type unscoped struct{ sync.Syncer }

// TestSyncOnWhoseBehalf: without an org and an account, or for another org,
// nothing is touched.
func TestSyncOnWhoseBehalf(t *testing.T) {
	t.Parallel()
	s := newStore()
	engine, err := sync.New(s, appsync.Kinds(), nil)
	require.NoError(t, err)
	cfg := &appsync.Config{Desired: load(t, nil)}
	org := appsync.SetOrgContext(t.Context(), "acme")
	for _, test := range []struct {
		syncer *appsync.AppSyncer
		ctx    context.Context
		want   string
	}{
		{appsync.New(engine, cfg), t.Context(), "error syncing - the context carries no org: see SetOrgContext"},
		{appsync.New(engine, cfg), org, "error syncing - the context carries no account: see SetAccountContext"},
		{appsync.New(engine, cfg), appsync.SetOrgContext(asAcme(t), "rival"), `error syncing - the context is that of org "rival", and acme/shop is another's`},
		{appsync.New(unscoped{engine}, cfg), appsync.SetOrgContext(asAcme(t), "rival"), `error syncing - the context is that of org "rival", and acme/shop is another's`},
		{appsync.New(engine, nil), asAcme(t), "error syncing - there is no config to sync"},
		{appsync.New(nil, cfg), asAcme(t), "error syncing - the syncer is nil"},
	} {
		err := test.syncer.Sync(test.ctx)
		require.EqualError(t, err, test.want)
		var internal sync.SyncInternalErr
		require.ErrorAs(t, err, &internal)
		require.Nil(t, test.syncer.Result())
	}
	head, err := s.Memory.Head(t.Context())
	require.NoError(t, err)
	require.Zero(t, head.Serial)
}

func TestBeforeTheFirstSync(t *testing.T) {
	t.Parallel()
	var syncer appsync.Syncer = appsync.New(nil, nil)
	require.Empty(t, syncer.GetAppConfigID())
	require.Empty(t, syncer.GetComponentStateIds())
	require.Empty(t, syncer.GetActionStateIds())
	require.Empty(t, syncer.GetComponentsScheduled())
	require.Empty(t, syncer.OrphanedComponents())
	require.Empty(t, syncer.OrphanedActions())
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

// What is adopted, or has a new name, is built as what is new is.
func TestBuildsOfWhatIsTakenOver(t *testing.T) {
	t.Parallel()
	s := newStore()
	engine, err := sync.New(s, appsync.Kinds(), nil)
	require.NoError(t, err)
	desired := load(t, map[string]string{"components/a.toml": job("a", "")})
	a := state.Key{Kind: appsync.KindComponent, Name: "a"}
	syncer := appsync.New(engine, &appsync.Config{Desired: desired, Options: &sync.PlanOptions{Adopt: map[state.Key]string{a: "cmp1"}}})
	require.NoError(t, syncer.Sync(asAcme(t)))
	require.Equal(t, []string{"a"}, names(syncer.GetComponentsScheduled()))
	require.Equal(t, []string{"cmp1"}, syncer.GetComponentStateIds())

	desired = load(t, map[string]string{"components/b.toml": job("b", "")})
	desired.Moves = []sync.Move{{From: a, To: state.Key{Kind: appsync.KindComponent, Name: "b"}}}
	syncer = appsync.New(engine, &appsync.Config{Desired: desired})
	require.NoError(t, syncer.Sync(asAcme(t)))
	require.Equal(t, []string{"b"}, names(syncer.GetComponentsScheduled()))
	require.Equal(t, []string{"cmp1"}, syncer.GetComponentStateIds())
}
