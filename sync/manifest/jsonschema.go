package manifest

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

// JSONSchema returns the JSON Schema (2020-12) of the files that a load with the
// same options takes, for editors: they complete the names of kinds and fields,
// and show what is wrong. It knows names, types, enums, defaults and what is
// required, and takes whatever a load takes; what only a Parser knows it leaves to
// the load. Of the options Lenient, Flat and Beside count. The error is that of
// the kinds or the options.
func JSONSchema(kinds *sync.KindSet, opts *Options) ([]byte, error) {
	if err := kinds.Err(); err != nil {
		return nil, err
	}
	if opts == nil {
		opts = &Options{}
	}
	if err := opts.validate(kinds); err != nil {
		return nil, err
	}
	s := schemaWriter{opts: opts}
	text := object{"type": "string", "minLength": 1}
	definitions, top := object{}, object{}
	top[movedName] = object{"type": "array", "items": s.table(nil, object{"kind": text, "from": text, "to": text}, "from", "kind", "to")}
	for name, of := range kindNames(kinds) {
		top[name] = object{"type": "array", "items": object{"$ref": "#/$defs/" + of}}
	}
	for _, name := range kinds.Names() {
		kind, _ := kinds.Kind(name)
		definitions[name] = s.resource(&kind)
	}
	root := s.table(nil, top)
	root["$defs"] = definitions
	return s.encode(root)
}

// TableJSONSchema returns the JSON Schema of a file that is one table with the fields
// of a schema, for loaders of other forms of declaration. Lenient ones take fields that
// nobody knows.
func TableJSONSchema(schema *diff.Schema, lenient bool) ([]byte, error) {
	if err := schema.Validate(); err != nil {
		return nil, err
	}
	s := schemaWriter{opts: &Options{Lenient: lenient}}
	return s.encode(s.table(schema.Fields, object{}))
}

func (s *schemaWriter) encode(root object) ([]byte, error) {
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return json.MarshalIndent(root, "", "  ")
}

// object is a JSON object.
type object = map[string]any

type schemaWriter struct{ opts *Options }

// resource returns the schema of a kind's tables.
func (s *schemaWriter) resource(kind *sync.Kind) object {
	text, texts := object{"type": "string"}, object{"type": "array", "items": object{"type": "string"}}
	members := object{
		"name": object{"type": "string", "minLength": 1}, "type": text, "description": text,
		"tags": texts, "after": texts, "unmanaged": texts, "deploy": object{"type": "boolean"}, "config": object{"type": "object"},
	}
	flat := slices.Contains(s.opts.Flat, kind.Name)
	if flat {
		members["config"] = false
	}
	if kind.Schema == nil && flat {
		return object{"type": "object", "properties": members, "required": []string{"name"}}
	}
	var inConfig, beside []diff.SchemaField
	if kind.Schema != nil {
		for _, f := range kind.Schema.Fields {
			if flat || slices.Contains(s.opts.Beside, f.Name) {
				beside = append(beside, f)
			} else {
				inConfig = append(inConfig, f)
			}
		}
	}
	if kind.Schema == nil || flat {
		return s.table(beside, members, "name")
	}
	config := s.table(inConfig, object{})
	members["config"] = config
	if config["required"] != nil || config["allOf"] != nil {
		return s.table(beside, members, "name", "config")
	}
	return s.table(beside, members, "name")
}

// table returns the schema of a table with fields, and with some other members.
func (s *schemaWriter) table(fields []diff.SchemaField, members object, required ...string) object {
	var either []object // for each required field with aliases, that one of its names is there
	for i := range fields {
		f := &fields[i]
		names := slices.Concat([]string{f.Name}, f.Aliases, f.Deprecated)
		var oneOf []object
		for _, name := range names {
			members[name] = s.field(f, slices.Contains(f.Deprecated, name))
			oneOf = append(oneOf, object{"required": []string{name}})
		}
		switch {
		case f.Required && len(names) > 1:
			either = append(either, object{"oneOf": oneOf})
		case f.Required:
			required = append(required, f.Name)
		}
	}
	table := object{"type": "object", "properties": members}
	if !s.opts.Lenient {
		table["additionalProperties"] = false
	}
	if len(required) > 0 {
		table["required"] = required
	}
	if len(either) > 0 {
		table["allOf"] = either
	}
	return table
}

func (s *schemaWriter) field(f *diff.SchemaField, deprecated bool) object {
	schema := s.value(&f.Value)
	if f.Required && f.Type == diff.Text {
		schema["minLength"] = 1
	}
	if f.Default != nil && f.Type != diff.Object {
		schema["default"] = f.Default
	}
	if f.Default != nil && len(f.OneOf) > 0 && !slices.Contains(f.OneOf, "") && string(f.Default) == `""` {
		schema["enum"] = append([]string{""}, f.OneOf...)
	}
	if f.Sensitive {
		schema["writeOnly"] = true
	}
	if deprecated {
		schema["deprecated"] = true
	}
	if f.Ref != "" {
		schema["description"] = fmt.Sprintf("The name of a %s.", f.Ref)
	}
	return schema
}

// value returns the schema of a value in all its forms.
func (s *schemaWriter) value(v *diff.Value) object {
	if len(v.Forms) == 0 {
		return s.shape(v)
	}
	forms := []object{s.shape(v)}
	for i := range v.Forms {
		if v.Forms[i].Type == diff.Any {
			return object{}
		}
		forms = append(forms, s.shape(&v.Forms[i]))
	}
	return object{"anyOf": forms}
}

func (s *schemaWriter) shape(v *diff.Value) object {
	switch v.Type {
	case diff.Text:
		if len(v.OneOf) > 0 {
			return object{"type": "string", "enum": v.OneOf}
		}
		return object{"type": "string"}
	case diff.Time:
		return object{"type": "string", "format": "date-time"}
	case diff.Bool:
		return object{"type": "boolean"}
	case diff.Int:
		return object{"type": "integer"}
	case diff.Float:
		return object{"type": "number"}
	case diff.List:
		return object{"type": "array", "items": s.value(v.Elem)}
	case diff.Map:
		return object{"type": "object", "additionalProperties": s.value(v.Elem)}
	case diff.Object:
		return s.table(v.Object.Fields, object{})
	}
	return object{}
}
