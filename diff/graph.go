package diff

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// Graph is the dependency order of a declaration. Its nodes are the declared
// resources by their index.
type Graph struct {
	after [][]int32 // per node: the nodes that it comes after
	order []int32   // all nodes, each after what it comes after
}

// maxHints is for how many names a near one is looked for, each in all others.
const maxHints = 100

// UnknownError says that a resource names one that isn't declared.
type UnknownError struct {
	From, To state.Key
	// Near is the declared key most like To; zero if none is.
	Near state.Key
}

// Error says who names what, and what may have been meant.
func (e *UnknownError) Error() string {
	if e.From == e.To {
		return fmt.Sprintf("%s depends on itself", e.From)
	}
	if !e.Near.IsZero() {
		return fmt.Sprintf("%s depends on %s, which is not declared; did you mean %s?", e.From, e.To, e.Near)
	}
	return fmt.Sprintf("%s depends on %s, which is not declared", e.From, e.To)
}

// CycleError says that resources depend on each other in a circle.
type CycleError struct {
	// Keys are the members, each of which comes after the next, and the last
	// after the first. The first is the first in key order.
	Keys []state.Key
}

// Error shows the circle.
func (e *CycleError) Error() string {
	var b strings.Builder
	b.WriteString("a dependency cycle: ")
	for _, key := range e.Keys {
		b.WriteString(key.String() + " → ")
	}
	b.WriteString(e.Keys[0].String())
	return b.String()
}

// NewGraph orders what is declared, which must be in key order. The error joins
// an *UnknownError for every edge to nowhere or to the resource itself, and a
// *CycleError for a circle of every group of resources that can't be ordered.
func NewGraph(declared []Declared) (*Graph, error) {
	g := &Graph{after: make([][]int32, len(declared))}
	var errs []error
	hints := map[state.Key]state.Key{}
	total := 0
	for i := range declared {
		total += len(declared[i].Edges)
	}
	edges := make([]int32, 0, total)
	for i := range declared {
		first := len(edges)
		from := declared[i].Resource.Key
		for _, to := range declared[i].Edges {
			at, found := search(declared, to)
			if !found || at == i {
				unknown := &UnknownError{From: from, To: to}
				if _, known := hints[to]; !known && len(hints) < maxHints {
					hints[to] = near(declared, from, to)
				}
				unknown.Near = hints[to]
				errs = append(errs, unknown)
				continue
			}
			edges = append(edges, int32(at))
		}
		g.after[i] = edges[first:len(edges):len(edges)]
	}
	if cycles := g.sort(declared); len(cycles) > 0 {
		errs = append(errs, cycles...)
	}
	return g, errors.Join(errs...)
}

// Order returns the indices of all nodes, each after those that it comes after:
// the same for the same declaration. Don't change the slice.
func (g *Graph) Order() []int32 { return g.order }

// After returns the nodes that the node comes after. Don't change the slice.
func (g *Graph) After(node int32) []int32 { return g.after[node] }

func search(declared []Declared, key state.Key) (int, bool) {
	return slices.BinarySearchFunc(declared, key, func(d Declared, key state.Key) int {
		return d.Resource.Compare(key)
	})
}

// sort fills in the order by a depth-first walk in key order, on a stack of its
// own, as a chain may be as long as the declaration.
func (g *Graph) sort(declared []Declared) []error {
	const (
		unseen = iota
		open   // on the path that is being walked
		done
	)
	type frame struct {
		node int32
		next int // the edge to look at
	}
	var cycles []error
	status := make([]uint8, len(declared))
	inCycle := make([]bool, len(declared))
	g.order = make([]int32, 0, len(declared))
	var path []frame
	for root := range declared {
		if status[root] != unseen {
			continue
		}
		status[root] = open
		path = append(path[:0], frame{node: int32(root)})
		for len(path) > 0 {
			top := &path[len(path)-1]
			if top.next == len(g.after[top.node]) {
				status[top.node] = done
				g.order = append(g.order, top.node)
				path = path[:len(path)-1]
				continue
			}
			to := g.after[top.node][top.next]
			top.next++
			switch status[to] {
			case unseen:
				status[to] = open
				path = append(path, frame{node: to})
			case open:
				if inCycle[to] {
					continue // one is enough of those that hang together
				}
				var members []state.Key
				for i := len(path) - 1; i >= 0; i-- {
					inCycle[path[i].node] = true
					members = append(members, declared[path[i].node].Resource.Key)
					if path[i].node == to {
						break
					}
				}
				slices.Reverse(members)
				cycles = append(cycles, &CycleError{Keys: rotate(members)})
			}
		}
	}
	return cycles
}

// rotate begins the circle with its first member in key order.
func rotate(keys []state.Key) []state.Key {
	first := 0
	for i := range keys {
		if keys[i].Compare(keys[first]) < 0 {
			first = i
		}
	}
	return slices.Concat(keys[first:], keys[:first])
}

// near returns the declared key most like the one that isn't: by name in its
// own kind, or the same name in another kind.
func near(declared []Declared, from, to state.Key) state.Key {
	var names []string
	var same state.Key
	for i := range declared {
		switch key := declared[i].Resource.Key; {
		case key == from:
		case key.Kind == to.Kind:
			names = append(names, key.Name)
		case key.Name == to.Name && same.IsZero():
			same = key
		}
	}
	if name := Nearest(to.Name, names); name != "" {
		return state.Key{Kind: to.Kind, Name: name}
	}
	return same
}
