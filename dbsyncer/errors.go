package dbsyncer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// SchemaError says that the tables are not those that this package reads and
// writes.
type SchemaError struct {
	// Schema is the name of the database schema, as SQL.
	Schema string
	// Version is the version of the tables in it, 0 if there are none or nobody
	// asked; Want is the one that this package knows.
	Version, Want int
	// Err is the server's error, nil if the versions say it.
	Err error
}

// Error implements error.
func (e *SchemaError) Error() string {
	switch {
	case e.Version == 0:
		return fmt.Sprintf("the schema %s lacks tables, or columns, of version %d: call dbsyncer.Migrate", e.Schema, e.Want)
	case e.Version > e.Want:
		return fmt.Sprintf("the schema %s is of version %d, and this program knows version %d: upgrade the program", e.Schema, e.Version, e.Want)
	}
	return fmt.Sprintf("the schema %s is of version %d, and this program needs version %d: call dbsyncer.Migrate", e.Schema, e.Version, e.Want)
}

// Unwrap returns the server's error.
func (e *SchemaError) Unwrap() error { return e.Err }

// Problem is what is wrong with the server or the way to it.
type Problem string

// The problems.
const (
	// Unreachable: the server doesn't answer, or the connection broke.
	Unreachable Problem = "the server can't be reached"
	// Overloaded: the server takes no more work now.
	Overloaded Problem = "the server takes no more work now"
	// Conflict: another transaction was in the way.
	Conflict Problem = "another transaction was in the way"
	// Denied: the user or the password is wrong, or the user may not do it.
	Denied Problem = "access is denied"
	// Missing: there is no such database.
	Missing Problem = "the database isn't there"
	// ReadOnly: the server is a replica, or is set to read-only.
	ReadOnly Problem = "the server is read-only"
	// Full: there is no room.
	Full Problem = "the server has no room left"
	// Refused: what was to be stored breaks a rule of the tables.
	Refused Problem = "a constraint refused it"
	// Other is everything else.
	Other Problem = "the server returned an error"
)

// Error says what a server could not do, and what to do about it. It holds no
// password and no rows, but for what a Mapper's or OnCommit's own error holds,
// which Err is as it is.
type Error struct {
	// What was to be done.
	What    string
	Problem Problem
	// Code is Postgres' own, of five characters; empty if it comes from elsewhere.
	Code string
	// Hint says what to do.
	Hint string
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s: %v: %s", e.What, e.Problem, e.Err, e.Hint)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable tells whether the same may succeed a little later.
func (e *Error) Retryable() bool {
	switch e.Problem {
	case Unreachable, Overloaded, Conflict:
		return true
	}
	return false
}

// explained wraps an error in an *Error, or in a *SchemaError if the server doesn't
// know the schema's tables as they should be; schema is empty where the tables are
// the host's. What doesn't come from the server is wrapped with what was to be
// done; one that says so already is left alone.
func explained(what, schema string, err error) error {
	var own *Error
	var postgres *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return err
	case errors.As(err, &postgres):
		if schema != "" {
			err = bare(postgres)
			if isMissing(postgres.Code) {
				return fmt.Errorf("%s: %w", what, &SchemaError{Schema: schema, Want: Version(), Err: err})
			}
		}
		problem, hint := explain(postgres.Code)
		return &Error{What: what, Problem: problem, Code: postgres.Code, Hint: hint, Err: err}
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", what, err)
	case errors.As(err, &connect): // after the time that a pool gives itself to connect, too
		err = fmt.Errorf("connect as %s to %s: %w", connect.Config.User, connect.Config.Database, connect.Unwrap()) // Config has the password
		return &Error{What: what, Problem: Unreachable, Hint: checkAddress, Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, err)
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, pgconn.ErrConnClosed), pgconn.SafeToRetry(err):
		return &Error{What: what, Problem: Unreachable, Hint: checkAddress, Err: err}
	}
	return fmt.Errorf("%s: %w", what, err)
}

const checkAddress = "check the address, and that the server runs"

// bare is a server's error without the rows that it quotes.
func bare(err *pgconn.PgError) error {
	own := *err
	own.Detail, own.Where, own.InternalQuery = "", "", ""
	return &own
}

// isCode tells whether an error is the server's of one of these codes.
func isCode(err error, codes ...string) bool {
	var postgres *pgconn.PgError
	return errors.As(err, &postgres) && slices.Contains(codes, postgres.Code)
}

// isMissing tells whether a Postgres error code says that a table, or a column, is
// not there.
func isMissing(code string) bool {
	switch code {
	case "42P01", "3F000", "42703": // undefined_table, invalid_schema_name, undefined_column
		return true
	}
	return false
}

// conflicts are the codes that say that another transaction was in the way:
// serialization_failure, deadlock_detected, lock_not_available.
func conflicts() []string { return []string{"40001", "40P01", "55P03"} }

// explain returns the problem that a Postgres error code stands for, and what to do
// about it.
func explain(code string) (Problem, string) {
	if slices.Contains(conflicts(), code) {
		return Conflict, "try again"
	}
	switch code {
	case "25006": // read_only_sql_transaction
		return ReadOnly, "connect to the primary server (target_session_attrs=read-write)"
	case "28000", "28P01": // invalid_authorization_specification, invalid_password
		return Denied, "check the user and the password"
	case "42501": // insufficient_privilege
		return Denied, "the user lacks a right on the tables, or the scope is another org's"
	case "3D000": // invalid_catalog_name
		return Missing, "create it, or check its name"
	case "53100": // disk_full
		return Full, "make room on the server's disk; nothing was recorded"
	case "57P01", "57P02": // admin_shutdown, crash_shutdown
		return Unreachable, "the server ended the connection: try again"
	case "57P03": // cannot_connect_now
		return Unreachable, "the server is starting or stopping: try again"
	case "57014": // query_canceled
		return Other, "somebody cancelled the statement, or it took longer than statement_timeout: raise that for this user"
	case "42P05", "26000": // duplicate_prepared_statement, invalid_sql_statement_name
		return Other, "the pooler mixes up prepared statements: add default_query_exec_mode=exec to the URL, or let the pooler prepare them"
	case "54000": // program_limit_exceeded
		return Refused, "store less in one value; what has an index takes about 2,600 bytes"
	case "25P03", "25P04", "57P05": // the timeouts of idle transactions, of transactions, of idle sessions
		return Unreachable, "the server ended the connection, as a timeout is set: raise it, and try again"
	}
	switch code[:min(2, len(code))] {
	case "08": // connection_exception
		return Unreachable, "check the network, and try again"
	case "53": // insufficient_resources
		return Overloaded, "try again later, with fewer connections, or behind a pooler"
	case "23": // integrity_constraint_violation
		return Refused, "store what the constraint allows, or change it"
	}
	return Other, "see the server's log"
}
