package sync

import (
	"context"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// referrer is a record whose thing has the ID of something that gets another one.
type referrer struct {
	record *state.Record
	// op is what has to be done about it: an update, or a create where the reference
	// can't be changed in what exists.
	op diff.Op
}

// referrers notes which recorded things have the ID of something that gets another
// one, whether the declaration still says so or not. What is declared to refer to it
// is changed in the same plan; an orphan isn't, nor what is changed to refer to
// something else, if that is never reached. Either may be declared as it was
// recorded later on, and has to be brought up to date then.
func (p *planner) referrers(ctx context.Context) error {
	renewed := map[state.Key]state.Key{} // declared keys, by the keys that records name
	for i := range p.drafts {
		switch p.drafts[i].change.(type) {
		case *diff.Create, *diff.Adopt:
			key := p.declaration.declared[i].Resource.Key
			renewed[key] = key
			if record := p.drafts[i].record; record != nil {
				renewed[record.Key] = key
			}
		}
	}
	if len(renewed) == 0 {
		return nil
	}
	var some []state.Record
	for i := range p.plan.records {
		record := &p.plan.records[i]
		if slices.ContainsFunc(record.After, func(to state.Key) bool { return !renewed[to].IsZero() }) {
			some = append(some, *record)
		}
	}
	if len(some) == 0 {
		return nil
	}
	resources, err := p.engine.declarations(ctx, some)
	if err != nil {
		return err
	}
	p.plan.referrers = map[state.Key][]referrer{}
	for i := range some {
		record := &some[i]
		resource, ok := resources[record.Checksum]
		if !ok {
			continue
		}
		schema := p.engine.kinds.Schema(record.Kind)
		for _, ref := range p.engine.kinds.refs(&resource, resource.Config) {
			to := renewed[ref.To]
			if to.IsZero() {
				continue
			}
			op := diff.OpUpdate
			if len(schema.ImmutableFields([]diff.Field{{Path: "config." + ref.Path}})) > 0 {
				op = diff.OpCreate
			}
			p.plan.referrers[to] = append(p.plan.referrers[to], referrer{record, op})
		}
	}
	return nil
}
