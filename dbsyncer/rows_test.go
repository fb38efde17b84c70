package dbsyncer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// The table runs says who was at it, since when, and what came of it.
func TestRuns(t *testing.T) {
	t.Parallel()
	h, db, ctx := newHost(t), pool(t, dbsyncertest.URL(t)), t.Context()
	runs := func() []string {
		found, err := db.Query(ctx, "select concat_ws(' ', owner, result, first_serial, last_serial, error), began <= clock_timestamp() and (ended is null or ended >= began) from "+h.schema+".runs order by token")
		require.NoError(t, err)
		texts, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (text string, err error) {
			var inOrder bool
			err = row.Scan(&text, &inOrder)
			require.True(t, inOrder)
			return text, err
		})
		require.NoError(t, err)
		return texts
	}
	e := h.engine(t, db, shop(), &tusync.Options{Owner: "host 1", BatchSize: 2})
	_, err := apply(ctx, e, declare(t, "gadget", 1, 2, 3, 4, 5), &tusync.PlanOptions{OnFailure: tusync.KeepGoing, By: "ann"})
	require.NoError(t, err)
	_, err = apply(ctx, e, declare(t, "gadget", 1, 2, 3, 4, 5), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"ann (host 1) done 1 3"}, runs(), "what does nothing is no run")

	_, err = apply(ctx, e, declare(t, "widget", 100), nil)
	require.Error(t, err)
	require.Len(t, runs(), 2)
	require.Contains(t, runs()[1], "host 1 failed 1 error occurred:")
	require.Contains(t, runs()[1], "store widget/n00000: a constraint refused it")

	backend, err := dbsyncer.New(db, shop(), h.options())
	require.NoError(t, err)
	_, _, err = backend.Begin(ctx, "dead\x00\xff")
	require.NoError(t, err)
	require.Equal(t, "dead\ufffd\ufffd running", runs()[2])
	execute(t, db, "update "+h.schema+".leases set expires = clock_timestamp()")
	tx, _, err := backend.Begin(ctx, "next")
	require.NoError(t, err)
	require.Equal(t, []string{"dead\ufffd\ufffd interrupted", "next running"}, runs()[2:])

	// It isn't said by whom the lease was taken from.
	holder, err := backend.Holder(ctx)
	require.NoError(t, err)
	require.NoError(t, backend.Unlock(ctx, holder))
	_, head, err := backend.Begin(ctx, "third")
	require.NoError(t, err)
	tx.(tusync.Concluder).Conclude(errors.New("late"))
	require.NoError(t, tx.Close(ctx))
	require.Equal(t, []string{"next interrupted", "third running"}, runs()[3:])
	require.EqualValues(t, 3, head.Serial)

	// A long error is cut, and what can't be stored is replaced.
	holder, err = backend.Holder(ctx)
	require.NoError(t, err)
	require.NoError(t, backend.Unlock(ctx, holder))
	tx, _, err = backend.Begin(ctx, "fourth")
	require.NoError(t, err)
	tx.(tusync.Concluder).Conclude(errors.New("\x00" + strings.Repeat("ü", 5000)))
	require.NoError(t, tx.Close(ctx))
	require.Less(t, len(runs()[5]), 4100)
	require.Contains(t, runs()[5], "fourth failed \ufffdüüü")
}

// What goes into one statement is bounded, but for one value that is larger.
func TestPortions(t *testing.T) {
	t.Parallel()
	text := func(mib int) string { return strings.Repeat("x", mib<<20) }
	require.Empty(t, dbsyncer.Portions(nil))
	require.Equal(t, [][2]int{{0, 3}}, dbsyncer.Portions([]string{text(8), text(8), ""}))
	require.Equal(t, [][2]int{{0, 2}, {2, 3}, {3, 5}}, dbsyncer.Portions([]string{text(8), text(7), text(20), text(1), text(1)}))
}

// Runs are given up with the States that came of them.
func TestRunsAreForgotten(t *testing.T) {
	t.Parallel()
	h, db, ctx := newHost(t), pool(t, dbsyncertest.URL(t)), t.Context()
	backend, err := dbsyncer.New(db, shop(), &dbsyncer.Options{Schema: h.schema, History: 3})
	require.NoError(t, err)
	e := engine(t, backend, nil)
	for size := range 64 {
		_, err := apply(ctx, e, declare(t, "gadget", size), nil)
		require.NoError(t, err)
	}
	require.Equal(t, "62 63 64", value(t, db, "select string_agg(last_serial::text, ' ' order by token) from "+h.schema+".runs"))
	for serial := int64(62); serial <= 64; serial++ { // and those are whole
		was, err := e.StateAt(ctx, serial)
		require.NoError(t, err)
		require.Len(t, was.Records, 1)
	}
}

// acting is a Handler that fails, and looks at the view pending while it acts.
type acting struct {
	look  func() string
	seen  []string
	fails error
}

func (a *acting) Apply(_ context.Context, changes []diff.Change) []tusync.Outcome {
	a.seen = append(a.seen, a.look())
	outcomes := make([]tusync.Outcome, len(changes))
	for i := range outcomes {
		outcomes[i].Err = a.fails
	}
	return outcomes
}

func TestThePendingView(t *testing.T) {
	t.Parallel()
	h, db := newHost(t), pool(t, dbsyncertest.URL(t))
	handler := &acting{fails: errors.New("it is broken"), look: func() string {
		return value(t, db, "select string_agg(concat_ws(' ', org, app, kind, name, op, serial, attempts, error), '; ') from "+h.schema+".pending")
	}}
	backend, err := dbsyncer.New(db, shop(), h.options())
	require.NoError(t, err)
	acts, err := tusync.New(backend, tusync.Kinds(tusync.Define[widget]("gadget", tusync.Handle(handler))), nil)
	require.NoError(t, err)
	_, err = apply(t.Context(), acts, declare(t, "gadget", 1), nil)
	require.Error(t, err)
	handler.fails = nil
	_, err = apply(t.Context(), acts, declare(t, "gadget", 1), nil)
	require.NoError(t, err)
	_, err = apply(t.Context(), acts, declare(t, "gadget", 2), nil)
	require.NoError(t, err)
	require.Len(t, handler.seen, 3)
	require.Contains(t, handler.seen[0], "acme shop gadget n00000 create 1")
	require.Contains(t, handler.seen[2], "acme shop gadget n00000 update")
	require.Empty(t, handler.look())

	// What can't be stored as text is replaced.
	handler.fails = errors.New("a\x00b\xffc")
	_, err = apply(t.Context(), acts, declare(t, "gadget", 3), &tusync.PlanOptions{By: "d\x00\xff"})
	require.Error(t, err)
	require.Contains(t, handler.look(), "a\ufffdb\ufffdc")
	head, err := backend.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, "d\ufffd\ufffd", head.By)
	// If there is such a text nevertheless, it hides itself only.
	execute(t, db, `update `+h.schema+`.records set record = replace(record::text, 'gadget', E'\\\\u0000')::json where until_serial is null`)
	require.Empty(t, handler.look())
	execute(t, db, "select "+h.schema+".forget(id, 4) from "+h.schema+".scopes")
}

// kept is what a State was when it was the present one.
type kept struct {
	state    *state.State
	declared map[state.Checksum]state.Resource
}

// sumsOf are the checksums of the declarations that records name, with what is pending.
func sumsOf(records []state.Record) (sums []state.Checksum) {
	for _, r := range records {
		sums = append(sums, r.Checksum)
		for _, p := range r.Pending {
			sums = append(sums, p.Checksum)
		}
	}
	return slices.DeleteFunc(sums, state.Checksum.IsZero)
}

// States that are older than Options.History go, now and then, and with them all that
// nothing else needs; what kept States and pending work need stays.
func TestOldStatesAreForgotten(t *testing.T) {
	t.Parallel()
	const history = 5
	h, db, ctx := newHost(t), pool(t, dbsyncertest.URL(t)), t.Context()
	opts := h.options()
	opts.History = history
	backend, err := dbsyncer.New(db, shop(), opts)
	require.NoError(t, err)
	// One update of which nobody knows how it ended: its declaration is named by what is
	// pending alone.
	handler := &acting{look: func() string { return "" }}
	e, err := tusync.New(backend, tusync.Kinds(tusync.Define[widget]("gadget"), tusync.Define[widget]("act", tusync.Handle(handler))), nil)
	require.NoError(t, err)
	act, err := tusync.Kinds(tusync.Define[widget]("act")).Resource("act", "one", widget{Size: 1, Token: secret})
	require.NoError(t, err)
	states := map[int64]kept{}
	sync := func(version int) {
		desired := declare(t, "gadget", version, version%3, 7, version/20)
		if version%10 == 9 {
			desired.Resources = desired.Resources[1:] // an orphan for a while
		}
		if version > 0 {
			handler.fails = errors.New("it is broken")
			act.Config = []byte(fmt.Sprintf(`{"size":2,"token":%q}`, secret))
		}
		desired.Resources = append(desired.Resources, act)
		_, err := apply(ctx, e, desired, &tusync.PlanOptions{OnFailure: tusync.KeepGoing, Prune: version%10 == 9, PruneLimit: tusync.LimitPercent(100)})
		require.Equal(t, version > 0, err != nil)
		head, err := backend.Head(ctx)
		require.NoError(t, err)
		now, err := e.StateAt(ctx, head.Serial)
		require.NoError(t, err)
		declared, err := backend.Declared(ctx, sumsOf(now.Records))
		require.NoError(t, err)
		states[head.Serial] = kept{now, declared}
	}
	forgotten := false
	for version := 0; len(states) == 0 || !forgotten; version++ {
		sync(version)
		forgotten = value(t, db, "select min(serial) from "+h.schema+".commits") != "1"
	}
	head, err := backend.Head(ctx)
	require.NoError(t, err)
	require.LessOrEqual(t, head.Serial, int64(70))
	oldest := head.Serial
	found := 0
	for head, err := range backend.History(ctx) {
		require.NoError(t, err)
		require.Equal(t, oldest-int64(found), head.Serial)
		found++
		was, looked := states[head.Serial]
		if !looked { // a commit in the middle of a sync
			continue
		}
		now, err := e.StateAt(ctx, head.Serial)
		require.NoError(t, err)
		require.Equal(t, was.state, now)
		sums := sumsOf(now.Records)
		declared, err := backend.Declared(ctx, sums)
		require.NoError(t, err)
		require.Equal(t, was.declared, declared)
		for _, sum := range sums {
			require.Contains(t, declared, sum)
		}
	}
	require.Equal(t, history, found)
	pending := 0
	for r, err := range backend.Records(ctx) {
		require.NoError(t, err)
		pending += len(r.Pending)
		for _, p := range r.Pending {
			require.NotEqual(t, r.Checksum, p.Checksum)
		}
	}
	require.Equal(t, 1, pending)
	_, _, err = backend.StateAt(ctx, 1)
	require.ErrorIs(t, err, tusync.ErrNoState)

	// Nothing is left that no kept State needs.
	at, least := h.schema+".", value(t, db, "select min(serial) from "+h.schema+".commits")
	require.Equal(t, "0", value(t, db, "select count(*) from "+at+"records where until_serial <= "+least))
	require.Equal(t, "0", value(t, db, "select count(*) from "+at+"declared d where not exists (select from "+at+"records r where r.record::text like '%' || encode(d.checksum, 'hex') || '%')"))
	require.NotEqual(t, "0", value(t, db, "select count(*) from "+at+"records where until_serial is not null"))
}

// A State that is given up while somebody reads it is not read in part.
func TestAStateIsForgottenWhileItIsRead(t *testing.T) {
	t.Parallel()
	h, db, ctx := newHost(t), pool(t, dbsyncertest.URL(t)), t.Context()
	backend, err := dbsyncer.New(db, shop(), h.options())
	require.NoError(t, err)
	for size := range 2 {
		_, err := apply(ctx, engine(t, backend, nil), declare(t, "gadget", 7, size), nil)
		require.NoError(t, err)
	}
	head, records, err := backend.StateAt(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, 2, head.Records)
	execute(t, db, "select "+h.schema+".forget(id, 2) from "+h.schema+".scopes")
	for _, rerr := range records {
		err = rerr
	}
	require.ErrorIs(t, err, tusync.ErrNoState)
	require.ErrorContains(t, err, "read State 1 of acme/shop")
}

// A State that can't be is refused by the tables themselves.
func TestWrongRowsAreRefused(t *testing.T) {
	t.Parallel()
	h, db := newHost(t), pool(t, dbsyncertest.URL(t))
	_, err := apply(t.Context(), h.engine(t, db, shop(), nil), declare(t, "gadget", 1, 2), nil)
	require.NoError(t, err)
	sum := `sha256('')`
	for _, sql := range []string{
		"insert into $s.scopes (org, app) values ('', 'shop')",
		"insert into $s.scopes (org, app) values ('acme', '')",
		"insert into $s.scopes (org, app) values ('acme', 'shop')",
		"update $s.scopes set digest_key = ''",
		"insert into $s.leases values (1000, 1, 'me', now(), now())",
		"update $s.leases set token = 0",
		"insert into $s.commits select 1000, serial, token, oldest, delta, head, 0, 0, 0 from $s.commits",
		"insert into $s.commits select scope_id, serial + 1, token, oldest, delta, head, 0, 0, 0 from $s.commits", // the head says another serial
		"update $s.commits set serial = 0",
		"update $s.commits set delta = ''",
		"update $s.commits set orphans = records + 1",
		"update $s.commits set unfinished = records + 1",
		"update $s.commits set records = -1, orphans = -1",
		"update $s.commits set oldest = serial + 1",
		"insert into $s.declared select scope_id, '', kind, name, resource from $s.declared",
		"insert into $s.declared select 1000, checksum, kind, name, resource from $s.declared",
		"delete from $s.declared", // records name them
		"update $s.records set checksum = " + sum,
		"update $s.records set name = 'other'", // the declaration is another's
		"update $s.records set kind = ''",
		"update $s.records set part = ''",
		"update $s.records set declared = ''",
		"update $s.records set from_serial = 0",
		"update $s.records set until_serial = from_serial",
		"update $s.records set scope_id = 1000",
		"insert into $s.records select scope_id, kind, name, 2, null, checksum, part, declared, unfinished, record from $s.records", // two that hold
		"update $s.runs set result = 'unknown'",
		"update $s.runs set result = 'running'", // and has ended
		"update $s.runs set ended = began - interval '1 s'",
		"update $s.runs set first_serial = 2, last_serial = 1",
		"insert into $s.runs (scope_id, token, owner, began) values (1000, 1, 'me', now())",
	} {
		_, err := db.Exec(t.Context(), strings.ReplaceAll(sql, "$s", h.schema))
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused, sql)
		require.Equal(t, "23", refused.Code[:2], "%s: %v", sql, err)
	}
}
