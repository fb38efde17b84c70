package dbsyncer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"

	"github.com/jackc/pgx/v5"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Commit records the delta, in one transaction with what mappers have applied.
func (t *tx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	head, err := t.commit(ctx, &delta)
	if err != nil {
		return state.Head{}, t.b.failed(fmt.Sprintf("commit serial %d", delta.Head.Serial), err)
	}
	return head, nil
}

func (t *tx) commit(ctx context.Context, delta *state.Delta) (head state.Head, err error) {
	if t.closed.Load() {
		return head, errClosed
	}
	if err := ctx.Err(); err != nil {
		return head, err
	}
	if err := t.begin(ctx); err != nil {
		return head, err
	}
	work := t.staged
	var undo func()
	defer func() {
		if err != nil {
			t.drop(ctx)
			if undo != nil {
				undo()
			}
		}
	}()
	lost := t.lease.check(ctx, t.b, work)
	if lost != nil && !errors.Is(lost, tusync.ErrLeaseLost) {
		return head, lost
	}
	sum, repeated, err := t.isRepeated(ctx, work, delta)
	if !repeated {
		err = cmp.Or(lost, err)
	}
	if err != nil {
		return head, err
	}
	if repeated {
		t.applied = nil
		t.drop(ctx)
		return t.head, nil
	}
	if err := t.applyAgain(ctx); err != nil {
		return head, err
	}
	if err := delta.Validate(t.b.scope); err != nil {
		return head, err
	}
	if t.tally == nil {
		if t.tally, err = t.b.readTally(ctx, work, t.lease.scopeID, t.head); err != nil {
			return head, err
		}
	}
	rows, err := rowsOf(delta)
	if err != nil {
		return head, err
	}
	was, err := t.b.end(ctx, work, t.lease.scopeID, delta)
	if err != nil {
		return head, err
	}
	swap(t.tally, was, rows.parts)
	undo = func() { swap(t.tally, rows.parts, was) }
	if err := t.tally.Fits(&delta.Head); err != nil {
		return head, &state.DeltaError{Err: err}
	}
	if err := t.b.insert(ctx, work, t.lease, delta, rows, sum); err != nil {
		return head, err
	}
	if t.b.onCommit != nil {
		if err := t.b.onCommit(ctx, work, withToken(delta.Head)); err != nil {
			return head, explained("store what belongs to the State", "", err)
		}
	}
	if err := work.Commit(ctx); err != nil {
		return head, err
	}
	t.staged, t.applied, undo = nil, nil, nil
	t.head = withToken(delta.Head)
	t.head.Kinds = maps.Clone(delta.Head.Kinds)
	return t.head, nil
}

// isRepeated tells whether the delta was committed by this Tx before, and returns its
// checksum. Another one than the next is stale.
func (t *tx) isRepeated(ctx context.Context, work pgx.Tx, delta *state.Delta) (sum state.Checksum, repeated bool, err error) {
	text, err := delta.AppendJSON(nil)
	if err != nil {
		return sum, false, err
	}
	sum = state.Sum(text)
	var serial int64
	err = work.QueryRow(ctx, t.b.sql(`
		select coalesce((select serial from $schema.commits where scope_id = $1 order by serial desc limit 1), 0),
			exists (select from $schema.commits where scope_id = $1 and serial = $2 and token = $3 and delta = $4)`),
		t.lease.scopeID, delta.Head.Serial, t.lease.token, bytesOfOne(sum)).Scan(&serial, &repeated)
	switch {
	case err != nil:
		return sum, false, err
	case repeated:
		if t.head.Serial < delta.Head.Serial { // the answer to the first was lost
			t.head, t.tally = withToken(delta.Head), nil
			t.head.Kinds = maps.Clone(delta.Head.Kinds)
		}
		return sum, true, nil
	case delta.Head.Serial != serial+1:
		return sum, false, &tusync.StaleError{
			PlannedSerial: delta.Head.Serial - 1, Serial: serial, Moved: []string{fmt.Sprintf("the next serial is %d", serial+1)},
		}
	}
	return sum, false, nil
}

// rows are a delta's records as columns.
type rows struct {
	kinds, names, records []string
	checksums             [][]byte
	parts                 []state.Part
}

func rowsOf(d *state.Delta) (*rows, error) {
	n := len(d.Records)
	r := &rows{
		kinds: make([]string, n), names: make([]string, n), records: make([]string, n),
		checksums: make([][]byte, n), parts: make([]state.Part, n),
	}
	var text []byte
	for i := range d.Records {
		record := &d.Records[i]
		var err error
		if text, err = record.AppendJSON(text[:0]); err != nil {
			return nil, err
		}
		r.kinds[i], r.names[i], r.records[i] = record.Kind, record.Name, string(text)
		if !record.Checksum.IsZero() {
			r.checksums[i] = bytesOfOne(record.Checksum)
		}
		r.parts[i] = state.PartOf(record, state.Sum(text))
	}
	return r, nil
}

// portion returns the rows from an index to before another.
func (r *rows) portion(from, end int) *rows {
	return &rows{
		kinds: r.kinds[from:end], names: r.names[from:end], records: r.records[from:end],
		checksums: r.checksums[from:end], parts: r.parts[from:end],
	}
}

// end ends the records that the delta changes or drops, and returns their parts.
func (b *Backend) end(ctx context.Context, work pgx.Tx, scopeID int64, d *state.Delta) ([]state.Part, error) {
	n := len(d.Records) + len(d.Dropped)
	if n == 0 || d.Head.Serial == 1 {
		return nil, nil
	}
	kinds, names := make([]string, 0, n), make([]string, 0, n)
	for i := range d.Records {
		kinds, names = append(kinds, d.Records[i].Kind), append(names, d.Records[i].Name)
	}
	for _, key := range d.Dropped {
		kinds, names = append(kinds, key.Kind), append(names, key.Name)
	}
	found, err := work.Query(ctx, b.sql(`
		update $schema.records r set until_serial = $2
		from unnest($3::text[], $4::text[]) as k (kind, name)
		where r.scope_id = $1 and r.kind = k.kind and r.name = k.name and r.until_serial is null
		returning r.part, r.declared, r.unfinished`), scopeID, d.Head.Serial, kinds, names)
	if err != nil {
		return nil, err
	}
	parts := make([]state.Part, 0, n)
	err = eachPart(found, func(p state.Part) { parts = append(parts, p) })
	return parts, err
}

// insert stores the declarations that are not there yet, the records and the head.
func (b *Backend) insert(ctx context.Context, work pgx.Tx, l lease, d *state.Delta, r *rows, sum state.Checksum) error {
	if err := b.insertDeclared(ctx, work, l.scopeID, d.Declared); err != nil {
		return err
	}
	for from, end := range portions(r.records) {
		if err := b.insertRecords(ctx, work, l.scopeID, d.Head.Serial, r.portion(from, end)); err != nil {
			return err
		}
	}
	head, err := json.Marshal(d.Head)
	if err != nil {
		return err
	}
	_, err = work.Exec(ctx, b.sql(`
		with committed as (
			insert into $schema.commits (scope_id, serial, token, delta, head, records, orphans, unfinished, oldest)
			values ($1, $2, $3, $4, $5::json, $6, $7, $8, $10)
		), prolonged as (
			update $schema.leases set expires = clock_timestamp() + $9::float8 * interval '1 second' where scope_id = $1
		)
		update $schema.runs set first_serial = coalesce(first_serial, $2), last_serial = $2 where scope_id = $1 and token = $3`),
		l.scopeID, d.Head.Serial, l.token, bytesOfOne(sum), string(head), d.Head.Records, d.Head.Orphans, d.Head.Pending,
		tusync.LeaseTTL.Seconds(), max(1, d.Head.Serial-b.history+1))
	return err
}

// insertRecords stores records.
func (b *Backend) insertRecords(ctx context.Context, work pgx.Tx, scopeID, serial int64, r *rows) error {
	parts, declared, unfinished := make([][]byte, len(r.parts)), make([][]byte, len(r.parts)), make([]bool, len(r.parts))
	for i, p := range r.parts {
		parts[i], declared[i], unfinished[i] = bytesOfOne(p.Root), bytesOfOne(p.Declared), p.Unfinished
	}
	_, err := work.Exec(ctx, b.sql(`
		insert into $schema.records (scope_id, from_serial, kind, name, checksum, part, declared, unfinished, record)
		select $1, $2, k.kind, k.name, k.checksum, k.part, k.declared, k.unfinished, k.record::json
		from unnest($3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bool[], $9::text[])
			as k (kind, name, checksum, part, declared, unfinished, record)`),
		scopeID, serial, r.kinds, r.names, r.checksums, parts, declared, unfinished, r.records)
	return err
}

// insertDeclared stores declarations, but for those that are there.
func (b *Backend) insertDeclared(ctx context.Context, work pgx.Tx, scopeID int64, resources []state.Resource) error {
	n := len(resources)
	sums, kinds, names, texts := make([][]byte, n), make([]string, n), make([]string, n), make([]string, n)
	var text []byte
	for i := range resources {
		var err error
		if text, err = resources[i].AppendJSON(text[:0]); err != nil {
			return err
		}
		sums[i], kinds[i], names[i], texts[i] = bytesOfOne(state.Sum(text)), resources[i].Kind, resources[i].Name, string(text)
	}
	for from, end := range portions(texts) {
		_, err := work.Exec(ctx, b.sql(`
			insert into $schema.declared (scope_id, checksum, kind, name, resource)
			select $1, k.checksum, k.kind, k.name, k.resource::json
			from unnest($2::bytea[], $3::text[], $4::text[], $5::text[]) as k (checksum, kind, name, resource)
			on conflict do nothing`), scopeID, sums[from:end], kinds[from:end], names[from:end], texts[from:end])
		if err != nil {
			return err
		}
	}
	return nil
}

// portions yields ranges of texts, from an index to before another, that each fit
// into one statement: what is sent at once is at most 1 GB, and kept in memory.
func portions(texts []string) iter.Seq2[int, int] {
	const most = 16 << 20
	return func(yield func(int, int) bool) {
		from, size := 0, 0
		for i, text := range texts {
			if size += len(text); size > most && i > from {
				if !yield(from, i) {
					return
				}
				from, size = i, len(text)
			}
		}
		if from < len(texts) {
			yield(from, len(texts))
		}
	}
}

func bytesOfOne(sum state.Checksum) []byte {
	b, _ := sum.MarshalBinary() // there is no error
	return b
}

func bytesOf(sums []state.Checksum) [][]byte {
	all := make([][]byte, len(sums))
	for i, sum := range sums {
		all[i] = bytesOfOne(sum)
	}
	return all
}
