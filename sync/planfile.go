package sync

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/go-multierror"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// planJSON is the shape of a Plan in JSON.
type planJSON struct {
	Version  string         `json:"version"`
	Scope    state.Scope    `json:"scope"`
	Serial   int64          `json:"serial"`
	Token    state.Token    `json:"token,omitempty"`
	Root     state.Checksum `json:"root,omitzero"`
	Declared state.Checksum `json:"declared,omitzero"`
	// Keyless says that the scope had no key for digests: the checksums of what
	// has sensitive values are made without.
	Keyless   bool            `json:"keyless,omitempty"`
	Revision  string          `json:"revision,omitempty"`
	By        string          `json:"by,omitempty"`
	OnFailure FailureMode     `json:"on_failure"`
	Options   optionsJSON     `json:"options,omitzero"`
	Unchanged int             `json:"unchanged"`
	Counts    map[diff.Op]int `json:"counts"`
	Changes   []changeJSON    `json:"changes"`
	Orphans   []string        `json:"orphans"`
	Warnings  []string        `json:"warnings,omitempty"`
	// Identities stands for the changes in a plan that is only sent, where they are left
	// out.
	Identities state.Checksum `json:"identities,omitzero"`
}

type changeJSON struct {
	diff.JSON
	After []int `json:"waits_for,omitempty"`
}

// optionsJSON are those of the PlanOptions that shape a plan.
type optionsJSON struct {
	Rollback   int64             `json:"rollback,omitempty"`
	NoSource   bool              `json:"undeclared,omitempty"`
	Prune      bool              `json:"prune,omitempty"`
	PruneLimit string            `json:"prune_limit,omitempty"`
	AllowEmpty bool              `json:"allow_empty,omitempty"`
	Forget     []string          `json:"forget,omitempty"`
	OnFailure  FailureMode       `json:"on_failure,omitempty"`
	Selection  *selectionJSON    `json:"selection,omitempty"`
	Existing   ExistingMode      `json:"existing,omitempty"`
	Adopt      map[string]string `json:"adopt,omitempty"`
	Observe    bool              `json:"observe,omitempty"`
	NoDeploy   bool              `json:"no_deploy,omitempty"`
	Redeploy   []string          `json:"redeploy,omitempty"`
}

type selectionJSON struct {
	Keys  []string `json:"keys,omitempty"`
	Kinds []string `json:"kinds,omitempty"`
	Tags  []string `json:"tags,omitempty"`
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
func (p Plan) MarshalJSON() ([]byte, error) {
	wire := p.wire()
	for _, c := range p.Changes {
		wire.Changes = append(wire.Changes, changeJSON{diff.JSONOf(c.Change, p.kinds.Schema), c.After})
	}
	return json.Marshal(wire)
}

// wire is the plan's JSON, but for its changes.
func (p *Plan) wire() *planJSON {
	wire := &planJSON{
		Version: PlanVersion, Scope: p.Base.Scope, Serial: p.Base.Serial, Token: p.Base.Token, Root: p.Base.Root, Declared: p.Declared,
		Keyless: p.declaration != nil && p.declaration.keyless, Revision: p.Revision, By: p.By, OnFailure: p.OnFailure,
		Options: p.optionsJSON(), Unchanged: p.Unchanged, Counts: p.Counts(), Changes: []changeJSON{}, Orphans: []string{},
	}
	for i := range p.Orphans {
		wire.Orphans = append(wire.Orphans, p.Orphans[i].Key.String())
	}
	for _, warning := range p.Warnings {
		wire.Warnings = append(wire.Warnings, warning.String())
	}
	return wire
}

func (p *Plan) optionsJSON() optionsJSON {
	o := &p.opts
	wire := optionsJSON{
		NoSource: p.desired == nil && p.rollback == nil,
		Prune:    o.Prune, PruneLimit: o.PruneLimit.String(), AllowEmpty: o.AllowEmpty, Forget: texts(o.Forget), OnFailure: o.OnFailure,
		Existing: o.Existing, Observe: o.Observe, NoDeploy: o.NoDeploy, Redeploy: texts(o.Redeploy),
	}
	if p.rollback != nil {
		wire.Rollback = p.rollback.serial
	}
	if s := o.Selection; s != nil {
		wire.Selection = &selectionJSON{Keys: texts(s.Keys), Kinds: s.Kinds, Tags: s.Tags}
	}
	for key, id := range o.Adopt {
		if wire.Adopt == nil {
			wire.Adopt = map[string]string{}
		}
		wire.Adopt[key.String()] = id
	}
	return wire
}

// options returns the PlanOptions that the JSON is of.
func (j *planJSON) options() (opts PlanOptions, err error) {
	wire := &j.Options
	opts = PlanOptions{
		By: j.By, Prune: wire.Prune, AllowEmpty: wire.AllowEmpty, OnFailure: wire.OnFailure,
		Existing: wire.Existing, Observe: wire.Observe, NoDeploy: wire.NoDeploy,
	}
	if opts.PruneLimit, err = ParseLimit(wire.PruneLimit); err != nil {
		return opts, err
	}
	if opts.Forget, err = keys(wire.Forget); err != nil {
		return opts, err
	}
	if opts.Redeploy, err = keys(wire.Redeploy); err != nil {
		return opts, err
	}
	if s := wire.Selection; s != nil {
		opts.Selection = &Selection{Kinds: s.Kinds, Tags: s.Tags}
		if opts.Selection.Keys, err = keys(s.Keys); err != nil {
			return opts, err
		}
	}
	for _, text := range slices.Sorted(maps.Keys(wire.Adopt)) {
		key, err := state.ParseKey(text)
		if err != nil {
			return opts, err
		}
		if opts.Adopt == nil {
			opts.Adopt = map[state.Key]string{}
		}
		opts.Adopt[key] = wire.Adopt[text]
	}
	return opts, nil
}

func texts(keys []state.Key) []string {
	var list []string
	for _, key := range keys {
		list = append(list, key.String())
	}
	return list
}

func keys(texts []string) ([]state.Key, error) {
	var list []state.Key
	for _, text := range texts {
		key, err := state.ParseKey(text)
		if err != nil {
			return nil, err
		}
		list = append(list, key)
	}
	return list, nil
}

// planFile is a saved plan.
type planFile struct {
	Digest state.Checksum  `json:"digest"`
	Plan   json.RawMessage `json:"plan"`
}

// Encode writes the plan as one line of JSON with its digest, for LoadPlan. It
// holds no sensitive value, and no declaration.
func (p *Plan) Encode(w io.Writer) error { return encodePlan(w, p) }

// encodeBrief is Encode for a plan that nobody reads. Of its changes there is what
// LoadPlan compares; or, if sum is true, the checksum of that alone, with which LoadPlan
// can tell that they are others, and not which.
func (p *Plan) encodeBrief(w io.Writer, sum bool) error {
	wire, identities := p.wire(), p.identities()
	if sum {
		wire.Identities = sumOf(identities)
		return encodePlan(w, wire)
	}
	for _, j := range identities {
		wire.Changes = append(wire.Changes, changeJSON{JSON: j})
	}
	return encodePlan(w, wire)
}

func encodePlan(w io.Writer, plan any) error {
	raw, err := json.Marshal(plan)
	if err != nil {
		return SyncInternalErr{Description: "save the plan", Err: err}
	}
	line, err := json.Marshal(planFile{Digest: state.Sum(raw), Plan: raw})
	if err != nil {
		return SyncInternalErr{Description: "save the plan", Err: err}
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// LoadPlan reads a plan that Plan.Encode wrote, and makes it again from the
// declaration, which it doesn't hold: nil if it was made without one. For a
// rollback the declaration is the source of sensitive values.
//
// If that makes the same changes, the plan is ready to be applied, whatever else
// has happened since. If not, because what is recorded or what is declared has
// changed, the error is a *StaleError that says what.
func (e *Engine) LoadPlan(ctx context.Context, r io.Reader, desired *Desired) (*Plan, error) {
	saved, err := readPlan(r)
	if err != nil {
		return nil, SyncInternalErr{Description: "load the plan", Err: err}
	}
	if saved.Scope != e.Scope() {
		return nil, SyncInternalErr{Description: fmt.Sprintf("load the plan: it is one for %s, not for %s", saved.Scope, e.Scope())}
	}
	opts, err := saved.options()
	if err == nil {
		err = opts.validate()
	}
	if err != nil {
		return nil, SyncInternalErr{Description: "load the plan", Err: err}
	}
	var p *planner
	switch {
	case saved.Options.Rollback > 0:
		p = e.planner(nil, &opts)
		p.plan.rollback = &rollback{serial: saved.Options.Rollback, source: desired.clone()}
	case saved.Options.NoSource:
		p = e.planner(nil, &opts)
	case desired == nil:
		return nil, SyncInternalErr{Description: "load the plan: it was made from a declaration, and none is at hand"}
	default:
		p = e.planner(desired, &opts)
	}
	plan, err := p.make(ctx)
	if err != nil {
		return nil, p.outdone(saved.Serial, saved.Token, err)
	}
	var moved []string
	if saved.Identities.IsZero() {
		moved = differences(saved.identities(), plan.identities())
	} else if saved.Identities != sumOf(plan.identities()) {
		return nil, &StaleError{PlannedSerial: saved.Serial, Serial: plan.Base.Serial}
	}
	if len(moved) == 0 {
		if moved, err = e.otherDeclaration(saved, plan); err != nil {
			return nil, err
		}
	}
	if len(moved) > 0 {
		return nil, &StaleError{PlannedSerial: saved.Serial, Serial: plan.Base.Serial, Moved: moved}
	}
	return plan, nil
}

// outdone returns the error of a plan that can't be made again. If that is since the
// State moved after the plan was made for the first time, the plan is stale.
func (p *planner) outdone(serial int64, token state.Token, err error) error {
	now := &p.plan.Base
	var wrong SyncErr
	if now.Scope != p.engine.Scope() || now.Token == token || !errors.As(err, &wrong) && !errors.Is(err, ErrPruneLimit) {
		return err
	}
	stale := &StaleError{PlannedSerial: serial, Serial: now.Serial, Moved: []string{err.Error()}, Err: err}
	var all *multierror.Error
	if errors.As(err, &all) {
		stale.Moved = nil
		for _, err := range all.Errors {
			stale.Moved = append(stale.Moved, err.Error())
		}
	}
	return stale
}

func readPlan(r io.Reader) (*planJSON, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var file planFile
	if err := strictJSON(text, &file); err != nil {
		return nil, fmt.Errorf("it is not a saved plan: %w", notEOF(err))
	}
	var version struct{ Version string }
	switch err := json.Unmarshal(file.Plan, &version); {
	case err != nil || version.Version == "":
		return nil, errors.New("it is not a saved plan: it has no version")
	case version.Version != PlanVersion:
		return nil, fmt.Errorf("it is a plan of version %q; this program reads %q", version.Version, PlanVersion)
	}
	if sum := state.Sum(file.Plan); sum != file.Digest {
		return nil, fmt.Errorf("it doesn't fit its digest %s (it makes %s): it was changed after it was written; plan again", file.Digest, sum)
	}
	var saved planJSON
	return &saved, strictJSON(file.Plan, &saved)
}

// notEOF makes the end of a text that is cut off an error that isn't tried again.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends early")
	}
	return err
}

func strictJSON(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("there is more after its end")
	}
	return nil
}

// otherDeclaration says that a plan was made from another declaration than the
// saved one, if its changes alone don't show it.
func (e *Engine) otherDeclaration(saved *planJSON, plan *Plan) ([]string, error) {
	declared := plan.Declared
	if d := plan.declaration; d != nil && saved.Keyless && !d.keyless {
		keyless, err := e.prepareWith(d.Desired, nil)
		if err != nil {
			return nil, err
		}
		declared = keyless.root
	}
	if declared == saved.Declared {
		return nil, nil
	}
	return []string{"the declaration is another one than the plan was made from"}, nil
}

// identities are what makes the plan's changes what they are.
func (p *Plan) identities() []diff.JSON {
	list := make([]diff.JSON, len(p.Changes))
	for i, c := range p.Changes {
		list[i] = identityOf(c.Change)
	}
	return list
}

// identityOf is the JSON of a change without what sameChange doesn't look at.
func identityOf(change diff.Change) diff.JSON {
	if c, ok := change.(*diff.Create); ok { // of which every field would be there
		own := *c
		own.Desired = &state.Resource{Key: c.Desired.Key}
		change = &own
	}
	j := diff.JSONOf(change, nil)
	j.Type, j.Desired, j.Reasons = "", state.Checksum{}, nil
	j.Fields = slices.DeleteFunc(slices.Clone(j.Fields), func(f diff.Field) bool { return !isObserved(j.Op, f) })
	return j
}

// isObserved tells whether a field is what a change is about to overwrite in the live
// thing.
func isObserved(op diff.Op, f diff.Field) bool {
	return !f.Sensitive && (f.Drifted || op == diff.OpAdopt)
}

func (j *planJSON) identities() []diff.JSON {
	list := make([]diff.JSON, len(j.Changes))
	for i := range j.Changes {
		list[i] = j.Changes[i].JSON
	}
	return list
}

// sumOf is the same for two lists between which differences says nothing, but for their
// order.
func sumOf(identities []diff.JSON) state.Checksum {
	var text []byte
	add := func(part string) {
		text = append(binary.AppendUvarint(text, uint64(len(part))), part...)
	}
	for i := range identities {
		j := &identities[i]
		add(string(j.Op))
		add(j.Key)
		add(j.ID)
		add(j.Recorded.String())
		text = strconv.AppendBool(strconv.AppendBool(text, j.Replaced), j.Orphaned)
		seen := observed(j)
		text = binary.AppendUvarint(text, uint64(len(seen)))
		for _, field := range seen {
			add(field)
		}
	}
	return state.Sum(text)
}

// differences says, a sentence each, in which changes two plans differ.
func differences(planned, now []diff.JSON) []string {
	type name struct{ key, beside string } // what comes beside the change itself: a deploy, the delete of an ID
	nameOf := func(j *diff.JSON) name {
		switch {
		case j.Op == diff.OpDeploy:
			return name{j.Key, string(j.Op)}
		case j.Replaced:
			return name{j.Key, "delete " + j.ID}
		}
		return name{key: j.Key}
	}
	type pair struct{ planned, now *diff.JSON }
	pairs := map[name]pair{}
	for i := range planned {
		pairs[nameOf(&planned[i])] = pair{planned: &planned[i]}
	}
	for i := range now {
		p := pairs[nameOf(&now[i])]
		p.now = &now[i]
		pairs[nameOf(&now[i])] = p
	}
	var moved []string
	for n, p := range pairs {
		switch {
		case p.now == nil:
			moved = append(moved, fmt.Sprintf("%s: %s is no longer due", n.key, p.planned.Op))
		case p.planned == nil:
			moved = append(moved, fmt.Sprintf("%s: %s is due now", n.key, p.now.Op))
		case p.planned.Op != p.now.Op:
			moved = append(moved, fmt.Sprintf("%s: %s is due now, not %s", n.key, p.now.Op, p.planned.Op))
		case !sameChange(p.planned, p.now):
			moved = append(moved, fmt.Sprintf("%s was changed", n.key))
		}
	}
	slices.Sort(moved)
	return moved
}

// sameChange tells whether two changes of the same op on the same resource are
// the same. (The desired checksum isn't looked at: it is another one once the
// scope has a key for its digests. The declaration's root is compared as a whole.)
func sameChange(a, b *diff.JSON) bool {
	return a.Recorded == b.Recorded && a.ID == b.ID && a.Orphaned == b.Orphaned && slices.Equal(observed(a), observed(b))
}

// observed lists what a change is about to overwrite in the live thing, as far as
// it may be shown.
func observed(j *diff.JSON) []string {
	var seen []string
	for _, f := range j.Fields {
		switch {
		case !isObserved(j.Op, f):
		case f.Drifted:
			seen = append(seen, f.Path+" "+string(f.Live))
		default:
			seen = append(seen, f.Path+" "+string(f.Old))
		}
	}
	return seen
}
