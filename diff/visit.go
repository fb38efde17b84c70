package diff

import (
	"encoding/json"

	"github.com/trueup-go/trueup/state"
)

// visitor walks a canonical Config under its schema, as far as there are fields
// that are wanted.
type visitor struct {
	wanted func(*SchemaField) bool
	// visit is called with every value on the way, with its field if it is a
	// schema's, and tells whether to go on.
	visit func(path string, value json.RawMessage, field *SchemaField, shape *Value) bool
}

func (v *visitor) value(path string, value json.RawMessage, field *SchemaField, shape *Value) bool {
	if path != "" && !v.visit(path, value, field, shape) {
		return false
	}
	if field != nil && field.Sensitive {
		return true // a whole
	}
	switch shape.Type {
	case Object:
		for name, member := range state.Members(value) {
			f := shape.Object.Field(string(name))
			if f != nil && (v.wanted(f) || f.has(v.wanted)) && !v.value(Member(path, string(name)), member, f, &f.Value) {
				return false
			}
		}
	case Map:
		for name, member := range state.Members(value) {
			if !v.value(Member(path, string(name)), member, nil, shape.Elem) {
				return false
			}
		}
	case List:
		i := 0
		for element := range state.Elements(value) {
			if !v.value(Index(path, i), element, nil, shape.Elem) {
				return false
			}
			i++
		}
	}
	return true
}
