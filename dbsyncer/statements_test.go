package dbsyncer_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// counter counts statements: it is a pgx.QueryTracer.
type counter struct{ statements int }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.statements++
	return ctx
}

func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// An unchanged sync is one statement. Another one takes as many as its commits do, not
// its changes.
func TestHowManyStatementsASyncTakes(t *testing.T) {
	t.Parallel()
	h, c := newHost(t), &counter{}
	db := dbsyncertest.Pool(t, dbsyncertest.URL(t), func(config *pgxpool.Config) { config.ConnConfig.Tracer = c })
	backend, err := dbsyncer.New(db, shop(), &dbsyncer.Options{Schema: h.schema})
	require.NoError(t, err)
	e := engine(t, backend, &tusync.Options{BatchSize: 100})
	sync := func(mode tusync.FailureMode, sizes ...int) int {
		c.statements = 0
		_, err := apply(t.Context(), e, declare(t, "gadget", sizes...), &tusync.PlanOptions{OnFailure: mode})
		require.NoError(t, err)
		return c.statements
	}
	first := sync(tusync.AllOrNothing, sizes(300)...)
	require.Less(t, first, 30)
	require.Equal(t, 1, sync(tusync.AllOrNothing, sizes(300)...))
	one := sync(tusync.AllOrNothing, sizes(300, 1)...)
	require.Less(t, one, 30)
	require.Equal(t, one, sync(tusync.AllOrNothing, sizes(300, 2)...))
	require.Equal(t, one, sync(tusync.AllOrNothing, make([]int, 300)...), "all of them")
	require.Equal(t, 1, sync(tusync.AllOrNothing, make([]int, 300)...))

	// Each commit takes as many as another one.
	batches := map[int]int{}
	for i, n := range []int{1, 2, 3} {
		batches[n] = sync(tusync.KeepGoing, append(sizes(0), upTo(300, 100*n, i+2)...)...)
	}
	require.Equal(t, batches[3]-batches[2], batches[2]-batches[1])
	require.Less(t, batches[2]-batches[1], 12)
}

// upTo are n sizes, of which the first some are another one.
func upTo(n, some, size int) []int {
	all := make([]int, n)
	for i := range some {
		all[i] = size
	}
	return all
}

// planned collects the plans of all statements that a server carries out, those of
// triggers and foreign keys included: its extension auto_explain tells them.
type planned struct {
	mu    sync.Mutex
	plans []string
}

// configure has a superuser's sessions tell the plans, and go on as a role.
func (p *planned) configure(mode, role string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) {
		c.MaxConns = 4
		c.ConnConfig.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.plans = append(p.plans, notice.Message)
		}
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set client_min_messages = log; set plan_cache_mode = `+mode+`; set role `+role, pgx.QueryExecModeSimpleProtocol)
			return err
		}
	}
}

// take returns the plans since the last call.
func (p *planned) take() (plans []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	plans, p.plans = p.plans, nil
	return plans
}

// In a database with many scopes, records, States and tenants no statement reads a
// table from end to end, with whatever plan: that for its arguments, or that for all;
// nor do the policies that a tenant's statements have in them.
func TestNoStatementReadsATableFromEndToEnd(t *testing.T) {
	t.Parallel()
	const scopes, records = 20, 1000
	server, h, ctx := dbsyncertest.URL(t), newHost(t), t.Context()
	admin := pool(t, server)
	tenant, _ := role(t, server)
	require.NoError(t, dbsyncer.Grant(ctx, admin, h.schema, tenant, "acme"))
	at := h.schema + "."
	template, err := dbsyncer.New(admin, shop(), &dbsyncer.Options{Schema: h.schema})
	require.NoError(t, err)
	for version := range 4 {
		_, err := apply(ctx, engine(t, template, nil), declare(t, "gadget", upTo(records, records/(1+3*version), version)...), nil)
		require.NoError(t, err)
	}
	// Copies of it, without checks that are known to hold, and scopes that are idle.
	execute(t, admin, "insert into "+at+"scopes (org, app, digest_key) select 'acme', 'app ' || n, digest_key from "+at+"scopes, generate_series(1, "+fmt.Sprint(scopes)+") n")
	fill := "set local session_replication_role = replica;"
	for _, table := range []string{"leases", "runs", "commits", "declared", "records"} {
		columns := value(t, admin, "select string_agg(quote_ident(attname), ', ') from pg_attribute where attrelid = '"+at+table+"'::regclass and attnum > 0 and attname <> 'scope_id'")
		fill += "insert into " + at + table + " (scope_id, " + columns + ") select s.id, " + columns + " from " + at + table + " cross join (select id from " + at + "scopes where app like 'app %') s;"
	}
	fill += "update " + at + "commits set head = (head::jsonb || jsonb_build_object('scope', jsonb_build_object('org', s.org, 'app', s.app)))::json from " + at + "scopes s where s.id = scope_id;" +
		"insert into " + at + "scopes (org, app) select org, 'idle ' || n from unnest(array['acme', 'umbrella']) org, generate_series(1, 5000) n;" +
		"insert into " + at + "leases select id, 1, 'me', now(), now() from " + at + "scopes where app like 'idle %';" +
		"insert into " + at + "runs (scope_id, token, owner, began) select id, 1, 'me', now() from " + at + "scopes where app like 'idle %';" +
		"insert into " + at + "commits (scope_id, serial, token, oldest, delta, head, records, orphans, unfinished) select id, 1, 1, 1, sha256(''), '{\"serial\":1}', 0, 0, 0 from " + at + "scopes where app like 'idle %';" +
		"insert into " + at + "tenants select (100000 + n)::oid::regrole, 'acme' from generate_series(1, 5000) n;"
	execute(t, admin, "begin;"+fill+"commit; analyze "+at+strings.Join(append([]string{"tenants"}, tables...), ", "+at))

	for i, c := range []struct{ mode, role string }{
		{"force_custom_plan", "none"}, {"force_generic_plan", "none"},
		{"force_custom_plan", tenant}, {"force_generic_plan", tenant},
	} {
		p := &planned{}
		db := dbsyncertest.Pool(t, server, p.configure(c.mode, c.role))
		scope := state.Scope{Org: "acme", App: fmt.Sprint("app ", i+1)}
		backend, err := dbsyncer.New(db, scope, &dbsyncer.Options{Schema: h.schema})
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(c.role == tenant), value(t, db, "select row_security_active('"+at+"records')"))
		seen := map[string]int{}
		did := func(what string, err error) {
			require.NoError(t, err, what)
			for _, plan := range p.take() {
				seen[what]++
				require.NotRegexp(t, regexp.MustCompile(`Seq Scan on (\w+\.)?(scopes|records|commits|declared|leases|runs|tenants)\b`), plan, "%s, %v", what, c)
			}
			require.NotZero(t, seen[what], "%s has no plan", what)
		}
		_, err = backend.Head(ctx)
		did("Head", err)
		var sums []state.Checksum
		for r, rerr := range backend.Records(ctx) {
			err, sums = rerr, append(sums, r.Checksum)
		}
		did("Records", err)
		require.Len(t, sums, records)
		_, err = backend.Declared(ctx, sums[:3])
		did("Declared of a few", err)
		declared, err := backend.Declared(ctx, sums)
		did("Declared of all", err)
		require.Len(t, declared, records)
		for _, herr := range backend.History(ctx) {
			err = herr
		}
		did("History", err)
		_, at3, err := backend.StateAt(ctx, 3)
		for _, rerr := range at3 {
			err = rerr
		}
		did("StateAt", err)
		_, err = backend.KeepDigestKey(ctx, []byte("0123456789abcdef"))
		did("KeepDigestKey", err)
		tx, _, err := backend.Begin(ctx, "me")
		did("Begin", err)
		_, err = tx.Renew(ctx)
		did("Renew", err)
		holder, err := backend.Holder(ctx)
		did("Holder", err)
		require.NoError(t, tx.Close(ctx))
		did("Close", nil)
		_, err = apply(ctx, engine(t, backend, nil), declare(t, "gadget", upTo(records, 5, 77)...), nil)
		did("a sync of a few changes", err)
		_, err = apply(ctx, engine(t, backend, nil), declare(t, "gadget", upTo(records, records-5, 78)...), nil)
		did("a sync of many changes", err)
		_, err = apply(ctx, engine(t, backend, nil), &tusync.Desired{}, &tusync.PlanOptions{Prune: true, PruneLimit: tusync.LimitPercent(100), AllowEmpty: true})
		did("a sync of deletes", err)
		err = backend.Unlock(ctx, holder)
		did("Unlock", err)
		err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			execute(t, tx, "set local role none") // a trigger calls it, as the tables' owner
			_, err := tx.Exec(ctx, "select "+at+"forget(id, 5) from "+at+"scopes where org = $1 and app = $2", scope.Org, scope.App)
			return err
		})
		did("forget", err)
		require.Greater(t, seen["forget"], 3, "with the statements in it")
		require.Greater(t, seen["Begin"], 5)
		var commits int
		require.NoError(t, admin.QueryRow(ctx, "select count(*) from "+at+"commits c join "+at+"scopes s on s.id = c.scope_id where s.org = $1 and s.app = $2", scope.Org, scope.App).Scan(&commits))
		require.Equal(t, 3, commits)
		require.False(t, strings.Contains(strings.Join(p.take(), ""), "Seq Scan"))
	}
}
