package sync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// PlanVersion is the version of a Plan's JSON.
const PlanVersion = "v1"

// Plan is what is to be done to make a scope match its declaration. It is made
// by Engine.Plan, shown, and given to Engine.Apply. It is a value: the same
// declaration, records and options make the same plan, byte by byte.
type Plan struct {
	// Base is the head of the State that the plan was made against.
	Base state.Head
	// Declared is the root of the declaration; zero if the plan was made without
	// one.
	Declared state.Checksum
	// Revision is the declaration's; By is who asked.
	Revision, By string
	// Changes are what is to be done, each after those it waits for. Empty if
	// everything is as declared.
	Changes []PlannedChange
	// Unchanged counts the declared resources that are as declared.
	Unchanged int
	// Orphans are the records of what is no longer declared and stays, those that
	// this plan marks included, in key order.
	Orphans []state.Record
	// OnFailure says what becomes of the rest when a change fails.
	OnFailure FailureMode

	desired *Desired
	opts    PlanOptions
	kinds   *KindSet
	records []state.Record // those of Base, if they were read
}

// PlannedChange is a change with its place in the order.
type PlannedChange struct {
	diff.Change
	// After are the indices of the plan's changes that it waits for, ascending.
	After []int
}

// Plan compares what is desired with what is recorded and returns what is to be
// done. It has no side effects. The options may be nil. A nil desired means that
// there is no declaration at hand: the plan then holds only what the options ask
// for, to forget records and to prune those that are orphaned already.
//
// If the declaration's root is the recorded one and nothing else is asked for,
// all it reads is the head; and the records where there are orphans to report.
//
// The error is a *multierror.Error that holds a SyncErr for every mistake in the
// declaration, or an error for which errors.Is finds ErrEmptyDeclaration or
// ErrPruneLimit, or a SyncInternalErr if the backend can't be read.
func (e *Engine) Plan(ctx context.Context, desired *Desired, opts *PlanOptions) (*Plan, error) {
	p := planner{engine: e, plan: &Plan{kinds: e.kinds}}
	if desired != nil {
		own := *desired
		own.Resources = slices.Clone(desired.Resources)
		p.plan.desired = &own
	}
	if opts != nil {
		p.plan.opts = *opts
	}
	return p.make(ctx)
}

type planner struct {
	engine      *Engine
	plan        *Plan
	declaration *declaration // nil without one
}

func (p *planner) make(ctx context.Context) (*Plan, error) {
	if err := p.start(); err != nil {
		return nil, err
	}
	head, err := p.engine.backend.Head(ctx)
	if err != nil {
		return nil, SyncInternalErr{Description: "read the head of " + p.engine.Scope().String(), Err: err}
	}
	return p.against(ctx, head)
}

// start checks what was asked for and prepares the declaration.
func (p *planner) start() error {
	plan, opts := p.plan, &p.plan.opts
	if !opts.OnFailure.valid() {
		return SyncInternalErr{Description: fmt.Sprintf("plan: unknown failure mode %q", opts.OnFailure)}
	}
	mode, err := p.engine.failureMode(opts.OnFailure)
	if err != nil {
		return err
	}
	plan.By, plan.OnFailure = opts.By, mode
	if plan.desired == nil {
		return nil
	}
	if len(plan.desired.Resources) == 0 && opts.Prune && !opts.AllowEmpty {
		return SyncInternalErr{Description: "plan: nothing is declared and pruning would delete everything; allow an empty declaration if that is meant", Err: ErrEmptyDeclaration}
	}
	declaration, err := p.engine.prepare(plan.desired)
	if err != nil {
		return err
	}
	p.declaration = declaration
	plan.Revision, plan.Declared = plan.desired.Revision, declaration.root
	return nil
}

// failureMode returns the mode that is asked for, or the backend's default.
func (e *Engine) failureMode(asked FailureMode) (FailureMode, error) {
	atomic, ok := e.backend.(Atomic)
	switch able := !ok || atomic.Atomic(); {
	case asked == AllOrNothing && !able:
		return "", SyncInternalErr{Description: "plan: this backend can't take back what was done when something else fails; ask to keep going", Err: errors.ErrUnsupported}
	case asked != "":
		return asked, nil
	case able:
		return AllOrNothing, nil
	}
	return KeepGoing, nil
}

// against makes the plan against a head.
func (p *planner) against(ctx context.Context, head state.Head) (*Plan, error) {
	plan := p.plan
	plan.Base = head
	if head.Scope != p.engine.Scope() {
		return nil, SyncInternalErr{Description: fmt.Sprintf("the backend of %s holds the State of %s", p.engine.Scope(), head.Scope)}
	}
	unchanged := p.unchanged(head)
	if unchanged && head.Orphans == 0 && !plan.opts.Records {
		plan.Unchanged = len(p.declaration.declared)
		return plan, nil
	}
	for record, err := range p.engine.backend.Records(ctx) {
		if err != nil {
			return nil, SyncInternalErr{Description: "read the records of " + head.Scope.String(), Err: err}
		}
		plan.records = append(plan.records, record)
	}
	changes, err := p.compare()
	if err != nil {
		return nil, err
	}
	if err := p.fill(ctx, changes); err != nil {
		return nil, err
	}
	plan.Changes, err = p.order(changes)
	return plan, err
}

// unchanged tells whether the head alone says that there is nothing to do.
func (p *planner) unchanged(head state.Head) bool {
	opts := &p.plan.opts
	return p.declaration != nil && head.Declared == p.declaration.root && head.Pending == 0 && len(opts.Forget) == 0
}

// compare joins the declaration with the records and applies the policies:
// what is pruned, what is forgotten, what stays an orphan.
func (p *planner) compare() ([]diff.Change, error) {
	plan := p.plan
	forget, err := p.forgets()
	if err != nil {
		return nil, err
	}
	var declared []diff.Declared
	if p.declaration != nil {
		declared = p.declaration.declared
	}
	var changes []diff.Change
	deletes := 0
	for change, err := range diff.Join(slices.Values(declared), recordsOf(plan.records)) {
		if err != nil {
			return nil, SyncInternalErr{Description: "compare the declaration with the records", Err: err}
		}
		record := recordOf(change)
		switch change := change.(type) {
		case *diff.Create, *diff.Update:
			changes = append(changes, change)
			continue
		case diff.NoOp:
			if !record.Orphaned {
				plan.Unchanged++
				continue
			}
		}
		copied := *record
		switch {
		case forget[record.Key]:
			changes = append(changes, &diff.Forget{Recorded: &copied})
		case p.declaration == nil && !record.Orphaned:
			// Without a declaration nothing can be said to have left it.
		case plan.opts.Prune && !record.Protected:
			if _, ok := p.engine.kinds.Kind(record.Kind); !ok {
				return nil, SyncErr{Resource: record.String(), Description: "can't be pruned: its kind is not registered; register it, or forget the record", Err: ErrUnknownKind}
			}
			changes = append(changes, &diff.Delete{Recorded: &copied})
			deletes++
		case record.Orphaned:
			plan.Orphans = append(plan.Orphans, copied)
		default:
			changes = append(changes, &diff.Orphan{Recorded: &copied})
			marked := copied
			marked.Orphaned = true
			plan.Orphans = append(plan.Orphans, marked)
		}
	}
	if limit := plan.opts.PruneLimit.of(len(plan.records)); deletes > limit {
		return nil, &PruneLimitError{Deletes: deletes, Records: len(plan.records), Limit: limit}
	}
	return changes, nil
}

// forgets returns the keys to forget, and says which of them can't be.
func (p *planner) forgets() (map[state.Key]bool, error) {
	keys := make(map[state.Key]bool, len(p.plan.opts.Forget))
	var errs []error
	for _, key := range p.plan.opts.Forget {
		keys[key] = true
		_, recorded := slices.BinarySearchFunc(p.plan.records, key, func(r state.Record, key state.Key) int { return r.Compare(key) })
		if !recorded {
			errs = append(errs, SyncErr{Resource: key.String(), Description: "can't be forgotten: it isn't recorded"})
		}
		if p.declaration == nil {
			continue
		}
		_, declared := slices.BinarySearchFunc(p.declaration.declared, key, func(d diff.Declared, key state.Key) int { return d.Resource.Compare(key) })
		if declared {
			errs = append(errs, SyncErr{Resource: key.String(), Description: "can't be forgotten: it is declared; remove it from the declaration first"})
		}
	}
	return keys, joinErrors(errs...)
}

// fill gives the updates their prior declarations and field deltas.
func (p *planner) fill(ctx context.Context, changes []diff.Change) error {
	var sums []state.Checksum
	for _, change := range changes {
		if update, ok := change.(*diff.Update); ok && update.Recorded.Checksum != update.Checksum {
			sums = append(sums, update.Recorded.Checksum)
		}
	}
	if len(sums) == 0 {
		return nil
	}
	prior, err := p.engine.backend.Declared(ctx, sums)
	if err != nil {
		return SyncInternalErr{Description: "read the recorded declarations of " + p.engine.Scope().String(), Err: err}
	}
	for _, change := range changes {
		if update, ok := change.(*diff.Update); ok && update.Recorded.Checksum != update.Checksum {
			if resource, ok := prior[update.Recorded.Checksum]; ok {
				update.Prior = &resource
				update.Fields = diff.Fields(update.Prior, update.Desired, p.engine.kinds.Schema(update.Desired.Kind))
			}
		}
	}
	return nil
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

// recordOf returns the record that a change was made against, nil for a create.
func recordOf(change diff.Change) *state.Record {
	switch c := change.(type) {
	case *diff.Update:
		return c.Recorded
	case *diff.Delete:
		return c.Recorded
	case *diff.Orphan:
		return c.Recorded
	case *diff.Forget:
		return c.Recorded
	case diff.NoOp:
		return c.Recorded
	}
	return nil
}

// IsEmpty tells whether there is nothing to do.
func (p *Plan) IsEmpty() bool { return len(p.Changes) == 0 }

// Counts returns how many changes of each op the plan has.
func (p *Plan) Counts() map[diff.Op]int {
	counts := map[diff.Op]int{}
	for _, change := range p.Changes {
		counts[change.Op()]++
	}
	return counts
}

// Digest returns the checksum of the plan's JSON: the same for the same plan.
func (p *Plan) Digest() (state.Checksum, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return state.Checksum{}, err
	}
	return state.Sum(raw), nil
}

// MarshalJSON implements json.Marshaler. Sensitive values are not in it.
func (p *Plan) MarshalJSON() ([]byte, error) {
	type change struct {
		diff.JSON
		After []int `json:"waits_for,omitempty"`
	}
	wire := struct {
		Version   string          `json:"version"`
		Scope     state.Scope     `json:"scope"`
		Serial    int64           `json:"serial"`
		Root      state.Checksum  `json:"root,omitzero"`
		Declared  state.Checksum  `json:"declared,omitzero"`
		Revision  string          `json:"revision,omitempty"`
		By        string          `json:"by,omitempty"`
		OnFailure FailureMode     `json:"on_failure"`
		Unchanged int             `json:"unchanged"`
		Counts    map[diff.Op]int `json:"counts"`
		Changes   []change        `json:"changes"`
		Orphans   []string        `json:"orphans"`
	}{
		Version: PlanVersion, Scope: p.Base.Scope, Serial: p.Base.Serial, Root: p.Base.Root, Declared: p.Declared,
		Revision: p.Revision, By: p.By, OnFailure: p.OnFailure, Unchanged: p.Unchanged,
		Counts: p.Counts(), Changes: []change{}, Orphans: []string{},
	}
	for _, c := range p.Changes {
		wire.Changes = append(wire.Changes, change{diff.JSONOf(c.Change, p.kinds.Schema), c.After})
	}
	for i := range p.Orphans {
		wire.Orphans = append(wire.Orphans, p.Orphans[i].Key.String())
	}
	return json.Marshal(wire)
}

// WriteText writes the plan for people: each change with its fields, and a
// summary. The options may be nil.
func (p *Plan) WriteText(w io.Writer, opts *diff.TextOptions) error {
	return diff.WriteText(w, func(yield func(diff.Change) bool) {
		for _, c := range p.Changes {
			if !yield(c.Change) {
				return
			}
		}
	}, p.kinds.Schema, p.Unchanged, opts)
}

// String returns the plan as WriteText writes it, without colour.
func (p *Plan) String() string {
	var b bytes.Buffer
	if err := p.WriteText(&b, nil); err != nil {
		return err.Error()
	}
	return b.String()
}
