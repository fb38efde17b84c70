package sync

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Define makes a kind from a Go struct, whose fields are the fields of the
// kind's Config. A field's name is that of its toml tag, else of its json tag,
// else its Go name in snake_case; "-" leaves it out; an embedded struct's fields
// count as the struct's own.
//
// The sync tag holds options, separated by commas:
//
//	required      must be given; text must not be empty
//	default=V     what an absent field means. Changing it is a change of meaning
//	omitempty     an empty list or table means the same as none
//	sensitive     never shown, and recorded as a keyed digest; so is every Secret
//	immutable     can't be changed in what exists: another value replaces it
//	unmanaged     must exist, and its value is somebody else's: what is declared is
//	              for a create alone. To manage it again raises the kind's Version
//	alias=NAME    another name that a declaration may give the field; may be said
//	              several times. What is recorded has the field's own name
//	deprecated=NAME  an alias whose use is warned of
//	oneof=A|B|C   text that is one of these, or a list or map of such; an absent
//	              field may be none of them
//	nodeploy      doesn't matter to what runs: changing it is no reason to deploy.
//	              It is for the fields of the kind's own struct
//	ref=KIND      text that names a resource of that kind, or a list or map of
//	              such; its ID takes the name's place when the change is carried out
//
// Without default=, an absent number, bool or text means its zero value, and an
// absent struct one without fields; so setting a field back to zero and leaving
// it out are the same declaration. Behind a pointer, absent is a value of its
// own; and so it is for a list or a map, unless it is marked omitempty. A field
// at its default is left out of the canonical Config and so of the checksum: a
// release that adds a field changes no declaration.
//
// A type that implements Parser takes other forms of a value than the one that
// its Go type says.
//
// In a Go value, a field with its Go zero value is absent, unless it is
// required: whoever has to tell 0 from a default=2 uses a pointer.
//
// A tag that this version doesn't honour is an error, which New and everything
// else that takes kinds reports.
func Define[T any](name string, options ...KindOption) Kind {
	c := compiler{open: map[reflect.Type]bool{}}
	schema, encode, err := c.structOf(reflect.TypeFor[T]())
	kind := Kind{Name: name, Schema: schema, err: err, encode: encode}
	if err == nil {
		kind.forms = formsOf(reflect.TypeFor[T]())
	}
	for _, option := range options {
		option(&kind)
	}
	return kind
}

// KindOption sets something of a Kind.
type KindOption func(*Kind)

// Handle sets Kind.Handler: the kind acts in the outside world.
func Handle(h Handler) KindOption { return func(k *Kind) { k.Handler = h } }

// Deploys sets Kind.Deployer.
func Deploys(d Deployer) KindOption { return func(k *Kind) { k.Deployer = d } }

// Version sets Kind.Version.
func Version(n int) KindOption { return func(k *Kind) { k.Version = n } }

// Parallel sets Kind.Parallel.
func Parallel(n int) KindOption { return func(k *Kind) { k.Parallel = n } }

// Batch sets Kind.Batch.
func Batch(n int) KindOption { return func(k *Kind) { k.Batch = n } }

// CreateFirst sets Kind.CreateFirst.
func CreateFirst() KindOption { return func(k *Kind) { k.CreateFirst = true } }

// Protected sets Kind.Protected.
func Protected() KindOption { return func(k *Kind) { k.Protected = true } }

// compiler turns Go types into schemas and encoders.
type compiler struct{ open map[reflect.Type]bool }

func (c *compiler) structOf(t reflect.Type) (*diff.Schema, *encoder, error) {
	if t.Kind() != reflect.Struct {
		return nil, nil, fmt.Errorf("%s: want a struct", t)
	}
	if c.open[t] {
		return nil, nil, fmt.Errorf("%s contains itself", t)
	}
	c.open[t] = true
	defer delete(c.open, t)
	schema, enc := &diff.Schema{}, &encoder{typ: t}
	var errs []error
	for name, f := range ownFields(t) {
		if isEmbedded(f) {
			errs = append(errs, fmt.Errorf("%s.%s: a struct is embedded by value, or has a toml tag", t, f.Name))
			continue
		}
		field, inner, err := c.field(name, f)
		if err == nil && schema.Field(name) != nil {
			err = errors.New("another field has this name")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s.%s: %w", t, f.Name, err))
			continue
		}
		at, _ := slices.BinarySearchFunc(schema.Fields, name, func(f diff.SchemaField, name string) int {
			return strings.Compare(f.Name, name)
		})
		schema.Fields = slices.Insert(schema.Fields, at, field)
		enc.fields = append(enc.fields, fieldEncoder{name: name, index: f.Index, required: field.Required, sensitive: field.Sensitive, value: inner})
	}
	slices.SortFunc(enc.fields, func(a, b fieldEncoder) int { return strings.Compare(a.name, b.name) })
	return schema, enc, errors.Join(errs...)
}

// ownFields returns the fields that count as a struct's own, with their names.
func ownFields(t reflect.Type) iter.Seq2[string, reflect.StructField] {
	return func(yield func(string, reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(t) {
			name := fieldName(f)
			if name == "-" || promotedThrough(t, f) || !f.IsExported() && !isEmbedded(f) || isEmbedded(f) && f.Type.Kind() == reflect.Struct {
				continue
			}
			if !yield(name, f) {
				return
			}
		}
	}
}

// isEmbedded tells whether a field is an embedded struct, by value or behind a
// pointer, whose fields count as the struct's own.
func isEmbedded(f reflect.StructField) bool {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return f.Anonymous && t.Kind() == reflect.Struct && taggedName(f) == ""
}

// promotedThrough tells whether a promoted field comes through something else
// than embedded structs, so that it doesn't count as the struct's own.
func promotedThrough(t reflect.Type, f reflect.StructField) bool {
	for i := 1; i < len(f.Index); i++ {
		through := t.FieldByIndex(f.Index[:i])
		if !isEmbedded(through) || through.Type.Kind() != reflect.Struct {
			return true
		}
	}
	return false
}

// taggedName returns the name that a field's toml tag or else its json tag gives
// it.
func taggedName(f reflect.StructField) string {
	for _, tag := range [...]string{"toml", "json"} {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" {
			return name
		}
	}
	return ""
}

func fieldName(f reflect.StructField) string {
	if name := taggedName(f); name != "" {
		return name
	}
	var b strings.Builder
	runes := []rune(f.Name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func (c *compiler) field(name string, f reflect.StructField) (diff.SchemaField, *encoder, error) {
	field := diff.SchemaField{Name: name}
	t := f.Type
	optional := t.Kind() == reflect.Pointer
	if optional {
		t = t.Elem()
	}
	shape, inner, err := c.value(t)
	if err != nil {
		return field, nil, err
	}
	field.Value = *shape
	if !optional {
		field.Default = zeroOf(shape.Type)
	}
	field.Sensitive = isSecret(t)
	return field, inner, tagOptions(&field, f.Tag.Get("sync"))
}

func (c *compiler) value(t reflect.Type) (*diff.Value, *encoder, error) {
	shape, enc, err := c.shape(t)
	if err == nil {
		shape.Forms = otherForms(t)
	}
	return shape, enc, err
}

func (c *compiler) shape(t reflect.Type) (*diff.Value, *encoder, error) {
	switch {
	case t == reflect.TypeFor[Secret]():
		return &diff.Value{Type: diff.Text}, &encoder{typ: t, secret: true}, nil
	case t == reflect.TypeFor[time.Time]():
		return &diff.Value{Type: diff.Time}, nil, nil
	case t == reflect.TypeFor[json.RawMessage]():
		return &diff.Value{Type: diff.Any}, nil, nil
	case isText(t):
		return &diff.Value{Type: diff.Text}, nil, nil
	case t.Kind() == reflect.Struct && isOpaque(t):
		return nil, nil, fmt.Errorf("a field of type %s can't be recorded: it keeps its fields to itself", t)
	}
	switch t.Kind() {
	case reflect.String:
		return &diff.Value{Type: diff.Text}, nil, nil
	case reflect.Bool:
		return &diff.Value{Type: diff.Bool}, nil, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &diff.Value{Type: diff.Int}, nil, nil
	case reflect.Float32, reflect.Float64:
		return &diff.Value{Type: diff.Float}, nil, nil
	case reflect.Interface:
		return &diff.Value{Type: diff.Any}, nil, nil
	case reflect.Pointer:
		return c.value(t.Elem())
	case reflect.Slice, reflect.Array:
		elem, enc, err := c.value(t.Elem())
		return &diff.Value{Type: diff.List, Elem: elem}, enc, err
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, nil, fmt.Errorf("a map by %s: want a map by text", t.Key())
		}
		elem, enc, err := c.value(t.Elem())
		return &diff.Value{Type: diff.Map, Elem: elem}, enc, err
	case reflect.Struct:
		schema, enc, err := c.structOf(t)
		return &diff.Value{Type: diff.Object, Object: schema}, enc, err
	}
	return nil, nil, fmt.Errorf("a field of type %s can't be recorded", t)
}

// isSecret tells whether a type is Secret, or a list or map of them.
func isSecret(t reflect.Type) bool {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t == reflect.TypeFor[Secret]()
}

// isText tells whether values of the type write themselves as text.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

// isOpaque tells whether a struct has fields and shows none of them, or writes
// itself in a way of its own.
func isOpaque(t reflect.Type) bool {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()) {
		return true
	}
	exported := slices.ContainsFunc(reflect.VisibleFields(t), reflect.StructField.IsExported)
	return t.NumField() > 0 && !exported
}

func zeroOf(t diff.Type) json.RawMessage {
	switch t {
	case diff.Text:
		return json.RawMessage(`""`)
	case diff.Bool:
		return json.RawMessage("false")
	case diff.Int, diff.Float:
		return json.RawMessage("0")
	case diff.Object:
		return json.RawMessage("{}")
	}
	return nil
}

func tagOptions(field *diff.SchemaField, tag string) error {
	for option := range strings.SplitSeq(tag, ",") {
		name, value, hasValue := strings.Cut(option, "=")
		switch {
		case option == "":
		case option == "required":
			field.Required = true
		case option == "omitempty":
			if field.Type != diff.List && field.Type != diff.Map {
				return errors.New("the sync tag's omitempty is for lists and maps")
			}
			field.OmitEmpty = true
		case option == "sensitive":
			field.Sensitive = true
		case option == "immutable":
			field.Immutable = true
		case option == "unmanaged":
			field.Unmanaged = true
		case option == "nodeploy":
			field.NoDeploy = true
		case name == "alias" && value != "":
			field.Aliases = append(field.Aliases, value)
		case name == "deprecated" && value != "":
			field.Deprecated = append(field.Deprecated, value)
		case (name == "ref" || name == "oneof") && value != "":
			shape := innermost(&field.Value)
			switch {
			case shape.Type != diff.Text:
				return fmt.Errorf("the sync tag's %s= is for text, and for lists and maps of text", name)
			case name == "ref":
				shape.Ref = value
			default:
				shape.OneOf = strings.Split(value, "|")
			}
		case name == "default" && hasValue:
			def, err := parseDefault(field.Type, value)
			if err != nil {
				return err
			}
			field.Default = def
		default:
			return fmt.Errorf("the sync tag's option %q is not one that this version honours; it knows required, default=, omitempty, sensitive, immutable, unmanaged, nodeploy, alias=, deprecated=, oneof=, ref=", option)
		}
	}
	if field.Required && strings.Contains(tag, "default=") {
		return errors.New("a required field has no default")
	}
	if field.Required {
		field.Default = nil
	}
	return nil
}

// innermost returns the shape of what is in a list or map, at whatever depth.
func innermost(shape *diff.Value) *diff.Value {
	for shape.Elem != nil {
		shape = shape.Elem
	}
	return shape
}

func parseDefault(t diff.Type, text string) (json.RawMessage, error) {
	raw := json.RawMessage(text)
	switch t {
	case diff.Text, diff.Time:
		quoted, err := state.AppendCanonical(nil, text)
		if err != nil {
			return nil, err
		}
		raw = quoted
	case diff.Bool, diff.Int, diff.Float:
	default:
		return nil, fmt.Errorf("a default for a field of type %s", t)
	}
	shape := diff.Schema{Fields: []diff.SchemaField{{Name: "default", Value: diff.Value{Type: t}}}}
	normal, mistakes := shape.Normalize(json.RawMessage(`{"default":` + string(raw) + `}`))
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("the default %q: want %s", text, &diff.Value{Type: t})
	}
	for _, value := range state.Members(normal) {
		return value, nil
	}
	return raw, nil
}
