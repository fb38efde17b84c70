package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// immutable makes a replace of every update of a field that can't be changed in
// what exists.
func (p *planner) immutable(context.Context) error {
	for i := range p.drafts {
		update, ok := p.drafts[i].change.(*diff.Update)
		if !ok || len(update.Fields) == 0 {
			continue
		}
		fixed := pathsOf(p.engine.kinds.Schema(update.Desired.Kind).ImmutableFields(update.Fields))
		if fixed == "" {
			continue
		}
		if err := p.replace(i, fixed+" can't be changed in what exists"); err != nil {
			p.refuse(i, err)
		}
	}
	return nil
}

// pathsOf lists the paths of fields for people; empty if there are none.
func pathsOf(fields []diff.Field) string {
	var paths []string
	for _, field := range fields {
		paths = append(paths, strings.TrimPrefix(field.Path, "config."))
	}
	return strings.Join(slices.Compact(paths), ", ")
}

// replace makes a replace of whatever becomes of a recorded resource, unless it is
// protected.
func (p *planner) replace(i int, reason string) error {
	if p.isProtected(i) {
		return p.declaration.wrong(p.declaration.declared[i].Resource.Key,
			"is protected and would be replaced, since "+reason+": declare it without protection first", ErrProtected)
	}
	p.replaceIt(i, reason)
	return nil
}

// isProtected tells whether what is declared, or recorded of it, must not be
// replaced.
func (p *planner) isProtected(i int) bool {
	declared, record := p.declaration.declared[i].Resource, p.drafts[i].record
	return declared.Protected || record != nil && record.Protected || p.engine.kinds.kind(declared.Kind).Protected
}

// replaceIt is replace of what may be replaced, or was begun to be.
func (p *planner) replaceIt(i int, reason string) {
	d := &p.drafts[i]
	create := &diff.Create{Target: p.target(i), Recorded: d.record, Replaces: true, Reasons: []string{reason}}
	if update, ok := d.change.(*diff.Update); ok {
		create.Prior, create.Fields = update.Prior, update.Fields
		create.Reasons = slices.Concat(update.Reasons, create.Reasons)
	}
	d.change = create
	d.old = &diff.Delete{Recorded: d.record, Prior: create.Prior, Replaced: true}
	d.last = p.engine.kinds.kind(d.record.Kind).CreateFirst
}

// cascade carries new IDs to what refers to them: every referrer is updated, or
// replaced where the reference can't be changed in what exists.
func (p *planner) cascade(context.Context) error {
	if p.declaration == nil {
		return nil
	}
	var err error
	if p.graph, err = p.declaration.graph(); err != nil {
		return err
	}
	for _, i := range p.graph.Order() {
		if d := &p.drafts[i]; d.record != nil {
			if err := p.follow(int(i)); err != nil {
				p.refuse(int(i), err)
			}
		}
	}
	p.deleteFirst()
	return nil
}

// follow updates or replaces a recorded resource that refers to something that
// gets a new ID.
func (p *planner) follow(i int) error {
	isNew := func(node int32) bool {
		_, creates := p.drafts[node].change.(*diff.Create)
		_, adopts := p.drafts[node].change.(*diff.Adopt)
		return creates || adopts
	}
	if !slices.ContainsFunc(p.graph.After(int32(i)), isNew) {
		return nil
	}
	d := &p.drafts[i]
	declared := &p.declaration.declared[i]
	for _, ref := range p.engine.kinds.refs(declared.Resource, p.declaration.plain[i]) {
		to, ok := p.declaration.find(ref.To)
		if !ok || !isNew(int32(to)) {
			continue
		}
		reason := fmt.Sprintf("%s gets a new ID", ref.To)
		update, isUpdate := d.change.(*diff.Update)
		if d.change != nil && !isUpdate {
			return nil // it is created anew anyway
		}
		if !isUpdate {
			update = &diff.Update{Target: p.target(i), Recorded: d.record, Prior: declared.Resource}
			d.change = update
		}
		if !slices.Contains(update.Reasons, reason) {
			update.Reasons = append(update.Reasons, reason)
		}
		at := []diff.Field{{Path: "config." + ref.Path}}
		if len(p.engine.kinds.Schema(declared.Resource.Kind).ImmutableFields(at)) > 0 {
			if err := p.replace(i, ref.Path+" can't be changed in what exists"); err != nil {
				return err
			}
		}
	}
	return nil
}

// isHeldUp tells whether the change of a draft waits until what an earlier run has
// replaced is deleted: a record has room for one old ID.
func (d *draft) isHeldUp() bool {
	return d.record != nil && d.record.Replaced != "" && d.change != nil && d.change.Op() != diff.OpUpdate
}

// deleteFirst gives up creating first where something below is deleted first, or is
// what an earlier run has replaced: that can only go once nothing needs it any more.
func (p *planner) deleteFirst() {
	below := make([]bool, len(p.drafts)) // something at or below the node is deleted first
	for _, i := range p.graph.Order() {
		d := &p.drafts[i]
		below[i] = slices.ContainsFunc(p.graph.After(i), func(node int32) bool { return below[node] })
		d.last = d.last && !below[i]
		below[i] = below[i] || d.old != nil && !d.last || d.isHeldUp()
	}
}
