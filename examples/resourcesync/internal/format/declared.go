package format

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// The types below are those of a Config's fields. Each is a sync.Former: it takes
// the forms in which people declare it, and leaves what it doesn't know to the
// kind's Schema, which reports it.

// List is a list of text, or text that ParseList reads.
type List []string

// ParseDeclared implements sync.Parser.
func (List) ParseDeclared(value any) (any, error) {
	if text, ok := value.(string); ok {
		return List(ParseList(text)), nil
	}
	return value, nil
}

// DeclaredForms implements sync.Former.
func (List) DeclaredForms() []diff.Value { return []diff.Value{{Type: diff.Text}} }

// Contents is the text of a file, or of a script: what follows its last line
// doesn't matter.
type Contents string

// ParseDeclared implements sync.Parser.
func (Contents) ParseDeclared(value any) (any, error) {
	text, ok := value.(string)
	if !ok {
		return value, nil
	}
	if text = strings.TrimRight(text, " \t\r\n"); text != "" {
		text += "\n"
	}
	return text, nil
}

// DeclaredForms implements sync.Former: there are no others.
func (Contents) DeclaredForms() []diff.Value { return nil }

// ParseDeclared implements sync.Parser: pairs are text that ParsePairs reads, or a
// list of tables with two members.
func (Pairs) ParseDeclared(value any) (any, error) {
	switch v := value.(type) {
	case string:
		return ParsePairs(v)
	case []any:
		return pairsOf(v)
	}
	return value, nil
}

// DeclaredForms implements sync.Former.
func (Pairs) DeclaredForms() []diff.Value {
	return []diff.Value{{Type: diff.List, Elem: &diff.Value{Type: diff.Map, Elem: &diff.Value{Type: diff.Text}}}}
}

// pairMembers are the names of key and value in a list of tables: of variables and
// labels, of mounts and ports, and of signals.
func pairMembers() [][2]string {
	return [][2]string{{"variable", "value"}, {"local", "container"}, {"signal", "label"}}
}

func pairsOf(list []any) (Pairs, error) {
	pairs := make(Pairs, len(list))
	var errs []error
	for i, element := range list {
		pair, ok := pairOf(element)
		if _, fits := renderPair(pair); !ok {
			errs = append(errs, diff.FieldError{Path: diff.Index("", i), Problem: "want a table with the texts variable and value, local and container, or signal and label"})
		} else if !fits {
			errs = append(errs, unfit(i))
		}
		pairs[i] = pair
	}
	return pairs, errors.Join(errs...)
}

func pairOf(element any) (Pair, bool) {
	table, _ := element.(map[string]any)
	for _, names := range pairMembers() {
		key, isKey := table[names[0]].(string)
		value, isValue := table[names[1]].(string)
		if isKey && isValue && len(table) == len(names) {
			return Pair{key, value}, true
		}
	}
	return Pair{}, false
}

// ParseDeclared implements sync.Parser: a version is text, or a table of its parts.
func (Version) ParseDeclared(value any) (any, error) {
	switch v := value.(type) {
	case string:
		return ParseVersion(v)
	case map[string]any:
		return versionOf(v)
	}
	return value, nil
}

// DeclaredForms implements sync.Former.
func (Version) DeclaredForms() []diff.Value {
	part := diff.Value{Type: diff.Int}
	return []diff.Value{{Type: diff.Object, Object: &diff.Schema{Fields: []diff.SchemaField{
		{Name: "major", Value: part}, {Name: "minor", Value: part}, {Name: "patch", Value: part},
	}}}}
}

func versionOf(table map[string]any) (Version, error) {
	var v Version
	var errs []error
	parts := map[string]*int{"major": &v.Major, "minor": &v.Minor, "patch": &v.Patch}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		n, isInt := table[name].(int64)
		part := parts[name]
		switch {
		case part == nil:
			errs = append(errs, diff.FieldError{Path: diff.Member("", name), Problem: "unknown field" + hint(name, []string{"major", "minor", "patch"})})
		case !isInt || n < 0 || n > maxPart:
			errs = append(errs, diff.FieldError{Path: name, Problem: "want a whole number from 0 on"})
		default:
			*part = int(n)
		}
	}
	return v, errors.Join(errs...)
}
