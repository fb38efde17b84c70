package sync

import (
	"context"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// selected returns the changes that the selection asks for, with all that they
// need: what they wait for (a delete waits for the deletes of what depends on it),
// the other half of a replace, and what refers to something with a new ID. With a
// deploy goes what comes after it; what it comes after is deployed only if it is
// changed too.
func (p *planner) selected(ctx context.Context, changes []PlannedChange) ([]PlannedChange, error) {
	selection := p.plan.opts.Selection
	if selection == nil {
		return changes, nil
	}
	is, err := p.selector(ctx, selection, changes)
	if err != nil {
		return nil, err
	}
	keep := make([]bool, len(changes))
	byKey := map[state.Key][]int{}
	referrers := map[state.Key][]int{}
	for i, c := range changes {
		if p.isOnlyFollowing(c.Change) {
			continue
		}
		for _, key := range namesOf(c.Change) {
			byKey[key] = append(byKey[key], i)
		}
		if at, ok := p.declaration.find(c.Key()); ok && recordOf(c.Change) != nil {
			for _, ref := range p.engine.kinds.refs(p.declaration.declared[at].Resource, p.declaration.plain[at]) {
				referrers[ref.To] = append(referrers[ref.To], i)
			}
		}
	}
	var open []int
	need := func(indices []int) {
		for _, i := range indices {
			if !keep[i] {
				keep[i] = true
				open = append(open, i)
			}
		}
	}
	for i, c := range changes {
		if is(c.Change) && !p.isOnlyFollowing(c.Change) {
			need([]int{i})
		}
	}
	followers := p.followers(changes)
	for len(open) > 0 {
		i := open[len(open)-1]
		open = open[:len(open)-1]
		for _, key := range namesOf(changes[i].Change) {
			need(byKey[key])
		}
		switch changes[i].Change.(type) {
		case *diff.Deploy:
			need(followers[i])
			continue // what else it needs, its own resource's change says
		case *diff.Create, *diff.Adopt:
			need(referrers[changes[i].Key()])
		}
		need(changes[i].After)
	}
	return kept(p.withTheirReasons(changes, keep), keep), nil
}

// isOnlyFollowing tells whether a change is a deploy that has no reason but other
// deploys.
func (p *planner) isOnlyFollowing(c diff.Change) bool {
	deploy, ok := c.(*diff.Deploy)
	if !ok {
		return false
	}
	i, _ := p.declaration.find(deploy.Desired.Key)
	return len(p.drafts[i].why) == 0
}

// followers returns, for each deploy, the deploys that it is a reason for.
func (p *planner) followers(changes []PlannedChange) map[int][]int {
	at := map[int32]int{} // by the index in the declaration
	followers := map[int][]int{}
	for i, c := range changes { // what is below comes before
		deploy, ok := c.Change.(*diff.Deploy)
		if !ok {
			continue
		}
		node, _ := p.declaration.find(deploy.Desired.Key)
		at[int32(node)] = i
		for _, below := range p.graph.After(int32(node)) {
			if cause, ok := at[below]; ok {
				followers[cause] = append(followers[cause], i)
			}
		}
	}
	return followers
}

// withTheirReasons returns the changes, those deploys that are kept without reasons
// that are not.
func (p *planner) withTheirReasons(changes []PlannedChange, keep []bool) []PlannedChange {
	changes = slices.Clone(changes)
	deployed := map[state.Key]bool{}
	for i, c := range changes {
		deploy, ok := c.Change.(*diff.Deploy)
		if !ok || !keep[i] {
			continue
		}
		deployed[deploy.Desired.Key] = true
		own, node := *deploy, 0
		node, _ = p.declaration.find(deploy.Desired.Key)
		own.Reasons = p.deployReasons(int32(node), func(below int32) bool { return deployed[p.declaration.declared[below].Resource.Key] })
		changes[i].Change = &own
	}
	return changes
}

// namesOf returns the keys by which a change's resource is known: what moves has
// two.
func namesOf(c diff.Change) []state.Key {
	if record := recordOf(c); record != nil && record.Key != c.Key() {
		return []state.Key{c.Key(), record.Key}
	}
	return []state.Key{c.Key()}
}

// selectsDeclared tells whether all that is selected by name is there: then a
// declaration that is as recorded needs no closer look.
func (p *planner) selectsDeclared() bool {
	selection := p.plan.opts.Selection
	if selection == nil {
		return true
	}
	for _, key := range selection.Keys {
		if _, declared := p.declaration.find(key); !declared {
			return false
		}
	}
	return !slices.ContainsFunc(selection.Kinds, func(kind string) bool {
		_, known := p.engine.kinds.Kind(kind)
		return !known
	})
}

// refuse notes why a declared resource can't become what is planned. It is an error
// of the plan unless that is not selected. Of several reasons the first counts.
func (p *planner) refuse(i int, err error) {
	if d := &p.drafts[i]; d.refused == nil {
		d.refused = err
	}
}

// refusals returns what was refused: all of it, or with a selection what is among
// its changes.
func (p *planner) refusals(changes []PlannedChange) error {
	planned := map[state.Key]bool{}
	for _, c := range changes {
		planned[c.Key()] = true
	}
	var errs []error
	for i := range p.drafts {
		if err := p.drafts[i].refused; err != nil && (p.plan.opts.Selection == nil || planned[p.declaration.declared[i].Resource.Key]) {
			errs = append(errs, err)
		}
	}
	return joinErrors(errs...)
}

// kept returns the changes that are kept, with their waits renumbered.
func kept(changes []PlannedChange, keep []bool) []PlannedChange {
	var selected []PlannedChange
	place := make([]int, len(changes))
	for i, c := range changes {
		if !keep[i] {
			continue
		}
		place[i] = len(selected)
		var after []int
		for _, before := range c.After {
			if keep[before] {
				after = append(after, place[before])
			}
		}
		selected = append(selected, PlannedChange{Change: c.Change, After: after})
	}
	return selected
}

// selector returns what tells whether a change is selected by itself. What isn't
// declared any more has the tags that it was recorded with.
func (p *planner) selector(ctx context.Context, s *Selection, changes []PlannedChange) (func(diff.Change) bool, error) {
	var errs []error
	for _, key := range s.Keys {
		if _, declared := p.declaration.find(key); !declared && p.recorded(key) == nil {
			errs = append(errs, SyncErr{Resource: key.String(), Description: "can't be selected: it is neither declared nor recorded"})
		}
	}
	for _, kind := range s.Kinds {
		if _, ok := p.engine.kinds.Kind(kind); !ok {
			errs = append(errs, SyncErr{Resource: kind, Description: fmt.Sprintf("can't be selected: %v", p.engine.kinds.unknown(kind)), Err: ErrUnknownKind})
		}
	}
	if len(errs) > 0 {
		return nil, joinErrors(errs...)
	}
	var sums []state.Checksum
	if len(s.Tags) > 0 {
		for _, c := range changes {
			if _, declared := p.declaration.find(c.Key()); !declared {
				sums = append(sums, recordOf(c.Change).Checksum)
			}
		}
	}
	prior := map[state.Checksum]state.Resource{}
	if len(sums) > 0 {
		var err error
		if prior, err = p.engine.backend.Declared(ctx, sums); err != nil {
			return nil, SyncInternalErr{Description: "read the recorded declarations of " + p.engine.Scope().String(), Err: err}
		}
	}
	keys := setOf(s.Keys)
	return func(c diff.Change) bool {
		key := c.Key()
		if slices.Contains(s.Kinds, key.Kind) || slices.ContainsFunc(namesOf(c), func(key state.Key) bool { return keys[key] }) {
			return true
		}
		var tags []string
		if i, declared := p.declaration.find(key); declared {
			tags = p.declaration.declared[i].Resource.Tags
		} else if record := recordOf(c); record != nil {
			tags = prior[record.Checksum].Tags
		}
		return slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(s.Tags, tag) })
	}, nil
}

// checkLimit refuses a plan that deletes more than it may. The half of a replace
// is no such delete.
func (p *planner) checkLimit() error {
	deletes := 0
	for _, c := range p.plan.Changes {
		if d, ok := c.Change.(*diff.Delete); ok && !d.Replaced {
			deletes++
		}
	}
	if limit := p.plan.opts.PruneLimit.of(len(p.plan.records)); deletes > limit {
		return &PruneLimitError{Deletes: deletes, Records: len(p.plan.records), Limit: limit}
	}
	return nil
}
