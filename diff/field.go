package diff

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/trueup-go/trueup/state"
)

// Field is one value that differs between two declarations of a resource.
type Field struct {
	// Path leads to the value: "type", "tags[0]", "config.vars.region". A member
	// whose name holds anything but letters, digits, '-' and '_' is quoted.
	Path string `json:"path"`
	// Old and New are canonical JSON: scalars, or empty lists and objects. Nil
	// means absent. Both are nil if the field is sensitive.
	Old json.RawMessage `json:"old,omitempty"`
	New json.RawMessage `json:"new,omitempty"`
	// Default says that an absent side has this value.
	Default json.RawMessage `json:"default,omitempty"`
	// Sensitive says that the value is not to be shown.
	Sensitive bool `json:"sensitive,omitempty"`
}

// Fields returns what differs between two declarations of a resource, in order
// of their paths. Their Configs must be canonical. Either may be nil: then every
// field of the other is listed.
// The schema, which may be nil, tells which fields are sensitive: their values
// are in no Field, nor are those of anything inside them.
func Fields(old, desired *state.Resource, schema *Schema) []Field {
	var w walker
	if old == nil {
		old = &state.Resource{}
	}
	if desired == nil {
		desired = &state.Resource{}
	}
	w.keys("after", old.After, desired.After)
	w.object("config", old.Config, desired.Config, schema, false)
	w.scalar("deploy", flag(old.Deploy), flag(desired.Deploy))
	w.scalar("description", text(old.Description), text(desired.Description))
	w.set("tags", old.Tags, desired.Tags)
	w.scalar("type", text(old.Type), text(desired.Type))
	return w.fields
}

type walker struct{ fields []Field }

func (w *walker) scalar(path string, old, desired json.RawMessage) {
	if !bytes.Equal(old, desired) {
		w.fields = append(w.fields, Field{Path: path, Old: old, New: desired})
	}
}

// set lists what was added to and removed from a set of texts.
func (w *walker) set(path string, old, desired []string) {
	for _, t := range sorted(old) {
		if !slices.Contains(desired, t) {
			w.fields = append(w.fields, Field{Path: path, Old: text(t)})
		}
	}
	for _, t := range sorted(desired) {
		if !slices.Contains(old, t) {
			w.fields = append(w.fields, Field{Path: path, New: text(t)})
		}
	}
}

func (w *walker) keys(path string, old, desired []state.Key) {
	texts := func(keys []state.Key) []string {
		var s []string
		for _, k := range keys {
			s = append(s, k.String())
		}
		return s
	}
	w.set(path, texts(old), texts(desired))
}

func sorted(set []string) []string {
	set = slices.Clone(set)
	slices.Sort(set)
	return slices.Compact(set)
}

// object walks two objects, either of which may be absent, by their members'
// names.
func (w *walker) object(path string, old, desired json.RawMessage, schema *Schema, sensitive bool) {
	olds, news := members(old), members(desired)
	for len(olds)+len(news) > 0 {
		var name string
		var a, b json.RawMessage
		switch {
		case len(news) == 0 || len(olds) > 0 && olds[0].name < news[0].name:
			name, a, olds = olds[0].name, olds[0].value, olds[1:]
		case len(olds) == 0 || news[0].name < olds[0].name:
			name, b, news = news[0].name, news[0].value, news[1:]
		default:
			name, a, b, olds, news = olds[0].name, olds[0].value, news[0].value, olds[1:], news[1:]
		}
		field := schema.Field(name)
		if field == nil {
			w.value(Member(path, name), a, b, nil, nil, sensitive)
			continue
		}
		w.value(Member(path, name), a, b, &field.Value, field.Default, sensitive || field.Sensitive)
	}
}

// value walks two values, either of which may be absent.
func (w *walker) value(path string, old, desired json.RawMessage, shape *Value, def json.RawMessage, sensitive bool) {
	if bytes.Equal(old, desired) {
		return
	}
	if sensitive {
		w.fields = append(w.fields, Field{Path: path, Sensitive: true})
		return
	}
	switch {
	case both(old, desired, '{'):
		if shape != nil && shape.Type == Map {
			w.mapping(path, old, desired, shape.Elem)
		} else if shape != nil {
			w.object(path, old, desired, shape.Object, false)
		} else {
			w.object(path, old, desired, nil, false)
		}
	case both(old, desired, '['):
		w.list(path, old, desired, shape)
	case isFilled(old) || isFilled(desired):
		// A container on one side, something else on the other: all of the one
		// goes, all of the other comes.
		w.value(path, old, nil, shape, def, false)
		w.value(path, nil, desired, shape, def, false)
	default:
		w.fields = append(w.fields, Field{Path: path, Old: old, New: desired, Default: def})
	}
}

func (w *walker) mapping(path string, old, desired json.RawMessage, elem *Value) {
	var schema Schema
	if elem == nil {
		elem = &Value{Type: Any}
	}
	for _, m := range [][]member{members(old), members(desired)} {
		for _, member := range m {
			schema.Fields = append(schema.Fields, SchemaField{Name: member.name, Value: *elem})
		}
	}
	slices.SortFunc(schema.Fields, func(a, b SchemaField) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	w.object(path, old, desired, &schema, false)
}

func (w *walker) list(path string, old, desired json.RawMessage, shape *Value) {
	var elem *Value
	if shape != nil {
		elem = shape.Elem
	}
	olds, news := slices.Collect(state.Elements(old)), slices.Collect(state.Elements(desired))
	for i := range max(len(olds), len(news)) {
		var a, b json.RawMessage
		if i < len(olds) {
			a = olds[i]
		}
		if i < len(news) {
			b = news[i]
		}
		w.value(Index(path, i), a, b, elem, nil, false)
	}
}

// both tells whether two values that differ are to be walked as containers of
// that kind: one of them is a filled one, the other one too, or absent or empty.
func both(a, b json.RawMessage, open byte) bool {
	is := func(v json.RawMessage) bool { return len(v) == 0 || v[0] == open }
	return is(a) && is(b) && (isFilled(a) || isFilled(b)) && !(isEmpty(a) || isEmpty(b))
}

func isFilled(v json.RawMessage) bool { return len(v) > 2 && (v[0] == '{' || v[0] == '[') }

// isEmpty tells whether the value is an empty list or object: walking it would
// not show that it was there.
func isEmpty(v json.RawMessage) bool { return len(v) == 2 && (v[0] == '{' || v[0] == '[') }

type member struct {
	name  string
	value json.RawMessage
}

func members(object json.RawMessage) []member {
	var list []member
	for name, value := range state.Members(object) {
		list = append(list, member{string(name), value})
	}
	return list
}

func flag(set bool) json.RawMessage {
	if set {
		return json.RawMessage("true")
	}
	return nil
}

func text(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	b, err := state.AppendCanonical(nil, s)
	if err != nil {
		return json.RawMessage(strconv.QuoteToASCII(s)) // invalid UTF-8 never gets this far
	}
	return b
}
