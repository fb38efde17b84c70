package diff

import (
	"bytes"
	"encoding/json"

	"github.com/trueup-go/trueup/state"
)

// walker walks two values and lists where they differ.
type walker struct {
	fields []Field
	// drift says that the second value is the live one.
	drift bool
	// counting says that the fields are only counted, up to about a limit, and
	// lists compared index by index. There are no paths then.
	counting       bool
	counted, limit int
}

func (w *walker) add(f Field) {
	if w.counting {
		w.counted++
		return
	}
	if w.drift {
		f.New, f.Live, f.Drifted = f.Old, f.New, true
	}
	w.fields = append(w.fields, f)
}

func (w *walker) member(path string, name []byte) string {
	if w.counting {
		return ""
	}
	return Member(path, string(name))
}

func (w *walker) index(path string, i int) string {
	if w.counting {
		return ""
	}
	return Index(path, i)
}

// object walks two objects, either of which may be absent, by their members'
// names.
func (w *walker) object(path string, old, desired json.RawMessage, shape *Value) {
	olds, news := members(old), members(desired)
	for len(olds)+len(news) > 0 {
		order := -1
		if len(olds) == 0 {
			order = 1
		} else if len(news) > 0 {
			order = bytes.Compare(olds[0].name, news[0].name)
		}
		var name []byte
		var a, b json.RawMessage
		if order <= 0 {
			name, a, olds = olds[0].name, olds[0].value, olds[1:]
		}
		if order >= 0 {
			name, b, news = news[0].name, news[0].value, news[1:]
		}
		if bytes.Equal(a, b) {
			continue
		}
		field, inner := shape.member(string(name))
		if w.drift && a == nil && len(old) > 0 && (shape == nil || shape.Type != Map) {
			w.unrecorded(w.member(path, name), b, field)
			continue
		}
		w.value(w.member(path, name), a, b, field, inner)
	}
}

// value walks two values, either of which may be absent. The field and the shape
// may be nil.
func (w *walker) value(path string, old, desired json.RawMessage, field *SchemaField, shape *Value) {
	switch {
	case bytes.Equal(old, desired):
	case field != nil && field.Sensitive:
		if !w.drift || desired != nil {
			w.add(Field{Path: path, Sensitive: true})
		}
	case w.walks(old, desired, '{'):
		w.object(path, old, desired, shape)
	case w.walks(old, desired, '['):
		w.list(path, old, desired, shape)
	case isFilled(old) || isFilled(desired):
		// A container on one side, something else on the other: all of the one
		// goes, all of the other comes.
		w.value(path, old, nil, field, shape)
		w.value(path, nil, desired, field, shape)
	default:
		f := Field{Path: path, Old: old, New: desired}
		if field != nil {
			f.Default = field.Default
		}
		w.add(f)
	}
}

// walks tells whether two values that differ are to be walked as containers of
// that kind: one of them is a filled one, the other one too, or absent. An empty
// one is a value of its own, as walking it would not show that it was there; but
// that of a live thing is only one in which everything is missing.
func (w *walker) walks(a, b json.RawMessage, open byte) bool {
	is := func(v json.RawMessage) bool { return len(v) == 0 || v[0] == open }
	if !is(a) || !is(b) || !isFilled(a) && !isFilled(b) {
		return false
	}
	return !isEmpty(a) && !isEmpty(b) || w.drift && len(a) > 0 && len(b) > 0
}

func isFilled(v json.RawMessage) bool { return len(v) > 2 && (v[0] == '{' || v[0] == '[') }

func isEmpty(v json.RawMessage) bool { return len(v) == 2 && (v[0] == '{' || v[0] == '[') }

type member struct {
	name  []byte
	value json.RawMessage
}

func members(object json.RawMessage) []member {
	if len(object) == 0 {
		return nil
	}
	list := make([]member, 0, 4)
	for name, value := range state.Members(object) {
		list = append(list, member{name, value})
	}
	return list
}
