package manifest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/manifest"
)

// FuzzKomodo holds that text between three quotes is what stands there.
func FuzzKomodo(f *testing.F) {
	for _, text := range []string{"", `\`, `\\`, `\n`, "a \\\n  b", `\"`, `"" \`, "# '''", "'", "é\\é", "\n\n\\", "[[A]]\\[[B]]\n [[C]]", "[[stack]]\nname = '\\'\nconfig.script = \"\"\"\\"} {
		f.Add(text)
	}
	opts := stackOptions()
	opts.Dialect = manifest.Komodo
	f.Fuzz(func(t *testing.T, text string) {
		file := "# \"\"\"\n[[variable]]\nname = \"\\u0061\"\nvalue = \"\"\"\n" + text + "\"\"\"\nis_secret = true\n"
		d, err := load(t, file, opts)
		fits := utf8.ValidString(text) && !strings.Contains(text, `"""`) && !strings.HasSuffix(text, `"`) &&
			!strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == 0x7f })
		if fits {
			require.NoError(t, err)
			var got struct{ Value string }
			require.NoError(t, json.Unmarshal(d.Desired.Resources[0].Config, &got))
			require.Equal(t, text, got.Value)
		}
		// The text as a file of its own.
		_, _ = load(t, text, opts)
	})
}

// FuzzReferences holds that references stand where their positions say, however
// the text is written.
func FuzzReferences(f *testing.F) {
	for _, raw := range []string{`"[[A]]"`, `'[[A]]'`, "\"\"\"\n[[A]]\\\n  [[B]]\"\"\"", "'''\r\n [[A]]'''", `"\u005b[A]]"`, `"\t\U0001F600\\[[A]]"`, `["[[A]]", { "x y" = "[[B]]" }]`, `"[[[A]]] [[B]]"`} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		file := "[[stack]]\nname = \"a\"\nconfig.extra . \"\\\"=\" \t= " + raw + "\n"
		lines := strings.Split(file, "\n")
		for _, dialect := range []manifest.Dialect{manifest.TOML, manifest.Komodo} {
			fsys := fstest.MapFS{"a.toml": {Data: []byte(file)}}
			d, err := manifest.LoadRoots([]manifest.Root{{FS: fsys}}, stackKinds(), &manifest.Options{Dialect: dialect})
			if err != nil {
				continue
			}
			for _, r := range d.References {
				rest := lines[r.Line-1][r.Col-1:]
				require.True(t, strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, `\`), "%s stands at %s, which is %q", r.Name, r, rest)
			}
		}
	})
}

func FuzzInterpolate(f *testing.F) {
	for _, text := range []string{"", "[[A]]", "[[[A]]]", "[[[[A]]]]", "[[ A ]]", "[[A", "[[é", "[[A]][[B]]", "\xff[[A]]"} {
		f.Add(text, "[[B]]")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		variables, secrets := lookup(map[string]string{"A": value}), lookup(map[string]string{"B": value})
		filled, missing := manifest.Interpolate(text, variables, secrets)
		if !strings.Contains(text, "[[") {
			require.Equal(t, text, filled)
			require.Empty(t, missing)
		}
		config, err := json.Marshal(map[string]string{"x": text})
		if err != nil || !utf8.ValidString(text) || !utf8.ValidString(value) {
			return
		}
		var got struct{ X string }
		inConfig, missingThere := manifest.InterpolateConfig(config, variables, secrets)
		require.NoError(t, json.Unmarshal(inConfig, &got))
		require.Equal(t, filled, got.X)
		require.Equal(t, missing, missingThere)
	})
}
