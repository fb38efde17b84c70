package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/trueup-go/trueup/state"
)

// FieldError is one mistake in a Config.
type FieldError struct {
	// Path leads to the value, from the Config's root: "vars.region". A name within
	// a sensitive value that is not the schema's is "*": "passwords.*".
	Path string
	// Problem says what is wrong; Hint, which may be empty, what was probably
	// meant.
	Problem, Hint string
}

// Error returns path, problem and hint.
func (e FieldError) Error() string {
	text := e.Problem
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
	return s.normalize(config, false)
}

// NormalizeLive is Normalize for what was observed: fields that the schema doesn't
// know are left out, and required ones may be missing.
func (s *Schema) NormalizeLive(config json.RawMessage) (json.RawMessage, []FieldError) {
	return s.normalize(config, true)
}

func (s *Schema) normalize(config json.RawMessage, live bool) (json.RawMessage, []FieldError) {
	if len(config) == 0 {
		config = json.RawMessage("{}")
	}
	canonical, err := state.Canonical(config)
	if err != nil && s.HasSensitive() {
		return nil, []FieldError{{Problem: withoutQuotation(err.Error())}}
	}
	if err != nil {
		return nil, []FieldError{{Problem: err.Error()}}
	}
	if canonical[0] != '{' {
		return nil, []FieldError{{Problem: fmt.Sprintf("want an object, found %s", describe(canonical))}}
	}
	if s == nil {
		return canonical, nil
	}
	n := normalizer{live: live}
	if n.inForm(canonical, s) {
		return canonical, nil
	}
	out := n.object(make([]byte, 0, len(canonical)), "", canonical, s)
	if len(n.errors) > 0 {
		return nil, n.errors
	}
	return out, nil
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
	errors []FieldError
	secret bool // the value at hand is sensitive, or within one that is
	live   bool // it was observed: what is unknown or missing is no mistake
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

// object appends the normal form of a canonical object.
func (n *normalizer) object(dst []byte, path string, object json.RawMessage, s *Schema) []byte {
	seen := make(map[string]bool, len(s.Fields))
	dst = append(dst, '{')
	body := len(dst)
	for name, value := range state.Members(object) {
		field := s.Field(string(name))
		at := Member(path, string(name))
		if field == nil && n.live {
			continue
		}
		if field == nil {
			n.unknown(n.member(path, string(name)), string(name), s)
			continue
		}
		seen[field.Name] = true
		start := len(dst)
		if start > body {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, field.Name), ':')
		valueStart := len(dst)
		outside := n.secret
		n.secret = outside || field.Sensitive
		dst = n.value(dst, at, value, &field.Value, !field.Required)
		n.secret = outside
		if field.omits(dst[valueStart:]) {
			dst = dst[:start]
		} else if field.Required && string(dst[valueStart:]) == `""` && !n.live {
			n.fail(at, "must not be empty", "")
		}
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Required && !seen[f.Name] && !n.live {
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

func (n *normalizer) unknown(path, name string, s *Schema) {
	hint := ""
	if near := Nearest(name, s.Names()); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	n.fail(path, "unknown field", hint)
}

// appendText appends valid UTF-8 as canonical JSON.
func appendText(dst []byte, s string) []byte {
	b, err := state.AppendCanonical(dst, s)
	if err != nil {
		return dst // not reached: it came out of canonical JSON
	}
	return b
}

// fits tells whether a canonical value has the shape's type. What is inside is
// another matter.
func (v *Value) fits(value json.RawMessage) bool {
	switch first := value[0]; v.Type {
	case Text:
		return first == '"'
	case Bool:
		return first == 't' || first == 'f'
	case Int:
		return isNumber(first) && !bytes.ContainsAny(value, ".e")
	case Float:
		return isNumber(first)
	case Time:
		_, ok := timeInUTC(value)
		return ok
	case List:
		return first == '['
	case Map, Object:
		return first == '{'
	}
	return true
}

func isNumber(first byte) bool { return first == '-' || first >= '0' && first <= '9' }

// timeInUTC returns the canonical form of a time, in which equal instants are
// equal bytes.
func timeInUTC(value json.RawMessage) (json.RawMessage, bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	t, err := time.Parse(time.RFC3339Nano, string(value[1:len(value)-1]))
	if err != nil {
		return nil, false
	}
	utc, err := state.AppendCanonical(nil, t)
	return utc, err == nil
}

// String names the shape as an error message does: "a list of text".
func (v *Value) String() string {
	switch v.Type {
	case Text:
		return "text"
	case Bool:
		return "true or false"
	case Int:
		return "a whole number"
	case Float:
		return "a number"
	case Time:
		return "a date and time"
	case List:
		return "a list" + v.Elem.of()
	case Map:
		return "a table" + v.Elem.of()
	case Object:
		return "a table"
	}
	return "any value"
}

func (v *Value) of() string {
	switch v.Type {
	case Any:
		return ""
	case Object:
		return " of tables"
	}
	return " of " + v.String()
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

// describe names a value in an error message, without showing more than a
// little of it.
func describe(value json.RawMessage) string {
	switch value[0] {
	case '{':
		return "a table"
	case '[':
		return "a list"
	case '"':
		return "text"
	case 'n':
		return "nothing"
	case 't', 'f':
		return string(value)
	}
	return "the number " + string(value)
}
