package manifest

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/trueup-go/trueup/state"
)

// appendJSON appends a node's canonical JSON. It is the same as that of
// tree.value, without making maps first.
func (t *tree) appendJSON(dst []byte, id int32) ([]byte, error) {
	switch n := &t.nodes[id]; n.form {
	case scalar:
		if text, ok := n.scalar.(string); ok && isPlain(text) {
			return append(append(append(dst, '"'), text...), '"'), nil
		}
		return state.AppendCanonical(dst, n.scalar)
	case list, tables:
		return t.appendElements(dst, t.lists[n.first])
	default:
		return t.appendMembers(dst, id)
	}
}

func (t *tree) appendElements(dst []byte, elements []int32) ([]byte, error) {
	dst = append(dst, '[')
	for i, element := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = t.appendJSON(dst, element); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (t *tree) appendMembers(dst []byte, id int32) ([]byte, error) {
	var room [narrow]int32
	return t.appendObject(dst, slices.AppendSeq(room[:0], t.members(id)))
}

// appendObject appends an object of some members, which it sorts.
func (t *tree) appendObject(dst []byte, members []int32) ([]byte, error) {
	slices.SortFunc(members, func(a, b int32) int { return cmp.Compare(t.nodes[a].name, t.nodes[b].name) })
	dst = append(dst, '{')
	for i, member := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendName(dst, t.nodes[member].name); err != nil {
			return dst, err
		}
		if dst, err = t.appendJSON(append(dst, ':'), member); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// appendName appends a member's name.
func appendName(dst []byte, name string) ([]byte, error) {
	if isPlain(name) {
		return append(append(append(dst, '"'), name...), '"'), nil
	}
	return state.AppendCanonical(dst, name)
}

// isPlain tells whether text stands in JSON as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
