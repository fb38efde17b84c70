package dbsyncer_test

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/trueup-go/trueup/dbsyncer"
)

// stepping calls step before and after every round trip.
type stepping struct {
	db   dbsyncer.DB
	step func()
}

func (s stepping) Begin(ctx context.Context) (pgx.Tx, error) {
	s.step()
	defer s.step()
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return steppingTx{tx, stepping{tx, s.step}}, nil
}

func (s stepping) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	s.step()
	defer s.step()
	return s.db.Exec(ctx, sql, args...)
}

func (s stepping) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	s.step()
	defer s.step()
	return s.db.Query(ctx, sql, args...)
}

func (s stepping) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	s.step()
	return steppingRow{s.db.QueryRow(ctx, sql, args...), s.step}
}

type steppingRow struct {
	pgx.Row
	step func()
}

func (r steppingRow) Scan(dest ...any) error {
	defer r.step()
	return r.Row.Scan(dest...)
}

// steppingTx is a transaction whose round trips are steps.
type steppingTx struct {
	pgx.Tx
	stepping
}

func (t steppingTx) Begin(ctx context.Context) (pgx.Tx, error) { return t.stepping.Begin(ctx) }

func (t steppingTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return t.stepping.Exec(ctx, sql, args...)
}

func (t steppingTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return t.stepping.Query(ctx, sql, args...)
}

func (t steppingTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return t.stepping.QueryRow(ctx, sql, args...)
}

func (t steppingTx) Commit(ctx context.Context) error {
	t.step()
	defer t.step()
	return t.Tx.Commit(ctx)
}

func (t steppingTx) Rollback(ctx context.Context) error {
	t.step()
	defer t.step()
	return t.Tx.Rollback(ctx)
}
