package dbsyncertest

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Pool returns a pool of connections to url, which is closed when the test ends.
// What is acquired from it has to be released by then, or the test fails.
//
// configure may change the configuration before the pool is made, and may be nil:
//
//	dbsyncertest.Pool(t, url, func(c *pgxpool.Config) {
//		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
//	})
//
// The search_path of the connections is empty, whatever the server: a statement
// that forgets to say the schema fails.
func Pool(t testing.TB, url string, configure func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatalf("dbsyncertest: %v", err)
	}
	config.ConnConfig.RuntimeParams["search_path"] = ""
	if configure != nil {
		configure(config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("dbsyncertest: %v", err)
	}
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			pool.Close()
		}()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Errorf("dbsyncertest: %d connections of a pool are not released at the end of the test", pool.Stat().AcquiredConns())
		}
	})
	return pool
}
