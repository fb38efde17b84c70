package manifest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

func TestDecodeValues(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("", 2*60*60)
	for text, want := range map[string]any{
		`9223372036854775807`:           int64(9223372036854775807),
		`-9_223_372_036_854_775_808`:    int64(-9223372036854775808),
		`+7`:                            int64(7),
		`0x7fff_ffff_ffff_ffff`:         int64(9223372036854775807),
		`0o755`:                         int64(493),
		`0b101`:                         int64(5),
		`1_0.5e1_0`:                     1.05e11,
		`-0.0`:                          0.0,
		`5e-324`:                        5e-324,
		`true`:                          true,
		`"a\tb\u00e9\x41\e"`:            "a\tb\u00e9A\x1b",
		`'a\tb'`:                        `a\tb`,
		`""`:                            "",
		`""""""`:                        "",
		"\"\"\"\na\n \\\n  b\"\"\"":     "a\n b",
		"\"\"\"a \"quoted\"\"\"\"":      `a "quoted"`,
		"'''\r\na\\\r\n'''''":           "a\\\r\n''",
		`2024-05-01T10:00:00Z`:          time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC),
		`2024-05-01 10:00:00.5+02:00`:   time.Date(2024, 5, 1, 10, 0, 0, 5e8, east),
		`2024-05-01`:                    "2024-05-01",
		`2024-05-01 10:00:00`:           "2024-05-01T10:00:00",
		`10:00:00.25`:                   "10:00:00.25",
		`[]`:                            []any{},
		`{}`:                            map[string]any{},
		`[1, "a", [true], { x = [] },]`: []any{int64(1), "a", []any{true}, map[string]any{"x": []any{}}},
		`{ a.b = 1, a."c d" = 2 }`:      map[string]any{"a": map[string]any{"b": int64(1), "c d": int64(2)}},
	} {
		doc, err := manifest.Decode("a.toml", []byte("v = "+text+" # comment"))
		require.NoError(t, err, text)
		require.Empty(t, cmp.Diff(want, doc.Root["v"], cmp.Comparer(time.Time.Equal)), text)
	}
}

// The text marks where each path is to be found: «path» stands before it.
func TestPosition(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"keys":           "«a»a = 1\n\t «b»b=2\n «c»\"c\"=3\n«d»'d' = 4",
		"dotted keys":    "«a»a.«a.b»b . «a.b.\"c.d\"»\"c.d\" = 1\na.b.«a.b.e»e = 2\n",
		"quoted keys":    "«\"\"»'' = 1\n«\"\\\"\"»\"\\\"\" = {«\"\\\"\".\"é\"»\"\\u00e9\" = 1}\n«\"a.b\"»'a.b' = 1\n«\"[0]\"»\"[0]\" = 1\n",
		"tables":         "[«a»a.«a.b»b]\n«a.b.x»x = 1\n[ «c»c ]\n[a.«a.d»d]\n",
		"late header":    "[a.«a.b»b]\nx = 1\n[«a»a]\n«a.y»y = 1\n",
		"arrays":         "[[«a[0]»«a»a]]\n«a[0].x»x = 1\n\n[[«a[1]»a]]\n«a[1].x»x = 2\n[a.«a[1].b»b]\n[[a.«a[1].c[0]»c]]\n[[a.«a[1].c[1]»c]]\n«a[1].c[1].y»y = 1\n[[«a[2]»a]]",
		"inline":         "«a»a = { «a.b»b = { «a.b.c»c.«a.b.c.d»d = [«a.b.c.d[0]»{ «a.b.c.d[0].e»e = 1 }, «a.b.c.d[1]»2] } }\n«z»z = 1",
		"lists":          "«a»a = [\n  «a[0]»1, # , [ 2\n\t«a[1]»'[', «a[2]»[«a[2][0]»[],«a[2][1]»[ «a[2][1][0]»[ ] ]],\n#]\n «a[3]»{ }, «a[4]»[ «a[4][0]»\"\"\"\n]\"\"\" ] , ]\n«z»z = 1",
		"lists in order": "«a»a.«a.b»b = [ «a.b[0]»{ «a.b[0].x»x = [«a.b[0].x[0]»[1]], «a.b[0].y»y = {} }, «a.b[1]»[], «a.b[2]»{ } , «a.b[3]»[ ] ]",
		"long text":      "«a»a = \"\"\"\n[b]\nc = 1\n\"\"\"\n«d»d = '''\n\n'''\n[«e»e]",
		"CRLF":           "«a»a = 1\r\n\r\n# é\r\n[«b»b]\r\n\t«b.c»c = '''\r\n'''\r\n«b.d»d = 1\r\n",
		"bytes":          "«a»a = \"éé\" # é\n\"é\".«é.b»«\"é\".b»b = 1",
		"byte-order":     "\ufeff«a»a = 1\n«b»b = 2",
		"many keys":      strings.Repeat("# a comment that fills a block of the index of lines\n", 100) + manyKeys(40),
		"long line":      "«a»a = \"" + strings.Repeat("x", 5000) + "\"\n«b»b = [" + strings.Repeat("1,", 3000) + "«b[3000]»2]\n«c»c=1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, want := unmark(text)
			doc, err := manifest.Decode("a.toml", []byte(plain))
			require.NoError(t, err)
			for path, pos := range want {
				require.Equal(t, pos, doc.Position(path), "position of %s", path)
			}
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "«k%d»k%d = { «k%d.x»x = 1 }\n", i, i, i)
	}
	return b.String()
}

// unmark returns the text without its marks, and where they were. A byte-order
// mark is not counted.
func unmark(marked string) (text string, at map[string]sync.Position) {
	at = map[string]sync.Position{}
	for {
		before, rest, found := strings.Cut(marked, "«")
		text += before
		if !found {
			return text, at
		}
		path, after, _ := strings.Cut(rest, "»")
		visible := strings.TrimPrefix(text, "\ufeff")
		at[path] = sync.Position{
			File: "a.toml",
			Line: strings.Count(visible, "\n") + 1,
			Col:  len(visible) - strings.LastIndex(visible, "\n"),
		}
		marked = after
	}
}

func TestPositionOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	doc, err := manifest.Decode("a.toml", []byte("a = [1, { x.y = 1 }]\n[[b]]\n[b.c]\n"))
	require.NoError(t, err)
	for path, at := range map[string]string{
		"":               "1:1",
		"zzz":            "1:1",
		"a[2]":           "1:1",
		"a[-1]":          "1:1",
		"a[x].y":         "1:1",
		"a[99999999999]": "1:1",
		"a[0].x":         "1:6",
		"a[1].z":         "1:9",
		"a[1].x.z.z":     "1:11",
		"b.c":            "2:3",
		"b[0].c.d[3].e":  "3:4",
		"b[0].d":         "2:3",
		"b[0":            "2:3",
		"b[0]c":          "3:4",
		"[0]":            "1:1",
		".":              "1:1",
		"..":             "1:1",
		`"`:              "1:1",
		`"b"[0]."c"`:     "3:4",
	} {
		require.Equal(t, "a.toml:"+at, doc.Position(path).String(), "position of %q", path)
	}
	require.Equal(t, "b.toml", (&manifest.Document{Path: "b.toml"}).Position("a[0].b").String())
}

func TestDecodeReportsAllMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"UTF-16":            {"\xff\xfea\x00", "a.toml:1:1: the file is in UTF-16; save it as UTF-8"},
		"not UTF-8":         {"a = 1\nb = \"x\xffy\"", "a.toml:2:7: the byte 0xff is not valid UTF-8; save the file as UTF-8"},
		"control character": {"a = \"\x01\"", `a.toml:1:6: the control character 0x01; write it as \u0001 in a text in "…"`},
		"carriage return":   {"a = 1\rb = 2", `a.toml:1:6: want the end of the line, found "\r"; end lines with a line feed`},
		"BOM is no column":  {"\ufeffa = x", `a.toml:1:5: want a value, found text without quotes; write it in quotes: "…"`},
		"columns are bytes": {"\"é\" = x", `a.toml:1:8: want a value, found text without quotes; write it in quotes: "…"`},
		"CRLF":              {"a = 1\r\nb =\r\nc = \"", "a.toml:2:4: want a value, found the end of the line\na.toml:3:5: the text that begins here has no end; close it with \""},
		"in a comment":      {"# \x01\na = x", `a.toml:1:3: the control character 0x01; write it as \u0001 in a text in "…"` + "\n" + `a.toml:2:5: want a value, found text without quotes; write it in quotes: "…"`},
		"infinite numbers":  {"a = nan\nb = [-inf, 1]", "a.toml:1:5: nan is not a number that can be recorded; leave the key out, or use a number\na.toml:2:6: -inf is not a number that can be recorded; leave the key out, or use a number"},
		"twice":             {"a = 1\na = 2\n[b]\n[b]\nx = 1\nx = 2\n[a.c]\n[[b]]\n[[c]]\n[c]\n", "a.toml:2:1: a is already defined; the first is at a.toml:1:1\na.toml:4:2: b is already defined; the first is at a.toml:3:2\na.toml:6:1: x is already defined; the first is at a.toml:5:1\na.toml:7:2: a is already defined; the first is at a.toml:1:1\na.toml:8:3: b is already defined; the first is at a.toml:3:2\na.toml:10:2: c is already defined; the first is at a.toml:9:3"},
		"twice among many":  {strings.ReplaceAll(strings.ReplaceAll(manyKeys(40), "«", "#"), "»", "\n") + "k0 = 1\nk39.y = 1", "a.toml:121:1: k0 is already defined; the first is at a.toml:2:1\na.toml:122:1: k39 is already defined; the first is at a.toml:119:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, err := manifest.Decode("a.toml", []byte(c.text))
			require.NotNil(t, doc.Root)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	schema := testKinds().Schema("server")
	doc, err := manifest.Decode("a.toml", []byte("address = 'x'\nsize = 0\n[b]\nadress = 'x'\n[[c]]\nsize = true\nzones = [1]\n"))
	require.NoError(t, err)
	var m manifest.Mistakes
	table := map[string]any{"address": "x", "size": doc.Root["size"]}
	require.JSONEq(t, `{"address":"x"}`, string(doc.Config(table, "", schema, &m)))
	require.JSONEq(t, `{}`, string(doc.Config(nil, "", nil, &m)))
	require.NoError(t, m.Err())
	require.Nil(t, doc.Config(doc.Root["b"].(map[string]any), "b", schema, &m))
	require.Nil(t, doc.Config(doc.Root["c"].([]any)[0].(map[string]any), diff.Index("c", 0), schema, &m))
	require.Nil(t, doc.Config(map[string]any{"x": make(chan int)}, "b", nil, &m))
	require.Nil(t, doc.Config(map[string]any{"address": "", "extra": map[string]any{"x": 1}}, "", schema, &m))
	require.EqualError(t, m.Err(), `a.toml:1:1: address: must not be empty
a.toml:1:1: extra: unknown field
a.toml:3:2: b.address: is required
a.toml:3:2: b: x: a chan int has no canonical form
a.toml:4:1: b.adress: unknown field; did you mean "address"?
a.toml:5:3: c[0].address: is required
a.toml:6:1: c[0].size: want a whole number, found true
a.toml:7:10: c[0].zones[0]: want text, found the number 1`)
}
