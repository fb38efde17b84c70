package apiserver

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/state"
)

// description is what of the OpenAPI document the tests look at.
type description struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]*schema }
}

type operation struct {
	Summary    string
	Security   *[]any
	Parameters []struct {
		In, Name string
		Required bool
	}
	RequestBody *struct {
		Content map[string]struct{ Schema *schema }
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema *schema }
	}
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 string
	AnyOf                []*schema
	Items                *schema
	Properties           map[string]*schema
	AdditionalProperties *schema
	Required             []string
}

func described(t testing.TB, h *host) *description {
	t.Helper()
	answer := h.ask("nobody", "GET /v1/openapi.json", "/v1/openapi.json", nil)
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "application/json", answer.Header().Get("Content-Type"))
	var d description
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &d))
	require.Equal(t, "3.1.0", d.OpenAPI)
	return &d
}

// fits returns what is wrong with a value, as encoding/json decodes it.
func (d *description) fits(s *schema, value any) error {
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		if s = d.Components.Schemas[name]; s == nil {
			return fmt.Errorf("there is no schema %s", name)
		}
		if err := d.fits(s, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	if len(s.AnyOf) > 0 {
		return d.fitsAny(s.AnyOf, value)
	}
	switch own := value.(type) {
	case map[string]any:
		return d.fitsObject(s, own)
	case []any:
		if s.Type == "array" {
			for _, element := range own {
				if err := d.fits(s.Items, element); err != nil {
					return err
				}
			}
			return nil
		}
	case float64:
		if s.Type == "integer" && own == math.Trunc(own) {
			return nil
		}
	}
	types := map[string]any{"string": "", "boolean": false, "null": nil}
	if like, ok := types[s.Type]; s.Type == "" || ok && reflect.TypeOf(like) == reflect.TypeOf(value) {
		return nil
	}
	return fmt.Errorf("want %s, found %v", s.Type, value)
}

func (d *description) fitsAny(any []*schema, value any) (err error) {
	for _, s := range any {
		if err = d.fits(s, value); err == nil {
			return nil
		}
	}
	return err
}

func (d *description) fitsObject(s *schema, members map[string]any) error {
	if s.Type == "" {
		return nil
	}
	if s.Type != "object" {
		return fmt.Errorf("want %s, found %v", s.Type, members)
	}
	for _, name := range s.Required {
		if _, ok := members[name]; !ok {
			return fmt.Errorf("%s is missing", name)
		}
	}
	for name, value := range members {
		member := s.Properties[name]
		if member == nil {
			member = s.AdditionalProperties
		}
		if member == nil {
			return fmt.Errorf("%s is not described", name)
		}
		if err := d.fits(member, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func TestOpenAPIHasEveryEndpoint(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	endpoints := h.endpoints()
	patterns := map[string]bool{}
	for path, operations := range described(t, h).Paths {
		for method, o := range operations {
			pattern := strings.ToUpper(method) + " " + path
			patterns[pattern] = true
			e := endpoints[pattern]
			require.Equal(t, e.public, o.Security != nil, pattern)
			require.NotEmpty(t, o.Summary, pattern)
			parameters := strings.Count(path, "{")
			if !e.public {
				parameters += 2
			}
			if e.query != "" {
				parameters++
			}
			require.Len(t, o.Parameters, parameters, pattern)
		}
	}
	for pattern := range endpoints {
		require.True(t, patterns[pattern], "%s is not described", pattern)
		delete(patterns, pattern)
	}
	require.Empty(t, patterns, "there are no such endpoints")
}

// Every message is described with the members that its source has.
func TestOpenAPIHasEveryMessage(t *testing.T) {
	t.Parallel()
	d := described(t, serve(t, nil, Options{}))
	messages := messages(t)
	require.Contains(t, messages, "Run")
	for name, members := range messages {
		s := d.Components.Schemas[name]
		require.NotNil(t, s, "%s is not described", name)
		require.ElementsMatch(t, slices.Collect(maps.Keys(members)), slices.Collect(maps.Keys(s.Properties)), name)
		for member, optional := range members {
			require.Equal(t, !optional, slices.Contains(s.Required, member), "%s.%s", name, member)
		}
	}
	for name := range d.Components.Schemas {
		if !strings.Contains(name, ".") && name != "Problem" {
			require.Contains(t, messages, name, "there is no such message")
		}
	}
}

// messages reads the source of the package wire: the members of its messages, and
// whether they are optional.
func messages(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../internal/wire/*.go")
	require.NoError(t, err)
	all := map[string]map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(node ast.Node) bool {
			spec, ok := node.(*ast.TypeSpec)
			if !ok || !spec.Name.IsExported() {
				return true
			}
			fields, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			members := map[string]bool{}
			for _, field := range fields.Fields.List {
				if field.Tag != nil {
					tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json")
					name, options, _ := strings.Cut(tag, ",")
					if name == "-" {
						continue
					}
					members[name] = options != ""
				}
			}
			if len(members) > 0 {
				all[spec.Name.Name] = members
			}
			return true
		})
	}
	return all
}

// What is said in a conversation is what is described.
func TestOpenAPIFitsAConversation(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	d := described(t, h)
	check := func(c call, content map[string]struct{ Schema *schema }, contentType string, text []byte) {
		described, ok := content[contentType]
		require.True(t, ok, "%s: %s", c.pattern, contentType)
		if contentType == "application/octet-stream" {
			return
		}
		for dec := json.NewDecoder(bytes.NewReader(text)); dec.More(); {
			var value any
			require.NoError(t, dec.Decode(&value), c.pattern)
			require.NoError(t, d.fits(described.Schema, value), "%s: %s", c.pattern, text)
		}
	}
	for _, c := range conversation(t) {
		_, path, _ := strings.Cut(c.pattern, " ")
		o := d.Paths[path][strings.ToLower(c.method())]
		require.Equal(t, c.body != nil, o.RequestBody != nil, c.pattern)
		if c.body != nil {
			contentType := map[string]string{"PUT /v1/parts/{sum}": "application/octet-stream", "POST /v1/runs/{id}": "application/x-ndjson"}[c.pattern]
			contentType = cmp.Or(contentType, "application/json")
			check(c, o.RequestBody.Content, contentType, c.body)
		}
		answer := h.answer(c.request("writer", shop()))
		response, ok := o.Responses[fmt.Sprint(answer.Code)]
		require.True(t, ok, "%s: %d", c.pattern, answer.Code)
		require.Equal(t, answer.Body.Len() > 0, len(response.Content) > 0, c.pattern)
		if answer.Body.Len() > 0 {
			check(c, response.Content, answer.Header().Get("Content-Type"), answer.Body.Bytes())
		}
	}
	refused := h.ask("nobody", "GET /v1/head", "/v1/head", nil)
	check(call{}, d.Paths["/v1/head"]["get"].Responses["default"].Content, refused.Header().Get("Content-Type"), refused.Body.Bytes())
}

// What writes its JSON itself is described as it writes it, with all of its members
// and with as few as there can be.
func TestOpenAPIFitsWhatWritesItself(t *testing.T) {
	t.Parallel()
	d := described(t, serve(t, nil, Options{}))
	key, sum := state.Key{Kind: "component", Name: "web"}, state.Sum(nil)
	resource := state.Resource{
		Key: key, Type: "a", Description: "b", Tags: []string{"c"}, After: []state.Key{key}, Refs: []state.Ref{{Path: "d", To: key}},
		Deploy: true, Protected: true, Unmanaged: []string{"e"}, Config: json.RawMessage(`{"f":1}`),
	}
	record := state.Record{
		Key: key, Type: "a", ID: "b", ConfigID: "c", Checksum: sum, After: []state.Key{key}, Orphaned: true, Protected: true, Replaced: "d",
		Pending: []state.Pending{{Op: "update", Serial: 1, Checksum: sum, Attempts: 1, Error: "e"}},
	}
	head := state.Head{Version: state.DefaultStateVersion}
	for name, c := range map[string]struct{ most, least any }{
		"state.Resource": {resource, state.Resource{Key: key}},
		"state.Ref":      {map[string]any{"path": "d", "to": key.String()}, map[string]any{"to": key.String()}},
		"state.Record":   {record, state.Record{Key: key}},
		"state.Delta":    {state.Delta{Head: head, Records: []state.Record{record}, Dropped: []state.Key{key}, Declared: []state.Resource{resource}}, state.Delta{Head: head}},
		"Problem": {wire.Problem{Type: "a", Title: "b", Detail: "c", Status: 400, Retryable: true, RetryAfter: 1, Causes: []*wire.Problem{{Detail: "d"}}},
			wire.Problem{}},
	} {
		s := d.Components.Schemas[name]
		require.NotNil(t, s, name)
		var most, least map[string]any
		require.NoError(t, json.Unmarshal(encode(c.most), &most))
		require.NoError(t, json.Unmarshal(encode(c.least), &least))
		require.NoError(t, d.fits(s, most), name)
		require.ElementsMatch(t, slices.Collect(maps.Keys(s.Properties)), slices.Collect(maps.Keys(most)), name)
		require.ElementsMatch(t, s.Required, slices.Collect(maps.Keys(least)), name)
	}
}
