package apiserver

import (
	"encoding/json"
	"path"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/state"
)

type object = map[string]any

// openAPI returns the protocol as OpenAPI 3.1. It is made of the table of endpoints
// and of the types that these read and write, so that it can't say anything else.
func openAPI(endpoints map[string]endpoint) ([]byte, error) {
	schemas := schemas{}
	paths := map[string]object{}
	for pattern, e := range endpoints {
		method, route, _ := strings.Cut(pattern, " ")
		if paths[route] == nil {
			paths[route] = object{}
		}
		paths[route][strings.ToLower(method)] = e.operation(pattern, schemas)
	}
	return json.Marshal(object{
		"openapi": "3.1.0",
		"info":    object{"title": "trueup", "version": "1", "description": protocol},
		"paths":   paths,
		"security": []object{
			{"token": []string{}}, {"certificate": []string{}},
		},
		"components": object{
			"schemas": schemas,
			"securitySchemes": object{
				"token":       object{"type": "http", "scheme": "bearer"},
				"certificate": object{"type": "mutualTLS"},
			},
		},
	})
}

const protocol = "Syncs a scope, which is an app of an org. What a caller may not see is answered as if it weren't there. " +
	"Bodies may be compressed (Content-Encoding: gzip) and have no members but those that are described; answers may have more. " +
	"Any request may be sent twice and takes effect once. " +
	"Streams are lines of JSON, of which the last one says that it is the last: one without it is cut off. " +
	"How a server knows its callers is its operator's to say: the two ways that are named are the usual ones."

// operation describes an endpoint.
func (e *endpoint) operation(pattern string, all schemas) object {
	text := object{"type": "string"}
	parameter := func(in, name string, required bool) object {
		return object{"in": in, "name": name, "required": required, "schema": text}
	}
	content := func(contentType string, schema object) object {
		return object{contentType: object{"schema": schema}}
	}
	parameters := []object{}
	for _, match := range regexp.MustCompile(`{(\w+)}`).FindAllStringSubmatch(pattern, -1) {
		parameters = append(parameters, parameter("path", match[1], true))
	}
	answer := object{"description": "Done."}
	status := "204"
	if e.out != nil {
		status = "200"
		contentType := "application/json"
		if _, lines := e.out.(wire.Line); lines {
			contentType = "application/x-ndjson"
		}
		answer["content"] = content(contentType, all.of(reflect.TypeOf(e.out)))
	}
	operation := object{
		"summary": e.does,
		"responses": object{
			status:    answer,
			"default": object{"description": "It failed.", "content": content("application/problem+json", all.of(reflect.TypeFor[wire.Problem]()))},
		},
	}
	if e.public {
		operation["security"] = []object{}
	} else {
		parameters = append(parameters, parameter("query", "org", true), parameter("query", "app", true))
		if e.query != "" {
			parameters = append(parameters, parameter("query", e.query, false))
		}
	}
	operation["parameters"] = parameters
	switch e.in.(type) {
	case nil:
	case []byte:
		operation["requestBody"] = object{"required": true, "content": content("application/octet-stream", object{})}
	case wire.Run:
		body := content("application/x-ndjson", object{"anyOf": []object{all.of(reflect.TypeOf(e.in)), all.of(reflect.TypeFor[state.Resource]())}})
		body[wire.PartsType] = object{"schema": all.of(reflect.TypeFor[wire.Parts]())}
		operation["requestBody"] = object{"required": true, "content": body}
	default:
		operation["requestBody"] = object{"required": true, "content": content("application/json", all.of(reflect.TypeOf(e.in)))}
	}
	return operation
}

// schemas are those of structs, by their names.
type schemas map[string]object

// of returns the schema of a type: of a struct, a reference to it.
func (all schemas) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[time.Duration]():
		return object{"type": "integer", "description": "Nanoseconds."}
	case reflect.TypeFor[json.RawMessage](), reflect.TypeFor[any]():
		return object{}
	case reflect.TypeFor[[]byte]():
		return object{"type": "string", "contentEncoding": "base64"}
	case reflect.TypeFor[state.Checksum]():
		return object{"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Pointer:
		return all.of(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": all.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": all.of(t.Elem())}
	case reflect.Struct:
		return all.reference(t)
	}
	return object{"type": "string"}
}

func (all schemas) reference(t reflect.Type) object {
	name := t.Name()
	if t.PkgPath() != reflect.TypeFor[wire.Head]().PkgPath() {
		name = path.Base(t.PkgPath()) + "." + name
	}
	reference := object{"$ref": "#/components/schemas/" + name}
	if all[name] != nil {
		return reference
	}
	schema := object{"type": "object"}
	all[name] = schema // before its members: it may be one of them
	if text := describe(t); text != "" {
		schema["description"] = text
	}
	if shape := shapeOf(t); shape != nil {
		t = shape
	}
	properties, required := object{}, []string{}
	for _, field := range reflect.VisibleFields(t) {
		member, optional, ok := memberOf(field)
		if !ok {
			continue
		}
		properties[member] = all.of(field.Type)
		if !optional {
			required = append(required, member)
			switch kind := field.Type.Kind(); {
			case field.Type == reflect.TypeFor[json.RawMessage]():
			case kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map:
				properties[member] = object{"anyOf": []object{all.of(field.Type), {"type": "null"}}}
			}
		}
	}
	schema["properties"], schema["required"] = properties, required
	return reference
}

// memberOf returns the JSON member that a field is, if it is one by itself.
func memberOf(field reflect.StructField) (name string, optional, ok bool) {
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	if !field.IsExported() || name == "-" || name == "" && field.Anonymous {
		return "", false, false
	}
	return name, options != "", true // omitempty or omitzero
}

// shapeOf returns what a type that writes its JSON itself looks like there; nil if it
// is as its fields say.
func shapeOf(t reflect.Type) reflect.Type {
	switch t {
	case reflect.TypeFor[state.Resource]():
		return reflect.TypeFor[resourceShape]()
	case reflect.TypeFor[state.Ref]():
		return reflect.TypeFor[refShape]()
	case reflect.TypeFor[state.Record]():
		return reflect.TypeFor[recordShape]()
	case reflect.TypeFor[state.Delta]():
		return reflect.TypeFor[deltaShape]()
	case reflect.TypeFor[wire.Problem]():
		return reflect.TypeFor[problemShape]()
	}
	return nil
}

type resourceShape struct {
	After       []string        `json:"after,omitempty"`
	Config      json.RawMessage `json:"config,omitempty"`
	Deploy      bool            `json:"deploy,omitempty"`
	Description string          `json:"description,omitempty"`
	Key         string          `json:"key"`
	Protected   bool            `json:"protected,omitempty"`
	Refs        []state.Ref     `json:"refs,omitempty"`
	Tags        []string        `json:"tags,omitempty"`
	Type        string          `json:"type,omitempty"`
	Unmanaged   []string        `json:"unmanaged,omitempty"`
}

type refShape struct {
	Path string `json:"path,omitempty"`
	To   string `json:"to"`
}

type recordShape struct {
	After     []string        `json:"after,omitempty"`
	Checksum  state.Checksum  `json:"checksum,omitzero"`
	ConfigID  string          `json:"config_id,omitempty"`
	ID        string          `json:"id,omitempty"`
	Key       string          `json:"key"`
	Orphaned  bool            `json:"orphaned,omitempty"`
	Pending   []state.Pending `json:"pending,omitempty"`
	Protected bool            `json:"protected,omitempty"`
	Replaced  string          `json:"replaced,omitempty"`
	Type      string          `json:"type,omitempty"`
}

type deltaShape struct {
	Head     state.Head       `json:"head"`
	Records  []state.Record   `json:"records,omitempty"`
	Dropped  []string         `json:"dropped,omitempty"`
	Declared []state.Resource `json:"declared,omitempty"`
}

type problemShape struct {
	Type       string          `json:"type,omitempty"`
	Title      string          `json:"title,omitempty"`
	Status     int             `json:"status,omitempty"`
	Detail     string          `json:"detail,omitempty"`
	Retryable  bool            `json:"retryable,omitempty"`
	RetryAfter int             `json:"retry_after,omitempty"`
	Causes     []*wire.Problem `json:"causes,omitempty"`
}

// describe says what a message is, where its members don't.
func describe(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[wire.Line]():
		return "One line of a stream: one of its members is there, and none in a line that only says that the server is alive. " +
			"The last line has the end, which is the number of lines before it, or a result, or a problem."
	case reflect.TypeFor[wire.Run]():
		return "A plan with what it was made from, to be carried out: a line, with a line for each declared resource behind it. " +
			"Sensitive values are in it, in the clear."
	case reflect.TypeFor[wire.Parts]():
		return "A run that was uploaded before: the checksums of the parts of its lines, compressed with gzip, in their order."
	case reflect.TypeFor[wire.Lease]():
		return "Who holds the lease; null if nobody does."
	case reflect.TypeFor[wire.Problem]():
		return "Problem details as in RFC 9457, with members that depend on the type. What caused it are problems, too."
	case reflect.TypeFor[state.Record]():
		return "What is known of a resource after a sync. Keys are kind/name."
	case reflect.TypeFor[state.Resource]():
		return "What is declared of a resource. Keys are kind/name."
	case reflect.TypeFor[state.Head]():
		return "A State without its records."
	case reflect.TypeFor[state.Delta]():
		return "One commit: what it changes of a State."
	}
	return ""
}

func (s *Server) describe(x *exchange) error {
	x.w.Header().Set("Content-Type", "application/json")
	_, err := x.w.Write(s.openAPI)
	return err
}
