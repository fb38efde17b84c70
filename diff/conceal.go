package diff

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// Conceal returns a canonical Config as it may be recorded and shown: digest's
// answer in the place of every sensitive value, and nothing in the place of what
// is unmanaged, by the schema or by one of the paths. An unmanaged element of a
// list leaves null, so that the others keep their places. An object that has
// only unmanaged fields is left out if the schema says that this means the same,
// so that it makes no difference whether an unmanaged field is declared.
//
// digest gets the path without list indices and map keys ("users.password"), so
// that a value that only moves keeps its digest, and the value in canonical
// JSON. What it returns must be canonical too. A sensitive value is concealed as
// a whole, with all that is inside. An absent one stays absent.
//
// Without anything sensitive or unmanaged the result is config itself, and
// nothing is allocated. A nil Schema knows of neither.
func (s *Schema) Conceal(config json.RawMessage, unmanaged []string, digest func(path string, value json.RawMessage) json.RawMessage) json.RawMessage {
	root := Value{Type: Object, Object: s}
	if len(unmanaged) == 0 && !root.has(isConcealed) {
		return config
	}
	remove := &edits{}
	for _, path := range unmanaged {
		remove.add(path, nil)
	}
	r := rewriter{digest: digest}
	return r.rewrite(config, &root, remove)
}

// Secrets yields the sensitive values of a canonical Config, each with its path
// as Lookup takes it. Of a sensitive value within another the outer one is
// yielded alone.
func (s *Schema) Secrets(config json.RawMessage) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		root := Value{Type: Object, Object: s}
		v := visitor{wanted: isSensitive, visit: func(path string, value json.RawMessage, field *SchemaField, _ *Value) bool {
			return field == nil || !field.Sensitive || yield(path, value)
		}}
		v.value("", config, nil, &root)
	}
}

// Refs returns the references that the schema knows in a canonical Config, in
// order of their paths; nil if there are none. Empty text is none.
func (s *Schema) Refs(config json.RawMessage) []state.Ref {
	if !s.HasRefs() {
		return nil
	}
	var refs []state.Ref
	root := Value{Type: Object, Object: s}
	v := visitor{wanted: isRef, visit: func(path string, value json.RawMessage, _ *SchemaField, shape *Value) bool {
		var name string
		if shape.Ref != "" && json.Unmarshal(value, &name) == nil && name != "" {
			refs = append(refs, state.Ref{Path: path, To: state.Key{Kind: shape.Ref, Name: name}})
		}
		return true
	}}
	v.value("", config, nil, &root)
	slices.SortFunc(refs, func(a, b state.Ref) int { return strings.Compare(a.Path, b.Path) })
	return refs
}

// HasSensitive tells whether there is a sensitive field at any depth: whether a
// Config has to be concealed with a digest. A nil Schema has none.
func (s *Schema) HasSensitive() bool { return s.has(isSensitive) }

// HasUnmanaged tells whether there is an unmanaged field at any depth.
func (s *Schema) HasUnmanaged() bool { return s.has(isUnmanaged) }

// HasRefs tells whether there is a reference at any depth.
func (s *Schema) HasRefs() bool { return s.has(isRef) }

func isSensitive(f *SchemaField) bool { return f.Sensitive }
func isUnmanaged(f *SchemaField) bool { return f.Unmanaged }
func isConcealed(f *SchemaField) bool { return f.Sensitive || f.Unmanaged }
func isRef(f *SchemaField) bool       { return f.Value.ref() != "" }

// ref returns the Ref of the value or of the elements of a list or map.
func (v *Value) ref() string {
	for v.Elem != nil {
		v = v.Elem
	}
	return v.Ref
}

// has tells whether a field at any depth is as wanted.
func (s *Schema) has(wanted func(*SchemaField) bool) bool {
	if s == nil {
		return false
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; wanted(f) || f.has(wanted) {
			return true
		}
	}
	return false
}

func (v *Value) has(wanted func(*SchemaField) bool) bool {
	for v != nil && v.Elem != nil {
		v = v.Elem
	}
	return v != nil && v.Object.has(wanted)
}
