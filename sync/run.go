package sync

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// run is one Apply under way: the scheduler and what it keeps. Everything here is
// done by one goroutine; those that carry out acts only report to it.
type run struct {
	engine *Engine
	lease  *lease
	plan   *Plan
	ledger *ledger
	head   state.Head // as of the last commit
	birth  int64      // the incarnation of what this run creates

	results    []ChangeResult
	ended      []bool
	acted      []bool  // done, though perhaps not committed
	waits      []int   // per change: how many of those it waits for have not ended well
	dependents [][]int // per change: those that wait for it
	ready      []int   // for the backend, or for the books alone
	acts       *acts   // what Handlers and Deployers are to do, and do
	unrecorded []int   // done, and not committed yet
	staged     int     // of those: what the backend stores, and what only concerns the books
	torn       error   // why a commit failed: nothing more may happen then
	errs       []error
	events     Event // the last one's counts
}

func newRun(e *Engine, lease *lease, head state.Head, plan *Plan, ledger *ledger) (*run, error) {
	n := len(plan.Changes)
	r := &run{
		engine: e, lease: lease, plan: plan, ledger: ledger, head: head, birth: head.Serial + 1,
		results: make([]ChangeResult, n), ended: make([]bool, n), acted: make([]bool, n), waits: make([]int, n), dependents: make([][]int, n),
		events: Event{Total: n},
	}
	r.acts = newActs(e, lease, plan.records)
	for i, change := range plan.Changes {
		r.results[i] = ChangeResult{Change: change.Change, Status: NotAttempted}
		r.waits[i] = len(change.After)
		for _, before := range change.After {
			if before < 0 || before >= i {
				return nil, SyncInternalErr{Description: fmt.Sprintf("the plan is not as it was made: %s waits for change %d of it", change.Key(), before)}
			}
			r.dependents[before] = append(r.dependents[before], i)
		}
		if len(change.After) == 0 {
			r.isReady(i)
		}
	}
	return r, nil
}

// isReady notes that all a change waits for has ended well.
func (r *run) isReady(i int) {
	if kind := r.engine.kinds.actor(r.plan.Changes[i].Change); kind != nil {
		r.acts.queue(kind, i)
	} else {
		r.ready = append(r.ready, i)
	}
}

// do runs the plan to its end.
func (r *run) do() (*Result, error) {
	defer r.abandon()
	r.emit(Event{Type: EventBegin})
	for r.step() {
	}
	all := r.plan.OnFailure == AllOrNothing
	failed := len(r.errs) > 0 || !r.goesOn()
	if !all || !failed {
		r.keepOrphans()
	}
	if !all || !failed || r.staged == 0 {
		r.commit()
	}
	r.ledger.revert()
	failing := errors.Join(r.errs...)
	if cause := r.lease.cause(); cause != nil && (r.events.Done < r.events.Total || failing != nil && !errors.Is(failing, cause)) {
		r.errs = append(r.errs, SyncInternalErr{Description: "sync " + r.engine.Scope().String(), Err: cause})
	}
	r.endTheRest()
	err := joinErrors(r.errs...)
	r.emit(Event{Type: EventFinish, Serial: r.head.Serial, Err: err})
	return r.result(), err
}

// step does the next thing, and tells whether there may be more.
//
// What the backend stores is staged until a commit, and a commit takes all that is
// staged with it. So where it is all or nothing, acts and the backend take turns:
// while something is staged no act begins, and while acts are under way nothing is
// staged; what is staged is committed only when nothing but acts is left to do.
func (r *run) step() bool {
	turns := r.plan.OnFailure == AllOrNothing
	r.gather()
	switch {
	case !r.goesOn() || r.torn != nil:
		if r.acts.running == 0 {
			return false
		}
		r.wait()
	case !(turns && r.staged > 0) && r.begin():
	case !(turns && r.acts.running > 0) && r.stage():
	case r.acts.running > 0:
		r.commit()
		r.wait()
	case r.acts.queued() && r.staged > 0:
		r.commit()
	case r.acts.queued():
		return r.acts.pause(r.lease.work) == nil
	default:
		return false
	}
	return true
}

// stage hands a batch to the backend, and tells whether there was one.
func (r *run) stage() bool {
	if len(r.ready) == 0 {
		return false
	}
	if r.plan.OnFailure == AllOrNothing && r.staged == 0 {
		if r.commit(); r.torn != nil { // what acts have done stays, whatever comes of the rest
			return true
		}
	}
	slices.Sort(r.ready)
	batch := slices.Clone(r.ready[:min(len(r.ready), r.engine.opts.BatchSize)])
	r.ready = r.ready[len(batch):]
	r.apply(batch)
	if r.plan.OnFailure != AllOrNothing && len(r.unrecorded) >= r.engine.opts.BatchSize {
		r.commit()
	}
	return true
}

// keepOrphans marks what was to be pruned and is still there: it left the
// declaration, and must not be forgotten because its delete failed.
func (r *run) keepOrphans() {
	if r.torn != nil {
		return
	}
	for i, change := range r.plan.Changes {
		deletion, ok := change.Change.(*diff.Delete)
		if !ok || deletion.Replaced || deletion.Recorded.Orphaned || r.acted[i] {
			continue
		}
		if err := r.ledger.done(&diff.Orphan{Recorded: deletion.Recorded}, "", 0); err != nil {
			r.errs = append(r.errs, SyncInternalErr{Description: "record " + change.Key().String(), Err: err})
		}
	}
}

// goesOn tells whether anything new may start.
func (r *run) goesOn() bool {
	return r.lease.cause() == nil && (len(r.errs) == 0 || r.plan.OnFailure == KeepGoing)
}

// apply carries out a batch: by the backend, except what only concerns the books.
func (r *run) apply(batch []int) {
	var acts []int
	var changes []diff.Change
	for _, i := range batch {
		change := r.plan.Changes[i].Change
		r.emit(about(change, EventStart))
		if r.engine.kinds.isForTheBooks(change) {
			r.staged++
			r.succeed(i, "")
			continue
		}
		change, err := r.executable(i)
		if err != nil {
			r.fail(i, err)
			continue
		}
		acts, changes = append(acts, i), append(changes, change)
	}
	if len(acts) == 0 {
		return
	}
	var outcomes []Outcome
	err := again(r.lease.work, r.engine.opts.Retries, func() (err error) {
		outcomes, err = r.lease.tx.Apply(r.lease.work, changes)
		return err
	})
	if err == nil && len(outcomes) != len(changes) {
		err = errors.New("the backend returned too few or too many outcomes")
	}
	for at, i := range acts {
		outcome := Outcome{Err: err}
		if err == nil {
			outcome = outcomes[at]
		}
		if outcome.Err != nil {
			r.fail(i, SyncAPIErr{Resource: changes[at].Key().String(), Err: r.redact(r.why(outcome.Err))})
			continue
		}
		r.staged++
		r.succeed(i, outcome.ID)
	}
}

// executable returns a change as its executor gets it: with its ID and with the
// Config to act on. In the plan and the results it stays as it is.
func (r *run) executable(i int) (diff.Change, error) {
	change := r.plan.Changes[i].Change
	config, err := r.config(change)
	if err != nil {
		return nil, err
	}
	switch c := change.(type) {
	case *diff.Create:
		create := *c
		if create.ID == "" {
			create.ID = r.engine.deriveID(c.Desired.Key, r.birth)
		}
		shown := create
		r.results[i].Change = &shown
		create.Config = config
		return &create, nil
	case *diff.Update:
		update := *c
		update.Config = config
		return &update, nil
	case *diff.Adopt:
		adopt := *c
		adopt.Config = config
		return &adopt, nil
	case *diff.Deploy:
		deploy := *c
		deploy.Config = config
		if record, ok := r.ledger.get(c.Desired.Key); ok {
			deploy.Recorded = &record
		}
		return &deploy, nil
	}
	return change, nil
}

// config returns what a change is to act on: its declaration with sensitive values
// in the clear and IDs in place of references. What is unmanaged is for a create
// alone.
func (r *run) config(change diff.Change) (json.RawMessage, error) {
	target := targetOf(change)
	if target == nil {
		return nil, nil
	}
	d := r.plan.declaration
	i, ok := d.find(target.Desired.Key)
	if !ok {
		return nil, SyncInternalErr{Description: fmt.Sprintf("the plan is not as it was made: %s is not in its declaration", target.Desired.Key)}
	}
	for _, ref := range r.engine.kinds.refs(target.Desired, d.plain[i]) {
		if _, ok := r.ledger.id(ref.To); !ok {
			return nil, d.wrong(target.Desired.Key, fmt.Sprintf("refers to %s, which has no ID", ref.To), nil)
		}
	}
	config := d.resolve(r.engine.kinds, i, r.ledger.id)
	if _, creates := change.(*diff.Create); !creates {
		config = r.engine.kinds.kind(target.Desired.Kind).managed(config, target.Desired.Unmanaged)
	}
	return config, nil
}

// redact keeps sensitive values out of what others say.
func (r *run) redact(err error) error { return r.plan.declaration.redactor(r.engine.kinds).redact(err) }

// why puts the reason of a cancelled context in place of the cancellation.
func (r *run) why(err error) error {
	if cause := r.lease.cause(); cause != nil && errors.Is(err, context.Canceled) && !errors.Is(err, cause) {
		return errors.Join(cause, err)
	}
	return err
}

// succeed notes a change that is done: id is what a create has made, empty for the
// one that was proposed.
func (r *run) succeed(i int, id string) {
	change := r.plan.Changes[i].Change
	switch c := r.results[i].Change.(type) {
	case *diff.Create:
		id = cmp.Or(id, c.ID)
	case *diff.Adopt:
		id = c.ID
	default:
		id = ""
		if record := recordOf(change); record != nil {
			id = record.ID
		} else if known, ok := r.ledger.id(change.Key()); ok {
			id = known // it was created in this run
		}
	}
	r.results[i].ID = id
	if err := r.note(i, id); err != nil {
		r.fail(i, SyncInternalErr{Description: "record " + change.Key().String(), Err: err})
		return
	}
	r.acted[i] = true
	r.unrecorded = append(r.unrecorded, i)
	for _, next := range r.dependents[i] {
		if r.waits[next]--; r.waits[next] == 0 && !r.ended[next] {
			r.isReady(next)
		}
	}
}

// note puts a change that is done on the books, and with it what follows from it
// for others.
func (r *run) note(i int, id string) error {
	change := r.plan.Changes[i].Change
	if err := r.ledger.done(change, id, r.birth); err != nil {
		return err
	}
	switch change.(type) {
	case *diff.Create, *diff.Adopt:
		return r.markReferrers(i)
	case *diff.Deploy:
		return r.markDeploys(i)
	}
	return nil
}

// markDeploys puts on the books that what comes after a deploy is to be deployed
// too.
func (r *run) markDeploys(i int) error {
	for _, next := range r.dependents[i] {
		if deploy, ok := r.plan.Changes[next].Change.(*diff.Deploy); ok {
			if err := r.ledger.markDeploy(deploy, r.birth); err != nil {
				return err
			}
		}
	}
	return nil
}

// markReferrers puts on the books that what refers to a change's new ID is to be
// brought up to date.
func (r *run) markReferrers(i int) error {
	key := r.plan.Changes[i].Key()
	for _, next := range r.dependents[i] {
		if c := r.plan.Changes[next].Change; recordOf(c) != nil && r.refers(c, key) {
			if err := r.ledger.mark(r.ledger.keyOf(c), diff.Op(intentOf(c)), targetOf(c), r.birth); err != nil {
				return err
			}
		}
	}
	for _, referrer := range r.plan.referrers[key] {
		before := referrer.record
		if now, _ := r.ledger.get(before.Key); now.ID != before.ID || now.Checksum != before.Checksum {
			continue // it has been changed, or is gone
		}
		if err := r.ledger.mark(before.Key, referrer.op, &diff.Target{Checksum: before.Checksum}, r.birth); err != nil {
			return err
		}
	}
	return nil
}

// refers tells whether a change makes something that has a reference to a key.
func (r *run) refers(change diff.Change, to state.Key) bool {
	d := r.plan.declaration
	switch change.(type) {
	case *diff.Create, *diff.Update:
		i, ok := d.find(change.Key())
		return ok && slices.ContainsFunc(r.engine.kinds.refs(d.declared[i].Resource, d.plain[i]), func(ref state.Ref) bool { return ref.To == to })
	}
	return false
}

// fail ends a change, and all that depends on it.
func (r *run) fail(i int, err error) {
	r.errs = append(r.errs, err)
	r.end(i, Failed, err)
	by := r.plan.Changes[i].Key()
	blocked := slices.Clone(r.dependents[i])
	for len(blocked) > 0 {
		next := blocked[0]
		blocked = blocked[1:]
		if r.ended[next] {
			continue
		}
		r.end(next, Blocked, &BlockedError{Key: r.plan.Changes[next].Key(), By: by})
		blocked = append(blocked, r.dependents[next]...)
	}
}

func (r *run) end(i int, status Status, err error) {
	r.results[i].Status, r.results[i].Err = status, err
	r.ended[i] = true
	r.events.Done++
	event := about(r.plan.Changes[i].Change, EventEnd)
	event.ID, event.Status, event.Err = r.results[i].ID, status, err
	r.emit(event)
}

// commit records what was done since the last one, and ends it. What was done after
// a commit that failed has failed with it: it is not on the books.
func (r *run) commit() {
	if r.torn == nil && !r.ledger.isClean() {
		r.torn = r.write()
	}
	done := r.unrecorded
	r.unrecorded, r.staged = nil, 0
	for _, i := range done {
		if r.torn != nil {
			r.end(i, Failed, r.torn)
		} else {
			r.end(i, Done, nil)
		}
	}
}

// write records what the ledger has changed, on a context of its own: what has
// happened must be on the books.
func (r *run) write() error {
	delta := r.ledger.delta(r.next())
	// From what is recorded, not from the serial: how many commits a run makes
	// depends on the size of its batches.
	scope := r.engine.Scope()
	delta.Head.ConfigID = state.DeriveID("snapshot", scope.Org, scope.App, r.plan.Base.ConfigID, delta.Head.Root.String())
	head, err := r.record(delta)
	if err != nil {
		r.ledger.revert()
		err = SyncInternalErr{Description: "record what was done in " + r.engine.Scope().String(), Err: r.redact(r.why(err))}
		r.errs = append(r.errs, err)
		return err
	}
	r.head = head
	r.ledger.committed()
	r.emit(Event{Type: EventCommit, Serial: head.Serial})
	return nil
}

// record gives the delta to the backend. One that may have been recorded although
// the answer was lost is given again: a commit counts once.
func (r *run) record(delta state.Delta) (head state.Head, err error) {
	ctx, cancel := r.lease.lastWords()
	defer cancel()
	err = again(ctx, max(1, r.engine.opts.Retries), func() error {
		head, err = r.lease.tx.Commit(ctx, delta)
		return err
	})
	return head, err
}

// next returns the head of the commit to come, but for what the ledger knows.
func (r *run) next() state.Head {
	head := r.head
	head.Scope = r.engine.Scope()
	head.Serial++
	head.By, head.When = storable(r.plan.By), r.engine.opts.Now().UTC()
	if r.plan.declaration != nil {
		head.Revision = storable(r.plan.Revision)
	}
	head.Kinds = r.versions()
	return head
}

// versions returns the versions of kinds that the records are made with, where
// they are not 0. A kind whose resources are not all brought up to date keeps its
// old one, and the next run begins anew.
func (r *run) versions() map[string]int {
	versions := maps.Clone(r.plan.Base.Kinds)
	if r.plan.declaration == nil {
		return versions
	}
	for _, name := range r.plan.declaration.kinds {
		version := r.engine.kinds.kind(name).Version
		if version == versions[name] || !r.isUpToDate(name) {
			continue
		}
		if versions == nil {
			versions = map[string]int{}
		}
		versions[name] = version
	}
	return versions
}

// isUpToDate tells whether no record is left that was made with another version of
// the kind.
func (r *run) isUpToDate(kind string) bool {
	of := func(record state.Record) bool { return record.Kind == kind }
	if !slices.ContainsFunc(r.plan.records, of) {
		return true
	}
	for i, change := range r.plan.Changes {
		if change.Key().Kind == kind && targetOf(change.Change) != nil && !r.acted[i] {
			return false
		}
	}
	return r.plan.opts.Selection == nil
}

// endTheRest gives every change that has no end yet its end.
func (r *run) endTheRest() {
	for i := range r.results {
		if !r.ended[i] {
			r.results[i].ID = ""
			if record := recordOf(r.results[i].Change); record != nil {
				r.results[i].ID = record.ID
			}
			r.end(i, NotAttempted, nil)
		}
	}
}

func (r *run) result() *Result {
	result := &Result{Head: r.head, Changes: r.results, Unchanged: r.plan.Unchanged}
	result.records = r.ledger.all()
	result.orphans = orphansOf(result.records)
	return result
}

func (r *run) emit(event Event) {
	if r.engine.opts.OnEvent == nil {
		return
	}
	r.events.Seq++
	event.Seq, event.Done, event.Total = r.events.Seq, r.events.Done, r.events.Total
	r.engine.opts.OnEvent(event)
}
