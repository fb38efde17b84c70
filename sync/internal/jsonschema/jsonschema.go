// Package jsonschema checks values against as much of JSON Schema (2020-12) as the
// schemas of this module need, for their tests.
package jsonschema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Schema is a schema.
type Schema struct{ root map[string]any }

// New reads a schema.
func New(text []byte) (*Schema, error) {
	s := &Schema{}
	return s, json.Unmarshal(text, &s.root)
}

// Check returns what is wrong with a value, as encoding/json decodes one, each with the
// path of what it is wrong with. A keyword that isn't known is wrong, too.
func (s *Schema) Check(value any) []string { return s.value("", value, s.root) }

func (s *Schema) value(at string, value any, schema map[string]any) []string {
	var wrong []string
	fail := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	table, _ := value.(map[string]any)
	list, _ := value.([]any)
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		switch arg := schema[keyword]; keyword {
		case "$schema", "$defs", "default", "deprecated", "description", "format", "writeOnly":
		case "$ref":
			name := strings.TrimPrefix(arg.(string), "#/$defs/")
			wrong = append(wrong, s.value(at, value, s.root["$defs"].(map[string]any)[name].(map[string]any))...)
		case "type":
			if !hasType(value, arg.(string)) {
				fail("want %s", arg)
			}
		case "minLength":
			if text, ok := value.(string); ok && utf8.RuneCountInString(text) < int(arg.(float64)) {
				fail("too short")
			}
		case "enum":
			if !slices.Contains(arg.([]any), value) {
				fail("not one of it")
			}
		case "required":
			for _, name := range arg.([]any) {
				if _, there := table[name.(string)]; !there {
					fail("no %s", name)
				}
			}
		case "properties":
			for _, name := range slices.Sorted(maps.Keys(table)) {
				inner, known := arg.(map[string]any)[name]
				if known && inner == false {
					wrong = append(wrong, at+"/"+name+": unknown")
				} else if known {
					wrong = append(wrong, s.value(at+"/"+name, table[name], inner.(map[string]any))...)
				}
			}
		case "additionalProperties":
			properties, _ := schema["properties"].(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(table)) {
				if _, known := properties[name]; known {
					continue
				}
				if inner, isSchema := arg.(map[string]any); isSchema {
					wrong = append(wrong, s.value(at+"/"+name, table[name], inner)...)
				} else {
					wrong = append(wrong, at+"/"+name+": unknown")
				}
			}
		case "items":
			for i, element := range list {
				wrong = append(wrong, s.value(fmt.Sprintf("%s/%d", at, i), element, arg.(map[string]any))...)
			}
		case "anyOf":
			fits := func(inner any) bool { return len(s.value(at, value, inner.(map[string]any))) == 0 }
			if !slices.ContainsFunc(arg.([]any), fits) {
				fail("none of its forms")
			}
		case "allOf":
			for _, inner := range arg.([]any) {
				wrong = append(wrong, s.value(at, value, inner.(map[string]any))...)
			}
		case "oneOf":
			fitting := 0
			for _, inner := range arg.([]any) {
				if len(s.value(at, value, inner.(map[string]any))) == 0 {
					fitting++
				}
			}
			if fitting != 1 {
				fail("%d fit", fitting)
			}
		default:
			fail("the keyword %q is not known", keyword)
		}
	}
	return wrong
}

func hasType(value any, name string) bool {
	switch v := value.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == math.Trunc(v)
	case []any:
		return name == "array"
	}
	return name == "object"
}
