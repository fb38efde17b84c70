package dbsyncer_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

type component struct {
	Image string `json:"image"`
	Text  string `json:"text"`
}

func benchKinds() *tusync.KindSet { return tusync.Kinds(tusync.Define[component]("component")) }

// manyDeclared are n declared resources of about 1 KiB; the first changed ones are
// other ones than without.
func manyDeclared(tb testing.TB, n, changed int) *tusync.Desired {
	tb.Helper()
	kinds, filler := benchKinds(), strings.Repeat("0123456789abcdef", 56)
	desired := &tusync.Desired{}
	for i := range n {
		value := component{Image: fmt.Sprint("shop/web:", i), Text: filler}
		if i < changed {
			value.Image = fmt.Sprint("shop/web:", rand.Uint64())
		}
		r, err := kinds.Resource("component", fmt.Sprintf("n%07d", i), value)
		require.NoError(tb, err)
		desired.Resources = append(desired.Resources, r)
	}
	return desired
}

func benchPool(b *testing.B, m *meter) (*pgxpool.Pool, string) {
	b.Helper()
	url := dbsyncertest.URL(b)
	pool, schema := dbsyncertest.Pool(b, url, m.configure), dbsyncertest.Schema(b, url)
	require.NoError(b, dbsyncer.Migrate(b.Context(), pool, schema))
	return pool, schema
}

// meter counts what goes over a pool's connections. It is for one goroutine.
type meter struct {
	statements, trips, sent, received int
	waiting                           bool // for an answer
}

func (m *meter) configure(config *pgxpool.Config) {
	config.ConnConfig.Tracer = m
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return metered{conn, m}, err
	}
}

// TraceQueryStart implements pgx.QueryTracer.
func (m *meter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	m.statements++
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (m *meter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (m *meter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (m *meter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) { m.statements++ }

// TraceBatchEnd implements pgx.BatchTracer.
func (m *meter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// report reports what one of so many syncs took.
func (m *meter) report(b *testing.B, syncs int) {
	b.Helper()
	b.ReportMetric(float64(m.statements)/float64(syncs), "statements")
	b.ReportMetric(float64(m.trips)/float64(syncs), "trips")
	b.ReportMetric(float64(m.sent)/float64(syncs), "sent-B")
	b.ReportMetric(float64(m.received)/float64(syncs), "received-B")
}

// metered is a connection on a meter. A trip begins with what is sent after an answer.
type metered struct {
	net.Conn
	*meter
}

func (c metered) Write(p []byte) (int, error) {
	if !c.waiting {
		c.trips, c.waiting = c.trips+1, true
	}
	n, err := c.Conn.Write(p)
	c.sent += n
	return n, err
}

func (c metered) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.waiting = false
	c.received += n
	return n, err
}

// BenchmarkSync syncs scopes that exist: unchanged, with one resource changed, and
// with 1% changed.
func BenchmarkSync(b *testing.B) {
	for _, n := range shorter(100, 10_000, 100_000) {
		for _, changed := range slices.Compact([]int{0, 1, n / 100}) {
			b.Run(fmt.Sprintf("%d of %d changed", changed, n), func(b *testing.B) {
				m := &meter{}
				pool, schema := benchPool(b, m)
				syncOnce(b, pool, schema, benchScope(), manyDeclared(b, n, 0))
				benchSync(b, m, pool, schema, n, changed)
			})
		}
	}
}

// BenchmarkAmongScopes syncs a scope with 100 resources that is one of 10,000 such.
func BenchmarkAmongScopes(b *testing.B) {
	const n = 100
	scopes := syncertest.Soak(10_000)
	m := &meter{}
	pool, schema := benchPool(b, m)
	syncOnce(b, pool, schema, benchScope(), manyDeclared(b, n, 0))
	copyScope(b, pool, schema, scopes-1)
	for _, changed := range []int{0, 1} {
		b.Run(fmt.Sprintf("%d of %d changed in one of %d", changed, n, scopes), func(b *testing.B) {
			syncOnce(b, pool, schema, benchScope(), manyDeclared(b, n, 0))
			benchSync(b, m, pool, schema, n, changed)
		})
	}
}

// shorter are sizes; with -short not the last.
func shorter(sizes ...int) []int {
	if testing.Short() {
		return sizes[:len(sizes)-1]
	}
	return sizes
}

func benchScope() state.Scope { return state.Scope{Org: "acme", App: "shop"} }

// benchSync syncs again and again, with so many of n resources changed each time.
func benchSync(b *testing.B, m *meter, pool *pgxpool.Pool, schema string, n, changed int) {
	b.Helper()
	desired := manyDeclared(b, n, 0)
	syncOnce(b, pool, schema, benchScope(), desired)
	*m = meter{}
	syncs := 0
	for b.Loop() {
		b.StopTimer()
		if changed > 0 {
			desired = manyDeclared(b, n, changed)
		}
		b.StartTimer()
		syncOnce(b, pool, schema, benchScope(), desired)
		syncs++
	}
	m.report(b, syncs)
}

// copyScope makes scopes whose rows are as those of the benchmark's.
func copyScope(b *testing.B, pool *pgxpool.Pool, schema string, count int) {
	b.Helper()
	for _, statement := range []string{
		`insert into $schema.scopes (org, app) select 'acme', 'other-' || n from generate_series(1, $1::integer) n`,
		`insert into $schema.leases select o.id, token, owner, since, '-infinity' from $schema.leases, $schema.scopes o where o.app like 'other-%' limit $1`,
		`insert into $schema.commits select o.id, serial, token, oldest, delta, head, records, orphans, unfinished, committed
			from $schema.commits, $schema.scopes o where o.app like 'other-%' limit $1`,
		`insert into $schema.declared select o.id, checksum, kind, name, resource
			from $schema.declared, $schema.scopes o where o.app like 'other-%' limit $1 * 100`,
		`insert into $schema.records select o.id, kind, name, from_serial, until_serial, checksum, part, declared, unfinished, record
			from $schema.records, $schema.scopes o where o.app like 'other-%' limit $1 * 100`,
	} {
		_, err := pool.Exec(b.Context(), strings.ReplaceAll(statement, "$schema", schema), count)
		require.NoError(b, err)
	}
	_, err := pool.Exec(b.Context(), "analyze")
	require.NoError(b, err)
}

// BenchmarkHistory syncs an unchanged declaration at State 10 and, in turn with
// that, a scope that is at State 10,000.
func BenchmarkHistory(b *testing.B) {
	states := syncertest.Soak(10_000)
	m := &meter{}
	pool, schema := benchPool(b, m)
	scopes := map[int]state.Scope{}
	var desired *tusync.Desired
	for _, at := range []int{10, states} {
		scopes[at] = state.Scope{Org: "acme", App: fmt.Sprint("at-", at)}
		backend, err := dbsyncer.New(pool, scopes[at], &dbsyncer.Options{Schema: schema, History: states})
		require.NoError(b, err)
		engine, err := tusync.New(backend, benchKinds(), nil)
		require.NoError(b, err)
		for serial := 1; serial <= at; serial++ {
			desired = manyDeclared(b, 10, serial%2)
			if serial == at {
				desired = manyDeclared(b, 10, 0)
			}
			plan, err := engine.Plan(b.Context(), desired, nil)
			require.NoError(b, err)
			_, err = engine.Apply(b.Context(), plan)
			require.NoError(b, err)
		}
		head, err := backend.Head(b.Context())
		require.NoError(b, err)
		require.EqualValues(b, at, head.Serial)
	}
	took := map[int]time.Duration{}
	for b.Loop() {
		for at, scope := range scopes {
			began := time.Now()
			syncOnce(b, pool, schema, scope, desired)
			took[at] += time.Since(began)
		}
	}
	b.ReportMetric(float64(states), "states")
	b.ReportMetric(took[states].Seconds()/took[10].Seconds(), "cost/cost-at-10")
}

// BenchmarkCreate creates n resources in a fresh scope, planning included, and, in
// turn with that, copies the same rows into the same tables, with nothing else.
func BenchmarkCreate(b *testing.B) {
	for _, n := range shorter(1_000, 10_000, 100_000) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			pool, schema := benchPool(b, &meter{})
			desired := manyDeclared(b, n, 0)
			var synced, copied time.Duration
			round := 0
			for b.Loop() {
				round++
				scope := state.Scope{Org: "acme", App: fmt.Sprint("shop-", round)}
				began := time.Now()
				syncOnce(b, pool, schema, scope, desired)
				synced += time.Since(began)
				copied += copyRows(b, pool, schema, scope)
			}
			b.ReportMetric(synced.Seconds()*1e3/float64(round), "sync-ms")
			b.ReportMetric(copied.Seconds()*1e3/float64(round), "copy-ms")
			b.ReportMetric(synced.Seconds()/copied.Seconds(), "sync/copy")
		})
	}
}

func syncOnce(b *testing.B, db dbsyncer.DB, schema string, scope state.Scope, desired *tusync.Desired) {
	b.Helper()
	backend, err := dbsyncer.New(db, scope, &dbsyncer.Options{Schema: schema})
	require.NoError(b, err)
	engine, err := tusync.New(backend, benchKinds(), nil)
	require.NoError(b, err)
	plan, err := engine.Plan(b.Context(), desired, nil)
	require.NoError(b, err)
	_, err = engine.Apply(b.Context(), plan)
	require.NoError(b, err)
}

// copyRows copies what is stored of a scope to another one, and returns how long
// the CopyFrom took.
func copyRows(b *testing.B, pool *pgxpool.Pool, schema string, scope state.Scope) (took time.Duration) {
	b.Helper()
	var id int64
	ctx := context.Background()
	require.NoError(b, pool.QueryRow(ctx, "insert into "+schema+".scopes (org, app) values ($1, $2) returning id", scope.Org, scope.App+"-copied").Scan(&id))
	tables := map[string][]string{
		"declared": {"scope_id", "checksum", "kind", "name", "resource"},
		"records":  {"scope_id", "from_serial", "kind", "name", "checksum", "part", "declared", "unfinished", "record"},
	}
	all := map[string][][]any{}
	for table, columns := range tables {
		from := strings.Join(columns[1:], ", ")
		rows, err := pool.Query(ctx, "select "+from+" from "+schema+"."+table+" where scope_id = (select id from "+schema+".scopes where org = $1 and app = $2)", scope.Org, scope.App)
		require.NoError(b, err)
		all[table], err = pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) {
			raw := row.RawValues()
			values, err := row.Values()
			if err != nil {
				return nil, err
			}
			values[len(values)-1] = string(raw[len(raw)-1])
			return append([]any{id}, values...), nil
		})
		require.NoError(b, err)
	}
	began := time.Now()
	require.NoError(b, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, table := range []string{"declared", "records"} {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{schema, table}, tables[table], pgx.CopyFromRows(all[table])); err != nil {
				return err
			}
		}
		return nil
	}))
	return time.Since(began)
}
