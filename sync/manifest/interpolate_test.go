package manifest_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/manifest"
)

func lookup(values map[string]string) manifest.Lookup {
	return func(name string) (string, bool) {
		value, found := values[name]
		return value, found
	}
}

func TestInterpolate(t *testing.T) {
	t.Parallel()
	variables := lookup(map[string]string{"A": "1", "_b2": "2", "URL": "http://u:[[PASS]]@h", "SELF": "[[SELF]]", "EMPTY": "", "BOTH": "variable", "LIT": "[[[A]]]"})
	secrets := lookup(map[string]string{"PASS": "[[A]]", "BOTH": "secret"})
	for text, want := range map[string]string{
		"":                      "",
		"x":                     "x",
		"[[A]]":                 "1",
		"a[[A]]b[[_b2]]c":       "a1b2c",
		"[[A]][[A]]":            "11",
		"[[EMPTY]]":             "",
		"[[BOTH]]":              "variable",
		"[[URL]]":               "http://u:[[A]]@h",
		"[[[A]]]":               "[[A]]",
		"[[[A]]":                "[[A]]",
		"[[LIT]]":               "[[A]]",
		"[[[[A]]]]":             "[[[A]]]",
		"[[A]]]":                "1]",
		"x[[[A]]][[A]]":         "x[[A]]1",
		"[[ A ]]":               "[[ A ]]",
		"if [[ -f x ]]; then":   "if [[ -f x ]]; then",
		`[[ "$x" == "[[A]]" ]]`: `[[ "$x" == "1" ]]`,
		"[[A":                   "[[A",
		"A]]":                   "A]]",
		"[[":                    "[[",
		"[[[[":                  "[[[[",
		"[[]]":                  "[[]]",
		"[[1A]]":                "[[1A]]",
		"[[é]]":                 "[[é]]",
		"[[x[[A]]":              "[[x1",
		"[A]":                   "[A]",
		"{{A}}":                 "{{A}}",
	} {
		got, missing := manifest.Interpolate(text, variables, secrets)
		require.Equal(t, want, got, text)
		require.Empty(t, missing, text)
	}
	got, missing := manifest.Interpolate("[[X]] [[A]] [[SELF]] [[B]] [[X]]", variables, secrets)
	require.Equal(t, "[[X]] 1 [[SELF]] [[B]] [[X]]", got)
	require.Equal(t, []string{"B", "SELF", "X"}, missing)
}

func TestInterpolateConfig(t *testing.T) {
	t.Parallel()
	lookups := lookup(map[string]string{"A": "1\n\"\xff\"", "B": "2"})
	got, missing := manifest.InterpolateConfig(json.RawMessage(`{"[[A]]":["[[A]]",5,{"b":"[[B]]","c":"[[C]]"},true,{}],"x":"é\n"}`), lookups)
	require.Equal(t, `{"[[A]]":["1\n\"`+"\ufffd"+`\"",5,{"b":"2","c":"[[C]]"},true,{}],"x":"é\n"}`, string(got))
	require.Equal(t, []string{"C"}, missing)
}

func TestReferencesHavePositions(t *testing.T) {
	t.Parallel()
	d, err := load(t, `[[stack]]
name = "a"
description = "[[NOT]]"
[stack.config]
environment = """
A=[[A]]
 B = [[_b]] [[[NOT]]]
"""
"script" = "\t\u00e9[[C]]" # [[NOT]]
labels = { x = '[[D]]', "[[NOT]]" = "[[ not ]]" }
file_paths = [ "[[E]]", '''
[[F]]''' ]
secrets = [{ name = "x", value = "[[S]]" }]
extra."[[NOT]]" = [{ x = "[[H]][[I]]" }]
[[variable]]
name = "v"
value = "[[G]]"
`, stackOptions())
	require.NoError(t, err)
	var got []string
	for _, r := range d.References {
		got = append(got, r.String()+" "+r.Resource.String()+" "+r.Path+" "+r.Name)
	}
	require.Equal(t, []string{
		"a.toml:6:3 stack/a environment A",
		"a.toml:7:6 stack/a environment _b",
		"a.toml:9:21 stack/a script C",
		"a.toml:10:17 stack/a labels.x D",
		"a.toml:11:17 stack/a file_paths[0] E",
		"a.toml:12:1 stack/a file_paths[1] F",
		"a.toml:13:35 stack/a secrets S",
		"a.toml:14:27 stack/a extra.\"[[NOT]]\"[0].x H",
		"a.toml:14:32 stack/a extra.\"[[NOT]]\"[0].x I",
		"a.toml:17:10 variable/v value G",
	}, got)
}
