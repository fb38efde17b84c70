package diff

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// Field is one value that differs between two declarations of a resource.
type Field struct {
	// Path leads to the value: "type", "config.tags[0]", "config.vars.region". A
	// member whose name holds anything but letters, digits, '-' and '_' is quoted.
	// The index of an element is where it stands in the new list, and of a removed
	// one where it stood in the old. So two Fields may have the same path: what was
	// at [0] is gone, and what is at [0] now was changed.
	Path string `json:"path"`
	// Old and New are canonical JSON: scalars, or empty lists and objects. Nil
	// means absent. Both are nil if the field is sensitive.
	Old json.RawMessage `json:"old,omitempty"`
	New json.RawMessage `json:"new,omitempty"`
	// Default says that an absent side has this value.
	Default json.RawMessage `json:"default,omitempty"`
	// Drifted says that the value was changed behind our back: Live is what was
	// observed, nil if the value is gone. If only that is wrong, Old and New are
	// the same.
	Drifted bool            `json:"drifted,omitempty"`
	Live    json.RawMessage `json:"live,omitempty"`
	// Sensitive says that the value is not to be shown.
	Sensitive bool `json:"sensitive,omitempty"`
}

// Fields returns what differs between two declarations of a resource, in order
// of their paths; the elements of a list are in the order of the lists. Their
// Configs must be canonical. Either may be nil: then every field of the other is
// listed. After, Tags and Unmanaged are sets: what was added to and removed from
// one has the path of the set. The Refs have the path "refs" and their own path as
// a member's name.
//
// An element that is inserted in a list, or removed from it, leaves the others
// as they are. Objects are the same element if they have the same "id", "key" or
// "name", the first of these that all have and that isn't sensitive or repeated;
// other elements if they are equal. What then stands alone on both sides at the
// same place was changed there. There are never more Fields than a comparison
// index by index would come to.
//
// The schema, which may be nil, tells which fields are sensitive: their values
// are in no Field, nor are those of anything inside them. What is unmanaged, by
// the schema or by the declaration, never differs.
func Fields(old, desired *state.Resource, schema *Schema) []Field {
	var w walker
	if old == nil {
		old = &state.Resource{}
	}
	if desired == nil {
		desired = &state.Resource{}
	}
	unmanaged := desired.Unmanaged
	w.keys("after", old.After, desired.After)
	w.object("config",
		schema.managed(old.Config, slices.Concat(old.Unmanaged, unmanaged)),
		schema.managed(desired.Config, unmanaged), &Value{Type: Object, Object: schema})
	w.scalar("deploy", flag(old.Deploy), flag(desired.Deploy))
	w.scalar("description", text(old.Description), text(desired.Description))
	w.scalar("protected", flag(old.Protected), flag(desired.Protected))
	w.refs("refs", old.Refs, desired.Refs)
	w.set("tags", old.Tags, desired.Tags)
	w.scalar("type", text(old.Type), text(desired.Type))
	w.set("unmanaged", old.Unmanaged, desired.Unmanaged)
	return w.fields
}

// managed returns a Config without what is unmanaged.
func (s *Schema) managed(config json.RawMessage, unmanaged []string) json.RawMessage {
	if len(unmanaged) == 0 && !s.HasUnmanaged() {
		return config
	}
	return s.Conceal(config, unmanaged, func(_ string, value json.RawMessage) json.RawMessage { return value })
}

func (w *walker) scalar(path string, old, desired json.RawMessage) {
	if string(old) != string(desired) {
		w.add(Field{Path: path, Old: old, New: desired})
	}
}

// set lists what was added to and removed from a set of texts.
func (w *walker) set(path string, old, desired []string) {
	old, desired = sorted(old), sorted(desired)
	for _, t := range old {
		if _, kept := slices.BinarySearch(desired, t); !kept {
			w.add(Field{Path: path, Old: text(t)})
		}
	}
	for _, t := range desired {
		if _, known := slices.BinarySearch(old, t); !known {
			w.add(Field{Path: path, New: text(t)})
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

// refs walks two sets of references by their paths.
func (w *walker) refs(path string, old, desired []state.Ref) {
	olds, news := sortedRefs(old), sortedRefs(desired)
	for len(olds)+len(news) > 0 {
		order := -1
		if len(olds) == 0 {
			order = 1
		} else if len(news) > 0 {
			order = strings.Compare(olds[0].Path, news[0].Path)
		}
		var f Field
		if order <= 0 {
			f.Path, f.Old, olds = Member(path, olds[0].Path), text(olds[0].To.String()), olds[1:]
		}
		if order >= 0 {
			f.Path, f.New, news = Member(path, news[0].Path), text(news[0].To.String()), news[1:]
		}
		w.scalar(f.Path, f.Old, f.New)
	}
}

func sortedRefs(refs []state.Ref) []state.Ref {
	refs = slices.Clone(refs)
	slices.SortFunc(refs, func(a, b state.Ref) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), a.To.Compare(b.To))
	})
	return slices.Compact(refs)
}

func sorted(set []string) []string {
	set = slices.Clone(set)
	slices.Sort(set)
	return slices.Compact(set)
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
