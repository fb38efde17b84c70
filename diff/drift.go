package diff

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// Drift returns what was changed behind our back: where the live Config of a
// thing, canonical, concealed and with references by name, isn't what was
// recorded of it. Of a field that recorded doesn't have, the live value is the
// server's own default and no drift, unless the schema gives the field a default
// other than the zero value of its type. Lists, and maps of the schema, are
// values of their own: an element more is drift. Of a sensitive or unmanaged
// field that live doesn't have, nothing is known.
//
// Every Field has the recorded value as Old and New, and is Drifted; its Path is
// as in Fields, with live in the place of desired, but where an element stands
// in both, its index is the recorded one. They are in order of their paths.
// If recorded or live is nil, nothing is known and nothing is drift. A nil schema
// knows no field.
func Drift(recorded *state.Resource, live json.RawMessage, schema *Schema) []Field {
	if recorded == nil || len(live) == 0 {
		return nil
	}
	config := schema.managed(recorded.Config, recorded.Unmanaged)
	if len(config) == 0 {
		config = json.RawMessage("{}")
	}
	w := walker{drift: true}
	w.object("config", config, schema.managed(live, recorded.Unmanaged), &Value{Type: Object, Object: schema})
	return w.fields
}

// unrecorded adds the drift of a field, nil if the schema doesn't know it, that
// is in an object, but not as it was recorded.
func (w *walker) unrecorded(path string, live json.RawMessage, field *SchemaField) {
	switch {
	case field == nil || field.Default == nil || bytes.Equal(live, field.Default):
	case field.Type == Object && isEmpty(field.Default) && !field.Sensitive:
		w.object(path, field.Default, live, &field.Value)
	case isZero(field.Default):
	case field.Sensitive:
		w.add(Field{Path: path, Sensitive: true})
	default:
		w.add(Field{Path: path, New: live, Default: field.Default})
	}
}

// isZero tells whether a canonical value is the zero value of its type.
func isZero(value json.RawMessage) bool {
	switch string(value) {
	case "null", "false", "0", `""`, "[]", "{}", `"0001-01-01T00:00:00Z"`:
		return true
	}
	return false
}

// MergeDrift returns an edit's fields and the drifted ones as one list in order
// of their paths: where both have a path, and the same recorded value there, the
// edit's field is marked as drifted. Neither slice is changed.
func MergeDrift(edit, drift []Field) []Field {
	if len(drift) == 0 {
		return edit
	}
	type place struct {
		path, recorded string
		sensitive      bool
	}
	placeOf := func(f *Field) place { return place{f.Path, string(f.Old), f.Sensitive} }
	merged := slices.Clone(edit)
	edited := make(map[place]int, len(merged))
	for i := range merged {
		edited[placeOf(&merged[i])] = i
	}
	for i := range drift {
		if at, ok := edited[placeOf(&drift[i])]; ok {
			merged[at].Drifted, merged[at].Live = true, drift[i].Live
		} else {
			merged = append(merged, drift[i])
		}
	}
	slices.SortStableFunc(merged, func(a, b Field) int { return comparePaths(a.Path, b.Path) })
	return merged
}

// comparePaths orders paths by their steps: members by name, elements by index.
func comparePaths(a, b string) int {
	as, aok := parsePath(a)
	bs, bok := parsePath(b)
	if !aok || !bok {
		return strings.Compare(a, b)
	}
	return slices.CompareFunc(as, bs, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.index, b.index), strings.Compare(a.name, b.name))
	})
}
