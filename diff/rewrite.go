package diff

import (
	"bytes"
	"encoding/json"

	"github.com/trueup-go/trueup/state"
)

// rewriter writes a canonical value anew: concealed under a schema, and with
// edits.
type rewriter struct {
	digest func(path string, value json.RawMessage) json.RawMessage
	secret bool // the value at hand is within a sensitive one
}

func (r *rewriter) rewrite(config json.RawMessage, shape *Value, with *edits) json.RawMessage {
	out := r.value(make([]byte, 0, len(config)), "", config, shape, with)
	if bytes.Equal(out, config) {
		return config
	}
	return out
}

// value appends a value. path is the schema's: without indices and map keys.
func (r *rewriter) value(dst []byte, path string, value json.RawMessage, shape *Value, with *edits) []byte {
	if len(value) == 0 || with == nil && !shape.has(isConcealed) {
		return append(dst, value...)
	}
	switch value[0] {
	case '{':
		return r.object(dst, path, value, shape, with)
	case '[':
		return r.list(dst, path, value, shape, with)
	}
	return append(dst, value...)
}

func (r *rewriter) object(dst []byte, path string, object json.RawMessage, shape *Value, with *edits) []byte {
	dst = append(dst, '{')
	body := len(dst)
	for name, value := range state.Members(object) {
		field, inner := shape.member(string(name))
		edit := with.member(string(name))
		if field != nil && field.Unmanaged || edit != nil && edit.set && edit.value == nil {
			continue
		}
		start := len(dst)
		if start > body {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, string(name)), ':')
		valueStart := len(dst)
		at := path
		if field != nil {
			at = Member(path, field.Name)
		}
		dst = r.member(dst, at, value, field, inner, edit)
		if field != nil && field.omits(dst[valueStart:]) && !bytes.Equal(dst[valueStart:], value) {
			dst = dst[:start] // all that it had was unmanaged
		}
	}
	return append(dst, '}')
}

func (r *rewriter) member(dst []byte, path string, value json.RawMessage, field *SchemaField, shape *Value, edit *edits) []byte {
	switch {
	case edit != nil && edit.set:
		return append(dst, edit.value...)
	case field == nil || !field.Sensitive || r.secret:
		return r.value(dst, path, value, shape, edit)
	}
	r.secret = true
	managed := r.value(nil, path, value, shape, edit)
	r.secret = false
	return append(dst, r.digest(path, managed)...)
}

func (r *rewriter) list(dst []byte, path string, list json.RawMessage, shape *Value, with *edits) []byte {
	dst = append(dst, '[')
	i := 0
	for value := range state.Elements(list) {
		if i > 0 {
			dst = append(dst, ',')
		}
		switch edit := with.element(i); {
		case edit == nil || !edit.set:
			dst = r.value(dst, path, value, shape.elem(), edit)
		case edit.value == nil:
			dst = append(dst, "null"...)
		default:
			dst = append(dst, edit.value...)
		}
		i++
	}
	return append(dst, ']')
}

// member returns the field of an object's member, and the shape of a member of
// an object or map; nil where that isn't known.
func (v *Value) member(name string) (*SchemaField, *Value) {
	switch {
	case v == nil:
	case v.Type == Map:
		return nil, v.Elem
	case v.Type == Object:
		if f := v.Object.Field(name); f != nil {
			return f, &f.Value
		}
	}
	return nil, nil
}

// elem returns the shape of a list's elements, nil where that isn't known.
func (v *Value) elem() *Value {
	if v == nil || v.Type != List {
		return nil
	}
	return v.Elem
}
