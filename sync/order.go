package sync

import (
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// order puts the changes in dependency order and notes what each waits for.
// What is declared comes first, each after what it depends on; then what is
// deleted, each after all that depended on it as recorded; then what only
// concerns the books.
func (p *planner) order(changes []diff.Change) ([]PlannedChange, error) {
	o := orderer{index: make(map[state.Key]int, len(changes))}
	if p.declaration != nil && len(changes) > 0 {
		graph, err := p.declaration.graph()
		if err != nil {
			return nil, err
		}
		o.declared(p.declaration.declared, graph, changes)
	}
	o.deleted(changes)
	for _, change := range changes {
		switch change.(type) {
		case *diff.Orphan, *diff.Forget:
			o.add(change, nil)
		}
	}
	return o.planned, nil
}

type orderer struct {
	planned []PlannedChange
	index   map[state.Key]int // of the planned changes
}

func (o *orderer) add(change diff.Change, after []int) {
	o.index[change.Key()] = len(o.planned)
	o.planned = append(o.planned, PlannedChange{Change: change, After: after})
}

// declared adds the creates and updates. A change waits for the nearest changes
// below it; what is as declared in between passes on what it would wait for.
func (o *orderer) declared(declared []diff.Declared, graph *diff.Graph, changes []diff.Change) {
	change := make([]diff.Change, len(declared))
	next := 0
	for _, c := range changes {
		switch c.(type) {
		case *diff.Create, *diff.Update:
			for declared[next].Resource.Key != c.Key() {
				next++
			}
			change[next] = c
		}
	}
	nearest := make([][]int, len(declared)) // per node: what one that depends on it waits for
	for _, node := range graph.Order() {
		var waits []int
		below := graph.After(node)
		if len(below) == 1 {
			waits = nearest[below[0]]
		} else {
			for _, b := range below {
				waits = append(waits, nearest[b]...)
			}
			slices.Sort(waits)
			waits = slices.Compact(waits)
		}
		if change[node] == nil {
			nearest[node] = waits
			continue
		}
		nearest[node] = []int{len(o.planned)}
		o.add(change[node], waits)
	}
}

// deleted adds the deletes: reverse to the recorded edges.
func (o *orderer) deleted(changes []diff.Change) {
	deletes := map[state.Key]*diff.Delete{}
	dependents := map[state.Key][]state.Key{} // per record: those whose recorded edges name it
	for _, change := range changes {
		record := recordOf(change)
		if record == nil {
			continue
		}
		for _, to := range record.After {
			dependents[to] = append(dependents[to], record.Key)
		}
		if d, ok := change.(*diff.Delete); ok {
			deletes[record.Key] = d
		}
	}
	// A depth-first walk from a record to its dependents. The stack is explicit,
	// as a chain may be as long as the State. An edge back to what is being
	// visited is passed over: recorded edges make no cycle unless somebody edited
	// them, and even then everything must be deletable.
	type frame struct {
		key  state.Key
		next int
	}
	visited := make(map[state.Key]bool, len(deletes))
	for _, change := range changes {
		d, ok := change.(*diff.Delete)
		if !ok || visited[d.Key()] {
			continue
		}
		visited[d.Key()] = true
		stack := []frame{{key: d.Key()}}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if above := dependents[top.key]; top.next < len(above) {
				key := above[top.next]
				top.next++
				if deletes[key] != nil && !visited[key] {
					visited[key] = true
					stack = append(stack, frame{key: key})
				}
				continue
			}
			o.add(deletes[top.key], o.indices(dependents[top.key]))
			stack = stack[:len(stack)-1]
		}
	}
}

// indices returns the places of those keys that are planned already.
func (o *orderer) indices(keys []state.Key) []int {
	var indices []int
	for _, key := range keys {
		if i, ok := o.index[key]; ok {
			indices = append(indices, i)
		}
	}
	slices.Sort(indices)
	return slices.Compact(indices)
}
