package diff

import "encoding/json"

// edits are other values for some places of a value: a tree of the paths that
// lead there.
type edits struct {
	set      bool
	value    json.RawMessage // nil to remove it
	members  map[string]*edits
	elements map[int]*edits
}

// add adds an edit. A path that isn't one leads nowhere.
func (e *edits) add(path string, value json.RawMessage) {
	steps, ok := parsePath(path)
	if !ok {
		return
	}
	for _, s := range steps {
		e = e.child(s)
	}
	e.set, e.value = true, value
}

func (e *edits) child(s step) *edits {
	next := &edits{}
	if s.index >= 0 {
		if e.elements == nil {
			e.elements = map[int]*edits{}
		} else if known := e.elements[s.index]; known != nil {
			return known
		}
		e.elements[s.index] = next
		return next
	}
	if e.members == nil {
		e.members = map[string]*edits{}
	} else if known := e.members[s.name]; known != nil {
		return known
	}
	e.members[s.name] = next
	return next
}

// member returns the edits of a member and below; nil if there are none.
func (e *edits) member(name string) *edits {
	if e == nil {
		return nil
	}
	return e.members[name]
}

// element returns the edits of a list's element and below; nil if there are none.
func (e *edits) element(i int) *edits {
	if e == nil {
		return nil
	}
	return e.elements[i]
}
