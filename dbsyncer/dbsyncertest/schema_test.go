package dbsyncertest

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

func TestSchemasDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	address := URL(t)
	pool := Pool(t, address, nil)
	schemas := map[string]bool{}
	t.Run("tests", func(t *testing.T) {
		names := make(chan string, 8)
		for range cap(names) {
			t.Run("a test", func(t *testing.T) {
				t.Parallel()
				schema := Schema(t, address)
				names <- schema
				_, err := pool.Exec(t.Context(), "create table "+schema+".things (name text)")
				require.NoError(t, err)
				_, err = pool.Exec(t.Context(), "insert into "+schema+".things values ($1)", schema)
				require.NoError(t, err)
				var found string
				require.NoError(t, pool.QueryRow(t.Context(), "select name from "+schema+".things").Scan(&found))
				require.Equal(t, schema, found)
			})
		}
		t.Cleanup(func() {
			close(names)
			for name := range names {
				schemas[name] = true
			}
		})
	})
	require.Len(t, schemas, 8)
	for schema := range schemas {
		var left int
		require.NoError(t, pool.QueryRow(t.Context(),
			"select count(*) from pg_catalog.pg_namespace where nspname = $1", schema).Scan(&left))
		require.Zero(t, left, "%s is dropped at the end of its test", schema)
	}
}

func TestASchemaThatIsForgottenIsNotFound(t *testing.T) {
	t.Parallel()
	const forgetful, refused = "create table forgotten (name text)", "no schema has been selected"
	_, err := connect(t, Start(t, nil).URL()).Exec(t.Context(), forgetful)
	require.ErrorContains(t, err, refused, "on a server that the package starts")

	other := Start(t, &Options{Config: []string{"search_path = 'public'"}}).URL()
	execute(t, connect(t, other), "create table remembered (name text)")
	_, err = Pool(t, other, nil).Exec(t.Context(), forgetful)
	require.ErrorContains(t, err, refused, "in a pool, whatever the server")
	behind := Pool(t, Bouncer(t, other), func(c *pgxpool.Config) {
		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	})
	_, err = behind.Exec(t.Context(), forgetful)
	require.ErrorContains(t, err, refused, "behind pgbouncer, whatever the server")
}

func TestPoolIsConfigured(t *testing.T) {
	t.Parallel()
	pool := Pool(t, URL(t), func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams["application_name"] = "shop"
		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	})
	var name string
	require.NoError(t, pool.QueryRow(t.Context(), "show application_name").Scan(&name))
	require.Equal(t, "shop", name)
	require.Equal(t, pgx.QueryExecModeSimpleProtocol, pool.Config().ConnConfig.DefaultQueryExecMode)
}
