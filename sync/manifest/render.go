package manifest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Render returns a file that declares the same, in the dialect of the options and
// with what they say of Flat and Beside: what it loads to has the same State. The
// resources must be as a load returns them, with canonical Configs. Fields that
// have a sync.Formatter are in the form that it gives them.
//
// The error is about the first resource that no file can declare: one that is
// Protected, has Refs of its own, or whose Config holds null or a number that TOML
// doesn't know.
func Render(desired *sync.Desired, kinds *sync.KindSet, opts *Options) ([]byte, error) {
	if opts == nil {
		opts = &Options{}
	}
	w := writer{kinds: kinds, opts: opts}
	for i := range desired.Resources {
		if err := w.resource(&desired.Resources[i]); err != nil {
			return nil, fmt.Errorf("render %s: %w", desired.Resources[i].Key, err)
		}
	}
	for _, move := range desired.Moves {
		w.table(movedName)
		w.entry("kind", w.text(move.To.Kind))
		w.entry("from", w.text(move.From.Name))
		w.entry("to", w.text(move.To.Name))
	}
	return w.out, nil
}

// RenderKinds is Render with a file for each kind, by the file's name:
// "server.toml", and "moved.toml" for the moves.
func RenderKinds(desired *sync.Desired, kinds *sync.KindSet, opts *Options) (map[string][]byte, error) {
	byKind := map[string]*sync.Desired{}
	of := func(name string) *sync.Desired {
		if byKind[name] == nil {
			byKind[name] = &sync.Desired{}
		}
		return byKind[name]
	}
	for i := range desired.Resources {
		d := of(desired.Resources[i].Kind)
		d.Resources = append(d.Resources, desired.Resources[i])
	}
	for _, move := range desired.Moves {
		d := of(movedName)
		d.Moves = append(d.Moves, move)
	}
	files := map[string][]byte{}
	for name, d := range byKind {
		file, err := Render(d, kinds, opts)
		if err != nil {
			return nil, err
		}
		files[name+".toml"] = file
	}
	return files, nil
}

// writer writes a file.
type writer struct {
	kinds *sync.KindSet
	opts  *Options
	out   []byte
}

// table begins a table of a top-level array.
func (w *writer) table(name string) {
	if len(w.out) > 0 {
		w.out = append(w.out, '\n')
	}
	w.out = fmt.Appendf(w.out, "[[%s]]\n", name)
}

func (w *writer) entry(key, value string) { w.out = fmt.Appendf(w.out, "%s = %s\n", key, value) }

func (w *writer) resource(r *state.Resource) error {
	kind, known := w.kinds.Kind(r.Kind)
	switch {
	case !known:
		return fmt.Errorf("%w %q", sync.ErrUnknownKind, r.Kind)
	case r.Protected:
		return errors.New("no file can say that it is protected")
	case len(r.Refs) > 0:
		return errors.New("no file can say what it refers to, beside what its config does")
	}
	w.table(r.Kind)
	w.entry("name", w.text(r.Name))
	w.head(r)
	var beside, inConfig fields
	for name, value := range state.Members(kind.Format(r.Config)) {
		f := field{bareOrQuoted(string(name)), value}
		if isFlat := slices.Contains(w.opts.Flat, r.Kind); isFlat || slices.Contains(w.opts.Beside, string(name)) && kind.Schema.Field(string(name)) != nil {
			beside.add(f)
		} else {
			inConfig.add(f)
		}
	}
	if err := w.fields(beside.plain); err != nil {
		return err
	}
	if len(inConfig.plain) > 0 {
		w.out = fmt.Appendf(w.out, "[%s.config]\n", r.Kind)
	}
	return cmp.Or(w.fields(inConfig.plain), w.tables(r.Kind, beside.tables), w.tables(r.Kind+".config", inConfig.tables))
}

// fields are those of a table. Long lists of tables have headers of their own,
// and so come last.
type fields struct{ plain, tables []field }

func (fs *fields) add(f field) {
	isTable := func(element json.RawMessage) bool { return element[0] == '{' }
	if len(f.value) > wide && isList(f.value, isTable) {
		fs.tables = append(fs.tables, f)
	} else {
		fs.plain = append(fs.plain, f)
	}
}

// isList tells whether a value is a list and all its elements are what they
// should be.
func isList(value json.RawMessage, what func(json.RawMessage) bool) bool {
	for element := range state.Elements(value) {
		if !what(element) {
			return false
		}
	}
	return value[0] == '['
}

func (w *writer) fields(fields []field) error {
	for _, f := range fields {
		if err := w.field(f); err != nil {
			return err
		}
	}
	return nil
}

// tables writes lists of tables in the table with a header.
func (w *writer) tables(header string, lists []field) error {
	for _, list := range lists {
		for element := range state.Elements(list.value) {
			w.out = fmt.Appendf(w.out, "[[%s.%s]]\n", header, list.key)
			for name, member := range state.Members(element) {
				if err := w.field(field{bareOrQuoted(string(name)), member}); err != nil {
					return fmt.Errorf("%s: %w", list.key, err)
				}
			}
		}
	}
	return nil
}

// head writes what every resource may have beside its name.
func (w *writer) head(r *state.Resource) {
	if r.Type != "" {
		w.entry("type", w.text(r.Type))
	}
	if r.Description != "" {
		w.entry("description", w.text(r.Description))
	}
	if len(r.Tags) > 0 {
		w.entry("tags", w.texts(r.Tags))
	}
	if r.Deploy {
		w.entry("deploy", "true")
	}
	if len(r.After) > 0 {
		var keys []string
		for _, key := range r.After {
			keys = append(keys, key.String())
		}
		w.entry("after", w.texts(keys))
	}
	if len(r.Unmanaged) > 0 {
		var paths []string
		for _, path := range r.Unmanaged {
			paths = append(paths, "config."+path)
		}
		w.entry("unmanaged", w.texts(paths))
	}
}

func (w *writer) texts(texts []string) string {
	var elements []string
	for _, text := range texts {
		elements = append(elements, w.text(text))
	}
	return "[" + strings.Join(elements, ", ") + "]"
}

// field is a key, which may be dotted, and its canonical value.
type field struct {
	key   string
	value json.RawMessage
}

// field writes a field on a line of its own: a table as one line for each of its
// members.
func (w *writer) field(f field) error {
	if f.value[0] == '{' && len(f.value) > len("{}") {
		for name, member := range state.Members(f.value) {
			if err := w.field(field{f.key + "." + bareOrQuoted(string(name)), member}); err != nil {
				return err
			}
		}
		return nil
	}
	value, err := w.value(f.value, true)
	if err != nil {
		return fmt.Errorf("%s: %w", f.key, err)
	}
	w.entry(f.key, value)
	return nil
}

// wide is the length from which on a list has a line for each element.
const wide = 80

// value returns a canonical value as TOML. A list that stands alone may go over
// several lines.
func (w *writer) value(value json.RawMessage, alone bool) (string, error) {
	switch value[0] {
	case '"':
		var text string
		err := json.Unmarshal(value, &text)
		return w.text(text), err
	case '[':
		return w.list(value, alone)
	case '{':
		var members []string
		for name, member := range state.Members(value) {
			text, err := w.value(member, false)
			if err != nil {
				return "", fmt.Errorf("%s: %w", diff.Member("", string(name)), err)
			}
			members = append(members, bareOrQuoted(string(name))+" = "+text)
		}
		if len(members) == 0 {
			return "{}", nil
		}
		return "{ " + strings.Join(members, ", ") + " }", nil
	case 'n':
		return "", errors.New("TOML has no null")
	case 't', 'f':
		return string(value), nil
	}
	return number(string(value))
}

func (w *writer) list(list json.RawMessage, alone bool) (string, error) {
	var elements []string
	length := 0
	for element := range state.Elements(list) {
		text, err := w.value(element, false)
		if err != nil {
			return "", fmt.Errorf("[%d]: %w", len(elements), err)
		}
		elements = append(elements, text)
		length += len(text) + len(", ")
	}
	if alone && length > wide {
		return "[\n  " + strings.Join(elements, ",\n  ") + ",\n]", nil
	}
	return "[" + strings.Join(elements, ", ") + "]", nil
}
