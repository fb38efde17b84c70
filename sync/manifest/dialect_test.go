package manifest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/manifest"
)

// What text means in both dialects.
func TestDialects(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ toml, komodo string }{
		`"""a\tb"""`:                {"a\tb", `a\tb`},
		"\"\"\"\na \\\n  b\"\"\"":   {"a b", "a \\\n  b"},
		`"a\tb"`:                    {"a\tb", "a\tb"},
		`'a\tb'`:                    {`a\tb`, `a\tb`},
		`'''a\tb'''`:                {`a\tb`, `a\tb`},
		`"""\\^bar-.*$\\"""`:        {`\^bar-.*$\`, `\\^bar-.*$\\`},
		`"""a\\"""`:                 {`a\`, `a\\`},
		`"""a"b\t""c\t"""`:          {"a\"b\t\"\"c\t", `a"b\t""c\t`},
		`"""a\t""""`:                {"a\t\"", `a\t"`},
		`"""a\t""""" # \ """`:       {"a\t\"\"", `a\t""`},
		`'a"""\t' # """`:            {`a"""\t`, `a"""\t`},
		`"\"\"\"\t"`:                {"\"\"\"\t", "\"\"\"\t"},
		`'''a"""\t''''`:             {`a"""\t'`, `a"""\t'`},
		"\"\"\"\r\na\\tb\r\n\"\"\"": {"a\tb\r\n", "a\\tb\r\n"},
	} {
		file := "# \"\"\" \\ ''' \" '\n[[variable]]\nname = 'a'\nvalue = " + text + "\n[[variable]]\nname = \"\"\"b\"\"\"\nvalue = \"\"\"\\n\"\"\"\nbad = 1\n"
		good := strings.Replace(file, "bad = 1\n", "", 1)
		for dialect, value := range map[manifest.Dialect]string{manifest.TOML: want.toml, manifest.Komodo: want.komodo} {
			opts := stackOptions()
			opts.Dialect = dialect
			d, err := load(t, good, opts)
			require.NoError(t, err, text)
			var got struct{ Value string }
			require.NoError(t, json.Unmarshal(d.Desired.Resources[0].Config, &got))
			require.Equal(t, value, got.Value, "%s in dialect %d", text, dialect)
			_, err = load(t, file, opts)
			require.ErrorContains(t, err, "bad: unknown field")
			require.Contains(t, err.Error(), fmt.Sprintf("a.toml:%d:1: ", strings.Count(file, "\n")))
		}
	}
}

func TestDialectWithinALine(t *testing.T) {
	t.Parallel()
	opts := stackOptions()
	opts.Dialect = manifest.Komodo
	d := requireLoads(t, "[[stack]]\nname = 'a'\nconfig.extra = [\"\"\"a\\t\"\"\"\", \"\"\"\\t[[A]]\"\"\", \"\\t\"]\n", opts, `stack/a {"extra":["a\\t\"","\\t[[A]]","\t"]}`)
	require.Equal(t, "a.toml:3:34", d.References[0].Position.String())
}

// What TOML can't escape, Komodo's dialect takes.
func TestDialectOfKomodo(t *testing.T) {
	t.Parallel()
	const text = "[[variable]]\nname = 'a'\nvalue = \"\"\"\nRUN apt \\\n  && find {} \\;\n\\\"\"\"\nis_secret = true\nx = \\"
	_, err := load(t, text, stackOptions())
	require.ErrorContains(t, err, `a.toml:5:14: unknown escape \; in text`)
	opts := stackOptions()
	opts.Dialect = manifest.Komodo
	_, err = load(t, text, opts)
	require.EqualError(t, err, `a.toml:8:5: want a value, found "\\"`)
	requireLoads(t, strings.TrimSuffix(text, "x = \\"), opts, `variable/a {"is_secret":true,"value":"RUN apt \\\n  && find {} \\;\n\\"}`)
}
