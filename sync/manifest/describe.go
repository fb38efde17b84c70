package manifest

import (
	"fmt"
	"time"
)

// isTable tells whether a node is a table, however it is written.
func (t *tree) isTable(id int32) bool {
	switch t.nodes[id].form {
	case inline, dotted, table:
		return true
	}
	return false
}

// isText tells whether a node is text.
func (t *tree) isText(id int32) bool {
	_, ok := t.nodes[id].scalar.(string)
	return ok
}

// isNothing tells whether a node is a value that couldn't be read.
func (t *tree) isNothing(id int32) bool {
	return t.nodes[id].form == scalar && t.nodes[id].scalar == nil
}

// describe names a node in an error message, without showing more than a little
// of it.
func (t *tree) describe(id int32) string {
	switch n := &t.nodes[id]; n.form {
	case list, tables:
		return "a list"
	case inline, dotted, table:
		return "a table"
	default:
		switch v := n.scalar.(type) {
		case string:
			return "text"
		case bool:
			return fmt.Sprint(v)
		case time.Time:
			return "a date and time"
		default:
			return fmt.Sprintf("the number %v", v)
		}
	}
}
