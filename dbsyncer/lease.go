package dbsyncer

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// lease is a row: who may write, until when. It counts by the server's clock. Its
// token is another one with each holder, and every commit checks it under a lock on
// the row: who lost the lease can't commit.
type lease struct {
	scopeID, token int64
	since          time.Time
}

// Begin takes the lease.
func (b *Backend) Begin(ctx context.Context, owner string) (tusync.Tx, state.Head, error) {
	l, head, err := b.begin(ctx, owner)
	if err != nil {
		return nil, state.Head{}, b.failed("take the lease", err)
	}
	return &tx{b: b, lease: l, head: head}, head, nil
}

func (b *Backend) begin(ctx context.Context, owner string) (l lease, head state.Head, err error) {
	adrift := b.adrift.Load()
	// Who holds it is read without a lock, so that nobody waits for a holder that
	// commits.
	if holder, err := b.Holder(ctx); err != nil {
		return l, head, err
	} else if holder != nil && (adrift == nil || !adrift.Equal(holder.Since)) {
		return l, head, holder
	}
	err = b.inHaste(ctx, func(tx pgx.Tx) error {
		l, head, err = b.take(ctx, tx, owner, adrift)
		return err
	})
	switch {
	case err == nil:
		b.adrift.Store(nil)
	case !l.since.IsZero(): // it may have been committed, and the answer lost
		b.adrift.Store(&l.since)
	}
	if errors.Is(err, errTaken) || isCode(err, "55P03") { // lock_not_available
		if holder, herr := b.Holder(ctx); herr != nil || holder != nil {
			return l, head, errors.Join(herr, asError(holder))
		}
		now := time.Now()
		err = &tusync.LockedError{Scope: b.scope, Owner: "a transaction that is not committed yet", Since: now, Expires: now}
	}
	return l, head, err
}

func asError(holder *tusync.LockedError) error {
	if holder == nil {
		return nil
	}
	return holder
}

// errTaken says that somebody else was quicker.
var errTaken = errors.New("somebody has just taken the lease")

// inHaste does something in a transaction that waits for a lock for a second at most:
// whoever has it may commit for long, or be anybody's own, and last.
func (b *Backend) inHaste(ctx context.Context, do func(tx pgx.Tx) error) error {
	tx, err := b.beginTx(ctx)
	if err != nil {
		return err
	}
	var was, is string
	err = tx.QueryRow(ctx, `select current_setting('lock_timeout'), set_config('lock_timeout', '1s', true)`).Scan(&was, &is)
	if err == nil {
		err = do(tx)
	}
	if err == nil && isInside(b.db) {
		_, err = tx.Exec(ctx, `select set_config('lock_timeout', $1, true)`, was)
	}
	if err != nil {
		rollback(ctx, tx)
		return err
	}
	return tx.Commit(ctx)
}

// take takes the lease if nobody has it, and notes that a run begins. What this owner
// took at the time adrift, and never got, counts as nobody's.
func (b *Backend) take(ctx context.Context, tx pgx.Tx, owner string, adrift *time.Time) (l lease, head state.Head, err error) {
	if l.scopeID, err = b.scopeID(ctx, tx); err != nil {
		return l, head, err
	}
	err = tx.QueryRow(ctx, b.sql(`
		insert into $schema.leases as l (scope_id, token, owner, since, expires)
		values ($1, 1, $2, clock_timestamp(), clock_timestamp() + $3::float8 * interval '1 second')
		on conflict (scope_id) do update
		set token = l.token + 1, owner = excluded.owner, since = excluded.since, expires = excluded.expires
		where l.expires <= clock_timestamp() or (l.owner, l.since) = (excluded.owner, $4::timestamptz)
		returning l.token, l.since`),
		l.scopeID, printable(owner), tusync.LeaseTTL.Seconds(), adrift).Scan(&l.token, &l.since)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, head, errTaken
	}
	if err != nil {
		return l, head, err
	}
	if _, err = tx.Exec(ctx, b.sql(`
		update $schema.runs set result = 'interrupted', ended = greatest(began, clock_timestamp())
		where scope_id = $1 and result = 'running'`), l.scopeID); err != nil {
		return l, head, err
	}
	if _, err = tx.Exec(ctx, b.sql(`
		insert into $schema.runs (scope_id, token, owner, began) values ($1, $2, $3, $4)`),
		l.scopeID, l.token, printable(owner), l.since); err != nil {
		return l, head, err
	}
	head, err = b.headIn(ctx, tx)
	return l, head, err
}

// printable returns a text that Postgres can store.
func printable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

// scopeID returns the scope's row, which it makes if there is none.
func (b *Backend) scopeID(ctx context.Context, tx pgx.Tx) (id int64, err error) {
	find := b.sql(`select id from $schema.scopes where org = $1 and app = $2`)
	err = tx.QueryRow(ctx, find, b.scope.Org, b.scope.App).Scan(&id)
	if !errors.Is(err, pgx.ErrNoRows) {
		return id, err
	}
	_, err = tx.Exec(ctx, b.sql(`insert into $schema.scopes (org, app) values ($1, $2) on conflict do nothing`), b.scope.Org, b.scope.App)
	if err != nil {
		return 0, err
	}
	return id, tx.QueryRow(ctx, find, b.scope.Org, b.scope.App).Scan(&id)
}

// Holder returns who holds the lease, nil if nobody does.
func (b *Backend) Holder(ctx context.Context) (*tusync.LockedError, error) {
	held := &tusync.LockedError{Scope: b.scope}
	err := b.db.QueryRow(ctx, b.sql(`
		select l.owner, l.since, l.expires from $schema.leases l
		where l.scope_id = (select s.id from $schema.scopes s where s.org = $1 and s.app = $2) and l.expires > clock_timestamp()`),
		b.scope.Org, b.scope.App).Scan(&held.Owner, &held.Since, &held.Expires)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // nobody holds it, and that is no error
	}
	if err != nil {
		return nil, b.failed("read who holds the lease", err)
	}
	return held, nil
}

// Unlock ends the lease of a holder, if it is still that one's. Where a commit of the
// holder's takes longer than a second it fails with an error that is Retryable.
func (b *Backend) Unlock(ctx context.Context, holder *tusync.LockedError) error {
	if holder == nil || holder.Scope != b.scope {
		return ctx.Err()
	}
	err := b.inHaste(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, b.sql(`
			update $schema.leases set token = token + 1, expires = '-infinity'
			where scope_id = (select s.id from $schema.scopes s where s.org = $1 and s.app = $2) and owner = $3 and since = $4`),
			b.scope.Org, b.scope.App, holder.Owner, holder.Since)
		return err
	})
	return b.failed("end the lease", err)
}

// Renew prolongs the lease. It may be called at any time. It doesn't wait for a commit
// of this Tx, which may take longer than the lease lasts: the commit locks the row,
// so that nobody else can take the lease, and prolongs it at its end.
func (t *tx) Renew(ctx context.Context) (until time.Time, err error) {
	if t.closed.Load() {
		return time.Time{}, errClosed
	}
	if isInside(t.b.db) { // nobody else gets past the row before it ends
		return time.Now().Add(tusync.LeaseTTL), ctx.Err()
	}
	err = t.b.db.QueryRow(ctx, t.b.sql(`
		update $schema.leases set expires = clock_timestamp() + $3::float8 * interval '1 second'
		where scope_id = (select scope_id from $schema.leases where scope_id = $1 and token = $2 for update skip locked)
		returning expires`),
		t.lease.scopeID, t.lease.token, tusync.LeaseTTL.Seconds()).Scan(&until)
	if errors.Is(err, pgx.ErrNoRows) {
		until, err = t.renewLocked(ctx)
	}
	if errors.Is(err, tusync.ErrLeaseLost) {
		return time.Time{}, err
	}
	return until, t.b.failed("renew the lease", err)
}

// renewLocked is Renew where the row is locked, or another's.
func (t *tx) renewLocked(ctx context.Context) (until time.Time, err error) {
	var token int64
	err = t.b.db.QueryRow(ctx, t.b.sql(`
		select token, clock_timestamp() + $2::float8 * interval '1 second' from $schema.leases where scope_id = $1`),
		t.lease.scopeID, tusync.LeaseTTL.Seconds()).Scan(&token, &until)
	switch {
	case err == nil && token != t.lease.token, errors.Is(err, pgx.ErrNoRows):
		return time.Time{}, tusync.ErrLeaseLost
	}
	return until, err
}

// check locks the lease until the transaction ends, and returns ErrLeaseLost if it
// is another's.
func (l lease) check(ctx context.Context, b *Backend, tx pgx.Tx) error {
	var token int64
	err := tx.QueryRow(ctx, b.sql(`select token from $schema.leases where scope_id = $1 for update`), l.scopeID).Scan(&token)
	if err == nil && token != l.token || errors.Is(err, pgx.ErrNoRows) {
		return tusync.ErrLeaseLost
	}
	return err
}
