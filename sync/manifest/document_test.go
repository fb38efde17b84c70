package manifest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/manifest"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	doc, err := manifest.Decode("a.toml", []byte(`name = "web"
"quoted.key" = 0x10
a.b = 1.5
when = 2024-05-01T10:00:00+02:00
day = 2024-05-01
tags = ["x", { y = 1 }]

[[steps]]
name = "one"
[[steps]]
  name = '''two'''
	[steps.vars]
	x = true
`))
	require.NoError(t, err)
	want := map[string]any{
		"name": "web", "quoted.key": int64(16), "a": map[string]any{"b": 1.5},
		"when": time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC), "day": "2024-05-01",
		"tags":  []any{"x", map[string]any{"y": int64(1)}},
		"steps": []any{map[string]any{"name": "one"}, map[string]any{"name": "two", "vars": map[string]any{"x": true}}},
	}
	require.Empty(t, cmp.Diff(want, doc.Root, cmp.Comparer(time.Time.Equal)))
	for path, at := range map[string]string{
		"":                     "a.toml:1:1",
		"name":                 "a.toml:1:1",
		`"quoted.key"`:         "a.toml:2:1",
		"a":                    "a.toml:3:1",
		"a.b":                  "a.toml:3:3",
		"a.c":                  "a.toml:3:1",
		"tags":                 "a.toml:6:1",
		"tags[0]":              "a.toml:6:9",
		"tags[1]":              "a.toml:6:14",
		"tags[1].y":            "a.toml:6:16",
		"tags[2]":              "a.toml:6:1",
		"steps":                "a.toml:8:3",
		"steps[0]":             "a.toml:8:3",
		"steps[1]":             "a.toml:10:3",
		"steps[1].name":        "a.toml:11:3",
		"steps[1].vars":        "a.toml:12:9",
		"steps[1].vars.x":      "a.toml:13:2",
		"steps[1].vars.absent": "a.toml:12:9",
	} {
		require.Equal(t, at, doc.Position(path).String(), "position of %q", path)
	}
}

func TestDecodeSyntaxError(t *testing.T) {
	t.Parallel()
	_, err := manifest.Decode("a.toml", []byte("name = \"web\"\nsize = 20s\n"))
	require.EqualError(t, err, "a.toml:2:8: want a value, found a number with letters behind it; write text in quotes: \"…\"")
	var mistake manifest.Mistake
	require.ErrorAs(t, err, &mistake)
}
