package dbsyncer_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
)

// unmade returns the name of a schema that isn't there yet, and is dropped when the
// test ends.
func unmade(t testing.TB, name string) string {
	t.Helper()
	server := pool(t, dbsyncertest.URL(t))
	name += value(t, server, "select md5(random()::text)")
	t.Cleanup(func() {
		_, err := server.Exec(context.WithoutCancel(t.Context()), "drop schema if exists "+pgx.Identifier{name}.Sanitize()+" cascade")
		require.NoError(t, err)
	})
	return name
}

func TestManyMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for _, isolation := range []string{"read committed", "serializable"} {
		t.Run(isolation, func(t *testing.T) {
			t.Parallel()
			schema := unmade(t, "at_once_")
			own := dbsyncertest.Pool(t, dbsyncertest.URL(t), func(c *pgxpool.Config) {
				c.MaxConns = 20
				c.ConnConfig.RuntimeParams["default_transaction_isolation"] = isolation
			})
			var all sync.WaitGroup
			start, errs := make(chan struct{}), make([]error, 20)
			for i := range errs {
				all.Go(func() {
					<-start
					errs[i] = dbsyncer.Migrate(t.Context(), own, schema)
				})
			}
			close(start)
			all.Wait()
			for _, err := range errs {
				require.NoError(t, err)
			}
			require.Equal(t, fmt.Sprint(dbsyncer.Version()), value(t, own, "select count(*) from "+schema+".migrations"))
		})
	}
}

// Whoever may read only can call Migrate where there is nothing to do, and is told
// where there is.
func TestMigratingTwiceOnlyReads(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.URL(t)
	schema := dbsyncertest.Schema(t, server)
	name, own := role(t, server)
	reader := dbsyncertest.Pool(t, own, nil)
	execute(t, pool(t, server), "grant usage on schema "+schema+" to "+name)

	var denied *dbsyncer.Error
	require.ErrorAs(t, dbsyncer.Migrate(t.Context(), reader, schema), &denied)
	require.Equal(t, dbsyncer.Denied, denied.Problem)
	require.NoError(t, dbsyncer.Migrate(t.Context(), pool(t, server), schema))
	require.ErrorAs(t, dbsyncer.Migrate(t.Context(), reader, schema), &denied)
	execute(t, pool(t, server), "grant select on "+schema+".migrations to "+name)
	require.NoError(t, dbsyncer.Migrate(t.Context(), reader, schema))
	require.NoError(t, dbsyncer.Migrate(t.Context(), pool(t, server), schema))
	require.Equal(t, fmt.Sprint(dbsyncer.Version()), value(t, pool(t, server), "select count(*) from "+schema+".migrations"))
}

// Whoever owns a schema needs no right to make one.
func TestMigrateInASchemaThatIsThere(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.URL(t)
	schema := dbsyncertest.Schema(t, server)
	name, own := role(t, server)
	execute(t, pool(t, server), "alter schema "+schema+" owner to "+name)
	require.NoError(t, dbsyncer.Migrate(t.Context(), dbsyncertest.Pool(t, own, nil), schema))
	var denied *dbsyncer.Error
	require.ErrorAs(t, dbsyncer.Migrate(t.Context(), dbsyncertest.Pool(t, own, nil), unmade(t, "not_mine_")), &denied)
	require.Equal(t, dbsyncer.Denied, denied.Problem)
}

func TestANewerSchemaIsLeftAlone(t *testing.T) {
	t.Parallel()
	server := pool(t, dbsyncertest.URL(t))
	schema := dbsyncertest.Schema(t, dbsyncertest.URL(t))
	require.NoError(t, dbsyncer.Migrate(t.Context(), server, schema))
	execute(t, server, "insert into "+schema+".migrations values (100, 'to come'); drop table "+schema+".runs cascade")
	var newer *dbsyncer.SchemaError
	require.ErrorAs(t, dbsyncer.Migrate(t.Context(), server, schema), &newer)
	require.Equal(t, dbsyncer.SchemaError{Schema: `"` + schema + `"`, Version: 100, Want: dbsyncer.Version()}, *newer)
	require.ErrorContains(t, newer, "upgrade the program")
	require.Equal(t, "100", value(t, server, "select max(version) from "+schema+".migrations"))
	require.Empty(t, value(t, server, "select to_regclass('"+schema+".runs')"))
}

// A migration that fails leaves what was there before, and says which it was.
func TestAMigrationThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	server := pool(t, dbsyncertest.URL(t))
	schema := dbsyncertest.Schema(t, dbsyncertest.URL(t))
	execute(t, server, "create view "+schema+".pending as select 1 as mine")
	err := dbsyncer.Migrate(t.Context(), server, schema)
	var failed *dbsyncer.Error
	require.ErrorAs(t, err, &failed)
	require.ErrorContains(t, err, "migration 1, init")
	require.ErrorContains(t, err, schema)
	require.Equal(t, "pending", value(t, server, "select string_agg(relname, ' ') from pg_class where relnamespace = '"+schema+"'::regnamespace"))
	require.Equal(t, "0", value(t, server, "select count(*) from pg_proc where pronamespace = '"+schema+"'::regnamespace"))
	execute(t, server, "drop view "+schema+".pending")
	require.NoError(t, dbsyncer.Migrate(t.Context(), server, schema))
}

// A migration is part of a transaction of the host's.
func TestMigrateInATransaction(t *testing.T) {
	t.Parallel()
	server, schema := pool(t, dbsyncertest.URL(t)), unmade(t, "in_a_transaction_")
	tx, err := server.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, dbsyncer.Migrate(t.Context(), tx, schema))
	require.NoError(t, tx.Rollback(t.Context()))
	require.Empty(t, value(t, server, "select to_regnamespace('"+schema+"')"))
}

// The schema may have any name, and all works in it, behind a pooler too.
func TestAnySchemaName(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.URL(t)
	pooler := with(dbsyncertest.Bouncer(t, server), "default_query_exec_mode=exec")
	for _, name := range []string{"Upper Case", `it's "quoted"`, "$schema $1 $$", "größe\\", "select"} {
		for how, url := range map[string]string{"directly": server, "behind a pooler": pooler, "in the simple protocol": with(server, "default_query_exec_mode=simple_protocol")} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				h, db := &host{schema: unmade(t, name)[:len(name)+8]}, pool(t, url)
				quoted := pgx.Identifier{h.schema}.Sanitize()
				t.Cleanup(func() {
					_, err := db.Exec(context.WithoutCancel(t.Context()), "drop schema "+quoted+" cascade")
					require.NoError(t, err)
				})
				require.NoError(t, dbsyncer.Migrate(t.Context(), db, h.schema))
				require.NoError(t, dbsyncer.Migrate(t.Context(), db, h.schema))
				who, _ := role(t, server)
				require.NoError(t, dbsyncer.Grant(t.Context(), db, h.schema, who, "acme"))
				require.NoError(t, dbsyncer.Revoke(t.Context(), db, h.schema, who, "acme"))
				backend, err := dbsyncer.New(db, shop(), &dbsyncer.Options{Schema: h.schema, History: 2})
				require.NoError(t, err)
				for version := range 3 {
					_, err = apply(t.Context(), engine(t, backend, nil), declare(t, "gadget", version, 1), nil)
					require.NoError(t, err)
				}
				_, records, err := backend.StateAt(t.Context(), 2)
				require.NoError(t, err)
				for _, err := range records {
					require.NoError(t, err)
				}
				execute(t, db, "select "+quoted+".forget(id, 3) from "+quoted+".scopes")
				_, _, err = backend.StateAt(t.Context(), 2)
				require.Error(t, err)
			})
		}
	}
	// One that Postgres would shorten to another's is refused.
	_, err := dbsyncer.New(pool(t, server), state.Scope{Org: "acme", App: "shop"}, &dbsyncer.Options{Schema: strings.Repeat("n", 64)})
	require.ErrorContains(t, err, "63")
	require.ErrorContains(t, dbsyncer.Migrate(t.Context(), pool(t, server), "a\x00b"), "want at most 63 bytes")
}
