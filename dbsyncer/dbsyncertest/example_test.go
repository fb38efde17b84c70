package dbsyncertest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
)

// A test makes its tables in a schema of its own.
func ExampleSchema() {
	test := func(t *testing.T) {
		t.Parallel()
		url := dbsyncertest.URL(t)
		schema := dbsyncertest.Schema(t, url)
		pool := dbsyncertest.Pool(t, url, nil)
		if _, err := pool.Exec(t.Context(), "create table "+schema+".components (id uuid primary key)"); err != nil {
			t.Fatal(err)
		}
	}
	_ = test // func TestComponents(t *testing.T)
}

// The same test, in each of pgx's modes, behind pgbouncer too.
func ExampleBouncer() {
	test := func(t *testing.T) {
		t.Parallel()
		direct := dbsyncertest.URL(t)
		for _, url := range []string{direct, dbsyncertest.Bouncer(t, direct)} {
			for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
				pool := dbsyncertest.Pool(t, url, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
				syncs(t, pool, dbsyncertest.Schema(t, direct))
			}
		}
	}
	_ = test // func TestModes(t *testing.T)
}

// The server crashes in the middle, and comes back.
func ExampleStart() {
	test := func(t *testing.T) {
		t.Parallel()
		server := dbsyncertest.Start(t, nil)
		schema := dbsyncertest.Schema(t, server.URL())
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		syncs(t, dbsyncertest.Pool(t, server.URL(), nil), schema)
	}
	_ = test // func TestCrash(t *testing.T)
}

func syncs(*testing.T, *pgxpool.Pool, string) {}
