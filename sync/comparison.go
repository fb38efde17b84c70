package sync

import (
	"context"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Compare returns the changes that lead from one State to another, in key order,
// with what differs in their declarations. Serial 0 is the State before the first.
//
// They tell what there is: what has only been intended, and not been done, is in
// neither State. A thing with another ID is a replace, and one whose ID had another
// key has moved. Of what has come and is an orphan already there is an Orphan.
func (e *Engine) Compare(ctx context.Context, from, to int64) ([]diff.Change, error) {
	var states [2]state.State
	for i, serial := range []int64{from, to} {
		if serial == 0 {
			continue
		}
		s, err := e.StateAt(ctx, serial)
		if err != nil {
			return nil, err
		}
		states[i] = *s
	}
	resources, err := e.declarations(ctx, slices.Concat(states[0].Records, states[1].Records))
	if err != nil {
		return nil, err
	}
	c := comparison{kinds: e.kinds, resources: resources}
	return c.compare(existing(states[0].Records), existing(states[1].Records)), nil
}

// existing returns the records of what there is.
func existing(records []state.Record) []state.Record {
	return slices.DeleteFunc(records, func(r state.Record) bool { return r.ID == "" })
}

// comparison compares two States.
type comparison struct {
	kinds     *KindSet
	resources map[state.Checksum]state.Resource // as far as they are kept
}

func (c *comparison) compare(from, to []state.Record) []diff.Change {
	things := map[state.Key]*state.Record{} // of from, by kind and ID
	names := map[state.Key]*state.Record{}  // of from, by key
	stays := map[state.Key]bool{}           // what of to was there before, by kind and ID
	for i := range from {
		things[byID(&from[i])], names[from[i].Key] = &from[i], &from[i]
	}
	for i := range to {
		stays[byID(&to[i])] = things[byID(&to[i])] != nil
	}
	var changes []diff.Change
	for i := range to {
		is := &to[i]
		was := things[byID(is)]
		if namesake := names[is.Key]; was == nil && namesake != nil && !stays[byID(namesake)] {
			was = namesake
		}
		if was != nil {
			stays[byID(was)] = true // or another one has its place
		}
		if change := c.between(was, is); change != nil {
			changes = append(changes, change)
		}
	}
	for i := range from {
		if was := &from[i]; !stays[byID(was)] {
			changes = append(changes, &diff.Delete{Recorded: was, Prior: c.resource(was)})
		}
	}
	slices.SortFunc(changes, func(a, b diff.Change) int { return a.Key().Compare(b.Key()) })
	return changes
}

// byID names a thing by what it is, not by what it is called.
func byID(r *state.Record) state.Key { return state.Key{Kind: r.Kind, Name: r.ID} }

// between returns what became of a thing, nil if nothing did; was is nil if it is
// new.
func (c *comparison) between(was, is *state.Record) diff.Change {
	orphaned := is.Orphaned && (was == nil || !was.Orphaned)
	switch {
	case was == nil && orphaned:
		return &diff.Orphan{Recorded: is}
	case was == nil:
		return &diff.Create{Target: c.target(is), ID: is.ID}
	case was.ID != is.ID:
		return &diff.Create{Target: c.target(is), ID: is.ID, Recorded: was, Replaces: true, Prior: c.resource(was), Fields: c.fields(was, is)}
	case orphaned:
		return &diff.Orphan{Recorded: was}
	case was.Orphaned == is.Orphaned && was.Key == is.Key && was.Checksum == is.Checksum && slices.Equal(was.After, is.After):
		return nil
	}
	return &diff.Update{Target: c.target(is), Recorded: was, Prior: c.resource(was), Fields: c.fields(was, is)}
}

func (c *comparison) target(r *state.Record) diff.Target {
	resource := c.resource(r)
	if resource == nil {
		resource = &state.Resource{Key: r.Key, Type: r.Type}
	}
	return diff.Target{Desired: resource, Checksum: r.Checksum, Edges: r.After}
}

// resource returns the declaration that a record was made from, nil if it is not
// kept.
func (c *comparison) resource(r *state.Record) *state.Resource {
	resource, ok := c.resources[r.Checksum]
	if !ok {
		return nil
	}
	return &resource
}

func (c *comparison) fields(was, is *state.Record) []diff.Field {
	prior, desired := c.resource(was), c.resource(is)
	if prior == nil || desired == nil {
		return nil
	}
	return diff.Fields(prior, desired, c.kinds.Schema(is.Kind))
}
