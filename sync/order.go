package sync

import (
	"container/heap"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// order puts the changes in dependency order and notes what each waits for.
//
// What is declared waits for the changes below it, and a deploy for the change of
// its own resource and the deploys below. A delete waits for the deletes of all
// that depended on it as recorded, and for the changes and deploys of what did and
// goes on without it: it may be in use until then. A replace is two changes, of which the one waits for the other.
// What only concerns the books waits for nothing and comes last.
func (p *planner) order() []PlannedChange {
	o := orderer{index: map[state.Key]int{}}
	if p.graph != nil {
		o.declared(p.drafts, p.graph)
	}
	var planned []PlannedChange
	if o.deleted(p.drafts, p.rest) {
		planned = o.sort()
	} else {
		planned = o.inPlace()
	}
	for _, change := range p.rest {
		switch change.(type) {
		case *diff.Orphan, *diff.Forget:
			planned = append(planned, PlannedChange{Change: change})
		}
	}
	return planned
}

// orderer is a graph of changes. Nodes are in the order in which they are to come
// where nothing else decides.
type orderer struct {
	changes []diff.Change
	// waits are the nodes that must have come before; wishes are those that had
	// better: one is passed over where it would make a circle.
	waits, wishes [][]int
	// index are the nodes of what is declared, by the recorded key.
	index map[state.Key]int
}

func (o *orderer) add(change diff.Change, waits []int) int {
	o.changes = append(o.changes, change)
	o.waits, o.wishes = append(o.waits, waits), append(o.wishes, nil)
	return len(o.changes) - 1
}

// declared adds what becomes of what is declared. A change waits for the nearest
// changes below it; what is as declared in between passes on what it would wait
// for.
func (o *orderer) declared(drafts []draft, graph *diff.Graph) {
	nearest := make([][]int, len(drafts)) // per resource: what one that depends on it waits for
	deploys := make([][]int, len(drafts)) // per resource: what the deploy of one that depends on it waits for
	for _, i := range graph.Order() {
		d := &drafts[i]
		waits := merged(nearest, graph.After(i))
		if d.change != nil {
			node := o.add(d.change, waits)
			if record := recordOf(d.change); record != nil {
				o.index[record.Key] = node
			}
			waits = []int{node}
		}
		nearest[i] = waits
		deploys[i] = merged(deploys, graph.After(i))
		if d.deploy != nil {
			deploys[i] = []int{o.add(d.deploy, slices.Concat(waits, deploys[i]))}
		}
	}
}

// merged returns all of what several resources pass on.
func merged(nearest [][]int, below []int32) []int {
	if len(below) == 1 {
		return nearest[below[0]]
	}
	var all []int
	for _, b := range below {
		all = append(all, nearest[b]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// deleted adds the deletes: of what is no longer declared, and the halves of
// replaces. What an earlier run has replaced is deleted before its successor is
// deleted, created anew or moved. It tells whether there are any deletes.
func (o *orderer) deleted(drafts []draft, rest []diff.Change) bool {
	deletes := map[state.Key][]int{}
	add := func(d *diff.Delete, waits []int) int {
		node := o.add(d, waits)
		deletes[d.Recorded.Key] = append(deletes[d.Recorded.Key], node)
		return node
	}
	first := len(o.changes)
	for _, change := range rest {
		if d, ok := change.(*diff.Delete); ok && d.Replaced {
			add(d, nil)
		}
	}
	for i := range drafts {
		o.successor(&drafts[i], deletes, add)
	}
	for _, change := range rest {
		if d, ok := change.(*diff.Delete); ok && !d.Replaced {
			add(d, slices.Clone(deletes[d.Recorded.Key]))
		}
	}
	if len(deletes) == 0 {
		return false
	}
	for node := range o.changes {
		record := recordOf(o.changes[node])
		if record == nil {
			continue
		}
		_, deletion := o.changes[node].(*diff.Delete)
		for _, to := range record.After {
			for _, below := range deletes[to] {
				switch {
				case deletion && node >= first:
					o.waits[below] = append(o.waits[below], node)
				default:
					o.wishes[below] = append(o.wishes[below], node)
				}
			}
		}
	}
	return true
}

// inPlace returns the changes in the order of the nodes: what is declared is in
// dependency order already.
func (o *orderer) inPlace() []PlannedChange {
	planned := make([]PlannedChange, len(o.changes))
	for node, change := range o.changes {
		planned[node] = PlannedChange{Change: change, After: sortedInts(o.waits[node])}
	}
	return planned
}

// successor adds the delete of what a draft replaces, and makes the draft's change
// wait for what an earlier run has replaced.
func (o *orderer) successor(d *draft, deletes map[state.Key][]int, add func(*diff.Delete, []int) int) {
	record := recordOf(d.change)
	if record == nil {
		return
	}
	node, earlier := o.index[record.Key], slices.Clone(deletes[record.Key])
	if d.isHeldUp() {
		o.waits[node] = slices.Concat(o.waits[node], earlier)
	}
	switch {
	case d.old == nil:
	case d.last:
		add(d.old, append(earlier, node))
		if key := d.change.Key(); key != record.Key { // it has moved by then
			old := *d.old.Recorded
			old.Key = key
			d.old.Recorded = &old
		}
	default:
		o.waits[node] = slices.Concat(o.waits[node], []int{add(d.old, earlier)})
	}
}

// sort returns the changes, each after what it waits for: of those that could come
// next, the first. Where wishes make a circle, as few of them as need be are given
// up.
func (o *orderer) sort() []PlannedChange {
	n := len(o.changes)
	left := make([]int, n) // how many of its waits and wishes have not come yet
	above := make([][]int, n)
	for node := range o.changes {
		o.waits[node] = sortedInts(o.waits[node])
		o.wishes[node] = slices.DeleteFunc(sortedInts(o.wishes[node]), func(before int) bool {
			_, waits := slices.BinarySearch(o.waits[node], before)
			return waits
		})
		for _, before := range slices.Concat(o.waits[node], o.wishes[node]) {
			above[before] = append(above[before], node)
			left[node]++
		}
	}
	ready := &intHeap{}
	for node := range n {
		if left[node] == 0 {
			*ready = append(*ready, node)
		}
	}
	place := make([]int, n)
	for i := range place {
		place[i] = -1
	}
	first := 0 // that may have no place yet
	planned := make([]PlannedChange, 0, n)
	for len(planned) < n {
		if ready.Len() == 0 {
			for place[first] >= 0 {
				first++
			}
			node, before := o.circle(first, place)
			o.waits[node], o.wishes[node] = lacking(o.waits[node], before), lacking(o.wishes[node], before)
			above[before] = lacking(above[before], node)
			if left[node]--; left[node] == 0 {
				heap.Push(ready, node)
			}
			continue
		}
		node := heap.Pop(ready).(int)
		place[node] = len(planned)
		planned = append(planned, PlannedChange{Change: o.changes[node], After: o.places(node, place)})
		for _, next := range above[node] {
			if left[next]--; left[next] == 0 {
				heap.Push(ready, next)
			}
		}
	}
	return planned
}

// circle finds a circle among the nodes that have no place yet, seen from one of
// them, and returns the wish in it that is to be given up: whose, and for what.
// Where somebody edited the recorded edges it may be something that a node waits
// for.
func (o *orderer) circle(node int, place []int) (whose, before int) {
	open := func(before int) bool { return place[before] < 0 }
	next := func(node int) (before int, isWish bool) {
		if at := slices.IndexFunc(o.waits[node], open); at >= 0 {
			return o.waits[node][at], false
		}
		return o.wishes[node][slices.IndexFunc(o.wishes[node], open)], true
	}
	seen := map[int]bool{}
	for !seen[node] {
		seen[node] = true
		node, _ = next(node)
	}
	for range seen {
		before, isWish := next(node)
		if isWish {
			return node, before
		}
		node = before
	}
	before, _ = next(node)
	return node, before
}

// places returns where those have come that a node waits for.
func (o *orderer) places(node int, place []int) []int {
	var after []int
	for _, before := range slices.Concat(o.waits[node], o.wishes[node]) {
		if place[before] >= 0 {
			after = append(after, place[before])
		}
	}
	return sortedInts(after)
}

// lacking returns an ascending list without a number. It leaves the list as it is,
// and is quick where that is the first one: a circle is seen from the first wish.
func lacking(list []int, number int) []int {
	at, found := slices.BinarySearch(list, number)
	switch {
	case !found:
		return list
	case at == 0:
		return list[1:]
	}
	return slices.Concat(list[:at], list[at+1:])
}

func sortedInts(list []int) []int {
	if !slices.IsSorted(list) {
		list = slices.Clone(list)
		slices.Sort(list)
	}
	return slices.Compact(list)
}

// intHeap is a container/heap of nodes, the first on top.
type intHeap []int

func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *intHeap) Push(x any) { *h = append(*h, x.(int)) }

// Pop implements heap.Interface.
func (h *intHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
