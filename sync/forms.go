package sync

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Parser is implemented by the Go type of a field that may be declared in more
// than one form: a list that may be given as text of several lines, a table that
// may be given as text. It may be the type of a field, of the elements of a list
// or map, or the kind's own. It is called on a zero value, which tells nothing.
type Parser interface {
	// ParseDeclared returns a declared value in the one form that the Go type says,
	// or in another that what is inside has a Parser or aliases for. A value that is
	// in that form already comes back as it is: what was parsed may be parsed again.
	//
	// The value is what a file holds: nil, string, int64, float64 (if it isn't
	// whole), bool, []any or map[string]any. The result is made of the same types, or
	// of the Go type itself.
	//
	// An error is a diff.FieldError, whose Path leads on from the value and whose Line
	// is one of the value's text; or several, joined by errors.Join; or any other. If
	// all of them are Warnings the result counts. A value of the wrong type may come
	// back as it is: the Schema reports it. What is said of a sensitive value isn't
	// shown; what is said of one that has a sensitive field inside is.
	ParseDeclared(value any) (any, error)
}

// Former is a Parser that tells the other forms, for those who show the Schema,
// such as editors. Without it they take any value.
type Former interface {
	Parser
	// DeclaredForms returns the shapes that ParseDeclared takes beside the one that
	// the Go type says.
	DeclaredForms() []diff.Value
}

// Canonical returns the canonical form of a Config as it was declared: each field
// in the one form that its type says, under its own name, and left out if it is
// at its default. It returns every mistake, and then no Config. Warnings are those
// of Parsers, and of deprecated names; if it is lenient, fields that the kind
// doesn't know are warnings too, and are left out. Their paths lead through the
// Config as it was declared.
func (k *Kind) Canonical(config json.RawMessage, lenient bool) (canonical json.RawMessage, mistakes, warnings []diff.FieldError) {
	if k.forms == nil || len(config) == 0 {
		return k.Schema.NormalizeDeclared(config, lenient)
	}
	p := formParser{}
	if whole, err := state.Canonical(config); err == nil && whole[0] == '{' {
		config = p.value(make([]byte, 0, len(whole)), "", whole, k.forms, &diff.Value{Type: diff.Object, Object: k.Schema})
	}
	canonical, mistakes, warnings = k.Schema.NormalizeDeclared(config, lenient)
	warnings = append(p.warnings, warnings...)
	if len(p.mistakes) == 0 {
		return canonical, mistakes, warnings
	}
	mistakes = slices.DeleteFunc(mistakes, func(e diff.FieldError) bool { return p.hasFailed(e.Path) })
	return nil, append(p.mistakes, mistakes...), warnings
}

// forms are the Parsers of a value and of what is inside.
type forms struct {
	parser Parser            // nil if the value has but one form
	encode *encoder          // of what the parser returns
	fields map[string]*forms // of an object, by the fields' names
	elem   *forms            // of a list or map
}

// formsOf returns nil if there is no Parser. The type is one that a compiler has
// taken.
func formsOf(t reflect.Type) *forms {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	f := forms{parser: parserOf(t)}
	if f.parser != nil {
		c := compiler{open: map[reflect.Type]bool{}}
		_, f.encode, _ = c.value(t) // it can't fail: another compiler has taken the type
	}
	switch {
	case t == reflect.TypeFor[json.RawMessage]() || isText(t):
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map:
		f.elem = formsOf(t.Elem())
	case t.Kind() == reflect.Struct:
		for name, field := range ownFields(t) {
			inner := formsOf(field.Type)
			if inner != nil && f.fields == nil {
				f.fields = map[string]*forms{}
			}
			if inner != nil {
				f.fields[name] = inner
			}
		}
	}
	if f.parser == nil && f.fields == nil && f.elem == nil {
		return nil
	}
	return &f
}

// parserOf returns the type's Parser, or nil.
func parserOf(t reflect.Type) Parser {
	if t.Kind() == reflect.Interface {
		return nil
	}
	parser, _ := reflect.New(t).Interface().(Parser)
	return parser
}

// otherForms returns the shapes in which a value of the type may be declared
// beside its own.
func otherForms(t reflect.Type) []diff.Value {
	switch parser := parserOf(t).(type) {
	case nil:
		return nil
	case Former:
		return parser.DeclaredForms()
	}
	return []diff.Value{{Type: diff.Any}}
}

// formParser brings what is declared in the one form.
type formParser struct {
	mistakes []diff.FieldError
	warnings []diff.FieldError
	failed   []string // the paths of values that are in no form
	secret   bool     // the value at hand is sensitive, or within one that is
}

// value appends a canonical value with all that is inside in its one form.
func (p *formParser) value(dst []byte, path string, value json.RawMessage, f *forms, shape *diff.Value) []byte {
	if f == nil {
		return append(dst, value...)
	}
	if f.parser != nil {
		value = p.parse(path, value, f)
	}
	switch {
	case value[0] == '{' && shape.Object != nil && f.fields != nil:
		return p.object(dst, path, value, f, shape.Object)
	case value[0] == '{' && shape.Elem != nil && f.elem != nil:
		body := len(dst) + 1
		dst = append(dst, '{')
		for name, member := range state.Members(value) {
			dst = appendMemberName(dst, body, string(name))
			dst = p.value(dst, p.member(path, string(name)), member, f.elem, shape.Elem)
		}
		return append(dst, '}')
	case value[0] == '[' && shape.Elem != nil && f.elem != nil:
		i := 0
		dst = append(dst, '[')
		for element := range state.Elements(value) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = p.value(dst, diff.Index(path, i), element, f.elem, shape.Elem)
			i++
		}
		return append(dst, ']')
	}
	return append(dst, value...)
}

func (p *formParser) object(dst []byte, path string, object json.RawMessage, f *forms, schema *diff.Schema) []byte {
	body := len(dst) + 1
	dst = append(dst, '{')
	for name, member := range state.Members(object) {
		dst = appendMemberName(dst, body, string(name))
		field := schema.Named(string(name))
		if field == nil {
			dst = append(dst, member...)
			continue
		}
		outside := p.secret
		p.secret = outside || field.Sensitive
		dst = p.value(dst, diff.Member(path, string(name)), member, f.fields[field.Name], &field.Value)
		p.secret = outside
	}
	return append(dst, '}')
}

// appendMemberName appends the name of a member of the object that begins before
// body.
func appendMemberName(dst []byte, body int, name string) []byte {
	if len(dst) > body {
		dst = append(dst, ',')
	}
	if quoted, err := state.AppendCanonical(dst, name); err == nil {
		dst = quoted // always: the name comes out of canonical JSON
	}
	return append(dst, ':')
}

// parse returns a value in its one form; as it is if that fails.
func (p *formParser) parse(path string, value json.RawMessage, f *forms) json.RawMessage {
	result, err := f.parser.ParseDeclared(decodeJSON(value))
	if !p.report(path, err) {
		parsed, err := f.encode.append(nil, result)
		if err == nil {
			parsed, err = state.Canonical(parsed)
		}
		if !p.report(path, err) {
			return parsed
		}
	}
	p.failed = append(p.failed, path)
	return value
}

// hasFailed tells whether a path leads to what a Parser couldn't parse, or into
// it.
func (p *formParser) hasFailed(path string) bool {
	return slices.ContainsFunc(p.failed, func(failed string) bool {
		rest, inside := strings.CutPrefix(path, failed)
		return inside && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// report adds what is wrong with the value at a path, or odd, and tells whether
// it is wrong.
func (p *formParser) report(path string, err error) (isWrong bool) {
	if err == nil {
		return false
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			isWrong = p.report(path, one) || isWrong
		}
		return isWrong
	}
	var e diff.FieldError
	if !errors.As(err, &e) {
		e = diff.FieldError{Problem: err.Error()}
	}
	switch {
	case p.secret && e.Warning:
		e = diff.FieldError{Line: e.Line, Warning: true, Problem: "may be meant otherwise (more is not shown, since it may be sensitive)"}
	case p.secret:
		e = diff.FieldError{Line: e.Line, Problem: "is in none of the forms that it can have (more is not shown, since it may be sensitive)"}
	}
	switch {
	case e.Path == "" || path == "":
		e.Path += path
	case e.Path[0] == '[':
		e.Path = path + e.Path
	default:
		e.Path = path + "." + e.Path
	}
	if e.Warning {
		p.warnings = append(p.warnings, e)
	} else {
		p.mistakes = append(p.mistakes, e)
	}
	return !e.Warning
}

// member returns the path of a member whose name is not from the schema. Within
// a sensitive value the name is a part of the secret.
func (p *formParser) member(path, name string) string {
	if p.secret {
		return path + ".*"
	}
	return diff.Member(path, name)
}

// decodeJSON returns the Go value of canonical JSON.
func decodeJSON(value json.RawMessage) any {
	switch value[0] {
	case 'n':
		return nil
	case 't', 'f':
		return value[0] == 't'
	case '"':
		var text string
		_ = json.Unmarshal(value, &text) // canonical JSON: it can't fail
		return text
	case '[':
		list := []any{}
		for element := range state.Elements(value) {
			list = append(list, decodeJSON(element))
		}
		return list
	case '{':
		table := map[string]any{}
		for name, member := range state.Members(value) {
			table[string(name)] = decodeJSON(member)
		}
		return table
	}
	if whole, err := strconv.ParseInt(string(value), 10, 64); err == nil {
		return whole
	}
	number, _ := strconv.ParseFloat(string(value), 64)
	return number
}
