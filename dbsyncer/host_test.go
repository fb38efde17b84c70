package dbsyncer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// host is a program with tables of its own, beside the library's in one schema:
// widgets are mapped, and states has how many there were in each State.
type host struct {
	schema string
	// before is called before widgets are stored, in the transaction; may be nil.
	before func(ctx context.Context, tx pgx.Tx, changes []diff.Change) error

	mu    sync.Mutex
	calls []int // how many changes each call of the Mapper had
}

type widget struct {
	Size  int    `json:"size"`
	Token string `json:"token" sync:"sensitive"`
}

// newHost makes a schema with the tables.
func newHost(t testing.TB) *host {
	t.Helper()
	return newHostAt(t, dbsyncertest.URL(t))
}

func newHostAt(t testing.TB, url string) *host {
	t.Helper()
	h := &host{schema: dbsyncertest.Schema(t, url)}
	require.NoError(t, dbsyncer.Migrate(t.Context(), pool(t, url), h.schema))
	execute(t, pool(t, url), `
		create table `+h.schema+`.widgets (id text primary key, app text not null, name text not null, size integer not null, token text not null, check (size < 100));
		create table `+h.schema+`.states (app text, serial bigint, widgets bigint, primary key (app, serial))`)
	return h
}

func execute(t testing.TB, db dbsyncer.DB, sql string, args ...any) {
	t.Helper()
	if len(args) == 0 {
		args = []any{pgx.QueryExecModeSimpleProtocol} // several statements
	}
	_, err := db.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// value is what a query finds, as text.
func value(t testing.TB, db dbsyncer.DB, sql string, args ...any) (text string) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), "select coalesce(("+sql+")::text, '')", args...).Scan(&text))
	return text
}

// Apply stores widgets, with one statement for each.
func (h *host) Apply(ctx context.Context, tx pgx.Tx, changes []diff.Change) ([]tusync.Outcome, error) {
	h.mu.Lock()
	h.calls = append(h.calls, len(changes))
	h.mu.Unlock()
	if h.before != nil {
		if err := h.before(ctx, tx, changes); err != nil {
			return nil, err
		}
	}
	put := "insert into " + h.schema + `.widgets (id, app, name, size, token)
		select $1, $2, $3, c.size, c.token from json_to_record($4::text::json) as c (size integer, token text)
		on conflict (id) do update set size = excluded.size, token = excluded.token`
	batch := &pgx.Batch{}
	for _, change := range changes {
		switch c := change.(type) {
		case *diff.Create:
			batch.Queue(put, c.ID, "", c.Desired.Name, string(c.Config))
		case *diff.Update:
			batch.Queue(put, c.Recorded.ID, "", c.Desired.Name, string(c.Config))
		case *diff.Delete:
			batch.Queue("delete from "+h.schema+".widgets where id = $1", c.Recorded.ID)
		}
	}
	return make([]tusync.Outcome, len(changes)), tx.SendBatch(ctx, batch).Close()
}

func (h *host) onCommit(ctx context.Context, tx pgx.Tx, head state.Head) error {
	_, err := tx.Exec(ctx, "insert into "+h.schema+".states select $1, $2, count(*) from "+h.schema+".widgets", head.Scope.App, head.Serial)
	return err
}

func (h *host) options() *dbsyncer.Options {
	return &dbsyncer.Options{Schema: h.schema, Mappers: map[string]dbsyncer.Mapper{"widget": h}, OnCommit: h.onCommit}
}

// engine returns an engine over a Backend of the host's.
func (h *host) engine(t testing.TB, db dbsyncer.DB, scope state.Scope, opts *tusync.Options) *tusync.Engine {
	t.Helper()
	backend, err := dbsyncer.New(db, scope, h.options())
	require.NoError(t, err)
	return engine(t, backend, opts)
}

func engine(t testing.TB, backend tusync.Backend, opts *tusync.Options) *tusync.Engine {
	t.Helper()
	e, err := tusync.New(backend, hostKinds(), opts)
	require.NoError(t, err)
	return e
}

// hostKinds are widgets, which the host maps, and gadgets, which it doesn't.
func hostKinds() *tusync.KindSet {
	return tusync.Kinds(tusync.Define[widget]("widget"), tusync.Define[widget]("gadget"))
}

// secret is the start of every sensitive value.
const secret = "s3cret-of-"

// declare declares things of a kind, of these sizes.
func declare(t testing.TB, kind string, sizes ...int) *tusync.Desired {
	t.Helper()
	desired := &tusync.Desired{}
	for i, size := range sizes {
		name := fmt.Sprintf("n%05d", i)
		r, err := hostKinds().Resource(kind, name, widget{Size: size, Token: secret + name})
		require.NoError(t, err)
		desired.Resources = append(desired.Resources, r)
	}
	return desired
}

// apply plans and applies.
func apply(ctx context.Context, e *tusync.Engine, desired *tusync.Desired, opts *tusync.PlanOptions) (*tusync.Result, error) {
	plan, err := e.Plan(ctx, desired, opts)
	if err != nil {
		return nil, err
	}
	return e.Apply(ctx, plan)
}

func shop() state.Scope { return state.Scope{Org: "acme", App: "shop"} }

// role makes a role that can log in, and returns its name and its URL.
func role(t testing.TB, url string) (name, own string) {
	t.Helper()
	name = "trueup_test_" + fmt.Sprint(len(t.Name())) + value(t, pool(t, url), "select md5(random()::text)")
	execute(t, pool(t, url), "create role "+name+" login password '"+name+"'")
	t.Cleanup(func() {
		_, err := pool(t, url).Exec(context.WithoutCancel(t.Context()), "drop owned by "+name+"; drop role "+name, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
	})
	return name, as(t, url, name, name)
}

func sizeOf(t testing.TB, r state.Resource) int {
	t.Helper()
	var own struct {
		Size int `json:"size"`
	}
	require.NoError(t, json.Unmarshal(r.Config, &own))
	return own.Size
}
