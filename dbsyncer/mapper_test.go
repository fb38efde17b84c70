package dbsyncer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
)

// The control plane of the Example: its tables say what the State says, commit by
// commit, and what somebody edits in them is drift.
func TestTheTablesOfAControlPlane(t *testing.T) {
	t.Parallel()
	server, ctx := dbsyncertest.URL(t), t.Context()
	database := unmade(t, "control_plane_") // its tables are in schemas with fixed names
	execute(t, pool(t, server), "create database "+database)
	t.Cleanup(func() {
		_, err := pool(t, server).Exec(context.WithoutCancel(ctx), "drop database "+database+" with (force)")
		require.NoError(t, err)
	})
	db := dbsyncertest.Pool(t, server, func(c *pgxpool.Config) { c.ConnConfig.Database = database })
	require.NoError(t, prepare(ctx, db))
	require.NoError(t, prepare(ctx, db), "twice")
	backend, err := dbsyncer.New(db, shop(), &dbsyncer.Options{
		Mappers:  map[string]dbsyncer.Mapper{appsync.KindComponent: components{}},
		OnCommit: storeConfig,
	})
	require.NoError(t, err)
	engine, err := tusync.New(backend, appsync.Kinds(), nil)
	require.NoError(t, err)

	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("../sync/appsync/testdata/shop")))
	sync := func() error {
		config, err := appsync.Load(os.DirFS(dir), nil)
		require.NoError(t, err)
		return appsync.New(engine, config).Sync(appsync.SetOrgContext(appsync.SetAccountContext(ctx, "ann"), "acme"))
	}
	// says checks that the tables say what the State says, and returns its head.
	says := func(configs string) state.Head {
		head, err := backend.Head(ctx)
		require.NoError(t, err)
		var all []state.Record
		rows := map[string]string{}
		for r, err := range backend.Records(ctx) {
			require.NoError(t, err)
			all = append(all, r)
			if r.Kind == appsync.KindComponent {
				rows[r.ID] = r.Name
			}
		}
		want, err := json.Marshal(appsync.StateOf(head, all))
		require.NoError(t, err)
		require.JSONEq(t, string(want), value(t, db, "select state from public.app_configs where id = $1", head.ConfigID))
		require.Equal(t, configs, value(t, db, "select count(*) from public.app_configs"))
		found, err := db.Query(ctx, "select id, name from public.components")
		require.NoError(t, err)
		components := map[string]string{}
		var id, name string
		_, err = pgx.ForEachRow(found, []any{&id, &name}, func() error {
			components[id] = name
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, rows, components)
		return head
	}
	require.NoError(t, sync())
	first := says("1")
	require.NoError(t, sync())
	require.Equal(t, first, says("1"), "nothing changed")

	worker := filepath.Join(dir, "components", "worker.toml")
	text, err := os.ReadFile(worker)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(worker, []byte(strings.Replace(string(text), `"Dockerfile"`, `"Dockerfile.worker"`, 1)), 0o600))
	require.NoError(t, sync())
	require.Equal(t, first.Serial+1, says("2").Serial)
	require.Contains(t, value(t, db, "select config from public.components where name = 'worker'"), "Dockerfile.worker")

	// A constraint of the host's takes everything back, the State included.
	execute(t, db, "alter table public.components add constraint no_staging check (config::text not like '%Dockerfile.staging%')")
	require.NoError(t, os.WriteFile(worker, []byte(strings.Replace(string(text), `"Dockerfile"`, `"Dockerfile.staging"`, 1)), 0o600))
	err = sync()
	var refused *dbsyncer.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, dbsyncer.Refused, refused.Problem)
	require.ErrorContains(t, err, "no_staging")
	require.ErrorContains(t, err, "component/worker")
	require.Equal(t, first.Serial+1, says("2").Serial)
	require.NoError(t, os.WriteFile(worker, []byte(strings.Replace(string(text), `"Dockerfile"`, `"Dockerfile.worker"`, 1)), 0o600))

	// Edits behind our back are seen when somebody looks, and taken back.
	execute(t, db, `update public.components set config = '{"dockerfile":"Dockerfile.edited"}' where name = 'worker'`)
	execute(t, db, `delete from public.components where name = 'bucket'`)
	config, err := appsync.Load(os.DirFS(dir), nil)
	require.NoError(t, err)
	plan, err := engine.Plan(ctx, config.Desired, nil)
	require.NoError(t, err)
	require.True(t, plan.IsEmpty(), "nobody looks")
	plan, err = engine.Plan(ctx, config.Desired, &tusync.PlanOptions{Observe: true})
	require.NoError(t, err)
	var drifted []string
	for _, change := range plan.Changes {
		drifted = append(drifted, change.Key().String())
	}
	require.Subset(t, drifted, []string{"component/bucket", "component/worker"})
	_, err = engine.Apply(ctx, plan)
	require.NoError(t, err)
	require.Contains(t, value(t, db, "select config from public.components where name = 'worker'"), "Dockerfile.worker")
	says("3")
	plan, err = engine.Plan(ctx, config.Desired, &tusync.PlanOptions{Observe: true})
	require.NoError(t, err)
	require.True(t, plan.IsEmpty(), "%v", plan)
}

// sizes are n sizes, of which those at some places are too large to be stored.
func sizes(n int, wrong ...int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = 1
	}
	for _, i := range wrong {
		all[i] = 100
	}
	return all
}

// What fails is looked for by halves, so that all else is stored with few statements.
func TestARowThatFailsStandsAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	db := pool(t, dbsyncertest.URL(t))
	e := h.engine(t, db, shop(), nil)
	result, err := apply(t.Context(), e, declare(t, "widget", sizes(64, 37)...), &tusync.PlanOptions{OnFailure: tusync.KeepGoing})
	for _, c := range result.Changes {
		want := tusync.Done
		if c.Change.Key().Name == "n00037" {
			want = tusync.Failed
		}
		require.Equal(t, want, c.Status, c.Change.Key())
	}
	require.Len(t, h.calls, 1+2*6, "log2 64 = 6 times in two halves")
	require.Equal(t, "63", value(t, db, "select count(*) from "+h.schema+".widgets"))
	require.Equal(t, "63", value(t, db, "select count(*) from "+h.schema+".records"))
	require.Equal(t, "63", value(t, db, "select widgets from "+h.schema+".states"))

	var failed tusync.SyncAPIErr
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "widget/n00037", failed.Resource)
	var refused *dbsyncer.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, dbsyncer.Refused, refused.Problem)
	require.Equal(t, "23514", refused.Code)
	require.ErrorContains(t, err, "store widget/n00037")
	require.ErrorContains(t, err, "widgets_size_check")
	require.False(t, tusync.Retryable(err))
	require.NotContains(t, err.Error(), secret)
	for name, row := range stored(t, dbsyncertest.URL(t)+" "+h.schema) {
		require.NotContains(t, string(row), secret, name)
	}

	result, err = apply(t.Context(), e, declare(t, "widget", sizes(64)...), nil)
	require.NoError(t, err)
	require.Equal(t, 1, len(result.Changes))
}

func TestNothingIsStoredWhereARowFails(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	db := pool(t, dbsyncertest.URL(t))
	_, err := apply(t.Context(), h.engine(t, db, shop(), &tusync.Options{BatchSize: 4}), declare(t, "widget", sizes(12, 5)...), nil)
	require.ErrorContains(t, err, "widget/n00005")
	requireNothing(t, db, h)
	require.Contains(t, value(t, db, "select error from "+h.schema+".runs where result = 'failed'"), "widget/n00005")
}

// requireNothing fails if anything is stored of a State or of the host's.
func requireNothing(t testing.TB, db dbsyncer.DB, h *host) {
	t.Helper()
	for _, table := range []string{"widgets", "states", "records", "declared", "commits"} {
		require.Equal(t, "0", value(t, db, "select count(*) from "+h.schema+"."+table), table)
	}
}

// mapper is a Mapper and MapperObserver made of functions.
type mapper struct {
	apply   func(changes []diff.Change) ([]tusync.Outcome, error)
	observe func(records []state.Record) []tusync.Live
}

func (m mapper) Apply(_ context.Context, _ pgx.Tx, changes []diff.Change) ([]tusync.Outcome, error) {
	return m.apply(changes)
}

func (m mapper) Observe(_ context.Context, _ dbsyncer.DB, records []state.Record) []tusync.Live {
	return m.observe(records)
}

// createOf is the creation of something without fields, whose ID is its name.
func createOf(kind, name string) diff.Change {
	return &diff.Create{Target: diff.Target{Desired: &state.Resource{Key: state.Key{Kind: kind, Name: name}}}, ID: name}
}

func TestAMapperThatIsWrong(t *testing.T) {
	t.Parallel()
	errOwn := errors.New("the host's own")
	for name, c := range map[string]struct {
		apply func(changes []diff.Change) ([]tusync.Outcome, error)
		says  string
	}{
		"too few outcomes": {func(changes []diff.Change) ([]tusync.Outcome, error) {
			return make([]tusync.Outcome, len(changes)-1), nil
		}, "0 outcomes of 1 changes"},
		"too many outcomes": {func(changes []diff.Change) ([]tusync.Outcome, error) {
			return make([]tusync.Outcome, len(changes)+1), nil
		}, "2 outcomes of 1 changes"},
		"an error of its own": {func([]diff.Change) ([]tusync.Outcome, error) { return nil, errOwn }, "store widget/n00000: the host's own"},
		"an outcome's error": {func(changes []diff.Change) ([]tusync.Outcome, error) {
			outcomes := make([]tusync.Outcome, len(changes))
			outcomes[0].Err = errOwn
			return outcomes, nil
		}, "store widget/n00000: the host's own"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			opts := h.options()
			opts.Mappers["widget"] = mapper{apply: c.apply}
			backend, err := dbsyncer.New(pool(t, dbsyncertest.URL(t)), shop(), opts)
			require.NoError(t, err)
			_, err = apply(t.Context(), engine(t, backend, nil), declare(t, "widget", 1, 2, 3), nil)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, strings.Contains(name, "error"), errors.Is(err, errOwn))
			requireNothing(t, pool(t, dbsyncertest.URL(t)), h)
		})
	}
}

// An Apply that fails as a whole has done nothing: what it had handed to a Mapper is
// not applied again with what was lost, but when the same call is made again.
func TestAnApplyThatFailsAsAWholeCountsForNothing(t *testing.T) {
	t.Parallel()
	h, ctx := newHost(t), t.Context()
	var calls []string
	fails := false
	m := mapper{apply: func(changes []diff.Change) ([]tusync.Outcome, error) {
		for _, c := range changes {
			calls = append(calls, c.Key().String())
		}
		if fails && changes[0].Key().Kind == "widget" {
			return nil, &pgconn.PgError{Code: "40001"} // serialization_failure
		}
		return make([]tusync.Outcome, len(changes)), nil
	}}
	opts := h.options()
	opts.Mappers = map[string]dbsyncer.Mapper{"gadget": m, "widget": m}
	backend, err := dbsyncer.New(pool(t, dbsyncertest.URL(t)), shop(), opts)
	require.NoError(t, err)
	tx, head, err := backend.Begin(ctx, "me")
	require.NoError(t, err)
	did := func(want ...string) {
		require.Equal(t, want, calls)
		calls = nil
	}
	both := []diff.Change{createOf("widget", "w"), createOf("gadget", "g")}

	_, err = tx.Apply(ctx, []diff.Change{createOf("widget", "first")})
	require.NoError(t, err)
	fails = true
	_, err = tx.Apply(ctx, both)
	require.True(t, tusync.Retryable(err), "%v", err)
	did("widget/first", "gadget/g", "widget/w")
	fails = false
	_, err = tx.Apply(ctx, both)
	require.NoError(t, err)
	did("widget/first", "gadget/g", "widget/w")
	head, err = tx.Commit(ctx, deltaOf(t, head, declare(t, "gadget", 1)))
	require.NoError(t, err)
	did()

	// Nor is it with the next commit, if nobody makes the call again.
	fails = true
	_, err = tx.Apply(ctx, both)
	require.True(t, tusync.Retryable(err), "%v", err)
	did("gadget/g", "widget/w")
	_, err = tx.Commit(ctx, deltaOf(t, head, declare(t, "gadget", 2)))
	require.NoError(t, err)
	did()
	require.NoError(t, tx.Close(ctx))
}

// Whatever a MapperObserver says of a record is told of that one, by its name.
func TestWhatAMapperObserves(t *testing.T) {
	t.Parallel()
	errOwn := errors.New("the host's own")
	lives := []tusync.Live{{ID: "a", Config: json.RawMessage("{}")}, {Err: errOwn}, {}}
	backend, err := dbsyncer.New(pool(t, dbsyncertest.URL(t)), shop(), &dbsyncer.Options{
		Mappers: map[string]dbsyncer.Mapper{"widget": mapper{observe: func([]state.Record) []tusync.Live { return slices.Clone(lives) }}},
	})
	require.NoError(t, err)
	records := []state.Record{
		{Key: state.Key{Kind: "widget", Name: "one"}},
		{Key: state.Key{Kind: "gadget", Name: "unmapped"}, ID: "g"},
		{Key: state.Key{Kind: "widget", Name: "two"}},
		{Key: state.Key{Kind: "widget", Name: "three"}},
	}
	observed := backend.Observe(t.Context(), records)
	require.ErrorIs(t, observed[2].Err, errOwn)
	require.ErrorContains(t, observed[2].Err, "observe widget/two: ")
	observed[2].Err = nil
	require.Equal(t, []tusync.Live{lives[0], {ID: "g"}, {}, {}}, observed)

	for _, n := range []int{0, 2, 4} {
		lives = make([]tusync.Live, n)
		observed := backend.Observe(t.Context(), records)
		for i, r := range records {
			if r.Kind == "gadget" {
				require.NoError(t, observed[i].Err)
			} else {
				require.EqualError(t, observed[i].Err, fmt.Sprintf("observe %s: a Mapper observed %d of 3 records", r.Key, n))
			}
		}
	}
}

func TestAMapperChoosesIDs(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	opts := h.options()
	opts.Mappers["widget"] = mapper{
		apply: func(changes []diff.Change) ([]tusync.Outcome, error) {
			outcomes := make([]tusync.Outcome, len(changes))
			for i := range outcomes {
				outcomes[i].ID = "own-" + changes[i].Key().Name
			}
			return outcomes, nil
		},
		observe: func([]state.Record) []tusync.Live { return nil },
	}
	backend, err := dbsyncer.New(pool(t, dbsyncertest.URL(t)), shop(), opts)
	require.NoError(t, err)
	_, err = apply(t.Context(), engine(t, backend, nil), declare(t, "widget", 1, 2), nil)
	require.NoError(t, err)
	var ids []string
	var all []state.Record
	for r, err := range backend.Records(t.Context()) {
		require.NoError(t, err)
		ids, all = append(ids, r.ID), append(all, r)
	}
	require.Equal(t, []string{"own-n00000", "own-n00001"}, ids)
	for _, live := range backend.Observe(t.Context(), all) {
		require.ErrorContains(t, live.Err, "observed 0 of 2 records")
	}
}

// An error of OnCommit takes the commit back, with all that was stored for it.
func TestOnCommitTakesTheCommitBack(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	db := pool(t, dbsyncertest.URL(t))
	execute(t, db, "alter table "+h.schema+".states add check (widgets < 2)")
	_, err := apply(t.Context(), h.engine(t, db, shop(), nil), declare(t, "widget", 1, 2), nil)
	var refused *dbsyncer.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, dbsyncer.Refused, refused.Problem)
	require.ErrorContains(t, err, "states_widgets_check")
	requireNothing(t, db, h)
	execute(t, db, "drop table "+h.schema+".states")
	_, err = apply(t.Context(), h.engine(t, db, shop(), nil), declare(t, "widget", 1, 2), nil)
	var missing *dbsyncer.SchemaError
	require.False(t, errors.As(err, &missing), "the table is the host's: %v", err)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "42P01", refused.Code)
}

// A commit that was taken back can be made again.
func TestACommitThatWasTakenBackCountsForNothing(t *testing.T) {
	t.Parallel()
	h, ctx := newHost(t), t.Context()
	errOwn := errors.New("the host's own")
	fails := errOwn
	backend, err := dbsyncer.New(pool(t, dbsyncertest.URL(t)), shop(), &dbsyncer.Options{
		Schema: h.schema, OnCommit: func(context.Context, pgx.Tx, state.Head) error { return fails },
	})
	require.NoError(t, err)
	tx, head, err := backend.Begin(ctx, "me")
	require.NoError(t, err)
	delta := deltaOf(t, head, declare(t, "gadget", 1, 2))
	_, err = tx.Commit(ctx, delta)
	require.ErrorIs(t, err, errOwn)
	fails = nil
	head, err = tx.Commit(ctx, delta)
	require.NoError(t, err)
	require.Equal(t, delta.Head.Root, head.Root)
	require.NoError(t, tx.Close(ctx))
}
