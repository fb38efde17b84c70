package diff

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// Type is the JSON shape of a field's value.
type Type string

// The types. A time is text in JSON. Any takes every value.
const (
	Any    Type = "any"
	Text   Type = "text"
	Bool   Type = "bool"
	Int    Type = "int"
	Float  Type = "float"
	Time   Type = "time"
	List   Type = "list"   // Elem says of what
	Map    Type = "map"    // of text to Elem
	Object Type = "object" // Fields says which
)

// Schema says what a kind's Config may hold. It is plain data: it can be
// printed, stored and sent.
type Schema struct {
	// Fields are in order of their names.
	Fields []SchemaField `json:"fields,omitempty"`
}

// SchemaField is one member of a Config or of an object in it.
type SchemaField struct {
	Name string `json:"name"`
	// Aliases are other names that a declaration may give it; the canonical Config
	// has Name alone. Deprecated are such names whose use is warned of.
	Aliases    []string `json:"aliases,omitempty"`
	Deprecated []string `json:"deprecated,omitempty"`
	Value
	// Required fields must be there. Text must then not be empty either.
	Required bool `json:"required,omitempty"`
	// Default is the canonical JSON of the value that an absent field has; a
	// field with this value is left out of the canonical Config. Nil: none, so
	// that absent is a value of its own.
	Default json.RawMessage `json:"default,omitempty"`
	// OmitEmpty says that an empty list or map is the same as none.
	OmitEmpty bool `json:"omitempty,omitempty"`
	// Sensitive fields are never shown, and recorded as keyed digests.
	Sensitive bool `json:"sensitive,omitempty"`
	// Immutable fields can't be changed in a thing that exists: where one differs
	// the thing is replaced. All that is inside counts too.
	Immutable bool `json:"immutable,omitempty"`
	// Unmanaged fields must exist and have a value that is somebody else's: what
	// is declared is for a create alone, and neither compared nor recorded.
	Unmanaged bool `json:"unmanaged,omitempty"`
	// NoDeploy fields don't matter to what runs: another value is no reason to deploy
	// it again. It counts for the fields of the Config itself.
	NoDeploy bool `json:"no_deploy,omitempty"`
}

// Value is the shape of a value.
type Value struct {
	Type Type `json:"type"`
	// Elem is the shape of a List's or Map's elements.
	Elem *Value `json:"elem,omitempty"`
	// Object is the schema of an Object.
	Object *Schema `json:"object,omitempty"`
	// Ref is the kind of resource that a Text names: its name in the declaration,
	// its ID when the change is carried out. Empty text names none. Empty for
	// everything else.
	Ref string `json:"ref,omitempty"`
	// OneOf are the values that a Text can have, in the order in which they are
	// told. Empty: any. Empty for everything else.
	OneOf []string `json:"oneof,omitempty"`
	// Forms are the other shapes in which the value may be declared. They are for
	// those who show the schema: Normalize knows but the one form, in which
	// sync.Kind.Canonical has brought the value before.
	Forms []Value `json:"forms,omitempty"`
}

// Field returns the field of that name, or nil. A nil Schema has none.
func (s *Schema) Field(name string) *SchemaField {
	if s == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(s.Fields, name, func(f SchemaField, name string) int {
		return strings.Compare(f.Name, name)
	})
	if !found {
		return nil
	}
	return &s.Fields[i]
}

// Named is Field, but finds a field by its aliases and deprecated names too.
func (s *Schema) Named(name string) *SchemaField {
	if f := s.Field(name); f != nil || s == nil {
		return f
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; slices.Contains(f.Aliases, name) || slices.Contains(f.Deprecated, name) {
			return f
		}
	}
	return nil
}

// Validate returns what is wrong with the schema itself, or nil: fields that are
// not in order of their names, a name that two fields bear, a List or Map without Elem, an Object without
// Object, a Default that is not canonical JSON, a Ref or OneOf on something else
// than Text, a OneOf that JSON would escape, a field that is sensitive and unmanaged, and a sensitive one that is a reference
// or has a reference or an immutable field inside: it is recorded as a digest of
// the whole. Nothing else here takes a schema with such a mistake. A nil Schema is
// fine.
func (s *Schema) Validate() error {
	if s == nil {
		return nil
	}
	bearers := map[string]string{}
	for i := range s.Fields {
		f := &s.Fields[i]
		for _, name := range slices.Concat([]string{f.Name}, f.Aliases, f.Deprecated) {
			if first, twice := bearers[name]; twice {
				return fmt.Errorf("%q is a name of %s and of %s", name, first, f.Name)
			}
			bearers[name] = f.Name
		}
		if i > 0 && s.Fields[i-1].Name >= f.Name {
			return fmt.Errorf("the fields %q and %q are not in order", s.Fields[i-1].Name, f.Name)
		}
		if f.Default != nil {
			if def, err := state.Canonical(f.Default); err != nil || !bytes.Equal(def, f.Default) {
				return fmt.Errorf("%s: the default %s is not canonical", f.Name, f.Default)
			}
		}
		if err := f.validate(); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func (f *SchemaField) validate() error {
	if err := f.Value.validate(); err != nil {
		return err
	}
	switch {
	case !f.Sensitive:
		return nil
	case f.Unmanaged:
		return errors.New("it is both sensitive and unmanaged")
	case isRef(f):
		return errors.New("it is both sensitive and a reference")
	case f.has(isRef):
		return errors.New("it is sensitive and has a reference inside, which could not be found in what is recorded")
	case f.has(isImmutable):
		return errors.New("it is sensitive and has an immutable field inside, of which could not be told whether it changed; make it immutable as a whole")
	}
	return nil
}

func (v *Value) validate() error {
	if v.Ref != "" && v.Type != Text {
		return fmt.Errorf("a reference to a %s of the type %q, not text", v.Ref, v.Type)
	}
	if len(v.OneOf) > 0 && v.Type != Text {
		return fmt.Errorf("one of %s for the type %q, not text", strings.Join(v.OneOf, ", "), v.Type)
	}
	for _, one := range v.OneOf {
		if text := string(appendText(nil, one)); text != `"`+one+`"` {
			return fmt.Errorf("one of %s: %s has to be escaped in JSON", strings.Join(v.OneOf, ", "), text)
		}
	}
	switch v.Type {
	case Any, Text, Bool, Int, Float, Time:
		return nil
	case List, Map:
		if v.Elem == nil {
			return fmt.Errorf("a %s without Elem", v.Type)
		}
		return v.Elem.validate()
	case Object:
		if v.Object == nil {
			return errors.New("an object without Object")
		}
		return v.Object.Validate()
	}
	return fmt.Errorf("the unknown type %q", v.Type)
}

// Names returns the names of the fields, in order, without aliases.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Fields))
	for i := range s.Fields {
		names[i] = s.Fields[i].Name
	}
	return names
}

// Schemas finds the schema of a kind; nil if it has none. It must be safe for
// concurrent use.
type Schemas func(kind string) *Schema

// Declared is a desired resource with what is computed from it.
type Declared struct {
	// Resource is the declaration, concealed.
	Resource *state.Resource
	Checksum state.Checksum
	// Edges are Resource.Edges() and the references that the kind's schema knows,
	// in key order.
	Edges []state.Key
}
