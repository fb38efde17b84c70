package diff

import (
	"encoding/json"

	"github.com/trueup-go/trueup/state"
)

// Substitute returns the canonical Config with other values at some paths. They
// must be canonical as well; nil removes a member, and makes an element of a
// list null. Paths that lead nowhere are passed over; of a path and one that goes
// on below it, the shorter counts. If nothing changes the result is config
// itself.
func Substitute(config json.RawMessage, values map[string]json.RawMessage) json.RawMessage {
	if len(values) == 0 {
		return config
	}
	with := &edits{}
	for path, value := range values {
		with.add(path, value)
	}
	var r rewriter
	return r.rewrite(config, nil, with)
}

// Lookup returns the value at a path of a canonical Config, and whether there is
// one.
func Lookup(config json.RawMessage, path string) (json.RawMessage, bool) {
	steps, ok := parsePath(path)
	if !ok {
		return nil, false
	}
	for _, s := range steps {
		if config, ok = s.in(config); !ok {
			return nil, false
		}
	}
	return config, true
}

// Leads tells whether a path leads to a value of a canonical Config, or to a field
// of the schema that the Config leaves at its default. A nil Schema knows no
// field.
func (s *Schema) Leads(config json.RawMessage, path string) bool {
	steps, ok := parsePath(path)
	shape := &Value{Type: Object, Object: s}
	for _, step := range steps {
		value, found := step.in(config)
		var field *SchemaField
		if step.index < 0 {
			field, shape = shape.member(step.name)
		} else {
			shape = shape.elem()
		}
		switch {
		case found:
			config = value
		case field == nil:
			return false
		default:
			config = field.Default
		}
	}
	return ok
}

// in returns the value that the step leads to in a container.
func (s step) in(container json.RawMessage) (json.RawMessage, bool) {
	if s.index < 0 {
		for name, value := range state.Members(container) {
			if string(name) == s.name {
				return value, true
			}
		}
		return nil, false
	}
	i := 0
	for value := range state.Elements(container) {
		if i == s.index {
			return value, true
		}
		i++
	}
	return nil, false
}
