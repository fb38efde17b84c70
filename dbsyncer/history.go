package dbsyncer

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// History yields the heads of the States that are kept, newest first.
func (b *Backend) History(ctx context.Context) iter.Seq2[state.Head, error] {
	return func(yield func(state.Head, error) bool) {
		heads, err := b.db.Query(ctx, b.sql(`
			select c.head::text from $schema.commits c
			where c.scope_id = (select s.id from $schema.scopes s where s.org = $1 and s.app = $2)
			order by c.serial desc limit $3`), b.scope.Org, b.scope.App, b.history)
		if err != nil {
			yield(state.Head{}, b.failed("read the history", err))
			return
		}
		defer heads.Close()
		for heads.Next() {
			head, err := decodeHead(string(heads.RawValues()[0]))
			if err != nil {
				yield(state.Head{}, b.failed("read the history", err))
				return
			}
			if !yield(head, nil) {
				return
			}
		}
		if err := heads.Err(); err != nil {
			yield(state.Head{}, b.failed("read the history", err))
		}
	}
}

// StateAt returns the State as of a serial.
func (b *Backend) StateAt(ctx context.Context, serial int64) (state.Head, iter.Seq2[state.Record, error], error) {
	head, err := b.headAt(ctx, serial)
	if err != nil {
		return state.Head{}, nil, b.failed(fmt.Sprintf("read State %d", serial), err)
	}
	return head, func(yield func(state.Record, error) bool) {
		records := 0
		for r, err := range b.recordsAt(ctx, serial) {
			if !yield(r, err) || err != nil {
				return
			}
			records++
		}
		if records != head.Records { // it was given up meanwhile
			yield(state.Record{}, b.failed(fmt.Sprintf("read State %d", serial), tusync.ErrNoState))
		}
	}, nil
}

func (b *Backend) headAt(ctx context.Context, serial int64) (state.Head, error) {
	var text string
	err := b.db.QueryRow(ctx, b.sql(`
		select c.head::text from $schema.commits c
		where c.scope_id = (select s.id from $schema.scopes s where s.org = $1 and s.app = $2) and c.serial = $3`),
		b.scope.Org, b.scope.App, serial).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return state.Head{}, tusync.ErrNoState
	}
	if err != nil {
		return state.Head{}, err
	}
	return decodeHead(text)
}

func (b *Backend) recordsAt(ctx context.Context, serial int64) iter.Seq2[state.Record, error] {
	return b.records(ctx, `
		select r.record::text from $schema.records r
		where r.scope_id = (select s.id from $schema.scopes s where s.org = $1 and s.app = $2)
			and r.from_serial <= $3 and (r.until_serial is null or r.until_serial > $3)
		order by r.kind, r.name`, b.scope.Org, b.scope.App, serial)
}
