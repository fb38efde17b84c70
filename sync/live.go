package sync

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// find asks for what is to be created whether it exists already: the kinds'
// Finders, and what the options want to adopt.
func (p *planner) find(ctx context.Context) error {
	byKind := map[string][]int{}
	for i := range p.drafts {
		create, ok := p.drafts[i].change.(*diff.Create)
		if !ok {
			continue
		}
		_, adopted := p.plan.opts.Adopt[create.Desired.Key]
		_, finds := abilityOf[Finder](p.engine.kinds.kind(create.Desired.Kind).Handler)
		if adopted || finds && create.Recorded == nil {
			byKind[create.Desired.Kind] = append(byKind[create.Desired.Kind], i)
		}
	}
	err := p.perKind(ctx, byKind, func(kind *Kind, indices []int) []error {
		return p.findSome(ctx, kind, indices)
	})
	p.adoptedOnce()
	return err
}

// perKind calls work for the drafts of each kind, a few of them at a time, as
// many calls at once as the limiter allows, and returns all errors.
func (p *planner) perKind(ctx context.Context, byKind map[string][]int, work func(kind *Kind, indices []int) []error) error {
	const atOnce = 32
	limiter, finished := p.performer.limiter, make(chan []error)
	var errs []error
	byKind = maps.Clone(byKind) // what is left of it
	for running := 0; len(byKind) > 0 || running > 0; {
		var paused string
		for name, left := range byKind {
			kind := p.engine.kinds.kind(name)
			for len(left) > 0 && limiter.tryAcquire(name, kind.Parallel) {
				some := left[:min(atOnce, len(left))]
				left = left[len(some):]
				running++
				go func() {
					failed := work(kind, some)
					limiter.release(name)
					finished <- failed
				}()
			}
			byKind[name], paused = left, name
			if len(left) == 0 {
				delete(byKind, name)
			}
		}
		if running > 0 {
			errs = append(errs, <-finished...)
			running--
		} else if err := limiter.wait(ctx, paused); err != nil {
			return err
		}
	}
	sortErrors(errs)
	return joinErrors(errs...)
}

func (p *planner) findSome(ctx context.Context, kind *Kind, indices []int) []error {
	found := make([]Live, len(indices))
	var creates []*diff.Create // those that a Finder is to find, at indices which
	var which []int
	for at, i := range indices {
		create := *p.drafts[i].change.(*diff.Create)
		if id := p.plan.opts.Adopt[create.Desired.Key]; id != "" {
			found[at] = p.look(ctx, kind, create.Desired.Key, id)
			continue
		}
		if create.ID == "" {
			create.ID = p.engine.deriveID(create.Desired.Key, p.plan.Base.Serial+1)
		}
		create.Config = p.declaration.resolve(p.engine.kinds, i, p.idOf)
		creates, which = append(creates, &create), append(which, at)
	}
	if len(creates) > 0 {
		finder, ok := abilityOf[Finder](kind.Handler)
		if !ok {
			return []error{SyncErr{Resource: creates[0].Desired.String(), Description: "can't be looked up: its kind has no Finder; give the ID of the thing to adopt"}}
		}
		lives, err := ask(ctx, p.performer, kind, len(creates), func(which []int) ([]Live, error) {
			return find(ctx, kind, finder, pick(creates, which))
		})
		if err != nil {
			return []error{SyncInternalErr{Description: fmt.Sprintf("look up the kind %q", kind.Name), Err: p.redacted(err)}}
		}
		for n, live := range lives {
			found[which[n]] = live
		}
	}
	for at, i := range indices {
		if err := p.found(kind, i, found[at]); err != nil {
			p.refuse(i, err)
		}
	}
	return nil
}

// look reads the thing that is to be adopted, if its kind can.
func (p *planner) look(ctx context.Context, kind *Kind, key state.Key, id string) Live {
	observer, ok := p.observer(kind)
	if !ok {
		return Live{ID: id}
	}
	lives, err := ask(ctx, p.performer, kind, 1, func([]int) ([]Live, error) {
		return observe(ctx, kind, observer, []state.Record{{Key: key, ID: id}})
	})
	if err != nil {
		return Live{Err: err}
	}
	return lives[0]
}

// found decides about what is to be created and was looked up.
func (p *planner) found(kind *Kind, i int, live Live) error {
	d := &p.drafts[i]
	create := d.change.(*diff.Create)
	key := create.Desired.Key
	_, adopt := p.plan.opts.Adopt[key]
	switch {
	case live.Err != nil:
		return SyncAPIErr{Resource: key.String(), Err: p.redacted(live.Err)}
	case live.ID == "" && adopt:
		return p.declaration.wrong(key, "can't be adopted: there is no such thing", nil)
	case live.ID == "":
		return nil
	}
	if holder := p.holder(key, live.ID); holder != nil {
		if !adopt && pendingOp(holder) != nil {
			return nil // it has this name since a change that is not finished
		}
		return p.declaration.wrong(key, fmt.Sprintf("exists already, as %s, which is recorded as %s", live.ID, holder.Key), ErrExists)
	}
	switch {
	case create.Recorded != nil && create.Recorded.ID == live.ID:
		return p.declaration.wrong(key, "can't be adopted: it is recorded as "+live.ID+"; forget that first", nil)
	case adopt, p.plan.opts.Existing == ExistingAdopt:
		return p.adopt(kind, i, live)
	case p.plan.opts.Existing == ExistingReplace && p.isProtected(i):
		return p.declaration.wrong(key, "is protected and would be replaced, since it exists already, as "+live.ID+": adopt it", ErrProtected)
	case p.plan.opts.Existing == ExistingReplace:
		create.Recorded = &state.Record{Key: key, ID: live.ID}
		create.Replaces = true
		d.old = &diff.Delete{Recorded: create.Recorded, Replaced: true}
		d.last = false
	default:
		return p.declaration.wrong(key, fmt.Sprintf("exists already, as %s, and is not recorded: adopt it, or have it replaced", live.ID), ErrExists)
	}
	return nil
}

// adopt makes an adoption of what was to be created.
func (p *planner) adopt(kind *Kind, i int, live Live) error {
	d := &p.drafts[i]
	create := d.change.(*diff.Create)
	adopted := &diff.Adopt{Target: create.Target, ID: live.ID, Recorded: create.Recorded}
	if live.Config != nil {
		config, err := p.normalLive(kind, create.Desired, live.Config)
		if err != nil {
			return SyncAPIErr{Resource: create.Desired.String(), Err: err}
		}
		adopted.Fields = asChanges(diff.Drift(create.Desired, config, kind.Schema))
	}
	if fixed := pathsOf(kind.Schema.ImmutableFields(adopted.Fields)); fixed != "" {
		return p.declaration.wrong(create.Desired.Key, fmt.Sprintf(
			"exists already, as %s, and can't be adopted, since %s can't be changed in what exists: declare it as it is, or have it replaced", live.ID, fixed), ErrExists)
	}
	d.change = adopted
	d.last = true // what an interrupted replace was to replace
	return nil
}

// adoptedOnce refuses to adopt a thing twice.
func (p *planner) adoptedOnce() {
	by := map[state.Key]state.Key{} // by kind and ID
	for i := range p.drafts {
		adopt, ok := p.drafts[i].change.(*diff.Adopt)
		if !ok {
			continue
		}
		key := adopt.Desired.Key
		id := state.Key{Kind: key.Kind, Name: adopt.ID}
		if other, twice := by[id]; twice {
			p.refuse(i, p.declaration.wrong(key, fmt.Sprintf("can't be adopted: %s is adopted as %s", adopt.ID, other), ErrExists))
		}
		by[id] = key
	}
}

// holder returns the record of another key that has an ID, nil if none does.
type holder func(key state.Key, id string) *state.Record

// refuse returns an error if another resource has the thing that was found.
func (h holder) refuse(key state.Key, id string) error {
	if h == nil || id == "" {
		return nil
	}
	if r := h(key, id); r != nil {
		return fmt.Errorf("what was found, %s, is recorded as %s", id, r.Key)
	}
	return nil
}

// holderIn looks in records. It may be called by many goroutines.
func holderIn(records []state.Record) holder {
	byID := sync.OnceValue(func() map[state.Key]*state.Record { // by kind and ID
		byID := make(map[state.Key]*state.Record, len(records))
		for i := range records {
			for _, id := range []string{records[i].ID, records[i].Replaced} {
				if id != "" {
					byID[state.Key{Kind: records[i].Kind, Name: id}] = &records[i]
				}
			}
		}
		return byID
	})
	return func(key state.Key, id string) *state.Record {
		if r := byID()[state.Key{Kind: key.Kind, Name: id}]; r != nil && r.Key != key {
			return r
		}
		return nil
	}
}

// asChanges returns drift from what is declared as changes towards it: where nothing
// was recorded, nothing was changed behind our back.
func asChanges(drift []diff.Field) []diff.Field {
	for i := range drift {
		f := &drift[i]
		f.Old, f.Live, f.Drifted = f.Live, nil, false
	}
	return drift
}

// observer returns what can read live things of a kind.
func (p *planner) observer(kind *Kind) (Observer, bool) {
	if kind.Handler != nil {
		return abilityOf[Observer](kind.Handler)
	}
	return AbilityOf[Observer](p.engine.backend)
}

// observe compares what is recorded with the live things, if that is asked for.
func (p *planner) observe(ctx context.Context) error {
	if !p.plan.opts.Observe {
		return nil
	}
	byKind := map[string][]int{}
	for i := range p.drafts {
		d := &p.drafts[i]
		if d.record == nil || d.record.ID == "" || d.old != nil {
			continue
		}
		if _, isUpdate := d.change.(*diff.Update); !isUpdate && d.change != nil {
			continue
		}
		if _, ok := p.observer(p.engine.kinds.kind(d.record.Kind)); ok {
			byKind[d.record.Kind] = append(byKind[d.record.Kind], i)
		}
	}
	return p.perKind(ctx, byKind, func(kind *Kind, indices []int) []error {
		records := make([]state.Record, len(indices))
		for at, i := range indices {
			records[at] = *p.drafts[i].record
		}
		observer, _ := p.observer(kind)
		lives, err := ask(ctx, p.performer, kind, len(records), func(which []int) ([]Live, error) {
			return observe(ctx, kind, observer, pick(records, which))
		})
		if err != nil {
			return []error{SyncInternalErr{Description: fmt.Sprintf("observe the kind %q", kind.Name), Err: p.redacted(err)}}
		}
		var errs []error
		for at, i := range indices {
			if err := p.observed(kind, i, lives[at]); err != nil {
				errs = append(errs, err)
			}
		}
		return errs
	})
}

// observed notes how one thing is found.
func (p *planner) observed(kind *Kind, i int, live Live) error {
	d := &p.drafts[i]
	key := p.declaration.declared[i].Resource.Key
	if live.Err != nil {
		return SyncAPIErr{Resource: key.String(), Err: p.redacted(live.Err)}
	}
	if live.ID == "" {
		d.change = &diff.Create{Target: p.target(i), Recorded: d.record, Reasons: []string{"it is gone"}}
		return nil
	}
	update, _ := d.change.(*diff.Update)
	prior := p.declaration.declared[i].Resource
	if update != nil && update.Recorded.Checksum != update.Checksum {
		prior = update.Prior
	}
	if live.Config == nil || prior == nil {
		return nil
	}
	as := *prior
	as.Unmanaged = slices.Concat(prior.Unmanaged, p.declaration.declared[i].Resource.Unmanaged)
	config, err := p.normalLive(kind, &as, live.Config)
	if err != nil {
		return SyncAPIErr{Resource: key.String(), Err: err}
	}
	drift := p.comparable(i, diff.Drift(&as, config, kind.Schema), as.Config, config)
	switch {
	case len(drift) == 0:
	case update != nil:
		update.Fields = diff.MergeDrift(update.Fields, drift)
	default:
		d.change = &diff.Update{Target: p.target(i), Recorded: d.record, Prior: prior, Fields: drift}
	}
	return nil
}

// normalLive brings a live Config in the form of the declaration that it is to be
// compared with: canonical, names in place of IDs, concealed.
func (p *planner) normalLive(kind *Kind, as *state.Resource, live json.RawMessage) (json.RawMessage, error) {
	config, err := kind.normalLive(live)
	if err != nil {
		return nil, p.redacted(fmt.Errorf("the live config of kind %q: %w", kind.Name, err))
	}
	names := map[string]json.RawMessage{}
	for _, ref := range kind.Schema.Refs(config) {
		if name, ok := p.nameOf(ref.To); ok {
			names[ref.Path] = quote(name)
		}
	}
	for _, ref := range as.Refs {
		id, known := p.idOf(ref.To)
		now, _ := diff.Lookup(config, ref.Path)
		if name, ok := diff.Lookup(as.Config, ref.Path); ok && known && string(now) == string(quote(id)) {
			names[ref.Path] = name
		}
	}
	if len(names) > 0 {
		config = diff.Substitute(config, names)
	}
	conceal := &concealer{kinds: p.engine.kinds, key: p.engine.knownKey()}
	return conceal.concealConfig(kind.Name, config, as.Unmanaged), nil
}

// normalLive brings a live Config in the kind's normal form. The error doesn't
// quote the sensitive values in it: they may be others than the declared ones.
func (k *Kind) normalLive(live json.RawMessage) (json.RawMessage, error) {
	config, err := state.Canonical(live)
	if err != nil {
		return nil, k.hidden(err)
	}
	conceals := newRedactor(k.secrets(nil, config))
	if k.Normalize != nil {
		broken := guard(k, "Normalize", func() { config, err = k.Normalize(config) })
		if err = cmp.Or(broken, err); err != nil {
			return nil, conceals.redact(err)
		}
	}
	config, mistakes := k.Schema.NormalizeLive(config)
	if len(mistakes) > 0 {
		return nil, conceals.redact(fieldErrors(mistakes))
	}
	return config, nil
}

// nameOf returns the name of the recorded resource that has an ID, the new one if it
// moves: by is its kind, and the ID in place of a name.
func (p *planner) nameOf(by state.Key) (string, bool) {
	p.namesOnce.Do(func() {
		p.names = make(map[state.Key]string, len(p.plan.records))
		now := map[state.Key]string{}
		for to, from := range p.moves {
			now[from] = to.Name
		}
		for i := range p.plan.records {
			r := &p.plan.records[i]
			p.names[state.Key{Kind: r.Kind, Name: r.ID}] = cmp.Or(now[r.Key], r.Name)
		}
	})
	name, ok := p.names[by]
	return name, ok
}

// idOf returns the recorded ID of a key.
func (p *planner) idOf(key state.Key) (string, bool) {
	if from, moved := p.moves[key]; moved {
		key = from
	}
	record := p.recorded(key)
	if record == nil || record.ID == "" {
		return "", false
	}
	return record.ID, true
}

// redacted returns an error without the sensitive values of the declaration.
func (p *planner) redacted(err error) error {
	return p.declaration.redactor(p.engine.kinds).redact(err)
}

// resolve returns the Config of a declared resource in the clear, with IDs in
// place of the references whose ID is known.
func (d *declaration) resolve(kinds *KindSet, i int, idOf func(state.Key) (string, bool)) json.RawMessage {
	ids := map[string]json.RawMessage{}
	for _, ref := range kinds.refs(d.declared[i].Resource, d.plain[i]) {
		if id, ok := idOf(ref.To); ok {
			ids[ref.Path] = quote(id)
		}
	}
	if len(ids) == 0 {
		return d.plain[i]
	}
	return diff.Substitute(d.plain[i], ids)
}

// secrets returns an error for every change that needs a sensitive value of which
// only the digest is at hand.
func (p *planner) secrets(context.Context) error {
	if p.declaration == nil || p.declaration.missing == nil {
		return nil
	}
	for i := range p.drafts {
		missing := p.declaration.missing[i]
		if len(missing) == 0 || p.drafts[i].change == nil && p.drafts[i].deploy == nil {
			continue
		}
		p.refuse(i, p.declaration.wrong(p.declaration.declared[i].Resource.Key, fmt.Sprintf(
			"needs the value of %s, of which only the digest is recorded: the source at hand has another one", strings.Join(missing, ", ")), ErrSecretUnavailable))
	}
	return nil
}

// quote returns a text as canonical JSON.
func quote(text string) json.RawMessage {
	quoted, err := state.AppendCanonical(nil, text)
	if err != nil {
		return json.RawMessage(`""`) // not reached for names and IDs: they are valid UTF-8
	}
	return quoted
}
