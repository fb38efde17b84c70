package dbsyncer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// DB is what a Backend works on, with the methods that pgx has: a *pgxpool.Pool, or,
// for a host that commits rows of its own together with the State, a pgx.Tx.
type DB interface {
	// Begin begins a transaction, or sets a savepoint in one.
	Begin(ctx context.Context) (pgx.Tx, error)
	// Exec executes a statement.
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	// Query returns a statement's rows, which the caller closes.
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	// QueryRow returns a statement's first row.
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// isInside tells whether a DB is a transaction of the host's.
func isInside(db DB) bool {
	_, inside := db.(pgx.Tx)
	return inside
}

// DefaultSchema is the database schema that holds the tables.
const DefaultSchema = "trueup"

// Options of a Backend. The zero value is the default.
type Options struct {
	// Schema is the database schema that holds the tables; empty is DefaultSchema.
	// Nothing depends on search_path.
	Schema string
	// Mappers map kinds onto tables of the host's own, by the kinds' names. They
	// must be safe for concurrent use.
	Mappers map[string]Mapper
	// OnCommit is called at the end of each commit, in its transaction, to store what
	// belongs to the new State: New on that transaction reads it. An error takes the
	// commit back. May be nil.
	OnCommit func(ctx context.Context, tx pgx.Tx, head state.Head) error
	// History is how many States are kept; 0 is 1,000.
	History int
}

// Backend records one scope in Postgres. It is safe for concurrent use.
type Backend struct {
	db       DB
	scope    state.Scope
	schema   string // as SQL
	mappers  map[string]Mapper
	onCommit func(ctx context.Context, tx pgx.Tx, head state.Head) error // may be nil
	history  int64
	// adrift is since when a lease is held that was taken while the connection broke,
	// so that nobody has it; nil if there is none.
	adrift atomic.Pointer[time.Time]
}

var (
	_ tusync.Concluder    = (*tx)(nil)
	_ tusync.Backend      = (*Backend)(nil)
	_ tusync.Historian    = (*Backend)(nil)
	_ tusync.DigestKeeper = (*Backend)(nil)
	_ tusync.Unlocker     = (*Backend)(nil)
	_ tusync.Observer     = (*Backend)(nil)
)

// New returns a Backend for a scope. The schema must be up to date; see Migrate.
// It does nothing yet: that a server can't be reached is the first call's error.
func New(db DB, scope state.Scope, opts *Options) (*Backend, error) {
	if opts == nil {
		opts = &Options{}
	}
	if err := scope.Validate(); err != nil {
		return nil, err
	}
	switch db.(type) {
	case *pgx.Conn, interface{ Release() }: // the latter is a *pgxpool.Conn
		return nil, fmt.Errorf("dbsyncer: a %T does one thing at a time, and a lease is renewed while a commit is under way: give a *pgxpool.Pool, or a pgx.Tx", db)
	}
	if opts.History < 0 {
		return nil, fmt.Errorf("dbsyncer: Options.History is %d: want how many States to keep, or 0 for the default", opts.History)
	}
	_, schema, err := schemaOf(opts.Schema)
	if err != nil {
		return nil, err
	}
	return &Backend{
		db: db, scope: scope, schema: schema,
		mappers: opts.Mappers, onCommit: opts.OnCommit, history: int64(cmp.Or(opts.History, 1000)),
	}, nil
}

// schemaOf returns a schema's name, and as SQL.
func schemaOf(name string) (own, quoted string, err error) {
	const most = 63 // bytes: Postgres shortens a longer one, to what may be another's
	own = cmp.Or(name, DefaultSchema)
	if len(own) > most || strings.Contains(own, "\x00") {
		return "", "", fmt.Errorf("dbsyncer: the schema is named %q: want at most %d bytes, none of them 0", own, most)
	}
	return own, pgx.Identifier{own}.Sanitize(), nil
}

// sql returns a statement with the schema's name in place of "$schema".
func (b *Backend) sql(statement string) string {
	return strings.ReplaceAll(statement, "$schema", b.schema)
}

// Scope returns whose State it records.
func (b *Backend) Scope() state.Scope { return b.scope }

// newestHead finds the head of a scope, and the version of the schema, in one row.
const newestHead = `
	select coalesce((select max(version) from $schema.migrations), 0), coalesce(c.head::text, '')
	from (values (1)) one
	left join lateral (
		select c.head from $schema.commits c
		where c.scope_id = (select s.id from $schema.scopes s where s.org = $1 and s.app = $2)
		order by c.serial desc limit 1
	) c on true`

// Head returns the State's head.
func (b *Backend) Head(ctx context.Context) (state.Head, error) {
	head, err := b.headIn(ctx, b.db)
	return head, b.failed("read the head", err)
}

func (b *Backend) headIn(ctx context.Context, db DB) (state.Head, error) {
	var version int
	var text string
	if err := db.QueryRow(ctx, b.sql(newestHead), b.scope.Org, b.scope.App).Scan(&version, &text); err != nil {
		return state.Head{}, err
	}
	if err := checkVersion(b.schema, version); err != nil {
		return state.Head{}, err
	}
	if text == "" {
		return withToken(state.Head{Version: state.DefaultStateVersion, Scope: b.scope}), nil
	}
	return decodeHead(text)
}

func decodeHead(text string) (head state.Head, err error) {
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return state.Head{}, fmt.Errorf("decode a head: %w", err)
	}
	return withToken(head), nil
}

// withToken returns a head with the token of its State.
func withToken(head state.Head) state.Head {
	head.Token = state.Token(fmt.Sprintf("%d %s", head.Serial, head.Root))
	return head
}

// Records yields the records in key order, as of one serial.
func (b *Backend) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	return b.records(ctx, `
		select r.record::text from $schema.records r
		where r.scope_id = (select s.id from $schema.scopes s where s.org = $1 and s.app = $2) and r.until_serial is null
		order by r.kind, r.name`, b.scope.Org, b.scope.App)
}

// records yields what a query finds: records as text.
func (b *Backend) records(ctx context.Context, query string, args ...any) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(state.Record{}, err)
			return
		}
		rows, err := b.db.Query(ctx, b.sql(query), args...)
		if err != nil {
			yield(state.Record{}, b.failed("read the records", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var r state.Record
			text := rows.RawValues()[0]
			if err := r.UnmarshalJSON(text); err != nil {
				yield(state.Record{}, b.failed("read the records", fmt.Errorf("decode a record: %w", err)))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(state.Record{}, b.failed("read the records", err))
		}
	}
}

// Declared returns the declarations with these checksums.
func (b *Backend) Declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	found, err := b.declared(ctx, sums)
	return found, b.failed("read declarations", err)
}

func (b *Backend) declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	found := make(map[state.Checksum]state.Resource, len(sums))
	if err := ctx.Err(); err != nil || len(sums) == 0 {
		return found, err
	}
	rows, err := b.db.Query(ctx, b.sql(`
		select d.resource::text from $schema.declared d
		where d.scope_id = (select s.id from $schema.scopes s where s.org = $1 and s.app = $2) and d.checksum = any ($3::bytea[])`),
		b.scope.Org, b.scope.App, bytesOf(sums))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r state.Resource
		text := rows.RawValues()[0]
		if err := r.UnmarshalJSON(text); err != nil {
			return nil, fmt.Errorf("decode a declaration: %w", err)
		}
		found[state.Sum(text)] = r
	}
	return found, rows.Err()
}

// beginTx begins a transaction of the Backend's own, or a savepoint in the host's. Its
// own reads what others have committed, whatever the host's default is, since it
// reads after it has waited for a lock. And it is ended by the server if its client
// says nothing for as long as a lease lasts: the lock of one that hangs, or is cut
// off, would keep everybody else out.
func (b *Backend) beginTx(ctx context.Context) (pgx.Tx, error) {
	tx, err := b.db.Begin(ctx)
	if err != nil || isInside(b.db) {
		return tx, err
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`
		set transaction isolation level read committed;
		set local idle_in_transaction_session_timeout = %d`, tusync.LeaseTTL.Milliseconds()), pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		rollback(ctx, tx)
		return nil, err
	}
	return tx, nil
}

// rollback takes a transaction back, even if the context is over. If that fails the
// connection is broken, and the server takes it back.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// failed says what could not be done for which scope, and what to do about it.
func (b *Backend) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return explained(fmt.Sprintf("%s of %s", what, b.scope), b.schema, err)
}

var errClosed = errors.New("the transaction is closed")
