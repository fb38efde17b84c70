package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// FieldError is one mistake in a Config, or a warning about it.
type FieldError struct {
	// Path leads to the value, from the Config's root: "vars.region". A name within
	// a sensitive value that is not the schema's is "*": "passwords.*".
	Path string
	// Line is the line of the value that is wrong, from 1, where the value is text
	// of several lines; 0 if it is all of it.
	Line int
	// Problem says what is wrong; Hint, which may be empty, what was probably
	// meant.
	Problem, Hint string
	// Warning says that it is no mistake but may be meant otherwise.
	Warning bool
}

// Error returns path, line, problem and hint.
func (e FieldError) Error() string {
	text := e.Problem
	if e.Line > 0 {
		text = fmt.Sprintf("line %d: %s", e.Line, text)
	}
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Normalize returns the canonical form of a Config under the schema: fields at
// their default left out, empty lists and maps too where the schema says that
// they mean nothing. It checks names, types and required fields and returns
// every mistake. If config is in this form already it is returned as it is,
// without allocating. A nil schema takes any object.
func (s *Schema) Normalize(config json.RawMessage) (json.RawMessage, []FieldError) {
	out, mistakes, _ := s.normalize(config, normalizer{})
	return out, mistakes
}

// NormalizeDeclared is Normalize for what people write, who are warned of names
// that are deprecated. If it is lenient, fields that the schema doesn't know are
// left out with a warning, instead of being a mistake.
func (s *Schema) NormalizeDeclared(config json.RawMessage, lenient bool) (normal json.RawMessage, mistakes, warnings []FieldError) {
	return s.normalize(config, normalizer{lenient: lenient})
}

// NormalizeLive is Normalize for what was observed: fields that the schema doesn't
// know are left out, aliases too, and required ones may be missing.
func (s *Schema) NormalizeLive(config json.RawMessage) (json.RawMessage, []FieldError) {
	out, mistakes, _ := s.normalize(config, normalizer{live: true})
	return out, mistakes
}

func (s *Schema) normalize(config json.RawMessage, n normalizer) (normal json.RawMessage, mistakes, warnings []FieldError) {
	if len(config) == 0 {
		config = json.RawMessage("{}")
	}
	canonical, err := state.Canonical(config)
	if err != nil && s.HasSensitive() {
		return nil, []FieldError{{Problem: withoutQuotation(err.Error())}}, nil
	}
	if err != nil {
		return nil, []FieldError{{Problem: err.Error()}}, nil
	}
	if canonical[0] != '{' {
		return nil, []FieldError{{Problem: fmt.Sprintf("want an object, found %s", describe(canonical))}}, nil
	}
	if s == nil || n.inForm(canonical, s) {
		return canonical, nil, nil
	}
	out := n.object(make([]byte, 0, len(canonical)), "", canonical, s)
	if len(n.errors) > 0 {
		out = nil
	}
	return out, n.errors, n.warnings
}

// withoutQuotation takes out what stands in double quotes, and every number but
// that of the byte: where JSON has no canonical form, nobody knows what of it is
// sensitive.
func withoutQuotation(problem string) string {
	if first, last := strings.IndexByte(problem, '"'), strings.LastIndexByte(problem, '"'); first < last {
		problem = problem[:first+1] + "…" + problem[last:]
	}
	words := strings.Fields(problem)
	for i := 2; i < len(words); i++ {
		if isNumber(words[i][0]) {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}

type normalizer struct {
	errors   []FieldError
	warnings []FieldError
	secret   bool // the value at hand is sensitive, or within one that is
	live     bool // it was observed: what is unknown or missing is no mistake
	lenient  bool // what is unknown is a warning
}

// inForm is the fast path: it tells whether an object needs no change and has no
// mistake. It may say no to one that is in form; then the slow path finds out.
func (n *normalizer) inForm(object json.RawMessage, s *Schema) bool {
	known := 0
	required := 0
	for i := range s.Fields {
		if s.Fields[i].Required {
			required++
		}
	}
	for name, value := range state.Members(object) {
		for known < len(s.Fields) && s.Fields[known].Name < string(name) {
			known++
		}
		if known == len(s.Fields) || s.Fields[known].Name != string(name) {
			return false
		}
		field := &s.Fields[known]
		if field.Required {
			required--
		}
		if field.omits(value) || field.Required && len(value) == 2 || !n.valueInForm(value, &field.Value) {
			return false
		}
	}
	return required == 0
}

func (n *normalizer) valueInForm(value json.RawMessage, shape *Value) bool {
	if shape.Type == Any {
		return true
	}
	if !shape.fits(value) {
		return false
	}
	switch shape.Type {
	case Text:
		return shape.allows(value)
	case Time:
		utc, _ := timeInUTC(value)
		return bytes.Equal(utc, value)
	case Object:
		return n.inForm(value, shape.Object)
	case List:
		for element := range state.Elements(value) {
			if !n.valueInForm(element, shape.Elem) {
				return false
			}
		}
	case Map:
		for _, element := range state.Members(value) {
			if !n.valueInForm(element, shape.Elem) {
				return false
			}
		}
	}
	return true
}

// omits tells whether a field with this value is left out.
func (f *SchemaField) omits(value json.RawMessage) bool {
	if f.Required {
		return false
	}
	if f.Default != nil && bytes.Equal(value, f.Default) {
		return true
	}
	return f.OmitEmpty && isEmpty(value) || f.Type != Any && string(value) == "null"
}

// given is a member of an object, with the field that it is.
type given struct {
	name  string // as it is written: the field's, or an alias
	value json.RawMessage
	field *SchemaField // nil if the schema knows none
}

// givens returns the members of a canonical object in order of their fields'
// names, each field once.
func (n *normalizer) givens(path string, object json.RawMessage, s *Schema) []given {
	all := make([]given, 0, len(s.Fields))
	inOrder := true
	for name, value := range state.Members(object) {
		g := given{name: string(name), value: value, field: s.Field(string(name))}
		if g.field == nil && !n.live {
			g.field = s.Named(g.name)
		}
		inOrder = inOrder && (g.field == nil || g.field.Name == g.name)
		all = append(all, g)
	}
	if inOrder {
		return all
	}
	slices.SortStableFunc(all, func(a, b given) int { return strings.Compare(a.order(), b.order()) })
	once := all[:1]
	for _, g := range all[1:] {
		if first := once[len(once)-1]; g.field != nil && g.field == first.field {
			n.fail(Member(path, g.name), "is the same field as "+first.name, "leave one of them out")
		} else {
			once = append(once, g)
		}
	}
	return once
}

func (g *given) order() string {
	if g.field != nil {
		return g.field.Name
	}
	return g.name
}

// object appends the normal form of a canonical object.
func (n *normalizer) object(dst []byte, path string, object json.RawMessage, s *Schema) []byte {
	members := n.givens(path, object, s)
	dst = append(dst, '{')
	body := len(dst)
	for _, m := range members {
		field, at := m.field, Member(path, m.name)
		if field == nil {
			n.unknown(n.member(path, m.name), m.name, s)
			continue
		}
		if slices.Contains(field.Deprecated, m.name) {
			n.warn(at, "is deprecated", fmt.Sprintf("write %q", field.Name))
		}
		if field.omits(m.value) {
			continue
		}
		start := len(dst)
		if start > body {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, field.Name), ':')
		valueStart := len(dst)
		outside := n.secret
		n.secret = outside || field.Sensitive
		dst = n.value(dst, at, m.value, &field.Value, !field.Required)
		n.secret = outside
		if field.omits(dst[valueStart:]) {
			dst = dst[:start]
		} else if field.Required && string(dst[valueStart:]) == `""` && !n.live {
			n.fail(at, "must not be empty", "")
		}
	}
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Required && !n.live && !slices.ContainsFunc(members, func(g given) bool { return g.field == f }) {
			n.fail(Member(path, f.Name), "is required", "")
		}
	}
	return append(dst, '}')
}

// value appends the normal form of a canonical value.
func (n *normalizer) value(dst []byte, path string, value json.RawMessage, shape *Value, nullable bool) []byte {
	switch {
	case shape.Type == Any, nullable && string(value) == "null":
		return append(dst, value...)
	case !shape.fits(value):
		n.fail(path, fmt.Sprintf("want %s, found %s", shape, n.describe(value)), "")
		return append(dst, value...)
	}
	switch shape.Type {
	case Text:
		if !n.live && !shape.allows(value) {
			n.notOneOf(path, value, shape)
		}
	case Time:
		utc, _ := timeInUTC(value)
		return append(dst, utc...)
	case Object:
		return n.object(dst, path, value, shape.Object)
	case List:
		dst = append(dst, '[')
		i := 0
		for element := range state.Elements(value) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = n.value(dst, Index(path, i), element, shape.Elem, false)
			i++
		}
		return append(dst, ']')
	case Map:
		dst = append(dst, '{')
		body := len(dst)
		for name, element := range state.Members(value) {
			if len(dst) > body {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, string(name)), ':')
			dst = n.value(dst, n.member(path, string(name)), element, shape.Elem, false)
		}
		return append(dst, '}')
	}
	return append(dst, value...)
}

// member returns the path of a member whose name is not from the schema. Within
// a sensitive value the name is a part of the secret.
func (n *normalizer) member(path, name string) string {
	if n.secret {
		return path + ".*"
	}
	return Member(path, name)
}

func (n *normalizer) fail(path, problem, hint string) {
	n.errors = append(n.errors, FieldError{Path: path, Problem: problem, Hint: hint})
}

func (n *normalizer) warn(path, problem, hint string) {
	n.warnings = append(n.warnings, FieldError{Path: path, Problem: problem, Hint: hint, Warning: true})
}

func (n *normalizer) unknown(path, name string, s *Schema) {
	if n.live {
		return
	}
	known := s.Names()
	for i := range s.Fields {
		known = append(known, s.Fields[i].Aliases...)
	}
	if n.lenient {
		n.warn(path, "unknown field", didYouMean(name, known))
	} else {
		n.fail(path, "unknown field", didYouMean(name, known))
	}
}

// notOneOf reports text that isn't among those that it can be. It is not
// repeated: what is in the wrong place may be a secret.
func (n *normalizer) notOneOf(path string, value json.RawMessage, shape *Value) {
	text, hint := "", ""
	if err := json.Unmarshal(value, &text); err == nil && !n.secret {
		hint = didYouMean(text, shape.OneOf)
	}
	n.fail(path, "want one of "+strings.Join(shape.OneOf, ", ")+", found another text", hint)
}

func didYouMean(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// appendText appends valid UTF-8 as canonical JSON.
func appendText(dst []byte, s string) []byte {
	b, err := state.AppendCanonical(dst, s)
	if err != nil {
		return dst // not reached: it came out of canonical JSON
	}
	return b
}

// describe names a value in an error message; of a sensitive one, its type only.
func (n *normalizer) describe(value json.RawMessage) string {
	if first := value[0]; n.secret && isNumber(first) {
		return "a number"
	} else if n.secret && (first == 't' || first == 'f') {
		return "true or false"
	}
	return describe(value)
}
