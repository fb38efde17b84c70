package sync_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

// pairs are given as a list of tables, or as lines NAME=VALUE.
type pairs []pair

type pair struct {
	Name  string `toml:"name" sync:"alias=variable"`
	Value string `toml:"value"`
}

func (pairs) ParseDeclared(value any) (any, error) {
	text, ok := value.(string)
	if !ok {
		return value, nil
	}
	list := pairs{}
	var errs []error
	if strings.HasPrefix(text, "=") {
		errs = append(errs, diff.FieldError{Line: 1, Problem: "a pair without a name", Warning: true})
	}
	for i, line := range strings.Split(text, "\n") {
		name, value, found := strings.Cut(line, "=")
		if !found {
			errs = append(errs, diff.FieldError{Line: i + 1, Problem: "want NAME=VALUE"})
		}
		list = append(list, pair{name, value})
	}
	return list, errors.Join(errs...)
}

func (pairs) DeclaredForms() []diff.Value { return []diff.Value{{Type: diff.Text}} }

// version is given as a table, or as text.
type version struct{ Major, Minor int }

func (*version) ParseDeclared(value any) (any, error) {
	switch v := value.(type) {
	case string:
		var parsed version
		if _, err := fmt.Sscanf(v, "%d.%d", &parsed.Major, &parsed.Minor); err != nil {
			return nil, errors.New("want MAJOR.MINOR")
		}
		return map[string]any{"major": parsed.Major, "minor": parsed.Minor}, nil
	case map[string]any:
		if v["major"] == int64(0) {
			return nil, diff.FieldError{Path: "major", Problem: "want more than 0", Hint: "begin with 1"}
		}
	}
	return value, nil
}

type manyForms struct {
	Environment pairs              `toml:"environment"`
	Args        pairs              `toml:"args" sync:"sensitive"`
	Version     version            `toml:"version"`
	Versions    []version          `toml:"versions"`
	ByName      map[string]version `toml:"by_name"`
	Server      string             `toml:"server_id" sync:"alias=server,deprecated=host"`
	Restart     string             `toml:"restart" sync:"default=no,oneof=no|always|on-failure"`
	Levels      []string           `toml:"levels" sync:"oneof=Read|Write"`
	Deep        struct {
		Build struct {
			Version *version `toml:"version" sync:"alias=v"`
		} `toml:"build"`
	} `toml:"deep"`
}

func manyFormsKind(t *testing.T) sync.Kind {
	t.Helper()
	set := sync.Kinds(sync.Define[manyForms]("many"))
	require.NoError(t, set.Err())
	kind, _ := set.Kind("many")
	return kind
}

func TestFormsHaveOneCanonicalForm(t *testing.T) {
	t.Parallel()
	kind := manyFormsKind(t)
	for declared, want := range map[string]string{
		`{"environment":"A=1\nB=2"}`:                                  `{"environment":[{"name":"A","value":"1"},{"name":"B","value":"2"}]}`,
		`{"environment":[{"variable":"A","value":"1"},{"name":"B"}]}`: `{"environment":[{"name":"A","value":"1"},{"name":"B"}]}`,
		`{"version":"1.2"}`:                                           `{"version":{"major":1,"minor":2}}`,
		`{"version":{"major":1}}`:                                     `{"version":{"major":1}}`,
		`{"versions":["1.2",{"minor":3}]}`:                            `{"versions":[{"major":1,"minor":2},{"minor":3}]}`,
		`{"by_name":{"b":"1.2","a":{"minor":3}}}`:                     `{"by_name":{"a":{"minor":3},"b":{"major":1,"minor":2}}}`,
		`{"deep":{"build":{"v":"1.2"}}}`:                              `{"deep":{"build":{"version":{"major":1,"minor":2}}}}`,
		`{"server":"a","restart":"always"}`:                           `{"restart":"always","server_id":"a"}`,
		`{"restart":"no","server":""}`:                                `{}`,
		`{"levels":["Read","Write"]}`:                                 `{"levels":["Read","Write"]}`,
		``:                                                            `{}`,
	} {
		got, mistakes, warnings := kind.Canonical(json.RawMessage(declared), false)
		require.Empty(t, mistakes, declared)
		require.Empty(t, warnings, declared)
		require.Equal(t, want, string(got), declared)
		again, mistakes, _ := kind.Canonical(got, false)
		require.Empty(t, mistakes, declared)
		require.Equal(t, want, string(again), declared)
	}
}

func TestFormsThatAreWrong(t *testing.T) {
	t.Parallel()
	kind := manyFormsKind(t)
	for declared, want := range map[string][]string{
		`{"environment":"A=1\nB\nC"}`:          {"environment: line 2: want NAME=VALUE", "environment: line 3: want NAME=VALUE"},
		`{"environment":5}`:                    {"environment: want a list of tables, found the number 5"},
		`{"args":"A=1\nsecret"}`:               {"args: line 2: is in none of the forms that it can have (more is not shown, since it may be sensitive)"},
		`{"version":"x"}`:                      {"version: want MAJOR.MINOR"},
		`{"version":{"major":0}}`:              {"version.major: want more than 0; begin with 1"},
		`{"versions":["1.2","x"]}`:             {"versions[1]: want MAJOR.MINOR"},
		`{"by_name":{"a":"x"}}`:                {"by_name.a: want MAJOR.MINOR"},
		`{"deep":{"build":{"v":"x"}},"x":1}`:   {"deep.build.v: want MAJOR.MINOR", "x: unknown field"},
		`{"server":"a","server_id":"a"}`:       {"server_id: is the same field as server; leave one of them out"},
		`{"servr":"a"}`:                        {`servr: unknown field; did you mean "server"?`},
		`{"restart":"allways"}`:                {`restart: want one of no, always, on-failure, found another text; did you mean "always"?`},
		`{"levels":["Read","read"]}`:           {`levels[1]: want one of Read, Write, found another text; did you mean "Read"?`},
		`{"levels":["hunter2"],"server":true}`: {"levels[0]: want one of Read, Write, found another text", "server: want text, found true"},
	} {
		got, mistakes, _ := kind.Canonical(json.RawMessage(declared), false)
		var texts []string
		for _, mistake := range mistakes {
			texts = append(texts, mistake.Error())
		}
		require.Equal(t, want, texts, declared)
		require.Nil(t, got, declared)
	}
}

func TestFormsWarn(t *testing.T) {
	t.Parallel()
	kind := manyFormsKind(t)
	got, mistakes, warnings := kind.Canonical(json.RawMessage(`{"host":"a","restrat":"no","version":{"patch":1,"minor":2}}`), true)
	require.Empty(t, mistakes)
	require.Equal(t, `{"server_id":"a","version":{"minor":2}}`, string(got))
	require.Equal(t, []diff.FieldError{
		{Path: "restrat", Problem: "unknown field", Hint: `did you mean "restart"?`, Warning: true},
		{Path: "host", Problem: "is deprecated", Hint: `write "server_id"`, Warning: true},
		{Path: "version.patch", Problem: "unknown field", Warning: true},
	}, warnings)
}

func TestParsersWarn(t *testing.T) {
	t.Parallel()
	kind := manyFormsKind(t)
	got, mistakes, warnings := kind.Canonical(json.RawMessage(`{"args":"=1","environment":"=1"}`), false)
	require.Empty(t, mistakes)
	require.Equal(t, `{"args":[{"value":"1"}],"environment":[{"value":"1"}]}`, string(got))
	require.Equal(t, []diff.FieldError{
		{Path: "args", Line: 1, Problem: "may be meant otherwise (more is not shown, since it may be sensitive)", Warning: true},
		{Path: "environment", Line: 1, Problem: "a pair without a name", Warning: true},
	}, warnings)
	_, mistakes, _ = kind.Canonical(json.RawMessage(`{"environment":"=1\n2"}`), false)
	require.Equal(t, []diff.FieldError{{Path: "environment", Line: 2, Problem: "want NAME=VALUE"}}, mistakes)
}

// oneOfTwo has fields that go with each other: a matter of the kind as a whole.
type oneOfTwo struct {
	Type string `toml:"type"`
	Disk int    `toml:"disk"`
}

func (oneOfTwo) ParseDeclared(value any) (any, error) {
	table := value.(map[string]any)
	if table["type"] == "file" && table["disk"] != nil {
		return nil, errors.Join(diff.FieldError{Path: "disk", Problem: "a file has no disk"}, errors.New("too much"))
	}
	delete(table, "old")
	return table, nil
}

func TestAParserOfAKind(t *testing.T) {
	t.Parallel()
	kind, _ := sync.Kinds(sync.Define[oneOfTwo]("k")).Kind("k")
	got, mistakes, _ := kind.Canonical(json.RawMessage(`{"type":"disk","disk":5,"old":1}`), false)
	require.Empty(t, mistakes)
	require.Equal(t, `{"disk":5,"type":"disk"}`, string(got))
	_, mistakes, _ = kind.Canonical(json.RawMessage(`{"type":"file","disk":5}`), false)
	require.Equal(t, []diff.FieldError{{Path: "disk", Problem: "a file has no disk"}, {Problem: "too much"}}, mistakes)
	_, mistakes, _ = kind.Canonical(json.RawMessage(`[]`), false)
	require.Equal(t, []diff.FieldError{{Problem: "want an object, found a list"}}, mistakes)
}

func TestFormsAreInTheSchema(t *testing.T) {
	t.Parallel()
	schema := manyFormsKind(t).Schema
	require.Equal(t, []diff.Value{{Type: diff.Text}}, schema.Field("environment").Forms)
	require.Equal(t, []diff.Value{{Type: diff.Any}}, schema.Field("versions").Elem.Forms)
	require.Equal(t, []string{"server"}, schema.Field("server_id").Aliases)
	require.Equal(t, []string{"no", "always", "on-failure"}, schema.Field("restart").OneOf)
}

// Whatever else takes a declared Config takes all the forms: maps and raw JSON,
// and the resources of a Desired.
func TestFormsOfResources(t *testing.T) {
	t.Parallel()
	set := sync.Kinds(sync.Define[manyForms]("many"))
	want := `{"environment":[{"name":"A","value":"1"}],"server_id":"a"}`
	for _, value := range []any{
		map[string]any{"environment": "A=1", "server": "a"},
		json.RawMessage(`{"environment":"A=1","server":"a"}`),
		manyForms{Environment: pairs{{"A", "1"}}, Server: "a"},
	} {
		r, err := set.Resource("many", "x", value)
		require.NoError(t, err)
		require.Equal(t, want, string(r.Config))
	}
}

// builder is a kind with a Parser of its own: which parameters it has depends on
// its type.
type builder struct {
	Type   string            `toml:"type" sync:"oneof=Url|Aws"`
	Params map[string]string `toml:"params" sync:"omitempty"`
	Region string            `toml:"region"`
}

func (builder) ParseDeclared(value any) (any, error) {
	config, _ := value.(map[string]any)
	if config["type"] == "Aws" {
		return value, nil
	}
	if _, ok := config["region"]; ok {
		return nil, diff.FieldError{Path: "region", Problem: "is of type Aws"}
	}
	config["params"] = map[string]any{"port": "80"}
	return config, nil
}

func TestFormsOfAKind(t *testing.T) {
	t.Parallel()
	set := sync.Kinds(sync.Define[builder]("builder"))
	require.NoError(t, set.Err())
	kind, _ := set.Kind("builder")
	for declared, want := range map[string]string{
		`{"type":"Url"}`:              `{"params":{"port":"80"},"type":"Url"}`,
		`{}`:                          `{"params":{"port":"80"}}`,
		`{"region":"a","type":"Aws"}`: `{"region":"a","type":"Aws"}`,
		`{"region":"a","type":"Url"}`: "region: is of type Aws",
		`{"region":"a","type":"Uhl"}`: "region: is of type Aws; type: want one of Url, Aws, found another text; did you mean \"Url\"?",
		`{"params":1,"type":"Aws"}`:   "params: want a table of text, found the number 1",
		`{"regoin":"a","type":"Aws"}`: "regoin: unknown field; did you mean \"region\"?",
	} {
		got, mistakes, _ := kind.Canonical(json.RawMessage(declared), false)
		var texts []string
		for _, mistake := range mistakes {
			texts = append(texts, mistake.Error())
		}
		require.Equal(t, want, string(got)+strings.Join(texts, "; "), declared)
	}
}

func TestTagsOfForms(t *testing.T) {
	t.Parallel()
	type twice struct {
		A string `toml:"a" sync:"alias=b"`
		B string `toml:"b"`
	}
	type notText struct {
		A int `toml:"a" sync:"oneof=1|2"`
	}
	type escaped struct {
		A string `toml:"a" sync:"oneof=x|\\"`
	}
	for want, kind := range map[string]sync.Kind{
		`"b" is a name of a and of b`:                                       sync.Define[twice]("k"),
		"the sync tag's oneof= is for text, and for lists and maps of text": sync.Define[notText]("k"),
		"has to be escaped in JSON":                                         sync.Define[escaped]("k"),
	} {
		require.ErrorContains(t, sync.Kinds(kind).Err(), want)
	}
}

// FuzzCanonical holds that a canonical Config stays as it is, and that what
// Format makes of it leads back.
func FuzzCanonical(f *testing.F) {
	for _, config := range []string{
		`{"environment":"A=1\nB=2","version":"1.2","server":"a"}`, `{"versions":["1.2",{"minor":3}],"by_name":{"a":"1.2"},"deep":{"build":{"v":"1.2"}}}`,
		`{"environment":[{"variable":"A=","value":"1\n"}]}`, `{"levels":["Read"],"restart":"always","args":"A=1"}`, `[]`, `{"version":null}`, `{`,
	} {
		f.Add([]byte(config))
	}
	set := sync.Kinds(sync.Define[manyForms]("many"))
	f.Fuzz(func(t *testing.T, config []byte) {
		kind, _ := set.Kind("many")
		for _, lenient := range []bool{false, true} {
			canonical, mistakes, _ := kind.Canonical(config, lenient)
			if len(mistakes) > 0 {
				require.Nil(t, canonical)
				continue
			}
			for _, declared := range []json.RawMessage{canonical, kind.Format(canonical)} {
				again, mistakes, warnings := kind.Canonical(declared, false)
				require.Empty(t, mistakes)
				require.Empty(t, warnings)
				require.Equal(t, string(canonical), string(again))
			}
		}
	})
}

func (pairs) FormatDeclared(value any) any {
	var lines []string
	for _, entry := range value.([]any) {
		entry := entry.(map[string]any)
		name, _ := entry["name"].(string)
		value, _ := entry["value"].(string)
		lines = append(lines, name+"="+value)
	}
	return strings.Join(lines, "\n")
}

func TestFormat(t *testing.T) {
	t.Parallel()
	kind := manyFormsKind(t)
	for canonical, want := range map[string]string{
		``: ``,
		`{"environment":[{"name":"A","value":"1"},{"name":"B"}],"server_id":"a"}`: `{"environment":"A=1\nB=","server_id":"a"}`,
		`{"environment":[{"name":"A=","value":"1"}]}`:                             `{"environment":[{"name":"A=","value":"1"}]}`,
		`{"environment":[]}`: `{"environment":[]}`,
	} {
		require.Equal(t, want, string(kind.Format(json.RawMessage(canonical))))
	}
}
