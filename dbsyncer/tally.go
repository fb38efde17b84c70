package dbsyncer

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/trueup-go/trueup/state"
)

// readTally reads the tally of a State whose head is known.
func (b *Backend) readTally(ctx context.Context, work pgx.Tx, scopeID int64, head state.Head) (*state.Tally, error) {
	var tally state.Tally
	if head.Records == 0 {
		return &tally, nil
	}
	found, err := work.Query(ctx, b.sql(`
		select part, declared, unfinished from $schema.records where scope_id = $1 and until_serial is null`), scopeID)
	if err != nil {
		return nil, err
	}
	if err := eachPart(found, func(p state.Part) { tally.Swap(state.Part{}, p) }); err != nil {
		return nil, err
	}
	return &tally, tally.Fits(&head)
}

// eachPart calls do with the part of each row, from its columns part, declared and
// unfinished.
func eachPart(found pgx.Rows, do func(state.Part)) error {
	var root, declared pgtype.DriverBytes
	var p state.Part
	_, err := pgx.ForEachRow(found, []any{&root, &declared, &p.Unfinished}, func() error {
		err := errors.Join(p.Root.UnmarshalBinary(root), p.Declared.UnmarshalBinary(declared))
		if err == nil {
			do(p)
		}
		return err
	})
	return err
}

// swap takes parts out of a tally and adds others.
func swap(tally *state.Tally, was, is []state.Part) {
	for _, part := range was {
		tally.Swap(part, state.Part{})
	}
	for _, part := range is {
		tally.Swap(state.Part{}, part)
	}
}
