package dbsyncer

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// tx is the one writer of a scope.
type tx struct {
	b      *Backend
	lease  lease
	closed atomic.Bool

	head  state.Head   // as of the last commit
	tally *state.Tally // nil until the first commit
	// staged is the transaction in which mappers have applied what is not committed
	// yet; nil if there is none.
	staged pgx.Tx
	// applied is what mappers have applied since the last commit. Lost, it was in a
	// transaction that is no more, and is to be applied again.
	applied []applied
	lost    bool
	// result and problem are what the run's row is to say, until it says so.
	result, problem string
	concluded       bool
}

// Conclude notes how the run ended, for Close.
func (t *tx) Conclude(err error) {
	const most = 4000
	t.result, t.problem = "done", ""
	if err != nil {
		t.result, t.problem = "failed", printable(err.Error())
	}
	if len(t.problem) > most {
		t.problem = printable(t.problem[:most]) + " …"
	}
}

// Apply hands changes of kinds with a Mapper to it. Of every other kind all that is
// stored is the record and the declaration, which come with the commit.
func (t *tx) Apply(ctx context.Context, changes []diff.Change) ([]tusync.Outcome, error) {
	if t.closed.Load() {
		return nil, errClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	outcomes := make([]tusync.Outcome, len(changes))
	mapped := map[string][]int{}
	for i, change := range changes {
		switch c := change.(type) {
		case *diff.Create:
			outcomes[i].ID = c.ID
		case *diff.Adopt:
			outcomes[i].ID = c.ID
		case *diff.Update, *diff.Delete:
		default:
			return nil, fmt.Errorf("a change of type %T can't be applied", change)
		}
		if kind := change.Key().Kind; t.b.mappers[kind] != nil {
			mapped[kind] = append(mapped[kind], i)
		}
	}
	if len(mapped) == 0 {
		return outcomes, nil
	}
	before := len(t.applied)
	if err := t.applyMapped(ctx, changes, mapped, outcomes); err != nil {
		t.applied = t.applied[:before]
		t.drop(ctx)
		return nil, t.b.failed("apply changes", err)
	}
	return outcomes, nil
}

// begin begins the transaction that the next Commit ends, unless it has begun. It
// holds no lock on the lease before that.
func (t *tx) begin(ctx context.Context) (err error) {
	if t.staged == nil {
		t.staged, err = t.b.beginTx(ctx)
	}
	return err
}

// drop takes back what was staged and not committed.
func (t *tx) drop(ctx context.Context) {
	if t.staged == nil {
		return
	}
	rollback(ctx, t.staged)
	t.staged, t.lost = nil, len(t.applied) > 0
}

// Close gives up the lease.
func (t *tx) Close(ctx context.Context) error {
	t.closed.Store(true)
	if t.concluded {
		return nil
	}
	t.drop(ctx)
	_, err := t.b.db.Exec(ctx, t.b.sql(`
		with given as (
			update $schema.leases set expires = '-infinity' where scope_id = $1 and token = $2 returning scope_id, token
		)
		update $schema.runs r set ended = greatest(r.began, clock_timestamp()), result = $3, error = nullif($4, '')
		from given where r.scope_id = given.scope_id and r.token = given.token and r.result = 'running'`),
		t.lease.scopeID, t.lease.token, cmp.Or(t.result, "done"), t.problem)
	t.concluded = err == nil
	return t.b.failed("give up the lease", err)
}
