package sync

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// acts are what Handlers and Deployers are to do, and are doing.
type acts struct {
	engine    *Engine
	performer *performer
	ready     map[*Kind]*intHeap // never empty
	running   int                // calls under way
	finished  chan finished
}

// finished is what became of one call.
type finished struct {
	kind     *Kind
	indices  []int
	changes  []diff.Change
	outcomes []Outcome
}

func newActs(e *Engine, lease *lease, records []state.Record) *acts {
	return &acts{
		engine:    e,
		performer: &performer{limiter: newLimiter(e.opts.Parallel), retries: e.opts.Retries, holder: holderIn(records), stop: lease.caller},
		ready:     map[*Kind]*intHeap{},
		finished:  make(chan finished, e.opts.Parallel),
	}
}

func (a *acts) queue(kind *Kind, i int) {
	if a.ready[kind] == nil {
		a.ready[kind] = &intHeap{}
	}
	heap.Push(a.ready[kind], i)
}

func (a *acts) queued() bool { return len(a.ready) > 0 }

// pause waits until a kind may be called that must not be now.
func (a *acts) pause(ctx context.Context) error {
	for kind := range a.ready {
		if err := a.performer.limiter.wait(ctx, kind.Name); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// next takes as many acts as may begin, a call each: of those that are ready the
// first of the plan first, whatever its kind.
func (a *acts) next(alone func(i int) bool) []finished {
	kinds := slices.Collect(maps.Keys(a.ready))
	var calls []finished
	for len(kinds) > 0 {
		kind := slices.MinFunc(kinds, func(x, y *Kind) int { return (*a.ready[x])[0] - (*a.ready[y])[0] })
		if !a.performer.limiter.tryAcquire(kind.Name, kind.Parallel) {
			kinds = slices.DeleteFunc(kinds, func(k *Kind) bool { return k == kind })
			continue
		}
		queue := a.ready[kind]
		indices := []int{heap.Pop(queue).(int)}
		for len(indices) < kind.Batch && queue.Len() > 0 && !alone(indices[0]) && !alone((*queue)[0]) {
			indices = append(indices, heap.Pop(queue).(int))
		}
		calls = append(calls, finished{kind: kind, indices: indices})
		if queue.Len() == 0 {
			delete(a.ready, kind)
			kinds = slices.DeleteFunc(kinds, func(k *Kind) bool { return k == kind })
		}
	}
	return calls
}

// actor returns the kind whose Handler or Deployer carries out a change; nil if
// the backend does, or nobody.
func (s *KindSet) actor(change diff.Change) *Kind {
	kind := s.kind(change.Key().Kind)
	if _, ok := change.(*diff.Deploy); ok {
		return kind
	}
	if kind.Handler == nil || s.isForTheBooks(change) {
		return nil
	}
	return kind
}

// isForTheBooks tells whether a change is one of the records alone. A move isn't:
// in its world too the thing may be found by its name.
func (s *KindSet) isForTheBooks(change diff.Change) bool {
	switch c := change.(type) {
	case *diff.Orphan, *diff.Forget:
		return true
	case *diff.Update:
		return s.kind(c.Desired.Kind).Handler != nil && c.Op() != diff.OpMove && len(c.Reasons) == 0 &&
			(c.Prior != nil && c.Prior.Key == c.Desired.Key || c.Recorded.Checksum == c.Checksum) && !slices.ContainsFunc(c.Fields, isForTheThing)
	}
	return false
}

// isForTheThing tells whether what differs has to be changed in the thing itself:
// not that a field is left to others from now on.
func isForTheThing(f diff.Field) bool { return f.Path != "unmanaged" || f.Old != nil }

// begin starts as many acts as may be under way, and tells whether there were
// any. Before that it commits what is intended, with what was done before.
func (r *run) begin() bool {
	calls := r.acts.next(func(i int) bool { return isAlone(r.plan.Changes[i].Change) })
	if len(calls) == 0 {
		return false
	}
	for at := range calls {
		r.intend(&calls[at])
	}
	r.commit()
	for _, call := range calls {
		if r.torn != nil || len(call.indices) == 0 {
			r.acts.performer.limiter.release(call.kind.Name)
			continue
		}
		for _, change := range call.changes {
			r.emit(about(change, EventStart))
		}
		r.acts.running++
		go func() {
			call.outcomes = r.acts.carryOut(r.lease.work, call.kind, call.changes)
			r.acts.performer.limiter.release(call.kind.Name)
			r.acts.finished <- call
		}()
	}
	return true
}

// intend makes a call's changes ready to be carried out and puts on the books that
// they are intended. What can't be carried out has failed.
func (r *run) intend(call *finished) {
	var indices []int
	for _, i := range call.indices {
		change, err := r.executable(i)
		if err == nil {
			if err = r.ledger.intend(r.plan.Changes[i].Change, r.birth); err != nil {
				err = SyncInternalErr{Description: "record what is intended with " + change.Key().String(), Err: err}
			}
		}
		if err != nil {
			r.fail(i, err)
			continue
		}
		indices, call.changes = append(indices, i), append(call.changes, change)
	}
	call.indices = indices
}

// gather notes how those acts ended that have by now.
func (r *run) gather() {
	for r.acts.running > 0 {
		select {
		case call := <-r.acts.finished:
			r.cameBack(call)
		default:
			return
		}
	}
}

// wait blocks until an act has ended.
func (r *run) wait() { r.cameBack(<-r.acts.finished) }

// abandon ends acts that are under way and waits for them: there are some only if a
// callback panicked, and the lease is given back next.
func (r *run) abandon() {
	if r.acts.running > 0 {
		r.lease.end()
	}
	for ; r.acts.running > 0; r.acts.running-- {
		<-r.acts.finished
	}
}

// cameBack notes how one call ended.
func (r *run) cameBack(call finished) {
	r.acts.running--
	for at, i := range call.indices {
		outcome := call.outcomes[at]
		if outcome.Err == nil {
			outcome.Err = r.isOld(call.changes[at], outcome.ID)
		}
		if outcome.Err == nil {
			r.succeed(i, outcome.ID)
			continue
		}
		certain := isCertain(outcome.Err)
		err := r.redact(r.why(outcome.Err))
		lerr := r.ledger.failed(r.plan.Changes[i].Change, outcome.ID, certain, err.Error())
		if lerr == nil && outcome.ID != "" { // it is there, under a new ID
			lerr = r.markReferrers(i)
		}
		if lerr != nil {
			r.errs = append(r.errs, SyncInternalErr{Description: "record " + call.changes[at].Key().String(), Err: lerr})
		}
		r.fail(i, SyncAPIErr{Resource: call.changes[at].Key().String(), Err: err})
	}
}

// isOld returns an error if what was created to take the place of something else is
// that very thing: it would be deleted next.
func (r *run) isOld(change diff.Change, id string) error {
	create, ok := change.(*diff.Create)
	if !ok || !create.Replaces || id == "" {
		return nil
	}
	if now, _ := r.ledger.id(r.ledger.keyOf(create)); now != id {
		return nil
	}
	return fmt.Errorf("the new one has the ID of the old one, %s: the kind can't be created first", id)
}

// isCertain tells whether what a Handler failed to create is not there.
func isCertain(err error) bool {
	return !Retryable(err) && !errors.Is(err, ErrUncertain) && !errors.Is(err, ErrLeaseLost) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// carryOut has a kind's Handler or Deployer carry out changes.
func (a *acts) carryOut(ctx context.Context, kind *Kind, changes []diff.Change) []Outcome {
	if !isAlone(changes[0]) {
		return a.performer.perform(ctx, kind, changes)
	}
	switch c := changes[0].(type) {
	case *diff.Deploy:
		return []Outcome{{Err: a.deploy(ctx, kind, c)}}
	case *diff.Adopt:
		return a.performer.perform(ctx, kind, []diff.Change{adopted(kind, c)})
	case *diff.Delete:
		if !isInterrupted(c.Recorded) {
			return []Outcome{{}} // it never came into being
		}
		change, err := a.performer.settleDelete(ctx, kind, c, a.engine.deriveID(c.Recorded.Key, pendingOp(c.Recorded).Serial))
		if change == nil {
			return []Outcome{{Err: err}}
		}
		return a.performer.perform(ctx, kind, []diff.Change{change})
	}
	return a.performer.perform(ctx, kind, changes)
}

// isAlone tells whether a change is carried out by a call of its own, since it
// isn't simply handed to the Handler.
func isAlone(change diff.Change) bool {
	switch c := change.(type) {
	case *diff.Deploy, *diff.Adopt:
		return true
	case *diff.Delete:
		return c.Recorded.ID == ""
	}
	return false
}

// isInterrupted tells whether a record is one of a create that was begun and
// didn't finish.
func isInterrupted(r *state.Record) bool {
	if r == nil {
		return false
	}
	pending := pendingOp(r)
	return pending != nil && pending.Op == string(diff.OpCreate) && pending.Attempts > 0
}

// settleDelete returns the delete of what an interrupted create may have made; nil
// without an error if that is not there. key is the create's idempotency key.
func (p *performer) settleDelete(ctx context.Context, kind *Kind, d *diff.Delete, key string) (diff.Change, error) {
	record := *d.Recorded
	if finder, ok := abilityOf[Finder](kind.Handler); ok && d.Prior != nil {
		create := &diff.Create{Target: diff.Target{Desired: d.Prior, Config: configOf(d.Prior), Edges: record.After}, ID: key}
		if record.Replaced != "" {
			create.Recorded, create.Replaces = &state.Record{Key: record.Key, ID: record.Replaced}, true
		}
		lives, err := ask(ctx, p, kind, 1, func([]int) ([]Live, error) { return find(ctx, kind, finder, []*diff.Create{create}) })
		switch {
		case err != nil:
			return nil, err
		case lives[0].Err != nil:
			return nil, lives[0].Err
		case lives[0].ID == "", isReplaced(create, lives[0].ID):
			return nil, nil
		}
		if err := p.holder.refuse(record.Key, lives[0].ID); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUncertain, err)
		}
		record.ID = lives[0].ID
	} else if isIdempotent(kind.Handler) {
		record.ID = key
	} else {
		return nil, &UncertainError{Key: record.Key}
	}
	return &diff.Delete{Recorded: &record, Prior: d.Prior}, nil
}

// adopted returns the update that makes an adopted thing what is declared.
func adopted(kind *Kind, adopt *diff.Adopt) *diff.Update {
	create := diff.Create{Target: adopt.Target}
	update := updateOf(kind, &create, adopt.ID)
	update.Fields = adopt.Fields
	return update
}

// deploy deploys and waits until what was deployed is healthy.
func (a *acts) deploy(ctx context.Context, kind *Kind, deploy *diff.Deploy) error {
	made, err := ask(ctx, a.performer, kind, 1, func([]int) ([]Prepared, error) { return prepare(ctx, kind, []*diff.Deploy{deploy}) })
	if err == nil {
		err = made[0].Err
	}
	if err == nil {
		deploy.Running, err = runningSum(kind, deploy.Desired, made[0].Sum)
	}
	if err != nil {
		return err
	}
	if err := a.startDeploy(ctx, kind, deploy); err != nil {
		return err
	}
	timeout := kind.HealthTimeout
	if timeout == 0 {
		timeout = 5 * time.Minute
	}
	return waitHealthy(ctx, kind, deploy, timeout)
}
