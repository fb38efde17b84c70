package dbsyncer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// tables are those that hold what is recorded of scopes.
var tables = []string{"scopes", "leases", "commits", "declared", "records", "runs"} //nolint:gochecknoglobals // a list that never changes

// everything is every row of every table, for whoever may see all.
func everything(t testing.TB, schema string) string {
	t.Helper()
	var all strings.Builder
	for _, table := range append([]string{"tenants", "migrations"}, tables...) {
		fmt.Fprintln(&all, table, value(t, pool(t, dbsyncertest.URL(t)), "select json_agg(t order by t::text) from "+schema+"."+table+" t"))
	}
	return all.String()
}

// tenancy is a schema with a scope of acme and one of umbrella, and a pool of a role
// that was granted acme.
func tenancy(t testing.TB) (schema string, acme, umbrella state.Scope, tenant *pgxpool.Pool) {
	t.Helper()
	server := dbsyncertest.URL(t)
	schema = dbsyncertest.Schema(t, server)
	require.NoError(t, dbsyncer.Migrate(t.Context(), pool(t, server), schema))
	name, own := role(t, server)
	require.NoError(t, dbsyncer.Grant(t.Context(), pool(t, server), schema, name, "acme"))
	require.NoError(t, dbsyncer.Grant(t.Context(), pool(t, server), schema, name, "acme"), "twice")
	acme, umbrella = state.Scope{Org: "acme", App: "shop"}, state.Scope{Org: "umbrella", App: "shop"}
	for _, scope := range []state.Scope{acme, umbrella} {
		for size := range 3 {
			backend, err := dbsyncer.New(pool(t, server), scope, &dbsyncer.Options{Schema: schema})
			require.NoError(t, err)
			_, err = apply(t.Context(), engine(t, backend, nil), declare(t, "gadget", size, 1), nil)
			require.NoError(t, err)
		}
	}
	return schema, acme, umbrella, dbsyncertest.Pool(t, own, nil)
}

func TestATenantSeesAndChangesNothingOfOthersBySQL(t *testing.T) {
	t.Parallel()
	schema, _, _, tenant := tenancy(t)
	admin := pool(t, dbsyncertest.URL(t))
	ours, theirs := value(t, admin, "select id from "+schema+".scopes where org = 'acme'"), value(t, admin, "select id from "+schema+".scopes where org = 'umbrella'")
	execute(t, admin, `update `+schema+`.records set unfinished = true, record = (record::jsonb || '{"pending":[{"op":"update","serial":1}]}')::json where until_serial is null`)
	before := everything(t, schema)

	// What is seen is one's own.
	for _, table := range tables {
		column := "scope_id"
		if table == "scopes" {
			column = "id"
		}
		require.Equal(t, ours, value(t, tenant, "select string_agg(distinct "+column+"::text, ' ') from "+schema+"."+table), table)
	}
	require.Equal(t, "acme", value(t, tenant, "select string_agg(distinct org, ' ') from "+schema+".pending"))
	require.Equal(t, "{acme}", value(t, tenant, "select "+schema+".my_orgs()"))

	// What is tried on what is another's is refused, or finds nothing.
	for _, sql := range []string{
		"select from $s.tenants",
		"insert into $s.tenants values (quote_ident(current_user)::regrole, 'umbrella')",
		"insert into $s.scopes (org, app) values ('umbrella', 'new')",
		"insert into $s.scopes (org, app) values ('umbrella', 'shop') on conflict do nothing",
		"insert into $s.scopes (org, app) values ('umbrella', 'shop') on conflict (org, app) do update set digest_key = 'ours'",
		"insert into $s.scopes (id, org, app) overriding system value values (1000, 'acme', 'id')",
		"update $s.scopes set org = 'umbrella'",
		"update $s.scopes set digest_key = 'ours' where org = 'umbrella'",
		"update $s.scopes set digest_key = 'ours' where id = $theirs",
		"delete from $s.scopes",
		"insert into $s.leases values ($theirs, 1000, 'us', now(), 'infinity')",
		"insert into $s.leases values ($theirs, 1, 'us', now(), 'infinity') on conflict do nothing",
		"insert into $s.leases values ($theirs, 1, 'us', now(), 'infinity') on conflict (scope_id) do update set token = 1000, expires = 'infinity'",
		"update $s.leases set expires = 'infinity' where scope_id = $theirs",
		"update $s.leases set scope_id = $theirs",
		"delete from $s.leases",
		"insert into $s.commits select $theirs, serial + 10, token, oldest, delta, json_build_object('serial', serial + 10), 0, 0, 0 from $s.commits",
		"update $s.commits set head = head",
		"delete from $s.commits",
		"insert into $s.declared select $theirs, checksum, kind, 'stolen', resource from $s.declared",
		"update $s.declared set scope_id = $theirs",
		"delete from $s.declared",
		"insert into $s.records select $theirs, kind, 'stolen', from_serial, null, null, part, declared, unfinished, record from $s.records",
		"update $s.records set scope_id = $theirs",
		"update $s.records set until_serial = 1000 where scope_id = $theirs",
		"delete from $s.records",
		"insert into $s.runs (scope_id, token, owner, began) values ($theirs, 1000, 'us', now())",
		"update $s.runs set result = 'failed', error = 'ours' where scope_id = $theirs",
		"delete from $s.runs",
		"insert into $s.migrations values (2, 'ours')",
		"truncate $s.records",
		"truncate $s.commits cascade",
		"drop table $s.runs",
		"alter table $s.records disable row level security",
		"drop policy own_org on $s.records",
		"create policy all_orgs on $s.records using (true)",
		"create table $s.mine ()",
		"select $s.forget($theirs, 1000)",
		"create temp table t (scope_id bigint, oldest bigint); create trigger t after insert on t for each row execute function $s.forget()",
		"set role postgres",
		"select set_config('role', 'postgres', false)",
		"set session authorization postgres",
		"alter function $s.my_orgs() security invoker",
		"create or replace function $s.my_orgs() returns text[] language sql return array['umbrella']",
		// Nobody else's row is there to be locked; and no table, for others.
		"select from $s.leases where scope_id = $theirs for update",
		"select from $s.leases where scope_id = $theirs for key share",
		"lock table $s.leases in share mode",
		"lock table $s.records in access exclusive mode",
		"lock table $s.commits in share row exclusive mode",
		"lock table $s.scopes in exclusive mode",
		"lock table $s.declared in share mode",
		"lock table $s.runs in share mode",
		"lock table $s.migrations in row exclusive mode",
	} {
		sql = strings.NewReplacer("$s", schema, "$theirs", theirs).Replace(sql)
		var done pgconn.CommandTag
		err := pgx.BeginFunc(t.Context(), tenant, func(tx pgx.Tx) (err error) {
			done, err = tx.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
			return err
		})
		if err == nil {
			require.Zero(t, done.RowsAffected(), sql)
			require.True(t, done.Select() || done.Update() || done.Insert(), sql)
		} else {
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused, sql)
			require.Contains(t, []string{"42501", "428C9"}, refused.Code, "%s: %v", sql, err) // insufficient_privilege, generated_always
		}
	}
	require.Equal(t, before, everything(t, schema))

	// Settings don't matter, nor what a search for cheap conditions might show.
	for _, setting := range []string{"row_security = off", "search_path = pg_temp", "session_replication_role = replica", "trueup.org = 'umbrella'"} {
		tx, err := tenant.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), "set local "+setting)
		if err == nil {
			var seen int
			err = tx.QueryRow(t.Context(), "select count(*) from "+schema+".scopes where org <> 'acme'").Scan(&seen)
			require.Zero(t, seen, setting)
		}
		if err != nil {
			require.True(t, isDenied(err), "%s: %v", setting, err)
		}
		require.NoError(t, tx.Rollback(t.Context()))
	}
	execute(t, tenant, "create function pg_temp.spy(text) returns boolean language plpgsql cost 0.0001 as 'begin if $1 = ''umbrella'' then raise ''seen''; end if; return true; end'; select from "+schema+".scopes where pg_temp.spy(org)")
}

func isDenied(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "42501"
}

func TestATenantSeesAndChangesNothingOfOthersByABackend(t *testing.T) {
	t.Parallel()
	schema, acme, umbrella, tenant := tenancy(t)
	ctx, opts := t.Context(), &dbsyncer.Options{Schema: schema}
	owners, err := dbsyncer.New(pool(t, dbsyncertest.URL(t)), umbrella, opts)
	require.NoError(t, err)
	tx, _, err := owners.Begin(ctx, "umbrella")
	require.NoError(t, err)
	before := everything(t, schema)

	theirs, err := dbsyncer.New(tenant, umbrella, opts)
	require.NoError(t, err)
	head, err := theirs.Head(ctx)
	require.NoError(t, err)
	require.Zero(t, head.Serial)
	for r, err := range theirs.Records(ctx) {
		require.Fail(t, "a record is seen", "%v %v", r.Key, err)
	}
	for head, err := range theirs.History(ctx) {
		require.Fail(t, "a State is seen", "%v %v", head.Serial, err)
	}
	_, _, err = theirs.StateAt(ctx, 1)
	require.ErrorIs(t, err, tusync.ErrNoState)
	var sums []state.Checksum
	for r, err := range owners.Records(ctx) {
		require.NoError(t, err)
		sums = append(sums, r.Checksum)
	}
	declared, err := theirs.Declared(ctx, sums)
	require.NoError(t, err)
	require.Empty(t, declared)
	key, err := theirs.DigestKey(ctx)
	require.NoError(t, err)
	require.Nil(t, key)
	holder, err := theirs.Holder(ctx)
	require.NoError(t, err)
	require.Nil(t, holder)
	holder, err = owners.Holder(ctx)
	require.NoError(t, err)
	require.NoError(t, theirs.Unlock(ctx, holder), "it finds nothing")
	for what, err := range calls(t, theirs) {
		if what == "Begin" || what == "KeepDigestKey" {
			var denied *dbsyncer.Error
			require.ErrorAs(t, err, &denied, what)
			require.Equal(t, dbsyncer.Denied, denied.Problem)
			require.ErrorContains(t, err, "another org's")
		}
	}
	require.Equal(t, before, everything(t, schema))
	_, err = tx.Renew(ctx)
	require.NoError(t, err, "the lease is still the owner's")
	require.NoError(t, tx.Close(ctx))

	ours, err := dbsyncer.New(tenant, acme, opts)
	require.NoError(t, err)
	_, err = apply(ctx, engine(t, ours, nil), declare(t, "gadget", 7, 8, 9), nil)
	require.NoError(t, err)
	anew, err := dbsyncer.New(tenant, state.Scope{Org: "acme", App: "new"}, opts)
	require.NoError(t, err)
	_, err = apply(ctx, engine(t, anew, nil), declare(t, "gadget", 7), nil)
	require.NoError(t, err)

	require.NoError(t, dbsyncer.Revoke(ctx, pool(t, dbsyncertest.URL(t)), schema, tenant.Config().ConnConfig.User, "acme"))
	head, err = ours.Head(ctx)
	require.NoError(t, err)
	require.Zero(t, head.Serial)
}

// A tenant's long transaction is in nobody else's way, nor is a scope that it makes.
func TestATenantStandsInNobodysWay(t *testing.T) {
	t.Parallel()
	schema, _, umbrella, tenant := tenancy(t)
	tx, err := tenant.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }) // or it is over
	execute(t, tx, "insert into "+schema+".scopes (org, app) values ('acme', 'long')")
	execute(t, tx, "lock table "+schema+".leases, "+schema+".records, "+schema+".commits, "+schema+".declared, "+schema+".runs in row exclusive mode")
	for _, table := range tables {
		execute(t, tx, "lock table "+schema+"."+table+" in access share mode")
	}
	execute(t, tx, "update "+schema+".leases set expires = 'infinity'")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	backend, err := dbsyncer.New(pool(t, dbsyncertest.URL(t)), umbrella, &dbsyncer.Options{Schema: schema})
	require.NoError(t, err)
	_, err = apply(ctx, engine(t, backend, nil), declare(t, "gadget", 7, 8, 9), nil)
	require.NoError(t, err)
	backend, err = dbsyncer.New(pool(t, dbsyncertest.URL(t)), state.Scope{Org: "umbrella", App: "new"}, &dbsyncer.Options{Schema: schema})
	require.NoError(t, err)
	_, err = apply(ctx, engine(t, backend, nil), declare(t, "gadget", 7), nil)
	require.NoError(t, err)
}

// A role that stands behind a pooler's user is the one that counts.
func TestATenantIsWhoeverTheRoleIsSetTo(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.URL(t)
	schema, acme, umbrella, _ := tenancy(t)
	odd := unmade(t, `Od"d role `)
	execute(t, pool(t, server), "create role "+pgx.Identifier{odd}.Sanitize())
	t.Cleanup(func() {
		_, err := pool(t, server).Exec(context.WithoutCancel(t.Context()), "drop owned by "+pgx.Identifier{odd}.Sanitize()+"; drop role "+pgx.Identifier{odd}.Sanitize(), pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
	})
	require.NoError(t, dbsyncer.Grant(t.Context(), pool(t, server), schema, odd, "acme"))
	pooler := dbsyncertest.Pool(t, dbsyncertest.Bouncer(t, server), func(c *pgxpool.Config) {
		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	})
	for _, c := range []struct {
		scope state.Scope
		sees  int64
	}{{acme, 3}, {umbrella, 0}} {
		tx, err := pooler.Begin(t.Context())
		require.NoError(t, err)
		execute(t, tx, "set local role "+pgx.Identifier{odd}.Sanitize())
		backend, err := dbsyncer.New(tx, c.scope, &dbsyncer.Options{Schema: schema})
		require.NoError(t, err)
		head, err := backend.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, c.sees, head.Serial)
		_, err = apply(t.Context(), engine(t, backend, nil), declare(t, "gadget", 7, 8, 9), nil)
		if c.sees == 0 {
			var denied *dbsyncer.Error
			require.ErrorAs(t, err, &denied)
			require.NoError(t, tx.Rollback(t.Context()))
		} else {
			require.NoError(t, err)
			require.NoError(t, tx.Commit(t.Context()))
		}
	}
	require.Equal(t, "4", value(t, pooler, "select max(serial) from "+schema+".commits"))
}

func TestGrants(t *testing.T) {
	t.Parallel()
	schema, _, _, tenant := tenancy(t)
	server, ctx := pool(t, dbsyncertest.URL(t)), t.Context()
	name := tenant.Config().ConnConfig.User

	// Many at once don't stand in each other's way.
	errs := make(chan error)
	for n := range 8 {
		go func() { errs <- dbsyncer.Grant(ctx, server, schema, name, fmt.Sprint("org ", n)) }()
	}
	for range 8 {
		require.NoError(t, <-errs)
	}
	require.Equal(t, "9", value(t, tenant, "select cardinality("+schema+".my_orgs())"))
	require.NoError(t, dbsyncer.Revoke(ctx, server, schema, name, "org 1"))
	require.Equal(t, "8", value(t, tenant, "select cardinality("+schema+".my_orgs())"))

	// A role is not one that had its name before.
	execute(t, server, "drop owned by "+name+"; drop role "+name+"; create role "+name+" login password '"+name+"'")
	require.NoError(t, dbsyncer.Grant(ctx, server, schema, name, "umbrella"))
	tenant.Reset()
	require.Equal(t, "{umbrella}", value(t, tenant, "select "+schema+".my_orgs()"))

	var missing *dbsyncer.Error
	require.ErrorAs(t, dbsyncer.Grant(ctx, server, schema, "no such role", "acme"), &missing)
	require.NoError(t, dbsyncer.Revoke(ctx, server, schema, "no such role", "acme"))
}

// Every table but that of migrations is guarded, and tenants may do no more with it
// than a Backend does.
func TestEveryTableHasAPolicy(t *testing.T) {
	t.Parallel()
	server := pool(t, dbsyncertest.URL(t))
	schema, _, _, tenant := tenancy(t)
	at := "'" + schema + "'::regnamespace"
	require.Equal(t, "migrations", value(t, server, "select string_agg(relname, ' ') from pg_class where relnamespace = "+at+" and relkind in ('r', 'p', 'm', 'f') and not relrowsecurity"))
	require.Equal(t, "commits declared leases records runs scopes", value(t, server, "select string_agg(tablename, ' ' order by tablename) from pg_policies where schemaname = '"+schema+"'"))
	require.Equal(t, "pending security_invoker=true", value(t, server, "select string_agg(relname || ' ' || array_to_string(reloptions, ' '), '; ') from pg_class where relnamespace = "+at+" and relkind = 'v'"))
	require.Empty(t, value(t, server, `select string_agg(distinct c.relname, ' ') from pg_class c
		where c.relnamespace = `+at+` and has_table_privilege('`+tenant.Config().ConnConfig.User+`', c.oid, 'update, delete, truncate, references, trigger')`))
	require.Equal(t, "my_orgs", value(t, server, `select string_agg(distinct p.proname, ' ') from pg_proc p
		where p.pronamespace = `+at+` and has_function_privilege('`+tenant.Config().ConnConfig.User+`', p.oid, 'execute')`))
}

// On what is its own org's a tenant can do all that there is.
func TestConformanceAsATenant(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.URL(t)
	name, own := role(t, server)
	s := suite(t, dbsyncertest.URL, "default_query_exec_mode=exec")
	made := s.New
	s.New = func(t testing.TB) string {
		_, schema, _ := strings.Cut(made(t), " ")
		// The orgs of all tests; a scope of another one is not for this role.
		for _, org := range []string{"acme", "acme2", "shop", "a", "a.b", "ünï 🙂", "ACME"} {
			require.NoError(t, dbsyncer.Grant(t.Context(), pool(t, server), schema, name, org))
		}
		return with(own, "default_query_exec_mode=exec") + " " + schema
	}
	t.Run("suite", func(t *testing.T) { syncertest.Run(t, s) }) // its end is waited for before the role is dropped
}
