package manifest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

const rendered = `[[server]]
name = "web"
[server.config]
address = "10.0.0.1"

[[stack]]
name = "a b"
type = "compose"
description = "say \"hi\""
tags = ["x", "y"]
deploy = true
after = ["server/web"]
unmanaged = ["config.script"]
template = true
[stack.config]
environment = """
A = 1
B = 2
"""
extra.list = [{ a = 1.5, b = {} }, [], true, 1e300]
extra."é.x" = '\d+'
file_paths = [
  "a-file-with-a-long-name-that-takes-up-space",
  "another-file-with-a-long-name-that-takes-up-space",
]
hook.command = """
find {} \;
"""
hook.path = 'C:\'
labels = {}
script = "a\r\nb"
server_id = "web"

[[deployment]]
name = "tables"
[deployment.config]
server_id = "web"
[[deployment.config.environment]]
name = "KEY"
value = """
a text of several lines
in one variable
"""
[[deployment.config.environment]]
name = "a name that is = long"

[[variable]]
name = "V"
value = '\^(.+)-(.+)$\'

[[moved]]
kind = "stack"
from = "old"
to = "a b"
`

func TestRender(t *testing.T) {
	t.Parallel()
	opts := stackOptions()
	opts.Dialect = manifest.Komodo
	d, err := load(t, rendered, opts)
	require.NoError(t, err)
	file, err := manifest.Render(d.Desired, stackKinds(), opts)
	require.NoError(t, err)
	require.Equal(t, rendered, string(file))

	opts.Dialect = manifest.TOML
	file, err = manifest.Render(d.Desired, stackKinds(), opts)
	require.NoError(t, err)
	require.Contains(t, string(file), "hook.command = '''\nfind {} \\;\n'''\n")

	files, err := manifest.RenderKinds(d.Desired, stackKinds(), opts)
	require.NoError(t, err)
	require.Len(t, files, 5)
	fsys := fstest.MapFS{}
	for name, file := range files {
		fsys[name] = &fstest.MapFile{Data: file}
	}
	again, err := manifest.Load(fsys, stackKinds(), opts)
	require.NoError(t, err)
	requireSameState(t, d.Desired, again)
}

func requireSameState(t *testing.T, want, got *sync.Desired) {
	t.Helper()
	lines := func(d *sync.Desired) map[string]string {
		all := map[string]string{"moves": fmt.Sprint(d.Moves)}
		for i := range d.Resources {
			line, err := d.Resources[i].AppendJSON(nil)
			require.NoError(t, err)
			all[d.Resources[i].String()] = string(line)
		}
		return all
	}
	require.Equal(t, lines(want), lines(got))
}

func TestWhatNoFileCanSay(t *testing.T) {
	t.Parallel()
	key := state.Key{Kind: "stack", Name: "a"}
	for want, r := range map[string]state.Resource{
		"render stack/a: no file can say that it is protected":                                    {Key: key, Protected: true},
		"render stack/a: no file can say what it refers to, beside what its config does":          {Key: key, Refs: []state.Ref{{Path: "x", To: key}}},
		"render x/a: unknown kind \"x\"":                                                          {Key: state.Key{Kind: "x", Name: "a"}},
		"render stack/a: extra.a: [1]: TOML has no null":                                          {Key: key, Config: []byte(`{"extra":{"a":[1,null]}}`)},
		"render stack/a: extra: TOML has no number 18446744073709551616":                          {Key: key, Config: []byte(`{"extra":18446744073709551616}`)},
		"render stack/a: extra: [0]: b: TOML has no number 0.10000000000000000000000000000000001": {Key: key, Config: []byte(`{"extra":[{"b":0.10000000000000000000000000000000001}]}`)},
	} {
		_, err := manifest.Render(&sync.Desired{Resources: []state.Resource{r}}, stackKinds(), nil)
		require.EqualError(t, err, want)
	}
}

// FuzzRender holds that what is rendered loads to the same.
func FuzzRender(f *testing.F) {
	for _, text := range []string{
		"", "plain", `\^(.+)-(.+)$\`, `"""`, "'''", `a"`, "a'", "a\nb", "\n", "a\\\nb\\", "a\r\nb", "\r", "\x00\x7f\u0085", "\t", "é\u2028",
		"'''\n\"\"\"\n\\", "a \\ \n  b", "''\n\"\"", "[[X]]", "A = 1\n", "# no comment", "\ufeff", `"""\n"""`,
	} {
		f.Add(text, text, int64(-1), 1.5)
	}
	f.Fuzz(func(t *testing.T, a, b string, n int64, x float64) {
		config := map[string]any{
			"file_paths": []string{a, b}, "script": a + b, "ratio": x,
			"environment": []any{map[string]any{"name": "A" + a, "value": b}, map[string]any{"name": "B"}},
			"labels":      map[string]string{a: b}, "template": n%2 == 0,
			"extra": map[string]any{a: []any{map[string]any{b: n, "x": map[string]any{}}, []any{x}}, "y": map[string]any{b: a}},
			"hook":  map[string]any{"command": b, "path": a},
		}
		key := state.Key{Kind: "stack", Name: "n" + a}
		raw, err := json.Marshal(config)
		if err != nil || key.Validate() != nil {
			return
		}
		stack, err := stackKinds().Resource("stack", key.Name, json.RawMessage(raw))
		if err != nil {
			return // two keys that are the same, once they are valid UTF-8
		}
		stack.Description, stack.Type, stack.Tags, stack.After = a, b, []string{b}, []state.Key{key}
		if _, err := stack.AppendJSON(nil); err != nil {
			return
		}
		value, err := stackKinds().Resource("variable", "v", map[string]any{"value": b})
		require.NoError(t, err)
		want := &sync.Desired{Resources: []state.Resource{stack, value}}
		for _, dialect := range []manifest.Dialect{manifest.TOML, manifest.Komodo} {
			opts := stackOptions()
			opts.Dialect = dialect
			file, err := manifest.Render(want, stackKinds(), opts)
			require.NoError(t, err)
			got, err := load(t, string(file), opts)
			require.NoError(t, err, "%s", file)
			requireSameState(t, want, got.Desired)
		}
	})
}
