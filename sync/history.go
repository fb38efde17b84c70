package sync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// rollback is an earlier State that a plan leads to.
type rollback struct {
	serial int64 // 0: the present one
	source *Desired
}

func (e *Engine) historian() (Historian, error) {
	historian, ok := AbilityOf[Historian](e.backend)
	if !ok {
		return nil, SyncInternalErr{Description: "this backend keeps no history", Err: errors.ErrUnsupported}
	}
	return historian, nil
}

// History yields the heads of the States that are kept, newest first, the present
// one included. Where the backend keeps none, the error is for errors.Is
// errors.ErrUnsupported.
func (e *Engine) History(ctx context.Context) iter.Seq2[state.Head, error] {
	historian, err := e.historian()
	if err != nil {
		return func(yield func(state.Head, error) bool) { yield(state.Head{}, err) }
	}
	return historian.History(ctx)
}

// StateAt returns an earlier State, or the present one. The error is ErrNoState if
// that serial isn't kept.
func (e *Engine) StateAt(ctx context.Context, serial int64) (*state.State, error) {
	historian, err := e.historian()
	if err != nil {
		return nil, err
	}
	head, records, err := historian.StateAt(ctx, serial)
	if err != nil {
		return nil, SyncInternalErr{Description: fmt.Sprintf("read State %d of %s", serial, e.Scope()), Err: err}
	}
	return e.collect(head, records)
}

// present returns the State as it is now.
func (e *Engine) present(ctx context.Context) (*state.State, error) {
	head, err := e.backend.Head(ctx)
	if err != nil {
		return nil, SyncInternalErr{Description: "read the head of " + e.Scope().String(), Err: err}
	}
	return e.collect(head, e.backend.Records(ctx))
}

func (e *Engine) collect(head state.Head, records iter.Seq2[state.Record, error]) (*state.State, error) {
	s := &state.State{Head: head}
	for record, err := range records {
		if err != nil {
			return nil, SyncInternalErr{Description: "read the records of " + e.Scope().String(), Err: err}
		}
		s.Records = append(s.Records, record)
	}
	return s, nil
}

// declarations returns what is kept of the declarations that records were made
// from.
func (e *Engine) declarations(ctx context.Context, records []state.Record) (map[state.Checksum]state.Resource, error) {
	sums := map[state.Checksum]bool{}
	for i := range records {
		if sum := records[i].Checksum; !sum.IsZero() {
			sums[sum] = true
		}
	}
	var list []state.Checksum
	for sum := range sums {
		list = append(list, sum)
	}
	resources, err := e.backend.Declared(ctx, list)
	if err != nil {
		return nil, SyncInternalErr{Description: "read the recorded declarations of " + e.Scope().String(), Err: err}
	}
	return resources, nil
}

// Rollback returns a plan that leads to an earlier State: to what was declared
// then. What came later becomes an orphan, or is pruned if the options say so; what
// has been renamed since moves back.
// Sensitive values are taken from source, a declaration that has them, wherever
// their digests are the same; it may be nil. If a change needs one that isn't
// there, errors.Is finds ErrSecretUnavailable in the error, which names the fields.
func (e *Engine) Rollback(ctx context.Context, serial int64, source *Desired, opts *PlanOptions) (*Plan, error) {
	if serial < 1 {
		return nil, SyncInternalErr{Description: fmt.Sprintf("roll back to State %d: they are counted from 1", serial), Err: ErrNoState}
	}
	p := e.planner(nil, opts)
	p.plan.rollback = &rollback{serial: serial, source: source.clone()}
	return p.make(ctx)
}

// prepareRollback makes a declaration of what was declared in an earlier State.
func (e *Engine) prepareRollback(ctx context.Context, to *rollback) (*declaration, error) {
	var then *state.State
	var err error
	if to.serial == 0 {
		then, err = e.present(ctx)
	} else {
		then, err = e.StateAt(ctx, to.serial)
	}
	if err != nil {
		return nil, err
	}
	resources, err := e.declarations(ctx, then.Records)
	if err != nil {
		return nil, err
	}
	// What is live is compared by the digests, too.
	_, withheld, err := e.keyToCompare(ctx)
	if err != nil {
		return nil, err
	}
	values, err := e.secretsOf(ctx, to.source)
	if err != nil {
		return nil, err
	}
	d := &declaration{Desired: &Desired{Revision: then.Revision}, missing: map[int][]string{}, withheld: withheld}
	if to.serial > 0 {
		d.then = then.Records
	}
	// In the order of what they declare: a record that was on the move in that State
	// has another key than its declaration.
	records := slices.Clone(then.Records)
	if to.serial > 0 {
		slices.SortStableFunc(records, func(a, b state.Record) int {
			return resources[a.Checksum].Compare(resources[b.Checksum].Key)
		})
	}
	var errs []error
	for i := range records {
		record := &records[i]
		if record.Orphaned || record.Checksum.IsZero() {
			continue
		}
		resource, ok := resources[record.Checksum]
		if !ok {
			errs = append(errs, SyncInternalErr{Description: fmt.Sprintf("State %d: the declaration of %s is no longer kept", then.Serial, record.Key)})
			continue
		}
		if was, is := then.Kinds[record.Kind], e.kinds.kind(record.Kind).Version; was != is {
			errs = append(errs, SyncInternalErr{Err: ErrKindVersion, Description: fmt.Sprintf("State %d: %s was declared in version %d of its kind, which is %d now", then.Serial, record.Key, was, is)})
			continue
		}
		if err := e.checkRollback(to, &resource); err != nil {
			errs = append(errs, err)
			continue
		}
		if to.serial == 0 {
			resource.Key = record.Key // what is only looked at is called as it is now
		}
		if n := len(d.declared); n > 0 && d.declared[n-1].Resource.Key == resource.Key {
			continue // two things that one declaration led to: it is declared once
		}
		plain, missing := e.reveal(&resource, values)
		if len(missing) > 0 {
			d.missing[len(d.declared)] = missing
		}
		d.declared = append(d.declared, diff.Declared{Resource: &resource, Checksum: record.Checksum, Edges: e.kinds.edges(&resource, resource.Config)})
		d.plain = append(d.plain, plain)
	}
	d.seal()
	return d, joinErrors(errs...)
}

// checkRollback returns why a resource can't be declared again as it was.
func (e *Engine) checkRollback(to *rollback, r *state.Resource) error {
	kind, known := e.kinds.Kind(r.Kind)
	switch {
	case to.serial == 0: // it is only looked at
	case !known:
		return SyncErr{Resource: r.String(), Err: ErrUnknownKind, Description: fmt.Sprintf("was declared in State %d, and its kind is not registered", to.serial)}
	case r.Deploy && kind.Deployer == nil:
		return SyncErr{Resource: r.String(), Description: fmt.Sprintf("asked for a deploy in State %d, and its kind %q has no Deployer", to.serial, r.Kind)}
	}
	return nil
}

// renamed returns the moves that lead a rollback back: of what had another name
// then, as its ID tells, and has left it to nobody.
func (d *declaration) renamed(now []state.Record) []Move {
	if d.then == nil {
		return nil
	}
	type thing struct{ kind, id string }
	names := make(map[thing]state.Key, len(now))
	for i := range now {
		names[thing{now[i].Kind, now[i].ID}] = now[i].Key
	}
	var moves []Move
	for i := range d.then {
		was := &d.then[i]
		is, there := names[thing{was.Kind, was.ID}]
		if !there || was.ID == "" || is == was.Key {
			continue
		}
		_, wanted := d.find(was.Key)
		_, stays := d.find(is)
		_, taken := slices.BinarySearchFunc(now, was.Key, func(r state.Record, key state.Key) int { return r.Compare(key) })
		if wanted && !stays && !taken {
			moves = append(moves, Move{From: is, To: was.Key})
		}
	}
	return moves
}

// secretsOf returns the sensitive values of a declaration, by their digests.
func (e *Engine) secretsOf(ctx context.Context, source *Desired) (map[string]json.RawMessage, error) {
	if source == nil || !e.kinds.sensitive {
		return nil, nil
	}
	d, err := e.prepare(ctx, source)
	if err != nil {
		return nil, err
	}
	values := map[string]json.RawMessage{}
	for i := range d.declared {
		schema := e.kinds.Schema(d.declared[i].Resource.Kind)
		for path, value := range schema.Secrets(d.plain[i]) {
			if digest, ok := diff.Lookup(d.declared[i].Resource.Config, path); ok {
				values[string(digest)] = value
			}
		}
	}
	return values, nil
}

// reveal returns a recorded Config with its sensitive values in the clear, and the
// paths of those that aren't at hand.
func (e *Engine) reveal(r *state.Resource, values map[string]json.RawMessage) (plain json.RawMessage, missing []string) {
	known := map[string]json.RawMessage{}
	for path, digest := range e.kinds.Schema(r.Kind).Secrets(r.Config) {
		if value, ok := values[string(digest)]; ok {
			known[path] = value
		} else {
			missing = append(missing, path)
		}
	}
	return diff.Substitute(configOf(r), known), missing
}

// configOf returns the Config of a recorded declaration as every declaration has it:
// what is recorded without fields has none.
func configOf(r *state.Resource) json.RawMessage {
	if len(r.Config) == 0 {
		return json.RawMessage("{}")
	}
	return r.Config
}

// Drift returns what was changed behind our back, or is gone: where the live
// things are not what is recorded of them, in key order. It compares with what is
// recorded and needs no declaration. Where no kind has an Observer, the error is
// for errors.Is errors.ErrUnsupported.
func (e *Engine) Drift(ctx context.Context) ([]diff.Change, error) {
	p := e.planner(nil, &PlanOptions{Observe: true, NoDeploy: true})
	p.plan.rollback = &rollback{}
	p.onlyDrift = true
	observes := slices.ContainsFunc(e.kinds.Names(), func(name string) bool {
		_, ok := p.observer(e.kinds.kind(name))
		return ok
	})
	if !observes {
		return nil, SyncInternalErr{Description: "nothing can be observed: no kind has an Observer", Err: errors.ErrUnsupported}
	}
	if _, err := p.make(ctx); err != nil {
		return nil, err
	}
	var drift []diff.Change
	for i := range p.drafts {
		switch change := p.drafts[i].change.(type) {
		case *diff.Create:
			if pendingOp(change.Recorded) == nil {
				drift = append(drift, change)
			}
		case *diff.Update:
			if slices.ContainsFunc(change.Fields, func(f diff.Field) bool { return f.Drifted }) {
				drift = append(drift, change)
			}
		}
	}
	return drift, nil
}

// Holder returns who holds the scope's lease, nil if nobody does. Where the
// backend can't tell, the error is for errors.Is errors.ErrUnsupported.
func (e *Engine) Holder(ctx context.Context) (*LockedError, error) {
	unlocker, err := e.unlocker()
	if err != nil {
		return nil, err
	}
	return unlocker.Holder(ctx)
}

// Unlock takes the lease from its holder, who can record nothing from then on, but
// whose Handlers may be in the middle of something. It does nothing if the lease
// is another's meanwhile.
func (e *Engine) Unlock(ctx context.Context, holder *LockedError) error {
	unlocker, err := e.unlocker()
	if err != nil {
		return err
	}
	return unlocker.Unlock(ctx, holder)
}

func (e *Engine) unlocker() (Unlocker, error) {
	unlocker, ok := AbilityOf[Unlocker](e.backend)
	if !ok {
		return nil, SyncInternalErr{Description: "the lease on this backend can't be taken from its holder", Err: errors.ErrUnsupported}
	}
	return unlocker, nil
}
