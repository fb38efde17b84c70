package dbsyncer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
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
)

// as returns a URL with another user and password.
func as(t testing.TB, address, user, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.User = url.UserPassword(user, password)
	return u.String()
}

// What is wrong is told as an error of a type, with what to do about it, and
// without a password.
func TestErrors(t *testing.T) {
	t.Parallel()
	const password = "pass-word-1"
	server := dbsyncertest.URL(t)
	for name, c := range map[string]struct {
		db      func(t *testing.T, h *host) dbsyncer.DB
		problem dbsyncer.Problem
		code    string
		hint    string
		reads   bool // all that is read is read nevertheless
	}{
		"a server that isn't there": {
			db: func(t *testing.T, _ *host) dbsyncer.DB {
				return dbsyncertest.Pool(t, "postgres://ann:"+password+"@127.0.0.1:1/shop", nil)
			},
			problem: dbsyncer.Unreachable, hint: "check the address",
		},
		"a wrong password": {
			db: func(t *testing.T, _ *host) dbsyncer.DB {
				return dbsyncertest.Pool(t, as(t, server, "ann", password), nil)
			},
			problem: dbsyncer.Denied, code: "28P01", hint: "check the user and the password",
		},
		"a missing database": {
			db: func(t *testing.T, _ *host) dbsyncer.DB {
				return dbsyncertest.Pool(t, server, func(c *pgxpool.Config) { c.ConnConfig.Database = "no_such_database" })
			},
			problem: dbsyncer.Missing, code: "3D000", hint: "create it",
		},
		"a server that only reads": {
			db: func(t *testing.T, _ *host) dbsyncer.DB {
				return dbsyncertest.Pool(t, server, func(c *pgxpool.Config) {
					c.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
				})
			},
			problem: dbsyncer.ReadOnly, code: "25006", hint: "primary", reads: true,
		},
		"no rights": {
			db: func(t *testing.T, _ *host) dbsyncer.DB {
				_, own := role(t, server)
				return dbsyncertest.Pool(t, own, nil)
			},
			problem: dbsyncer.Denied, code: "42501", hint: "lacks a right",
		},
		"no rights but to read": {
			db: func(t *testing.T, h *host) dbsyncer.DB {
				name, own := role(t, server)
				execute(t, pool(t, server), "grant usage on schema "+h.schema+" to "+name+"; grant select on all tables in schema "+h.schema+" to "+name)
				return dbsyncertest.Pool(t, own, nil)
			},
			problem: dbsyncer.Denied, code: "42501", hint: "lacks a right", reads: true,
		},
		"too many connections": {
			db: func(t *testing.T, _ *host) dbsyncer.DB {
				name, own := role(t, server)
				execute(t, pool(t, server), "alter role "+name+" connection limit 0")
				return dbsyncertest.Pool(t, own, nil)
			},
			problem: dbsyncer.Overloaded, code: "53300", hint: "pooler",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			backend, err := dbsyncer.New(c.db(t, h), shop(), h.options())
			require.NoError(t, err)
			for call, err := range calls(t, backend) {
				if c.reads && call != "Begin" && call != "KeepDigestKey" {
					require.NoError(t, err, call)
					continue
				}
				var own *dbsyncer.Error
				require.ErrorAs(t, err, &own, call)
				require.Equal(t, c.problem, own.Problem, call)
				require.Equal(t, c.code, own.Code, call)
				require.Contains(t, own.Hint, c.hint)
				require.ErrorContains(t, err, "acme/shop")
				retryable := c.problem == dbsyncer.Unreachable || c.problem == dbsyncer.Overloaded
				require.Equal(t, retryable, tusync.Retryable(err), call)
				requireDiscreet(t, err, password)
			}
		})
	}
}

// calls calls everything that a Backend has.
func calls(t *testing.T, b *dbsyncer.Backend) map[string]error {
	t.Helper()
	ctx, errs := t.Context(), map[string]error{}
	_, errs["Head"] = b.Head(ctx)
	for _, err := range b.Records(ctx) {
		errs["Records"] = err
	}
	for _, err := range b.History(ctx) {
		errs["History"] = err
	}
	_, errs["Declared"] = b.Declared(ctx, []state.Checksum{state.Sum(nil)})
	_, errs["Holder"] = b.Holder(ctx)
	_, errs["DigestKey"] = b.DigestKey(ctx)
	_, errs["KeepDigestKey"] = b.KeepDigestKey(ctx, []byte("0123456789abcdef"))
	if _, _, errs["StateAt"] = b.StateAt(ctx, 1); errors.Is(errs["StateAt"], tusync.ErrNoState) {
		errs["StateAt"] = nil
	}
	tx, _, err := b.Begin(ctx, "me")
	errs["Begin"] = err
	if err == nil {
		require.NoError(t, tx.Close(ctx))
	}
	return errs
}

// requireDiscreet fails if an error, or what it wraps, holds one of these texts,
// rows, or the configuration of a connection.
func requireDiscreet(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		return
	}
	for _, text := range append(texts, secret) {
		require.NotContains(t, err.Error(), text)
	}
	switch e := err.(type) { //nolint:errorlint // it is unwrapped below
	case *pgconn.ConnectError:
		require.Fail(t, "an error with a configuration in it")
	case *pgconn.PgError:
		require.Empty(t, e.Detail+e.Where+e.InternalQuery)
	}
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		requireDiscreet(t, e.Unwrap(), texts...)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			requireDiscreet(t, err, texts...)
		}
	}
}

// What a server quotes of rows and statements, beside its message, is in no error and
// isn't stored.
func TestErrorsHoldNoRows(t *testing.T) {
	t.Parallel()
	for part, raises := range map[string]string{
		"the detail":    "raise 'refused' using detail = '" + secret + "'",
		"the context":   "execute 'select 1 / 0 -- " + secret + "'",
		"its own query": "execute 'selec -- " + secret + "'",
	} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			h, db := newHost(t), pool(t, dbsyncertest.URL(t))
			execute(t, db, "create function "+h.schema+".refuse() returns trigger language plpgsql as $$ begin "+raises+"; return null; end $$;"+
				"create trigger refuse after insert on "+h.schema+".records for each row execute function "+h.schema+".refuse()")
			_, err := apply(t.Context(), h.engine(t, db, shop(), nil), declare(t, "gadget", 1), nil)
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused)
			requireDiscreet(t, err)
			require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, refused), secret)
			for name, row := range stored(t, dbsyncertest.URL(t)+" "+h.schema) {
				require.NotContains(t, string(row), secret, name)
			}
		})
	}
}

// A schema that is not as this package knows it is told by name, with both versions
// where they are known.
func TestSchemaErrors(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.URL(t)
	for name, c := range map[string]struct {
		sql     string
		version int
		says    string
		calls   []string // that fail
	}{
		"no schema": {"drop schema $schema cascade", 0, "call dbsyncer.Migrate",
			[]string{"Head", "Records", "History", "Declared", "Holder", "DigestKey", "KeepDigestKey", "StateAt", "Begin"}},
		"no tables":         {"drop schema $schema cascade; create schema $schema", 0, "call dbsyncer.Migrate", []string{"Head", "Begin"}},
		"a missing table":   {"drop table $schema.records cascade", 0, "call dbsyncer.Migrate", []string{"Records"}},
		"a missing column":  {"alter table $schema.runs drop column result cascade", 0, "call dbsyncer.Migrate", []string{"Begin"}},
		"no migrations":     {"delete from $schema.migrations", 0, "call dbsyncer.Migrate", []string{"Head", "Begin"}},
		"a newer migration": {"insert into $schema.migrations values (2, 'more')", 2, "upgrade the program", []string{"Head", "Begin"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			execute(t, pool(t, server), strings.ReplaceAll(c.sql, "$schema", h.schema))
			backend, err := dbsyncer.New(pool(t, server), shop(), h.options())
			require.NoError(t, err)
			errs := calls(t, backend)
			for _, call := range c.calls {
				var wrong *dbsyncer.SchemaError
				require.ErrorAs(t, errs[call], &wrong, call)
				require.Equal(t, `"`+h.schema+`"`, wrong.Schema)
				require.Equal(t, c.version, wrong.Version)
				require.Equal(t, dbsyncer.Version(), wrong.Want)
				require.ErrorContains(t, errs[call], c.says)
				require.ErrorContains(t, errs[call], h.schema)
				require.False(t, tusync.Retryable(errs[call]))
				requireDiscreet(t, errs[call])
			}
		})
	}
	older := &dbsyncer.SchemaError{Schema: "trueup", Version: 1, Want: 2}
	require.EqualError(t, older, "the schema trueup is of version 1, and this program needs version 2: call dbsyncer.Migrate")
}

// Wherever the connection breaks, a sync goes on by itself, and the host's rows
// and the State are there together, once.
func TestADroppedConnectionIsGotOver(t *testing.T) {
	t.Parallel()
	server, h := dbsyncertest.URL(t), newHost(t)
	sync := func(t *testing.T, app string, step func(n int)) int {
		own := dbsyncertest.Pool(t, server, func(c *pgxpool.Config) {
			c.MaxConns = 2
			c.ConnConfig.RuntimeParams["application_name"] = h.schema + app
		})
		steps := 0
		db := stepping{own, func() {
			if steps++; steps%2 == 1 { // before a statement
				step(steps / 2)
			}
		}}
		scope := state.Scope{Org: "acme", App: app}
		e := h.engine(t, db, scope, &tusync.Options{Retries: 5, BatchSize: 2})
		result, err := apply(t.Context(), e, declare(t, "widget", 1, 2, 3, 4, 5), nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, result.Head.Serial)
		admin, at := pool(t, server), h.schema+"."
		require.Equal(t, "5", value(t, admin, "select count(*) from "+at+"records r join "+at+"scopes s on s.id = r.scope_id where s.app = $1", app))
		require.Equal(t, "5", value(t, admin, "select count(*) from "+at+"widgets where id in (select record ->> 'id' from "+at+"records r join "+at+"scopes s on s.id = r.scope_id where s.app = $1)", app))
		require.Equal(t, "1", value(t, admin, "select count(*) from "+at+"states where app = $1", app))
		require.Equal(t, "done", value(t, admin, "select result from "+at+"runs r join "+at+"scopes s on s.id = r.scope_id where s.app = $1 order by token desc limit 1", app))
		return steps / 2
	}
	steps := sync(t, "undisturbed", func(int) {})
	require.Greater(t, steps, 20)
	for at := range steps {
		t.Run(fmt.Sprint("statement ", at), func(t *testing.T) {
			t.Parallel()
			app, ended := fmt.Sprint("broken-at-", at), false
			sync(t, app, func(n int) {
				if n == at && !ended {
					ended = true
					execute(t, pool(t, server), "select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = $1", h.schema+app)
				}
			})
		})
	}
}

// deaf loses the answer to the nth commit of a transaction.
type deaf struct {
	dbsyncer.DB

	commits *atomic.Int32
	nth     int32
}

func (d deaf) Begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := d.DB.Begin(ctx)
	return deafTx{tx, d}, err
}

type deafTx struct {
	pgx.Tx

	deaf deaf
}

func (d deafTx) Commit(ctx context.Context) error {
	err := d.Tx.Commit(ctx)
	if d.deaf.commits.Add(1) == d.deaf.nth {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	return err
}

func TestACommitWhoseAnswerIsLostCountsOnce(t *testing.T) {
	t.Parallel()
	server, h := dbsyncertest.URL(t), newHost(t)
	for nth, what := range []string{"nothing", "Begin", "Commit"} {
		scope := state.Scope{Org: "acme", App: what}
		e := h.engine(t, deaf{pool(t, server), new(atomic.Int32), int32(nth)}, scope, nil)
		h.calls = nil
		result, err := apply(t.Context(), e, declare(t, "widget", 1, 2), nil)
		require.NoError(t, err, what)
		require.EqualValues(t, 1, result.Head.Serial, what)
		require.Equal(t, []int{2}, h.calls, what)
		require.Equal(t, "1", value(t, pool(t, server), "select count(*) from "+h.schema+".states where app = $1", what))
	}
}

// What was committed is committed, even if the lease was taken away before the answer
// was asked for again.
func TestACommitWhoseAnswerIsLostAndThenItsLease(t *testing.T) {
	t.Parallel()
	h, db, ctx := newHost(t), pool(t, dbsyncertest.URL(t)), t.Context()
	backend, err := dbsyncer.New(deaf{db, new(atomic.Int32), 2}, shop(), &dbsyncer.Options{Schema: h.schema})
	require.NoError(t, err)
	tx, head, err := backend.Begin(ctx, "me")
	require.NoError(t, err)
	head.Serial++
	head, err = state.Seal(head, nil)
	require.NoError(t, err)
	_, err = tx.Commit(ctx, state.Delta{Head: head})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	holder, err := backend.Holder(ctx)
	require.NoError(t, err)
	require.NoError(t, backend.Unlock(ctx, holder))
	committed, err := tx.Commit(ctx, state.Delta{Head: head})
	require.NoError(t, err)
	require.EqualValues(t, 1, committed.Serial)
	head.Serial++
	_, err = tx.Commit(ctx, state.Delta{Head: head})
	require.ErrorIs(t, err, tusync.ErrLeaseLost)
}

// The server ends a transaction of ours whose client says nothing for as long as a
// lease lasts; and a host's own transaction is as the host has set it.
func TestAHolderThatHangsInACommitLosesIt(t *testing.T) {
	t.Parallel()
	h, db, ctx := newHost(t), pool(t, dbsyncertest.URL(t)), t.Context()
	var timeout, isolation string
	look := func(ctx context.Context, tx pgx.Tx, _ state.Head) error {
		return tx.QueryRow(ctx, "select current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_isolation')").Scan(&timeout, &isolation)
	}
	sync := func(db dbsyncer.DB, size int) {
		backend, err := dbsyncer.New(db, shop(), &dbsyncer.Options{Schema: h.schema, OnCommit: look})
		require.NoError(t, err)
		_, err = apply(ctx, engine(t, backend, nil), declare(t, "gadget", size), nil)
		require.NoError(t, err)
	}
	sync(db, 1)
	require.Equal(t, tusync.LeaseTTL.String(), timeout)
	require.Equal(t, "read committed", isolation)
	tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	sync(tx, 2)
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, "0", timeout)
	require.Equal(t, "repeatable read", isolation)
}

// Nobody waits for a commit that hangs, to take its lease away.
func TestAnUnlockDoesNotWaitForACommit(t *testing.T) {
	t.Parallel()
	h, db, ctx := newHost(t), pool(t, dbsyncertest.URL(t)), t.Context()
	var backend *dbsyncer.Backend
	backend, err := dbsyncer.New(db, shop(), &dbsyncer.Options{Schema: h.schema, OnCommit: func(ctx context.Context, _ pgx.Tx, _ state.Head) error {
		holder, err := backend.Holder(ctx)
		if err != nil {
			return err
		}
		err = backend.Unlock(ctx, holder)
		if !tusync.Retryable(err) {
			return fmt.Errorf("it is unlocked: %w", err)
		}
		return nil
	}})
	require.NoError(t, err)
	_, err = apply(ctx, engine(t, backend, nil), declare(t, "gadget", 1), nil)
	require.NoError(t, err)
}

// From a commit that has found that it holds the lease nobody takes it away, even if
// what it does first takes long: to apply again what was lost.
func TestACommitLocksTheLeaseBeforeItWrites(t *testing.T) {
	t.Parallel()
	h, ctx := newHost(t), t.Context()
	var backend *dbsyncer.Backend
	calls := 0
	opts := h.options()
	opts.Mappers["widget"] = mapper{apply: func(changes []diff.Change) ([]tusync.Outcome, error) {
		switch calls++; calls {
		case 2:
			return nil, &pgconn.PgError{Code: "40001"} // serialization_failure: all before is lost
		case 3: // in the commit
			holder, err := backend.Holder(ctx)
			if err != nil {
				return nil, err
			}
			if err := backend.Unlock(ctx, holder); !tusync.Retryable(err) {
				return nil, fmt.Errorf("it is unlocked: %w", err)
			}
		}
		return make([]tusync.Outcome, len(changes)), nil
	}}
	backend, err := dbsyncer.New(pool(t, dbsyncertest.URL(t)), shop(), opts)
	require.NoError(t, err)
	tx, head, err := backend.Begin(ctx, "me")
	require.NoError(t, err)
	_, err = tx.Apply(ctx, []diff.Change{createOf("widget", "first")})
	require.NoError(t, err)
	_, err = tx.Apply(ctx, []diff.Change{createOf("widget", "second")})
	require.True(t, tusync.Retryable(err), "%v", err)
	_, err = tx.Commit(ctx, deltaOf(t, head, declare(t, "gadget", 1)))
	require.NoError(t, err)
	require.Equal(t, 3, calls)
	require.NoError(t, tx.Close(ctx))
}

// A pooler gives a connection to anybody as soon as a transaction is over.
func TestNoSettingOutlastsATransaction(t *testing.T) {
	t.Parallel()
	h, ctx := newHost(t), t.Context()
	db := dbsyncertest.Pool(t, dbsyncertest.URL(t), func(c *pgxpool.Config) { c.MaxConns = 1 })
	backend, err := dbsyncer.New(db, shop(), h.options())
	require.NoError(t, err)
	_, err = apply(ctx, engine(t, backend, nil), declare(t, "widget", 1), nil)
	require.NoError(t, err)
	require.Empty(t, value(t, db, "select string_agg(name, ' ') from pg_settings where source = 'session' and name not like 'transaction%'"))
}

// A lease that was taken, and the answer lost, is for whoever asked for it to take
// again: for the same owner, by the same Backend.
func TestALeaseWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	h, db, ctx := newHost(t), pool(t, dbsyncertest.URL(t)), t.Context()
	backend, err := dbsyncer.New(deaf{db, new(atomic.Int32), 1}, shop(), h.options())
	require.NoError(t, err)
	_, _, err = backend.Begin(ctx, "me")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	var locked *tusync.LockedError
	_, _, err = backend.Begin(ctx, "somebody else")
	require.ErrorAs(t, err, &locked)
	require.Equal(t, "me", locked.Owner)
	elsewhere, err := dbsyncer.New(db, shop(), h.options())
	require.NoError(t, err)
	_, _, err = elsewhere.Begin(ctx, "me")
	require.ErrorIs(t, err, tusync.ErrLocked)

	tx, head, err := backend.Begin(ctx, "me")
	require.NoError(t, err)
	_, _, err = backend.Begin(ctx, "me")
	require.ErrorIs(t, err, tusync.ErrLocked, "it is held now")
	_, err = tx.Commit(ctx, deltaOf(t, head, declare(t, "gadget", 1)))
	require.NoError(t, err)
	require.NoError(t, tx.Close(ctx))
}

// A commit that is repeated, since its answer was lost, is what the next one builds on.
func TestCommitsAfterOneWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	h, ctx := newHost(t), t.Context()
	const third = 3 // after those of Begin and of a first Commit
	applied := 0
	opts := h.options()
	opts.Mappers["widget"] = mapper{apply: func(changes []diff.Change) ([]tusync.Outcome, error) {
		applied++
		return make([]tusync.Outcome, len(changes)), nil
	}}
	backend, err := dbsyncer.New(deaf{pool(t, dbsyncertest.URL(t)), new(atomic.Int32), third}, shop(), opts)
	require.NoError(t, err)
	tx, head, err := backend.Begin(ctx, "me")
	require.NoError(t, err)
	head, err = tx.Commit(ctx, deltaOf(t, head, declare(t, "gadget", 1)))
	require.NoError(t, err)

	_, err = tx.Apply(ctx, []diff.Change{createOf("widget", "w")})
	require.NoError(t, err)
	lost := deltaOf(t, head, declare(t, "gadget", 2, 2))
	_, err = tx.Commit(ctx, lost)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	head, err = tx.Commit(ctx, lost)
	require.NoError(t, err)
	require.Equal(t, lost.Head.Root, head.Root)

	further := deltaOf(t, head, declare(t, "gadget", 3, 3, 3))
	_, err = tx.Commit(ctx, further)
	require.NoError(t, err)
	require.Equal(t, 1, applied, "it was committed")
	head, err = backend.Head(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 3, head.Serial)
	var all []state.Record
	for r, err := range backend.Records(ctx) {
		require.NoError(t, err)
		all = append(all, r)
	}
	sealed, err := state.Seal(head, all)
	require.NoError(t, err)
	require.Equal(t, head, sealed)
	require.Equal(t, further.Head.Root, head.Root)
	require.NoError(t, tx.Close(ctx))
}

// A server that is down is asked again until it is back.
func TestAServerThatComesBack(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.Start(t, nil)
	own := dbsyncertest.Pool(t, server.URL(), nil)
	h := &host{schema: "shop"}
	require.NoError(t, dbsyncer.Migrate(t.Context(), own, h.schema))
	require.NoError(t, server.Stop())
	asked := make(chan struct{}, 1)
	backend, err := dbsyncer.New(stepping{own, func() {
		select {
		case asked <- struct{}{}:
		default:
		}
	}}, shop(), &dbsyncer.Options{Schema: h.schema})
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := apply(t.Context(), engine(t, backend, &tusync.Options{Retries: 100}), declare(t, "gadget", 1), nil)
		ended <- err
	}()
	for range 4 {
		select {
		case <-asked:
		case err := <-ended:
			require.Fail(t, "it has given up", "%v", err)
		}
	}
	require.NoError(t, server.Restart())
	require.NoError(t, <-ended)
}

// A conflict with other transactions is over when they are.
func TestConflictsAreTriedAgain(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.URL(t)
	// Another transaction stands in the way of the Mapper's first call, or of the commit
	// after it, and ends before the second.
	for name, c := range map[string]struct {
		setting string // of our connections
		// first does so; what it begins beside it is waited for.
		first func(ctx context.Context, tx, other pgx.Tx, schema string, beside *sync.WaitGroup) error
	}{
		"repeatable read is the default": {"default_transaction_isolation=repeatable read", func(ctx context.Context, tx, other pgx.Tx, schema string, _ *sync.WaitGroup) error {
			_, err := tx.Exec(ctx, "select from "+schema+".widgets") // from here on it sees what is there now
			if err == nil {
				_, err = other.Exec(ctx, "update "+schema+".widgets set size = 8")
			}
			if err == nil {
				err = other.Commit(ctx)
			}
			if err == nil {
				_, err = tx.Exec(ctx, "update "+schema+".widgets set size = 9")
			}
			return err
		}},
		"deadlock": {"deadlock_timeout=10ms", func(ctx context.Context, tx, other pgx.Tx, schema string, beside *sync.WaitGroup) error {
			_, err := other.Exec(ctx, "update "+schema+".widgets set size = 8 where id = 'b'")
			if err == nil {
				_, err = tx.Exec(ctx, "update "+schema+".widgets set size = 9 where id = 'a'")
			}
			pid := other.Conn().PgConn().PID()
			beside.Go(func() {
				_, _ = other.Exec(ctx, "update "+schema+".widgets set size = 8 where id = 'a'")
				_ = other.Commit(ctx)
			})
			for waits := false; err == nil && !waits; {
				err = tx.QueryRow(ctx, "select exists (select from pg_locks where not granted and pid = $1)", pid).Scan(&waits)
			}
			if err == nil {
				_, err = tx.Exec(ctx, "update "+schema+".widgets set size = 9 where id = 'b'")
			}
			return err
		}},
		"lock timeout in the Mapper": {"lock_timeout=50ms", func(ctx context.Context, tx, other pgx.Tx, schema string, _ *sync.WaitGroup) error {
			_, err := other.Exec(ctx, "update "+schema+".widgets set size = 8")
			if err == nil {
				_, err = tx.Exec(ctx, "update "+schema+".widgets set size = 9")
			}
			return errors.Join(err, other.Commit(ctx))
		}},
		"lock timeout": {"lock_timeout=50ms", func(ctx context.Context, _, other pgx.Tx, schema string, _ *sync.WaitGroup) error {
			_, err := other.Exec(ctx, "set local idle_in_transaction_session_timeout = '200ms'")
			if err == nil {
				_, err = other.Exec(ctx, "select from "+schema+".leases for update")
			}
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			execute(t, pool(t, server), "insert into "+h.schema+".widgets values ('a', '', 'a', 1, ''), ('b', '', 'b', 1, '')")
			setting, to, _ := strings.Cut(c.setting, "=")
			own := dbsyncertest.Pool(t, server, func(config *pgxpool.Config) { config.ConnConfig.RuntimeParams[setting] = to })
			others := dbsyncertest.Pool(t, server, nil)
			other, err := others.Begin(t.Context())
			require.NoError(t, err)
			var beside sync.WaitGroup
			t.Cleanup(func() {
				beside.Wait()
				_ = other.Rollback(context.WithoutCancel(t.Context())) // it has ended, or the test has failed
			})
			h.before = func(ctx context.Context, tx pgx.Tx, _ []diff.Change) error {
				if len(h.calls) == 1 {
					return c.first(ctx, tx, other, h.schema, &beside)
				}
				return nil
			}
			_, err = apply(t.Context(), h.engine(t, own, shop(), nil), declare(t, "widget", 1, 2, 3), nil)
			require.NoError(t, err)
			calls := []int{3, 3} // once more, with all of it
			if name == "repeatable read is the default" {
				calls = calls[:1] // a transaction of the Backend's own is in no such conflict
			}
			require.Equal(t, calls, h.calls)
			require.Equal(t, "5", value(t, pool(t, server), "select widgets from "+h.schema+".states"))
		})
	}
}
