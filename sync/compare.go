package sync

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// compare joins the declaration with the records: what is declared gets its
// draft, what isn't is pruned, forgotten or stays an orphan.
func (p *planner) compare(context.Context) error {
	var declared []diff.Declared
	if p.declaration != nil {
		declared = p.declaration.declared
	}
	p.drafts = make([]draft, len(declared))
	if err := p.checkAsked(); err != nil {
		return err
	}
	p.forgets = setOf(p.plan.opts.Forget)
	records, err := p.moved()
	if err != nil {
		return err
	}
	p.needed = p.neededByKept()
	d, r := 0, 0
	for change, err := range diff.Join(slices.Values(declared), recordsOf(records)) {
		if err != nil {
			return SyncInternalErr{Description: "compare the declaration with the records", Err: err}
		}
		key := change.Key()
		for d < len(declared) && declared[d].Resource.Compare(key) < 0 {
			d++
		}
		for r < len(records) && records[r].Compare(key) < 0 {
			r++
		}
		if d == len(declared) || declared[d].Resource.Key != key {
			if err := p.undeclared(records[r]); err != nil {
				return err
			}
			continue
		}
		draft := &p.drafts[d]
		if _, isNew := change.(*diff.Create); !isNew {
			draft.record = p.recordOf(key, &records[r])
		}
		if _, asDeclared := change.(diff.NoOp); !asDeclared {
			draft.change = change
		}
		p.settle(d)
	}
	return nil
}

// setOf returns what is in a list as a set.
func setOf[T comparable](list []T) map[T]bool {
	set := make(map[T]bool, len(list))
	for _, element := range list {
		set[element] = true
	}
	return set
}

// checkAsked returns what is wrong with the keys that the options name.
func (p *planner) checkAsked() error {
	var errs []error
	wrong := func(key state.Key, description string) {
		errs = append(errs, SyncErr{Resource: key.String(), Description: description})
	}
	for _, key := range p.plan.opts.Forget {
		if p.recorded(key) == nil {
			wrong(key, "can't be forgotten: it isn't recorded")
		}
		if _, declared := p.declaration.find(key); declared {
			wrong(key, "can't be forgotten: it is declared; remove it from the declaration first")
		}
	}
	for key := range p.plan.opts.Adopt {
		record := p.recorded(key)
		if _, declared := p.declaration.find(key); !declared {
			wrong(key, "can't be adopted: it isn't declared; declare it as it is first")
		} else if record != nil && record.ID != "" && !isInterrupted(record) {
			wrong(key, "can't be adopted: it is recorded as "+record.ID+"; forget that first")
		}
	}
	for _, key := range p.plan.opts.Redeploy {
		i, declared := p.declaration.find(key)
		if !declared || !p.declaration.declared[i].Resource.Deploy {
			wrong(key, "can't be deployed: it isn't declared with deploy")
		}
	}
	sortErrors(errs)
	return joinErrors(errs...)
}

// recorded returns the record of a key, nil if there is none.
func (p *planner) recorded(key state.Key) *state.Record {
	i, found := slices.BinarySearchFunc(p.plan.records, key, func(r state.Record, key state.Key) int { return r.Compare(key) })
	if !found {
		return nil
	}
	return &p.plan.records[i]
}

// recordOf returns the record of what is declared under a key: the one that it
// had before it moved, if it has.
func (p *planner) recordOf(key state.Key, joined *state.Record) *state.Record {
	if from, ok := p.moves[key]; ok {
		return p.recorded(from)
	}
	return p.recorded(joined.Key)
}

// moved returns the records under the keys that the declaration's moves give
// them.
func (p *planner) moved() ([]state.Record, error) {
	records := p.plan.records
	if p.declaration == nil {
		return records, nil
	}
	moves := slices.Concat(p.declaration.Moves, p.declaration.renamed(records))
	if len(moves) == 0 {
		return records, nil
	}
	p.renames = make(map[state.Key]state.Key, len(moves))
	for _, move := range moves {
		p.renames[move.From] = move.To
	}
	records = slices.Clone(records)
	p.moves = map[state.Key]state.Key{}
	var errs []error
	gone := map[state.Key]bool{}
	for _, move := range moves {
		move.To = p.landing(moves, move.To)
		from, to := p.recorded(move.From), p.recorded(move.To)
		_, declared := p.declaration.find(move.To)
		problem := ""
		switch {
		case from == nil || gone[move.From] || isInterrupted(from):
			continue // it has been made; or there is nothing yet that could have another name
		case !declared:
			problem = fmt.Sprintf("can't move to %s, which isn't declared", move.To)
		case to != nil || p.moves[move.To] != state.Key{}:
			problem = fmt.Sprintf("can't move to %s, which is recorded already; forget one of them", move.To)
		}
		if problem != "" {
			errs = append(errs, p.declaration.wrong(move.From, problem, nil))
			continue
		}
		p.moves[move.To], gone[move.From] = move.From, true
		i, _ := slices.BinarySearchFunc(p.plan.records, move.From, func(r state.Record, key state.Key) int { return r.Compare(key) })
		records[i].Key = move.To
	}
	slices.SortFunc(records, func(a, b state.Record) int { return a.Compare(b.Key) })
	return records, joinErrors(errs...)
}

// landing returns where a move leads: one to a key that has itself moved on, and is
// not declared any more, leads on.
func (p *planner) landing(moves []Move, to state.Key) state.Key {
	for range moves {
		_, declared := p.declaration.find(to)
		next := slices.IndexFunc(moves, func(m Move) bool { return m.From == to })
		if declared || next < 0 {
			break
		}
		to = moves[next].To
	}
	return to
}

// settle decides about a declared resource with regard to what was begun and not
// finished, and to the version of its kind.
func (p *planner) settle(i int) {
	d := &p.drafts[i]
	record := d.record
	if record == nil {
		return
	}
	target := p.target(i)
	if record.Replaced != "" {
		p.rest = append(p.rest, replacedBy(record))
	}
	update, _ := d.change.(*diff.Update)
	if update != nil {
		update.Recorded = record
	}
	asDeclared := update == nil || record.Checksum == target.Checksum && !record.Orphaned && slices.Equal(record.After, target.Edges)
	switch pending := pendingOp(record); {
	case pending == nil && p.outdated(record.Kind):
		if asDeclared {
			update = &diff.Update{Target: target, Recorded: record}
			d.change = update
		}
		update.Reasons = append(update.Reasons, fmt.Sprintf(
			"version %d of its kind means something else than version %d", p.engine.kinds.kind(record.Kind).Version, p.plan.Base.Kinds[record.Kind]))
	case pending == nil && asDeclared:
		d.change = nil // all that may be left is to delete what was replaced
	case pending == nil:
	case pending.Op == string(diff.OpCreate) && record.ID != "":
		p.replaceIt(i, unfinished("create", pending))
		d.change.(*diff.Create).ID = p.interruptedID(record)
	case pending.Op == string(diff.OpCreate):
		d.change = &diff.Create{
			Target: target, Recorded: record, ID: p.interruptedID(record),
			Reasons: []string{unfinished("create", pending)},
		}
	case pending.Op == string(diff.OpDelete) && pending.Attempts > 0:
		p.replaceIt(i, unfinished("delete", pending))
		d.last = false
	default: // to delete it has failed for sure: it is all there, or what is left of it is made whole
		update.Reasons = append(update.Reasons, unfinished(pending.Op, pending))
	}
}

// interruptedID returns the identity that an interrupted create has proposed; empty
// if it was never tried.
func (p *planner) interruptedID(record *state.Record) string {
	if !isInterrupted(record) {
		return ""
	}
	return p.engine.deriveID(record.Key, pendingOp(record).Serial)
}

// unfinished says why something is done again.
func unfinished(what string, pending *state.Pending) string {
	if pending.Error != "" {
		return fmt.Sprintf("the last %s failed: %s", what, pending.Error)
	}
	return fmt.Sprintf("the last %s did not finish", what)
}

// replacedBy returns the delete of the thing that a record's has replaced.
func replacedBy(record *state.Record) *diff.Delete {
	old := *record
	old.ID, old.Pending, old.Replaced = record.Replaced, nil, ""
	old.Checksum, old.ConfigID = state.Checksum{}, ""
	return &diff.Delete{Recorded: &old, Replaced: true}
}

// pendingOp returns what was begun on a resource and not finished, but for a
// deploy; nil if there is nothing. Of several it is the one that says most of what
// there may be: a create, else a delete.
func pendingOp(r *state.Record) *state.Pending {
	for _, op := range []diff.Op{diff.OpCreate, diff.OpDelete, diff.OpUpdate} {
		if pending := pendingOf(r, op); pending != nil {
			return pending
		}
	}
	return nil
}

// pendingDeploy returns a record's unfinished deploy, nil if there is none.
func pendingDeploy(r *state.Record) *state.Pending { return pendingOf(r, diff.OpDeploy) }

func pendingOf(r *state.Record, op diff.Op) *state.Pending {
	for i := range r.Pending {
		if r.Pending[i].Op == string(op) {
			return &r.Pending[i]
		}
	}
	return nil
}

func (p *planner) target(i int) diff.Target {
	d := &p.declaration.declared[i]
	return diff.Target{Desired: d.Resource, Checksum: d.Checksum, Edges: d.Edges}
}

// undeclared decides about a record that isn't declared.
func (p *planner) undeclared(record state.Record) error {
	opts := &p.plan.opts
	kind, known := p.engine.kinds.Kind(record.Kind)
	switch {
	case p.forgets[record.Key]:
		p.rest = append(p.rest, &diff.Forget{Recorded: &record})
		return nil
	case p.declaration == nil && !record.Orphaned:
		return nil // without a declaration nothing can be said to have left it
	case opts.Prune && !record.Protected && !kind.Protected && !p.needed[record.Key]:
		if !known {
			return SyncErr{Resource: record.String(), Description: "can't be pruned: its kind is not registered; register it, or forget the record", Err: ErrUnknownKind}
		}
		if record.Replaced != "" {
			p.rest = append(p.rest, replacedBy(&record))
		}
		if record.ID != "" && isInterrupted(&record) {
			p.rest = append(p.rest, begun(&record))
		}
		p.rest = append(p.rest, &diff.Delete{Recorded: &record})
	case !record.Orphaned:
		p.rest = append(p.rest, &diff.Orphan{Recorded: &record})
	}
	return nil
}

// neededByKept returns the keys of what is not pruned, since something depends on it
// that isn't declared and stays: it is protected, or there is no declaration that it
// could have left.
func (p *planner) neededByKept() map[state.Key]bool {
	if !p.plan.opts.Prune {
		return nil
	}
	needed := map[state.Key]bool{}
	var open []*state.Record
	for i := range p.plan.records {
		record := &p.plan.records[i]
		declared := p.isDeclared(record.Key)
		protected := record.Protected || p.engine.kinds.kind(record.Kind).Protected
		if !declared && !p.forgets[record.Key] && (protected || p.declaration == nil && !record.Orphaned) {
			open = append(open, record)
		}
	}
	for len(open) > 0 {
		record := open[len(open)-1]
		open = open[:len(open)-1]
		for _, key := range record.After {
			below := p.recorded(key)
			if below == nil || needed[key] {
				continue
			}
			needed[key] = true
			if !p.isDeclared(key) { // what is declared needs nothing that isn't
				open = append(open, below)
			}
		}
	}
	return needed
}

// isDeclared tells whether what is recorded under a key is declared, under whatever
// name.
func (p *planner) isDeclared(key state.Key) bool {
	if _, declared := p.declaration.find(key); declared {
		return true
	}
	return p.moves[p.renames[key]] == key
}

// begun returns the delete of what an interrupted replace may have created beside
// a record's thing.
func begun(record *state.Record) *diff.Delete {
	other := *record
	other.ID, other.Replaced = "", record.ID
	return &diff.Delete{Recorded: &other, Replaced: true}
}

// fill gives changes the declarations that their records were made from, and
// updates what differs.
func (p *planner) fill(ctx context.Context) error {
	var sums []state.Checksum
	need := func(record *state.Record) {
		switch pending := pendingOp(record); {
		case !record.Checksum.IsZero():
			sums = append(sums, record.Checksum)
		case pending != nil && !pending.Checksum.IsZero():
			sums = append(sums, pending.Checksum)
		}
	}
	for i := range p.drafts {
		if update, ok := p.drafts[i].change.(*diff.Update); ok && update.Recorded.Checksum != update.Checksum {
			need(update.Recorded)
		}
		if p.drafts[i].old != nil {
			need(p.drafts[i].old.Recorded)
		}
	}
	for _, change := range p.rest {
		if c, ok := change.(*diff.Delete); ok && p.engine.kinds.kind(c.Recorded.Kind).Handler != nil {
			need(c.Recorded)
		}
	}
	if len(sums) == 0 {
		return nil
	}
	prior, err := p.engine.backend.Declared(ctx, sums)
	if err != nil {
		return SyncInternalErr{Description: "read the recorded declarations of " + p.engine.Scope().String(), Err: err}
	}
	for i := range p.drafts {
		d := &p.drafts[i]
		if update, ok := d.change.(*diff.Update); ok && update.Recorded.Checksum != update.Checksum {
			update.Prior = p.renamed(priorOf(prior, update.Recorded), update.Desired)
			if update.Prior != nil {
				fields := diff.Fields(update.Prior, update.Desired, p.engine.kinds.Schema(update.Desired.Kind))
				update.Fields = p.comparable(i, fields, update.Prior.Config, update.Desired.Config)
				if len(update.Fields) == 0 && len(fields) > 0 {
					d.change = nil
				}
			}
		}
		if d.old != nil {
			d.old.Prior = priorOf(prior, d.old.Recorded)
		}
		if create, ok := d.change.(*diff.Create); ok && create.Replaces && d.old.Prior != nil {
			create.Prior = p.renamed(d.old.Prior, create.Desired)
			create.Fields = diff.Fields(create.Prior, create.Desired, p.engine.kinds.Schema(create.Desired.Kind))
		}
	}
	for _, change := range p.rest {
		if c, ok := change.(*diff.Delete); ok {
			c.Prior = priorOf(prior, c.Recorded)
		}
	}
	return nil
}

// comparable returns the fields, in which two Configs differ, without those of which
// that can't be told, and notes that there are such: sensitive values that are in both,
// where the key is withheld. They are taken for unchanged.
func (p *planner) comparable(i int, fields []diff.Field, old, now json.RawMessage) []diff.Field {
	if !p.declaration.withheld {
		return fields
	}
	rest := slices.DeleteFunc(slices.Clone(fields), func(f diff.Field) bool {
		path := strings.TrimPrefix(f.Path, "config.")
		_, was := diff.Lookup(old, path)
		_, is := diff.Lookup(now, path)
		return f.Sensitive && was && is
	})
	if len(rest) < len(fields) {
		p.withheld[i] = true
	}
	return rest
}

// renamed returns a prior declaration with the new names of what it refers to: what
// has moved is the same thing, whatever it is called. It may be nil.
func (p *planner) renamed(prior, desired *state.Resource) *state.Resource {
	if prior == nil || len(p.renames) == 0 {
		return prior
	}
	now := map[string]state.Key{}
	for _, ref := range p.engine.kinds.refs(desired, desired.Config) {
		now[ref.Path] = ref.To
	}
	values := map[string]json.RawMessage{}
	for _, ref := range p.engine.kinds.refs(prior, prior.Config) {
		to := p.movesTo(ref.To)
		if value, ok := diff.Lookup(desired.Config, ref.Path); ok && to != ref.To && now[ref.Path] == to {
			values[ref.Path] = value
		}
	}
	same := *prior
	if len(values) > 0 {
		same.Config = diff.Substitute(prior.Config, values)
	}
	same.After, same.Refs = slices.Clone(prior.After), slices.Clone(prior.Refs)
	for i := range same.After {
		same.After[i] = p.movesTo(same.After[i])
	}
	for i := range same.Refs {
		same.Refs[i].To = p.movesTo(same.Refs[i].To)
	}
	return &same
}

// movesTo returns the key that the moves lead to from a key: itself if there is none.
func (p *planner) movesTo(key state.Key) state.Key {
	for range p.renames {
		to, moves := p.renames[key]
		if !moves {
			break
		}
		key = to
	}
	return key
}

// priorOf returns the declaration that a record was made from; or, of a create
// that was interrupted, the one that it was to be made from.
func priorOf(prior map[state.Checksum]state.Resource, record *state.Record) *state.Resource {
	sum := record.Checksum
	if pending := pendingOp(record); sum.IsZero() && pending != nil {
		sum = pending.Checksum
	}
	resource, ok := prior[sum]
	if !ok {
		return nil
	}
	return &resource
}

func recordsOf(records []state.Record) func(func(state.Record, error) bool) {
	return func(yield func(state.Record, error) bool) {
		for i := range records {
			if !yield(records[i], nil) {
				return
			}
		}
	}
}

// deriveID returns the identity of a thing that is brought into being by a run
// that began at a serial: also when it is carried on by a later one.
func (e *Engine) deriveID(key state.Key, serial int64) string {
	scope := e.Scope()
	return state.DeriveID("resource", scope.Org, scope.App, key.Kind, key.Name, strconv.FormatInt(serial, 10))
}
