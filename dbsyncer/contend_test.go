package dbsyncer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// Many processes write to a few scopes at once: each its own resource, and now and
// then a counter of all, which it has read before.
func TestContention(t *testing.T) {
	t.Parallel()
	if text := os.Getenv(contenderVariable); text != "" {
		var c contender
		require.NoError(t, json.Unmarshal([]byte(text), &c))
		c.run(t)
		return
	}
	server := dbsyncertest.Start(t, nil)
	pool := dbsyncertest.Pool(t, server.URL(), nil)
	require.NoError(t, dbsyncer.Migrate(t.Context(), pool, ""))
	processes, scopes := max(8, syncertest.Soak(32)), max(4, syncertest.Soak(8))
	until := time.Now().Add(time.Duration(syncertest.Soak(60)) * time.Second)
	all := make([]*contender, processes)
	for i := range all {
		all[i] = &contender{N: i, URL: server.URL(), Scopes: scopes, Until: until, Report: filepath.Join(t.TempDir(), "report")}
		all[i].start(t)
	}
	writes := map[string][]written{}
	var counts []int
	var locked, stale int
	var longest time.Duration
	for _, c := range all {
		report := c.end(t)
		for _, w := range report.Writes {
			writes[w.App] = append(writes[w.App], w)
		}
		counts = append(counts, len(report.Writes))
		locked, stale, longest = locked+report.Locked, stale+report.Stale, max(longest, report.LongestWait)
	}
	slices.Sort(counts)
	t.Logf("%d processes, %d scopes: commits per process: least %d, median %d, most %d; %d found it locked, %d plans were stale; the longest wait was %s",
		processes, scopes, counts[0], counts[processes/2], counts[processes-1], locked, stale, longest)
	require.Positive(t, counts[0], "a process is starved")
	require.Positive(t, locked, "nobody has met anybody")
	for app := range scopes {
		requireAllThere(t, pool, appOf(app), writes[appOf(app)])
	}
	var deadlocks, held int
	require.NoError(t, pool.QueryRow(t.Context(), `
		select (select deadlocks from pg_catalog.pg_stat_database where datname = current_database()),
			(select count(*) from trueup.leases where expires > clock_timestamp())`).Scan(&deadlocks, &held))
	require.Zero(t, deadlocks)
	require.Zero(t, held)
}

// requireAllThere checks that what was written to a scope is what is stored, commit
// by commit.
func requireAllThere(t *testing.T, pool *pgxpool.Pool, app string, writes []written) {
	t.Helper()
	const of = ` where scope_id = (select id from trueup.scopes where app = $1)`
	slices.SortFunc(writes, func(a, b written) int { return int(a.Serial - b.Serial) })
	rows, err := pool.Query(t.Context(), `select serial, token from trueup.commits`+of+` order by serial`, app)
	require.NoError(t, err)
	at, lastToken := 0, int64(0)
	var serial, token int64
	_, err = pgx.ForEachRow(rows, []any{&serial, &token}, func() error {
		require.EqualValues(t, at+1, serial, "the serials have a gap")
		require.Less(t, lastToken, token, "a lease was used twice")
		require.Less(t, at, len(writes), "a commit that nobody made")
		require.Equal(t, serial, writes[at].Serial, "a commit of %s is lost, or two have the same serial", app)
		at, lastToken = at+1, token
		return nil
	})
	require.NoError(t, err)
	require.Len(t, writes, at, "a commit is lost")

	stored := map[int64]map[string]int{}
	rows, err = pool.Query(t.Context(), `
		select r.from_serial, r.name, (d.resource -> 'config' ->> 'size')::integer
		from trueup.records r join trueup.declared d using (scope_id, checksum)`+of, app)
	require.NoError(t, err)
	var name string
	var size int
	_, err = pgx.ForEachRow(rows, []any{&serial, &name, &size}, func() error {
		if stored[serial] == nil {
			stored[serial] = map[string]int{}
		}
		stored[serial][name] = size
		return nil
	})
	require.NoError(t, err)
	counter := 0
	for _, w := range writes {
		want := map[string]int{w.Name: w.Size}
		if w.Counter > 0 {
			counter++
			require.Equal(t, counter, w.Counter, "a count of %s is lost", app)
			want["counter"] = counter
		}
		require.Equal(t, want, stored[w.Serial], "what was written to %s at %d", app, w.Serial)
	}
}

// A commit may take longer than a lease lasts. It isn't lost by that: it is renewed
// meanwhile, nobody else can take it, and it lasts on from the commit's end.
func TestACommitThatTakesLongerThanTheLease(t *testing.T) {
	t.Parallel()
	url := dbsyncertest.URL(t)
	pool, schema := dbsyncertest.Pool(t, url, nil), dbsyncertest.Schema(t, url)
	ctx := t.Context()
	require.NoError(t, dbsyncer.Migrate(ctx, pool, schema))
	during := make(chan func() error)
	backend, err := dbsyncer.New(pool, benchScope(), &dbsyncer.Options{Schema: schema, OnCommit: func(context.Context, pgx.Tx, state.Head) error {
		return (<-during)()
	}})
	require.NoError(t, err)
	tx, head, err := backend.Begin(ctx, "the holder")
	require.NoError(t, err)
	_, err = pool.Exec(ctx, "update "+schema+".leases set expires = clock_timestamp()") // as if the commit had begun long ago
	require.NoError(t, err)
	head.Serial++
	head, err = state.Seal(head, nil)
	require.NoError(t, err)
	committed := make(chan error, 1)
	go func() {
		_, err := tx.Commit(ctx, state.Delta{Head: head})
		committed <- err
	}()
	during <- func() error {
		short, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		until, err := tx.Renew(short)
		if err != nil {
			return err
		}
		if time.Until(until) < tusync.LeaseTTL/2 {
			return fmt.Errorf("it is renewed until %s", until)
		}
		if _, _, err = backend.Begin(short, "another"); !errors.Is(err, tusync.ErrLocked) {
			return fmt.Errorf("another took the lease: %w", err)
		}
		return nil
	}
	require.NoError(t, <-committed)
	holder, err := backend.Holder(ctx)
	require.NoError(t, err)
	require.Equal(t, "the holder", holder.Owner)
	require.Greater(t, time.Until(holder.Expires), tusync.LeaseTTL/2)
	require.NoError(t, tx.Close(ctx))
}

const contenderVariable = "TRUEUP_CONTENDER"

// contender is a process that writes to scopes until an instant, and then reports.
type contender struct {
	N      int
	URL    string
	Scopes int
	Until  time.Time
	Report string // a file

	cmd    *exec.Cmd
	output bytes.Buffer
}

type report struct {
	Writes        []written
	Locked, Stale int
	LongestWait   time.Duration
}

// written is what was committed to a scope at a serial; Counter is 0 if that was not
// written to.
type written struct {
	App, Name     string
	Serial        int64
	Size, Counter int
}

func appOf(n int) string { return fmt.Sprint("shop-", n) }

func (c *contender) start(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(c)
	require.NoError(t, err)
	c.cmd = exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
	c.cmd.Env = append(os.Environ(), contenderVariable+"="+string(text))
	c.cmd.Stdout, c.cmd.Stderr = &c.output, &c.output
	require.NoError(t, c.cmd.Start())
}

func (c *contender) end(t *testing.T) (r report) {
	t.Helper()
	require.NoError(t, c.cmd.Wait(), "%s", &c.output)
	text, err := os.ReadFile(c.Report)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}

// run is what the process does.
func (c *contender) run(t *testing.T) {
	pool := dbsyncertest.Pool(t, c.URL, func(config *pgxpool.Config) { config.MaxConns = 2 })
	var r report
	for turn := 1; time.Now().Before(c.Until); turn++ {
		c.write(t, pool, turn, &r)
	}
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(c.Report, text, 0o600))
}

// write writes to one of the scopes, or finds it locked, or is too late.
func (c *contender) write(t *testing.T, pool *pgxpool.Pool, turn int, r *report) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w := written{App: appOf(rand.IntN(c.Scopes)), Name: fmt.Sprint("own-", c.N), Size: turn}
	backend, err := dbsyncer.New(pool, state.Scope{Org: "acme", App: w.App}, &dbsyncer.Options{History: 1_000_000})
	require.NoError(t, err)
	e, err := tusync.New(backend, tusync.Kinds(tusync.Define[sized]("stored")), &tusync.Options{Retries: -1, Owner: w.Name})
	require.NoError(t, err)
	opts := &tusync.PlanOptions{Wait: turn%2 == 0, Selection: &tusync.Selection{}}
	desired := &tusync.Desired{}
	declare := func(name string, size int) {
		key := state.Key{Kind: "stored", Name: name}
		desired.Resources = append(desired.Resources, state.Resource{Key: key, Config: json.RawMessage(fmt.Sprintf(`{"size":%d}`, size))})
		opts.Selection.Keys = append(opts.Selection.Keys, key)
	}
	declare(w.Name, w.Size)
	var sum state.Checksum
	if turn%4 < 2 {
		w.Counter, sum = counted(ctx, t, backend)
		w.Counter++
		declare("counter", w.Counter)
	}
	began := time.Now()
	plan, err := e.Plan(ctx, desired, opts)
	require.NoError(t, err)
	if w.Counter > 0 && !counts(plan, sum) {
		r.Stale++
		return
	}
	result, err := e.Apply(ctx, plan)
	if opts.Wait {
		r.LongestWait = max(r.LongestWait, time.Since(began))
	}
	var locked *tusync.LockedError
	switch {
	case errors.As(err, &locked) && !opts.Wait:
		require.NotEmpty(t, locked.Owner)
		require.NotEqual(t, w.Name, locked.Owner)
		r.Locked++
	case errors.Is(err, tusync.ErrStale) && w.Counter > 0:
		r.Stale++
	default:
		require.NoError(t, err)
		w.Serial = result.Head.Serial
		r.Writes = append(r.Writes, w)
	}
}

// counted returns what the counter is at, and the checksum of that; zero if there is
// none yet.
func counted(ctx context.Context, t *testing.T, backend tusync.Backend) (int, state.Checksum) {
	for record, err := range backend.Records(ctx) {
		require.NoError(t, err)
		if record.Name != "counter" {
			continue
		}
		found, err := backend.Declared(ctx, []state.Checksum{record.Checksum})
		require.NoError(t, err)
		var at sized
		require.NoError(t, json.Unmarshal(found[record.Checksum].Config, &at))
		return at.Size, record.Checksum
	}
	return 0, state.Checksum{}
}

// counts tells whether a plan changes the counter from what it was when it was read.
func counts(plan *tusync.Plan, read state.Checksum) bool {
	return slices.ContainsFunc(plan.Changes, func(c tusync.PlannedChange) bool {
		switch c := c.Change.(type) {
		case *diff.Create:
			return c.Desired.Name == "counter" && read.IsZero()
		case *diff.Update:
			return c.Desired.Name == "counter" && c.Recorded.Checksum == read
		}
		return false
	})
}
