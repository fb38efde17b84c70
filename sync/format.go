package sync

import (
	"bytes"
	"encoding/json"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Formatter is a Parser that knows how people write a value.
type Formatter interface {
	Parser
	// FormatDeclared returns a value, which is in its one form and of the types that
	// ParseDeclared gets, in the form that is easiest to read. It may return any
	// other where that is not possible: one that ParseDeclared doesn't bring back to
	// the value isn't used.
	FormatDeclared(value any) any
}

// Format returns a canonical Config in the form in which people write it, as far
// as the Formatters of its fields know. Canonical leads back.
func (k *Kind) Format(config json.RawMessage) json.RawMessage {
	if k.forms == nil || len(config) == 0 {
		return config
	}
	return k.forms.format(make([]byte, 0, len(config)), config, &diff.Value{Type: diff.Object, Object: k.Schema})
}

// format appends a canonical value in the form in which people write it.
func (f *forms) format(dst []byte, value json.RawMessage, shape *diff.Value) []byte {
	if f == nil || shape == nil {
		return append(dst, value...)
	}
	if formatted, ok := f.formatWhole(value, shape); ok {
		return append(dst, formatted...)
	}
	body := len(dst) + 1
	switch {
	case value[0] == '{' && (f.fields != nil || f.elem != nil):
		dst = append(dst, '{')
		for name, member := range state.Members(value) {
			inner, innerShape := f.elem, shape.Elem
			if field := shape.Object.Field(string(name)); field != nil {
				inner, innerShape = f.fields[string(name)], &field.Value
			}
			dst = inner.format(appendMemberName(dst, body, string(name)), member, innerShape)
		}
		return append(dst, '}')
	case value[0] == '[' && f.elem != nil:
		dst = append(dst, '[')
		for element := range state.Elements(value) {
			if len(dst) > body {
				dst = append(dst, ',')
			}
			dst = f.elem.format(dst, element, shape.Elem)
		}
		return append(dst, ']')
	}
	return append(dst, value...)
}

// formatWhole returns what the value's own Formatter makes of it, and whether
// that leads back to the value.
func (f *forms) formatWhole(value json.RawMessage, shape *diff.Value) (json.RawMessage, bool) {
	formatter, ok := f.parser.(Formatter)
	if !ok {
		return nil, false
	}
	formatted, err := f.encode.append(nil, formatter.FormatDeclared(decodeJSON(value)))
	if err == nil {
		formatted, err = state.Canonical(formatted)
	}
	if err != nil {
		return nil, false
	}
	p := formParser{}
	parsed := p.value([]byte(`{"v":`), "", formatted, f, shape)
	alone := diff.Schema{Fields: []diff.SchemaField{{Name: "v", Value: *shape}}}
	again, mistakes := alone.Normalize(append(parsed, '}'))
	return formatted, len(p.mistakes)+len(mistakes) == 0 && bytes.Equal(again, append(append([]byte(`{"v":`), value...), '}'))
}
