package dbsyncer

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/trueup-go/trueup/state"
)

// part is what a record adds to its State's head.
type part struct {
	root                 state.Checksum
	declared             state.Checksum // zero for an orphan
	orphaned, unfinished bool
}

// partOf returns the part of a record, which is text in JSON.
func partOf(r *state.Record, text []byte) part {
	p := part{root: state.Sum(text), orphaned: r.Orphaned, unfinished: r.Unfinished()}
	if !p.orphaned {
		p.declared = state.DeclaredPart(r.Key, r.Checksum, r.After)
	}
	return p
}

// parts is what the parts of all records make together.
type parts struct {
	root, declared               state.Tree
	records, orphans, unfinished int
}

// readParts reads the parts of a State whose head is known.
func (b *Backend) readParts(ctx context.Context, work pgx.Tx, scopeID int64, head state.Head) (*parts, error) {
	p := &parts{records: head.Records, orphans: head.Orphans, unfinished: head.Pending}
	if head.Records == 0 {
		return p, nil
	}
	var root, declared []byte
	err := work.QueryRow(ctx, b.sql(`
		select coalesce(string_agg(part, ''), ''), coalesce(string_agg(declared, ''), '')
		from $schema.records where scope_id = $1 and until_serial is null`), scopeID).Scan(&root, &declared)
	if err != nil {
		return nil, err
	}
	add := func(tree *state.Tree, sums []byte) error {
		const size = 32
		for ; len(sums) >= size; sums = sums[size:] {
			var sum state.Checksum
			if err := sum.UnmarshalBinary(sums[:size]); err != nil {
				return err
			}
			tree.Add(sum)
		}
		return nil
	}
	if err := add(&p.root, root); err != nil {
		return nil, err
	}
	if err := add(&p.declared, declared); err != nil {
		return nil, err
	}
	return p, p.fit(&head)
}

// swap takes parts out and adds others.
func (p *parts) swap(was, is []part) {
	for i := range was {
		p.count(&was[i], -1)
		p.root.Remove(was[i].root)
		if !was[i].orphaned {
			p.declared.Remove(was[i].declared)
		}
	}
	for i := range is {
		p.count(&is[i], +1)
		p.root.Add(is[i].root)
		if !is[i].orphaned {
			p.declared.Add(is[i].declared)
		}
	}
}

func (p *parts) count(one *part, by int) {
	p.records += by
	if one.orphaned {
		p.orphans += by
	}
	if one.unfinished {
		p.unfinished += by
	}
}

// fit returns an error if the head is not that of these parts.
func (p *parts) fit(head *state.Head) error {
	root, declared := p.root.Root(), p.declared.Root()
	switch {
	case root != head.Root:
		return &state.ChecksumError{Want: head.Root, Got: root}
	case declared != head.Declared:
		return &state.ChecksumError{Want: head.Declared, Got: declared}
	case p.records != head.Records || p.orphans != head.Orphans || p.unfinished != head.Pending:
		return fmt.Errorf("the head counts %d records, %d orphans, %d pending; there are %d, %d, %d",
			head.Records, head.Orphans, head.Pending, p.records, p.orphans, p.unfinished)
	}
	return nil
}
