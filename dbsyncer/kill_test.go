package dbsyncer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// killing is a sync in which the server is killed.
type killing struct {
	name  string
	kinds []string // of what is declared; see victim.kinds
	mode  tusync.FailureMode
	// restarts has the server come back by itself, while the sync retries.
	restarts bool
}

// The server is killed with SIGKILL during applies, at the client's round trips (an
// answer is lost then, or a request never arrives), at the acts of Handlers, and at
// random instants.
func TestTheServerIsKilled(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.Start(t, nil)
	for _, k := range []killing{
		{"AllOrNothing", []string{"stored", "mapped"}, tusync.AllOrNothing, false},
		{"KeepGoing", []string{"stored", "mapped"}, tusync.KeepGoing, false},
		{"Acts", []string{"stored", "mapped", "acted", "found"}, tusync.AllOrNothing, false},
		{"ComesBack", []string{"stored", "mapped"}, tusync.KeepGoing, true},
		{"ComesBackAllOrNothing", []string{"stored", "mapped"}, tusync.AllOrNothing, true},
		{"RidesOverIt", []string{"stored"}, tusync.AllOrNothing, true},
		{"RidesOverItWithActs", []string{"stored", "acted", "found"}, tusync.KeepGoing, true},
	} {
		t.Run(k.name, func(t *testing.T) {
			steps, typical := k.measure(t, server)
			turns, late := int64(syncertest.Soak(40)), 0
			first := rand.Int64N(steps)
			for i := range turns {
				b := &breaker{server: server, restarts: k.restarts}
				if i%2 == 0 { // evenly spread
					b.at = 1 + (first+i*steps/turns)%steps
				} else {
					b.after = rand.N(typical)
				}
				if k.kill(t, b) {
					late++
				}
			}
			t.Logf("%d round trips and acts, %d kills, %d of which came too late", steps, turns, late)
		})
	}
}

// measure runs the sync without a kill.
func (k *killing) measure(t *testing.T, server *dbsyncertest.Server) (steps int64, typical time.Duration) {
	t.Helper()
	b := &breaker{server: server, at: -1}
	v := newVictim(t, b, k)
	began := time.Now()
	require.NoError(t, v.sync(t))
	steps, typical = b.steps.Load(), time.Since(began)
	v.converges(t, v.look(t))
	return steps, typical
}

// kill kills the server in one sync, and looks at what is left. It tells whether the
// sync was over before.
func (k *killing) kill(t *testing.T, b *breaker) (late bool) {
	t.Helper()
	v := newVictim(t, b, k)
	before := v.look(t)
	timer := time.AfterFunc(b.after, func() {
		if b.at == 0 {
			b.kill()
		}
	})
	err := v.sync(t)
	timer.Stop()
	late = !b.killed.Load()
	require.NoError(t, b.end(), "restart the server")
	what := fmt.Sprintf("killed at step %d or after %s (late: %t); the error was: %v", b.at, b.after, late, err)

	left := v.look(t)
	require.GreaterOrEqual(t, left.head.Serial, v.reported, what)
	require.LessOrEqual(t, left.head.Serial, v.reported+1, "a serial that was not committed: %s", what)
	if v.acts == 0 && k.mode == tusync.AllOrNothing {
		require.LessOrEqual(t, left.head.Serial, before.head.Serial+1, what)
		require.Equal(t, left.head.Serial > before.head.Serial, left.isDeclared(v.after()), "half of it was recorded: %s", what)
	}
	// The ids that the Mapper chose are gone with its transaction, and the sync fails then.
	if rides := k.restarts && !slices.Contains(k.kinds, "mapped"); rides || late {
		// All that may be left undone is to give up the lease.
		require.True(t, err == nil || strings.Contains(err.Error(), "give up the lease") && len(errorsIn(err)) == 1, what)
		require.True(t, left.isDeclared(v.after()), what)
	}
	v.saysWhatHappened(t, before, left, err, what)
	v.converges(t, left)
	return late
}

// breaker kills a server once: at a step, or after a while, or else at the end.
type breaker struct {
	server   *dbsyncertest.Server
	at       int64 // the step; 0 for none, and less for never
	after    time.Duration
	restarts bool

	armed     atomic.Bool // steps count
	steps     atomic.Int64
	once      sync.Once
	killed    atomic.Bool
	err       error
	restarted chan error
}

// step passes a step, and tells whether the server was killed in it.
func (b *breaker) step() bool {
	if !b.armed.Load() || b.steps.Add(1) != b.at {
		return false
	}
	b.kill()
	return true
}

func (b *breaker) kill() {
	b.once.Do(func() {
		b.killed.Store(true)
		b.restarted = make(chan error, 1)
		b.err = b.server.Kill()
		if b.restarts {
			go func() { b.restarted <- b.server.Restart() }()
		}
	})
}

// end kills the server if it wasn't yet, and returns when it is back.
func (b *breaker) end() error {
	b.armed.Store(false)
	b.kill()
	if b.restarts {
		return errors.Join(b.err, <-b.restarted)
	}
	return errors.Join(b.err, b.server.Restart())
}

// brittle is a connection whose writes and reads are steps: before what is written
// is sent, and before what was read is seen.
type brittle struct {
	net.Conn
	step func() bool
}

func (c brittle) Write(p []byte) (int, error) {
	c.step()
	return c.Conn.Write(p)
}

func (c brittle) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.step() {
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// victim is a scope with what belongs to it: rows of a table of the host's own, and
// two worlds of files.
type victim struct {
	*killing
	schema       string
	scope        state.Scope
	breaker      *breaker
	acted, found *syncertest.World
	acts         int   // the kinds with a Handler
	reported     int64 // the last serial of which the engine said that it was committed
}

const victims = 80 // resources of each kind

type sized struct {
	Size int `json:"size"`
}

// newVictim makes a scope in which everything is as before the sync.
func newVictim(t *testing.T, b *breaker, k *killing) *victim {
	t.Helper()
	url := b.server.URL()
	v := &victim{
		killing: k, breaker: b, schema: dbsyncer.DefaultSchema, scope: state.Scope{Org: "acme", App: fmt.Sprint(rand.Uint64())},
		acted: syncertest.NewWorld(t.TempDir()), found: syncertest.NewWorld(t.TempDir()),
	}
	hook := func(diff.Change, bool) error {
		b.step()
		return nil
	}
	v.acted.Hook, v.found.Hook = hook, hook
	for _, kind := range k.kinds {
		if v.world(kind) != nil {
			v.acts++
		}
	}
	ctx := t.Context()
	pool := v.open(t, url)
	defer pool.Close()
	require.NoError(t, dbsyncer.Migrate(ctx, pool, v.schema))
	_, err := pool.Exec(ctx, `create table if not exists public.rows (
		app text not null, name text not null, id text not null, size integer not null, primary key (app, name))`)
	require.NoError(t, err)
	e := v.engine(t, pool, nil)
	plan, err := e.Plan(ctx, &tusync.Desired{Resources: v.before()}, nil)
	require.NoError(t, err)
	result, err := e.Apply(ctx, plan)
	require.NoError(t, err)
	v.reported = result.Head.Serial
	return v
}

// open returns a pool whose connections are brittle.
func (v *victim) open(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	require.NoError(t, err)
	config.MaxConns = 4
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return brittle{conn, v.breaker.step}, err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	return pool
}

func (v *victim) backend(t *testing.T, pool *pgxpool.Pool) *dbsyncer.Backend {
	t.Helper()
	b, err := dbsyncer.New(pool, v.scope, &dbsyncer.Options{Schema: v.schema, Mappers: map[string]dbsyncer.Mapper{"mapped": rowOf{v.scope.App}}})
	require.NoError(t, err)
	return b
}

func (v *victim) engine(t *testing.T, pool *pgxpool.Pool, opts *tusync.Options) *tusync.Engine {
	t.Helper()
	kinds := tusync.Kinds(
		tusync.Define[sized]("stored"), tusync.Define[sized]("mapped"),
		tusync.Define[sized]("acted", tusync.Handle(v.acted.Idempotent()), tusync.Batch(10)),
		tusync.Define[sized]("found", tusync.Handle(v.found.Finding()), tusync.Batch(10)))
	if v.acts == 0 { // all or nothing is for kinds without a Handler
		kinds = tusync.Kinds(tusync.Define[sized]("stored"), tusync.Define[sized]("mapped"))
	}
	e, err := tusync.New(v.backend(t, pool), kinds, opts)
	require.NoError(t, err)
	return e
}

// world is where the things of a kind are; nil if it has no Handler.
func (v *victim) world(kind string) *syncertest.World {
	return map[string]*syncertest.World{"acted": v.acted, "found": v.found}[kind]
}

// before is what is declared first; after declares some no longer, others otherwise,
// and new ones.
func (v *victim) before() []state.Resource {
	return v.declare(0, victims, func(int) int { return 1 })
}

func (v *victim) after() []state.Resource {
	return v.declare(victims/8, victims+victims/8, func(n int) int { return 1 + n%2 })
}

func (v *victim) declare(first, end int, size func(n int) int) []state.Resource {
	var all []state.Resource
	for _, kind := range v.kinds {
		for n := first; n < end; n++ {
			name := fmt.Sprintf("n%03d", n)
			r := state.Resource{Key: state.Key{Kind: kind, Name: name}, Config: json.RawMessage(fmt.Sprintf(`{"size":%d}`, size(n)))}
			if kind != "stored" {
				r.After = []state.Key{{Kind: "stored", Name: name}}
			}
			all = append(all, r)
		}
	}
	return all
}

// sync is the sync in which the server is killed, of which it returns the error.
func (v *victim) sync(t *testing.T) error {
	t.Helper()
	pool := v.open(t, v.breaker.server.URL())
	defer pool.Close()
	opts := &tusync.Options{BatchSize: 50, Retries: 1, OnEvent: func(e tusync.Event) {
		if e.Type == tusync.EventCommit {
			v.reported = e.Serial
		}
	}}
	if v.restarts {
		opts.Retries = 8
	}
	e := v.engine(t, pool, opts)
	v.breaker.armed.Store(true)
	defer v.breaker.armed.Store(false)
	plan, err := e.Plan(t.Context(), &tusync.Desired{Resources: v.after()}, v.options())
	if err != nil && v.restarts && tusync.Retryable(err) { // records that were half read are not read again
		plan, err = e.Plan(t.Context(), &tusync.Desired{Resources: v.after()}, v.options())
	}
	if err != nil {
		return err
	}
	_, err = e.Apply(t.Context(), plan)
	return err
}

func (v *victim) options() *tusync.PlanOptions {
	return &tusync.PlanOptions{OnFailure: v.mode, Prune: true, PruneLimit: tusync.LimitPercent(100)}
}

// left is what is in the tables and the worlds.
type left struct {
	head     state.Head
	records  map[state.Key]state.Record
	declared map[state.Checksum]state.Resource
	runs     []runRow
}

type runRow struct {
	Result      string
	Error       *string
	First, Last *int64
}

// look reads everything: each State must be whole.
func (v *victim) look(t *testing.T) left {
	t.Helper()
	ctx := t.Context()
	pool := v.open(t, v.breaker.server.URL())
	defer pool.Close()
	b := v.backend(t, pool)
	next := int64(0)
	var l left
	for head, err := range b.History(ctx) {
		require.NoError(t, err)
		if next != 0 {
			require.Equal(t, next, head.Serial, "the history has a gap")
		}
		next = head.Serial - 1
		_, sequence, err := b.StateAt(ctx, head.Serial)
		require.NoError(t, err)
		requireWhole(t, head, sequence)
	}
	require.Zero(t, next, "the history has lost its beginning")
	var err error
	l.head, err = b.Head(ctx)
	require.NoError(t, err)
	records := requireWhole(t, l.head, b.Records(ctx))
	l.records = map[state.Key]state.Record{}
	var sums []state.Checksum
	for _, r := range records {
		l.records[r.Key] = r
		for _, pending := range r.Pending {
			sums = append(sums, pending.Checksum)
		}
		sums = append(sums, r.Checksum)
	}
	l.declared, err = b.Declared(ctx, sums)
	require.NoError(t, err)
	for _, sum := range sums {
		if !sum.IsZero() { // of a delete that is pending, or of what has yet to be created
			require.Contains(t, l.declared, sum, "a declaration is lost")
		}
	}
	l.requireRows(t, pool, v.scope.App)
	rows, err := pool.Query(ctx, `select result, error, first_serial, last_serial from trueup.runs
		where scope_id = (select id from trueup.scopes where app = $1) order by token`, v.scope.App)
	require.NoError(t, err)
	l.runs, err = pgx.CollectRows(rows, pgx.RowToStructByPos[runRow])
	require.NoError(t, err)
	return l
}

// requireWhole checks that a head is that of its records, and returns these.
func requireWhole(t *testing.T, head state.Head, sequence func(func(state.Record, error) bool)) []state.Record {
	t.Helper()
	var records []state.Record
	for r, err := range sequence {
		require.NoError(t, err)
		records = append(records, r)
	}
	sealed, err := state.Seal(head, records)
	require.NoError(t, err)
	require.Equal(t, head, sealed, "the records don't fit the head")
	return records
}

// requireRows checks that the host's rows are those that are recorded.
func (l *left) requireRows(t *testing.T, pool *pgxpool.Pool, app string) {
	t.Helper()
	stored := map[string]string{}
	rows, err := pool.Query(t.Context(), `select name, id || ' {"size":' || size || '}' from public.rows where app = $1`, app)
	require.NoError(t, err)
	var name, text string
	_, err = pgx.ForEachRow(rows, []any{&name, &text}, func() error {
		stored[name] = text
		return nil
	})
	require.NoError(t, err)
	recorded := map[string]string{}
	for key, r := range l.records {
		if key.Kind == "mapped" {
			recorded[key.Name] = r.ID + " " + string(l.declared[r.Checksum].Config)
		}
	}
	require.Equal(t, recorded, stored, "the rows of the host's are not those that are recorded")
}

// isDeclared tells whether all that is recorded is what is declared, and done.
func (l *left) isDeclared(declared []state.Resource) bool {
	for _, r := range declared {
		sum, err := r.Checksum()
		if record, ok := l.records[r.Key]; err != nil || !ok || record.Checksum != sum || record.Unfinished() {
			return false
		}
	}
	return len(declared) == len(l.records)
}

// saysWhatHappened checks the row of the run in which the server was killed.
func (v *victim) saysWhatHappened(t *testing.T, before, left left, err error, what string) {
	t.Helper()
	require.Equal(t, before.runs, left.runs[:len(before.runs)], what)
	runs := left.runs[len(before.runs):]
	if len(runs) == 0 {
		require.Error(t, err, what)
		require.Equal(t, before.head, left.head, what)
		return
	}
	// One whose beginning was never heard of is followed by another.
	for _, run := range runs[:len(runs)-1] {
		require.Equal(t, runRow{Result: "interrupted"}, run, what)
	}
	run := runs[len(runs)-1]
	if left.head.Serial > before.head.Serial {
		require.Equal(t, before.head.Serial+1, *run.First, what)
		require.Equal(t, left.head.Serial, *run.Last, what)
	} else {
		require.Nil(t, run.Last, what)
	}
	switch run.Result {
	case "done":
		require.True(t, err == nil || strings.Contains(err.Error(), "give up the lease"), what)
		require.Nil(t, run.Error, what)
	case "failed":
		require.Error(t, err, what)
		require.NotEmpty(t, run.Error, what)
	case "running":
		require.Error(t, err, what)
	default:
		require.Fail(t, "a run is "+run.Result, what)
	}
}

// converges checks that nobody stands in the way of the next sync for longer than a
// lease is, and that it makes everything what is declared, once.
func (v *victim) converges(t *testing.T, was left) {
	t.Helper()
	ctx := t.Context()
	pool := v.open(t, v.breaker.server.URL())
	defer pool.Close()
	v.lapse(t, pool)
	tx, _, err := v.backend(t, pool).Begin(ctx, "the next")
	require.NoError(t, err, "a lock is left")
	require.NoError(t, tx.Close(ctx))
	e := v.engine(t, pool, &tusync.Options{Retries: -1})
	plan, err := e.Plan(ctx, &tusync.Desired{Resources: v.after()}, v.options())
	require.NoError(t, err)
	_, err = e.Apply(ctx, plan)
	require.NoError(t, err)

	now := v.look(t)
	require.True(t, now.isDeclared(v.after()))
	for key, r := range was.records {
		if is, ok := now.records[key]; ok && !r.Unfinished() {
			require.Equal(t, r.ID, is.ID, "%s was made anew", key)
		}
	}
	for at, run := range now.runs {
		require.NotEqual(t, "running", run.Result)
		if at < len(was.runs) && was.runs[at].Result == "running" {
			require.Equal(t, "interrupted", run.Result)
		}
	}
	for _, kind := range v.kinds {
		if world := v.world(kind); world != nil {
			now.requireThings(t, kind, world)
		}
	}
	plan, err = e.Plan(ctx, &tusync.Desired{Resources: v.after()}, v.options())
	require.NoError(t, err)
	require.True(t, plan.IsEmpty())
}

// requireThings checks that there is one thing for each record of a kind.
func (l *left) requireThings(t *testing.T, kind string, world *syncertest.World) {
	t.Helper()
	things, err := world.Things()
	require.NoError(t, err)
	there := map[string]string{}
	for _, thing := range things {
		there[thing.ID] = thing.Key + " " + string(thing.Config)
	}
	recorded := map[string]string{}
	for key, r := range l.records {
		if key.Kind == kind {
			recorded[r.ID] = key.String() + " " + string(l.declared[r.Checksum].Config)
		}
	}
	require.Equal(t, recorded, there)
}

// lapse ends a lease that a dead holder has left, which would lapse by itself in no
// more than tusync.LeaseTTL.
func (v *victim) lapse(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	var rest *float64
	require.NoError(t, pool.QueryRow(t.Context(), `
		with lapsed as (
			select scope_id, expires from trueup.leases
			where scope_id = (select id from trueup.scopes where app = $1) and expires > clock_timestamp()
		), changed as (
			update trueup.leases l set expires = clock_timestamp() from lapsed where l.scope_id = lapsed.scope_id
		)
		select (select extract(epoch from expires - clock_timestamp())::float8 from lapsed)`, v.scope.App).Scan(&rest))
	if rest != nil {
		require.LessOrEqual(t, *rest, tusync.LeaseTTL.Seconds())
	}
}

// errorsIn returns what was joined to an error.
func errorsIn(err error) []error {
	var many interface{ WrappedErrors() []error }
	if errors.As(err, &many) {
		return many.WrappedErrors()
	}
	return []error{err}
}

// rowOf maps a kind onto rows of an app.
type rowOf struct{ app string }

// Apply implements dbsyncer.Mapper.
func (m rowOf) Apply(ctx context.Context, tx pgx.Tx, changes []diff.Change) ([]tusync.Outcome, error) {
	outcomes, batch := make([]tusync.Outcome, len(changes)), &pgx.Batch{}
	size := func(config json.RawMessage) (size int, err error) {
		var s sized
		err = json.Unmarshal(config, &s)
		return s.Size, err
	}
	for i, change := range changes {
		switch c := change.(type) {
		case *diff.Create:
			size, err := size(c.Config)
			if err != nil {
				return nil, err
			}
			outcomes[i].ID = "row-" + fmt.Sprint(rand.Uint64())
			batch.Queue(`insert into public.rows (app, name, id, size) values ($1, $2, $3, $4)`, m.app, c.Desired.Name, outcomes[i].ID, size)
		case *diff.Update:
			size, err := size(c.Config)
			if err != nil {
				return nil, err
			}
			batch.Queue(`update public.rows set size = $3 where app = $1 and name = $2`, m.app, c.Desired.Name, size)
		case *diff.Delete:
			batch.Queue(`delete from public.rows where app = $1 and name = $2`, m.app, c.Recorded.Name)
		}
	}
	return outcomes, tx.SendBatch(ctx, batch).Close()
}

// The lease of a holder whose server was killed lapses by itself, at the time that
// it would have without that.
func TestALeaseOutlastsAKilledServer(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.Start(t, nil)
	pool, err := pgxpool.New(t.Context(), server.URL())
	require.NoError(t, err)
	defer pool.Close()
	require.NoError(t, dbsyncer.Migrate(t.Context(), pool, ""))
	backend, err := dbsyncer.New(pool, state.Scope{Org: "acme", App: "shop"}, nil)
	require.NoError(t, err)
	began := time.Now()
	tx, _, err := backend.Begin(t.Context(), "the holder")
	require.NoError(t, err)
	require.NoError(t, server.Kill())
	require.Error(t, tx.Close(t.Context()))
	require.NoError(t, server.Restart())

	next, err := pgxpool.New(t.Context(), server.URL())
	require.NoError(t, err)
	defer next.Close()
	backend, err = dbsyncer.New(next, state.Scope{Org: "acme", App: "shop"}, nil)
	require.NoError(t, err)
	_, _, err = backend.Begin(t.Context(), "the next")
	var locked *tusync.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, "the holder", locked.Owner)
	e, err := tusync.New(backend, benchKinds(), nil)
	require.NoError(t, err)
	plan, err := e.Plan(t.Context(), manyDeclared(t, 3, 0), &tusync.PlanOptions{Wait: true})
	require.NoError(t, err)
	_, err = e.Apply(t.Context(), plan)
	require.NoError(t, err)
	require.Less(t, time.Since(began), tusync.LeaseTTL+5*time.Second)
	var results []string
	require.NoError(t, next.QueryRow(t.Context(), `select array_agg(result order by token) from trueup.runs`).Scan(&results))
	require.Equal(t, []string{"interrupted", "done"}, results)
}
