package manifest

import "iter"

// A tree is a document as it stands in the file: what each key means, and where
// it is. Nodes refer to each other by their index; 0 is the root, which nobody
// refers to, and so stands for "none".
type tree struct {
	nodes []node
	lists [][]int32 // the elements of lists
	wide  map[member]int32
}

type node struct {
	name     string
	scalar   any
	offset   uint32 // of the key, or of an element's first byte
	form     form
	explicit bool // a table with a header of its own
	broken   bool // not all of it could be read
	// A table's members are a chain from first to last. A list's elements are
	// lists[first].
	first, last, next int32
	count             int32
}

// form is what a node is, as far as it decides what may be added to it.
type form uint8

const (
	scalar form = iota
	list        // [ … ]
	inline      // { … }
	dotted      // a table that a dotted key made: a.b = 1
	table       // a table that a header made: [a], or the a of [a.b]
	tables      // the list that [[a]] made
)

// member is a name within a table, in the index of large tables.
type member struct {
	table int32
	name  string
}

// narrow is the number of members up to which a table needs no index.
const narrow = 16

// find returns the member of that name, 0 if there is none.
func (t *tree) find(parent int32, name string) int32 {
	p := &t.nodes[parent]
	if p.count > narrow {
		return t.wide[member{parent, name}]
	}
	for i := p.first; i != 0; i = t.nodes[i].next {
		if t.nodes[i].name == name {
			return i
		}
	}
	return 0
}

// members returns the members of a table.
func (t *tree) members(id int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i := t.nodes[id].first; i != 0 && yield(i); i = t.nodes[i].next {
		}
	}
}

// add adds a member to a table and returns it.
func (t *tree) add(parent int32, n node) int32 {
	id := t.loose(n)
	p := &t.nodes[parent]
	if p.first == 0 {
		p.first = id
	} else {
		t.nodes[p.last].next = id
	}
	p.last = id
	switch p.count++; {
	case p.count == narrow+1:
		if t.wide == nil {
			t.wide = map[member]int32{}
		}
		for i := p.first; i != 0; i = t.nodes[i].next {
			t.wide[member{parent, t.nodes[i].name}] = i
		}
	case p.count > narrow:
		t.wide[member{parent, n.name}] = id
	}
	return id
}

// loose makes a node that belongs to no table.
func (t *tree) loose(n node) int32 {
	t.nodes = append(t.nodes, n)
	return int32(len(t.nodes) - 1)
}

// makeList turns a node into a list, with room for n elements.
func (t *tree) makeList(id int32, f form, n int) {
	t.lists = append(t.lists, make([]int32, 0, n))
	t.nodes[id].form, t.nodes[id].first = f, int32(len(t.lists)-1)
}

// push adds an element to a list and returns it.
func (t *tree) push(id int32, n node) int32 {
	element := t.loose(n)
	at := t.nodes[id].first
	t.lists[at] = append(t.lists[at], element)
	return element
}

// elements returns those of a list, nil if the node is none.
func (t *tree) elements(id int32) []int32 {
	if n := &t.nodes[id]; n.form == list || n.form == tables {
		return t.lists[n.first]
	}
	return nil
}

// value returns a node as the Go value of Document.Root.
func (t *tree) value(id int32) any {
	switch n := &t.nodes[id]; n.form {
	case scalar:
		return n.scalar
	case list, tables:
		elements := t.lists[n.first]
		values := make([]any, len(elements))
		for i, element := range elements {
			values[i] = t.value(element)
		}
		return values
	default:
		return t.table(id)
	}
}

func (t *tree) table(id int32) map[string]any {
	values := make(map[string]any, t.nodes[id].count)
	for i := t.nodes[id].first; i != 0; i = t.nodes[i].next {
		values[t.nodes[i].name] = t.value(i)
	}
	return values
}
