package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// merge puts together what the files declare.
func merge(parts []declared, kinds *sync.KindSet, opts *Options, m *Mistakes) *Declaration {
	n := 0
	for i := range parts {
		n += len(parts[i].resources)
	}
	desired := &sync.Desired{
		Resources: make([]state.Resource, 0, n),
		Positions: make(map[state.Key]sync.Position, n),
	}
	all := &Declaration{Desired: desired}
	for i := range parts {
		part := &parts[i]
		m.all = append(m.all, part.mistakes.all...)
		desired.Moves = append(desired.Moves, part.moves...)
		desired.Warnings = append(desired.Warnings, part.warnings...)
		all.References = append(all.References, part.references...)
		for j := range part.resources {
			key := part.resources[j].Key
			if first, twice := desired.Positions[key]; twice {
				m.Add(part.positions[j], fmt.Sprintf("%s is declared twice", key), fmt.Sprintf("the first is at %s", first))
				continue
			}
			desired.Positions[key] = part.positions[j]
			desired.Resources = append(desired.Resources, part.resources[j])
		}
	}
	for i := range parts {
		for _, bare := range parts[i].bare {
			bare.resolve(desired.Positions, kinds, m)
		}
	}
	all.keep(opts)
	slices.SortStableFunc(desired.Warnings, func(a, b sync.Warning) int {
		return cmp.Or(a.Compare(b.Position), cmp.Compare(a.Text, b.Text))
	})
	slices.SortStableFunc(all.References, func(a, b Reference) int { return a.Compare(b.Position) })
	return all
}

// bareName is an element of "after" that doesn't say which kind it is of.
type bareName struct {
	key *state.Key // in the resource's After, as if of the resource's own kind
	at  sync.Position
}

// resolve finds the kind: the resource's own, or one that deploys. If it is
// declared nowhere it stays as it is, and the plan says so.
func (b bareName) resolve(declared map[state.Key]sync.Position, kinds *sync.KindSet, m *Mistakes) {
	own, _ := kinds.Kind(b.key.Kind)
	if _, found := declared[*b.key]; found && own.Deployer == nil {
		return
	}
	var found []string
	for _, name := range kinds.Names() {
		kind, _ := kinds.Kind(name)
		key := state.Key{Kind: name, Name: b.key.Name}
		if _, there := declared[key]; there && kind.Deployer != nil {
			found = append(found, key.String())
		}
	}
	switch len(found) {
	case 0:
	case 1:
		b.key.Kind, _, _ = strings.Cut(found[0], "/")
	default:
		m.Add(b.at, fmt.Sprintf("after: %q may be %s", b.key.Name, strings.Join(found, " or ")), "write one of these")
	}
}

// keep leaves out the resources that the options don't want.
func (d *Declaration) keep(opts *Options) {
	if len(opts.Kinds) == 0 && len(opts.MatchTags) == 0 {
		return
	}
	desired := d.Desired
	desired.Resources = slices.DeleteFunc(desired.Resources, func(r state.Resource) bool {
		wanted := opts.wants(&r)
		if !wanted {
			delete(desired.Positions, r.Key)
		}
		return !wanted
	})
	d.References = slices.DeleteFunc(d.References, func(r Reference) bool {
		_, kept := desired.Positions[r.Resource]
		return !kept
	})
}

// wants tells whether a resource is of the kinds and has the tags that are
// wanted.
func (o *Options) wants(r *state.Resource) bool {
	if len(o.Kinds) > 0 && !slices.Contains(o.Kinds, r.Kind) {
		return false
	}
	lacks := func(tag string) bool { return !slices.Contains(r.Tags, tag) }
	return slices.Contains(o.Flat, r.Kind) || !slices.ContainsFunc(o.MatchTags, lacks)
}
