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
	"github.com/trueup-go/trueup/state"
)

// pools are by URL: one for all tests of this process.
//
//nolint:gochecknoglobals // what Open gets is an address, and a pool is for a process
var pools sync.Map

// poolOf returns the pool of a server, made when it is asked for first.
func poolOf(url string) (*pgxpool.Pool, error) {
	if pool, ok := pools.Load(url); ok {
		return pool.(*pgxpool.Pool), nil
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 20
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, err
	}
	if first, there := pools.LoadOrStore(url, pool); there {
		pool.Close()
		return first.(*pgxpool.Pool), nil
	}
	return pool, nil
}

// open opens a scope of the store at an address: a server's URL and a schema.
func open(address string, scope state.Scope, wrap func(dbsyncer.DB) dbsyncer.DB) (*dbsyncer.Backend, error) {
	url, schema, _ := strings.Cut(address, " ")
	pool, err := poolOf(url)
	if err != nil {
		return nil, err
	}
	var db dbsyncer.DB = pool
	if wrap != nil {
		db = wrap(db)
	}
	return dbsyncer.New(db, scope, &dbsyncer.Options{Schema: schema})
}

func pool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := poolOf(url)
	require.NoError(t, err)
	return pool
}

// stored is every row of every table, as text.
func stored(t testing.TB, address string) map[string][]byte {
	t.Helper()
	url, schema, _ := strings.Cut(address, " ")
	rows := map[string][]byte{}
	for _, table := range []string{"scopes", "leases", "commits", "declared", "records", "runs"} {
		found, err := pool(t, url).Query(t.Context(), "select row_to_json(t)::text from (select * from "+schema+"."+table+") t")
		require.NoError(t, err)
		texts, err := pgx.CollectRows(found, pgx.RowTo[string])
		require.NoError(t, err)
		for i, text := range texts {
			rows[fmt.Sprintf("%s %d", table, i)] = []byte(text)
		}
	}
	return rows
}
