package sync

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

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
	// Revision is the declaration's; By is who asked: whoever applies a plan that
	// somebody else has saved may put their own name in.
	Revision, By string
	// Changes are what is to be done, each after those it waits for. Empty if
	// everything is as declared.
	Changes []PlannedChange
	// Unchanged counts the declared resources that are as declared.
	Unchanged int
	// Orphans are the records of what is no longer declared and stays, those that
	// this plan marks included, in key order.
	Orphans []state.Record
	// Warnings are the declaration's, and then the plan's own: what it could not find
	// out. They are shown and change nothing.
	Warnings []Warning
	// OnFailure says what becomes of the rest when a change fails.
	OnFailure FailureMode
	// Wait makes Apply wait for the lease, as PlanOptions.Wait does. It is not a part
	// of what a saved plan says.
	Wait bool

	desired     *Desired
	rollback    *rollback    // set if the plan leads to an earlier State
	declaration *declaration // nil without one
	opts        PlanOptions
	kinds       *KindSet
	records     []state.Record // those of Base, if they were read
	referrers   map[state.Key][]referrer
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
// Where there is something to create, update or deploy it asks the kinds' Finders
// and Deployers for what is there, and, if the options say so, their Observers.
//
// The error is a *multierror.Error that holds a SyncErr for every mistake in the
// declaration, or an error for which errors.Is finds ErrEmptyDeclaration,
// ErrPruneLimit, ErrKindVersion, ErrExists, ErrProtected or
// ErrSecretUnavailable, or a SyncInternalErr if the backend can't be read.
func (e *Engine) Plan(ctx context.Context, desired *Desired, opts *PlanOptions) (*Plan, error) {
	p := e.planner(desired, opts)
	return p.make(ctx)
}

// planner makes one plan. Its steps are in the order of the files: what is
// compared (compare.go), what the world says (live.go), what follows from that
// (cascade.go, deploys.go), what of it is asked for (selection.go), and in which
// order it is done (order.go).
type planner struct {
	engine      *Engine
	plan        *Plan
	declaration *declaration // nil without one
	// drafts are what becomes of each declared resource, by its index.
	drafts []draft
	// rest is what becomes of everything else.
	rest  []diff.Change
	graph *diff.Graph // of the declaration; nil until it is needed
	// moves are the recorded keys of what has moved, by the declared ones.
	moves map[state.Key]state.Key
	// renames are all moves, by what they lead from, whether they are still to be
	// made or not.
	renames map[state.Key]state.Key
	// forgets are the keys of PlanOptions.Forget.
	forgets map[state.Key]bool
	needed  map[state.Key]bool // see neededByKept
	// onlyDrift says that nothing is wanted but what was changed behind our back.
	onlyDrift bool

	withheld map[int]bool // declared resources whose sensitive values can't be compared

	performer *performer // asks what there is
	holder    holder     // in Plan.records
	namesOnce sync.Once
	names     map[state.Key]string // of recorded resources, by kind and ID
}

// draft is what becomes of a declared resource.
type draft struct {
	record *state.Record // nil if there is none
	// change is a *diff.Create, *diff.Update or *diff.Adopt, nil if it is as
	// declared.
	change diff.Change
	// old is the half of a replace that deletes; last says that it comes last.
	old  *diff.Delete
	last bool
	// deploy is set if it is deployed: for the reasons in why, which are its own, or
	// because something is that it comes after.
	deploy *diff.Deploy
	why    []string
	// refused is why that can't be done: an error of the plan, if it is in it.
	refused error
}

func (e *Engine) planner(desired *Desired, opts *PlanOptions) *planner {
	p := &planner{
		engine: e, plan: &Plan{kinds: e.kinds, desired: desired.clone()}, withheld: map[int]bool{},
		performer: &performer{limiter: newLimiter(e.opts.Parallel), retries: e.opts.Retries},
	}
	if desired != nil {
		p.plan.Warnings = slices.Clone(desired.Warnings)
	}
	if opts != nil {
		p.plan.opts = opts.clone()
	}
	return p
}

// make makes the plan. The head is read first: a backend may tell the digest key
// with it.
func (p *planner) make(ctx context.Context) (*Plan, error) {
	if err := p.plan.opts.validate(); err != nil {
		return nil, err
	}
	head, err := p.engine.backend.Head(ctx)
	if err != nil {
		return nil, SyncInternalErr{Description: "read the head of " + p.engine.Scope().String(), Err: err}
	}
	if err := p.start(ctx); err != nil {
		return nil, err
	}
	return p.against(ctx, head)
}

// start checks what was asked for and prepares the declaration.
func (p *planner) start(ctx context.Context) error {
	plan, opts := p.plan, &p.plan.opts
	if err := opts.validate(); err != nil {
		return err
	}
	mode, err := p.engine.failureMode(opts.OnFailure)
	if err != nil {
		return err
	}
	plan.By, plan.OnFailure, plan.Wait = opts.By, mode, opts.Wait
	switch {
	case plan.rollback != nil:
		p.declaration, err = p.engine.prepareRollback(ctx, plan.rollback)
	case plan.desired == nil:
		return nil
	default:
		p.declaration, err = p.engine.prepare(ctx, plan.desired)
	}
	switch {
	case err != nil:
		return err
	case len(p.declaration.declared) == 0 && opts.Prune && !opts.AllowEmpty:
		return SyncInternalErr{Description: "plan: nothing is declared and pruning would delete everything; allow an empty declaration if that is meant", Err: ErrEmptyDeclaration}
	}
	plan.declaration = p.declaration
	plan.Revision, plan.Declared = p.declaration.Revision, p.declaration.root
	return nil
}

// failureMode returns the mode that is asked for, or the default.
func (e *Engine) failureMode(asked FailureMode) (FailureMode, error) {
	atomic, ok := AbilityOf[Atomic](e.backend)
	switch able := !ok || atomic.Atomic(); {
	case asked == AllOrNothing && !able:
		return "", SyncInternalErr{Description: "plan: this backend can't take back what was done when something else fails; ask to keep going", Err: errors.ErrUnsupported}
	case asked != "":
		return asked, nil
	case able && !e.kinds.acts:
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
	if err := p.checkVersions(); err != nil {
		return nil, err
	}
	if p.unchanged(head) && head.Orphans == 0 && !plan.opts.Records {
		plan.Unchanged = len(p.declaration.declared)
		return plan, nil
	}
	if head.Records > 0 {
		for record, err := range p.engine.backend.Records(ctx) {
			if err != nil {
				return nil, SyncInternalErr{Description: "read the records of " + head.Scope.String(), Err: err}
			}
			plan.records = append(plan.records, record)
		}
	}
	p.holder = holderIn(plan.records)
	steps := []func(context.Context) error{p.compare, p.fill, p.find, p.observe, p.immutable, p.cascade, p.referrers, p.deploys, p.secrets}
	if p.onlyDrift {
		steps = []func(context.Context) error{p.compare, p.fill, p.observe}
	}
	for _, step := range steps {
		err := step(ctx)
		if err == nil && plan.opts.Selection == nil {
			err = p.refusals(nil)
		}
		if err != nil {
			return nil, err
		}
	}
	var err error
	if plan.Changes, err = p.selected(ctx, p.order()); err != nil {
		return nil, err
	}
	if err := p.refusals(plan.Changes); err != nil {
		return nil, err
	}
	p.count()
	return plan, p.checkLimit()
}

// count notes what the plan leaves as it is.
func (p *planner) count() {
	for i := range p.drafts {
		if d := &p.drafts[i]; d.record != nil && d.change == nil && !d.record.Orphaned {
			p.plan.Unchanged++
		}
	}
	if n := len(p.withheld); n > 0 {
		p.plan.Warnings = append(p.plan.Warnings, Warning{Text: fmt.Sprintf(
			"the sensitive values of %d of the %d declared resources were not compared, and count as unchanged: %v", n, len(p.drafts), ErrDigestKeyWithheld)})
	}
	becomes := map[state.Key]diff.Op{}
	for _, c := range p.plan.Changes {
		if d, ok := c.Change.(*diff.Delete); !ok || !d.Replaced {
			becomes[c.Key()] = c.Op()
		}
	}
	left := map[state.Key]bool{} // by a move
	for _, from := range p.moves {
		left[from] = true
	}
	for i := range p.plan.records {
		record := p.plan.records[i]
		op := becomes[record.Key]
		if op == diff.OpOrphan || record.Orphaned && op == "" && !left[record.Key] {
			record.Orphaned = true
			p.plan.Orphans = append(p.plan.Orphans, record)
		}
	}
}

// unchanged tells whether the head alone says that there is nothing to do.
func (p *planner) unchanged(head state.Head) bool {
	opts := &p.plan.opts
	return p.declaration != nil && head.Declared == p.declaration.root && head.Pending == 0 &&
		len(opts.Forget) == 0 && len(opts.Adopt) == 0 && len(opts.Redeploy) == 0 && !opts.Observe && !p.isOutdated() && p.selectsDeclared() &&
		(opts.NoDeploy || !p.declaration.deploys)
}

// checkVersions returns an error if what is recorded was made by a newer version
// of a kind.
func (p *planner) checkVersions() error {
	for name, version := range p.plan.Base.Kinds {
		kind, known := p.engine.kinds.Kind(name)
		if known && version > kind.Version {
			return SyncInternalErr{
				Description: fmt.Sprintf("plan: the kind %q is recorded in version %d, and this program knows version %d: upgrade it", name, version, kind.Version),
				Err:         ErrKindVersion,
			}
		}
	}
	return nil
}

// isOutdated tells whether a kind is recorded in an older version than it has
// now.
func (p *planner) isOutdated() bool {
	for _, name := range p.declaration.kinds {
		if p.outdated(name) {
			return true
		}
	}
	return false
}

func (p *planner) outdated(kind string) bool {
	return p.plan.Base.Serial > 0 && p.plan.Base.Kinds[kind] < p.engine.kinds.kind(kind).Version
}

// recordOf returns the record that a change was made against, nil for what is
// new.
func recordOf(change diff.Change) *state.Record {
	switch c := change.(type) {
	case *diff.Create:
		return c.Recorded
	case *diff.Update:
		return c.Recorded
	case *diff.Adopt:
		return c.Recorded
	case *diff.Deploy:
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

// Counts returns how many changes of each op the plan has. The two halves of a
// replace count once, as that; the delete of what an earlier run has replaced
// stands alone.
func (p *Plan) Counts() map[diff.Op]int {
	counts := map[diff.Op]int{}
	replaced := map[state.Key]bool{} // IDs by kind
	for _, change := range p.Changes {
		counts[change.Op()]++
		if create, ok := change.Change.(*diff.Create); ok && create.Replaces {
			replaced[state.Key{Kind: create.Recorded.Kind, Name: create.Recorded.ID}] = true
		}
	}
	for _, change := range p.Changes {
		if d, ok := change.Change.(*diff.Delete); ok && d.Replaced && replaced[state.Key{Kind: d.Recorded.Kind, Name: d.Recorded.ID}] {
			counts[diff.OpDelete]--
		}
	}
	if counts[diff.OpDelete] == 0 {
		delete(counts, diff.OpDelete)
	}
	return counts
}

// Schemas tells the schemas of the kinds that the plan was made with, for those who
// show it: they say which fields are sensitive.
func (p *Plan) Schemas() diff.Schemas { return p.kinds.Schema }

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
func (p Plan) String() string {
	var b bytes.Buffer
	if err := p.WriteText(&b, nil); err != nil {
		return err.Error()
	}
	return b.String()
}
