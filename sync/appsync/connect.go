package appsync

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// connect gives the drafts, which are in key order, their edges. It reports
// names that nothing has, and circles.
func (l *loader) connect(drafts []*draft) {
	c := connector{loader: l, declared: make(map[state.Key]*draft, len(drafts)), byVar: map[string]state.Key{}}
	for _, d := range drafts {
		c.declared[d.resource.Key] = d
		if d.varName != "" {
			c.byVar[d.varName] = d.resource.Key
		}
	}
	nodes := make([]diff.Declared, len(drafts))
	for i, d := range drafts {
		c.connect(d)
		nodes[i] = diff.Declared{Resource: &d.resource, Edges: d.resource.After}
	}
	_, err := diff.NewGraph(nodes)
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, err := range joined.Unwrap() {
			c.circle(err)
		}
	}
}

type connector struct {
	*loader
	declared map[state.Key]*draft
	byVar    map[string]state.Key // components by the name that references use
}

// connect checks the edges of one draft and sorts them.
func (c *connector) connect(d *draft) {
	slices.SortStableFunc(d.edges, func(a, b edge) int { return a.at.Compare(b.at) })
	for i := range d.edges {
		e := &d.edges[i]
		if key, ok := c.byVar[e.to.Name]; ok && e.to.Kind == KindComponent && c.declared[e.to] == nil {
			e.to = key
		}
		switch {
		case e.to == d.resource.Key:
			c.mistakes.Add(e.at, fmt.Sprintf("%s depends on itself", e.to), "remove the dependency")
		case c.declared[e.to] != nil:
			d.resource.After = append(d.resource.After, e.to)
		case !c.mayBeUnread(e.to):
			c.mistakes.Add(e.at, fmt.Sprintf("%s depends on %s, which is not declared", d.resource.Key, e.to), c.hint(e.to))
		}
	}
	slices.SortFunc(d.resource.After, state.Key.Compare)
	d.resource.After = slices.Compact(d.resource.After)
}

// mayBeUnread tells whether the key may be that of a file that couldn't be read.
func (c *connector) mayBeUnread(key state.Key) bool {
	return slices.ContainsFunc(c.unread[key.Kind], func(name string) bool {
		return strings.Contains(stem(name), key.Name) || !strings.Contains(name, "/")
	})
}

// hint returns what was probably meant.
func (c *connector) hint(key state.Key) string {
	var names []string
	for other := range c.declared {
		if other.Kind == key.Kind {
			names = append(names, other.Name)
		}
	}
	slices.Sort(names)
	if near := diff.Nearest(key.Name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Sprintf("declare the %s, or remove the name", key.Kind)
}

// circle reports resources that depend on each other, where the first of them
// names the next.
func (c *connector) circle(err error) {
	var cycle *diff.CycleError
	if !errors.As(err, &cycle) {
		return
	}
	var first sync.Position
	places := make([]string, len(cycle.Keys))
	for i, key := range cycle.Keys {
		next := cycle.Keys[(i+1)%len(cycle.Keys)]
		edges := c.declared[key].edges
		at := edges[slices.IndexFunc(edges, func(e edge) bool { return e.to == next })].at
		places[i] = at.String()
		if i == 0 {
			first = at
		}
	}
	c.mistakes.Add(first, err.Error(), "they are at "+strings.Join(places, ", ")+": one of them must go")
}
