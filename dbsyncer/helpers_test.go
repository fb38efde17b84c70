package dbsyncer_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// pools are by URL, and whether they are mortal: one each for all tests of this
// process.
//
//nolint:gochecknoglobals // what Open gets is an address, and a pool is for a process
var pools sync.Map

type poolKey struct {
	url    string
	mortal bool
}

// poolOf returns the pool of a server, made when it is asked for first.
func poolOf(url string) (*pgxpool.Pool, error) { return onePool(poolKey{url, false}) }

func onePool(key poolKey) (*pgxpool.Pool, error) {
	if pool, ok := pools.Load(key); ok {
		return pool.(*pgxpool.Pool), nil
	}
	config, err := pgxpool.ParseConfig(key.url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 8
	if key.mortal {
		config.AfterConnect = lockPid
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, err
	}
	if first, there := pools.LoadOrStore(key, pool); there {
		pool.Close()
		return first.(*pgxpool.Pool), nil
	}
	return pool, nil
}

// pids is what locks on processes' ids begin with.
const pids = 1836020340

// lockPid locks the process's id as long as the session lasts, beside others.
func lockPid(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "select pg_advisory_lock_shared($1, $2)", pids, os.Getpid())
	return err
}

// settle returns when all sessions of a process with a mortal pool are over: the
// server ends them when it has carried out what it was asked for.
func settle(t testing.TB, address string, pid int) {
	t.Helper()
	url, _, _ := strings.Cut(address, " ")
	require.NoError(t, pgx.BeginFunc(t.Context(), pool(t, url), func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "select pg_advisory_xact_lock($1, $2)", pids, pid)
		return err
	}))
}

// open opens a scope of the store at an address: a server's URL and a schema.
func open(address string, scope state.Scope) (*dbsyncer.Backend, error) {
	url, schema, _ := strings.Cut(address, " ")
	pool, err := poolOf(url)
	if err != nil {
		return nil, err
	}
	return dbsyncer.New(pool, scope, &dbsyncer.Options{Schema: schema})
}

// openStepping is open in a process that may be killed at each round trip.
func openStepping(address string, scope state.Scope, step func()) (tusync.Backend, error) {
	url, schema, _ := strings.Cut(address, " ")
	pool, err := onePool(poolKey{url, true})
	if err != nil {
		return nil, err
	}
	return dbsyncer.New(stepping{pool, step}, scope, &dbsyncer.Options{Schema: schema})
}

// schemas are those of the tests in a test: one that is done with its schema leaves
// it empty for the next. To make one takes longer than most of them.
type schemas struct {
	t *testing.T // which they last as long as

	mu   sync.Mutex
	idle []string
}

// lend lends a migrated schema on a server to a test.
func (s *schemas) lend(t testing.TB, server string) string {
	t.Helper()
	s.mu.Lock()
	var schema string
	if last := len(s.idle) - 1; last >= 0 {
		schema, s.idle = s.idle[last], s.idle[:last]
	}
	s.mu.Unlock()
	if schema == "" {
		schema = dbsyncertest.Schema(s.t, server)
		require.NoError(t, dbsyncer.Migrate(t.Context(), pool(t, server), schema))
	}
	t.Cleanup(func() {
		if t.Failed() {
			return // something may be at work in it
		}
		_, err := pool(t, server).Exec(context.Background(), "delete from "+schema+".scopes")
		require.NoError(t, err)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.idle = append(s.idle, schema)
	})
	return schema
}

func pool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := poolOf(url)
	require.NoError(t, err)
	return pool
}

// deltaOf returns the next delta, which records all of a declaration.
func deltaOf(t testing.TB, head state.Head, desired *tusync.Desired) state.Delta {
	t.Helper()
	delta := state.Delta{Declared: desired.Resources}
	for _, r := range desired.Resources {
		sum, err := r.Checksum()
		require.NoError(t, err)
		id := state.DeriveID(r.String())
		delta.Records = append(delta.Records, state.Record{Key: r.Key, ID: id, ConfigID: id, Checksum: sum})
	}
	head.Serial++
	var err error
	delta.Head, err = state.Seal(head, delta.Records)
	require.NoError(t, err)
	return delta
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
