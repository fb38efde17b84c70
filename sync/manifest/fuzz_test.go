package manifest_test

import (
	"bytes"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync/manifest"
)

// FuzzDecode holds Decode against go-toml's own decoder, and the positions
// against the text.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := manifest.Decode("f.toml", data)
		require.NotNil(t, doc)
		text := bytes.TrimPrefix(data, []byte("\ufeff"))
		want := map[string]any{}
		wantErr := toml.Unmarshal(text, &want)
		plain, finite := simplify(want)
		if valid := wantErr == nil && finite; valid != (err == nil) {
			t.Fatalf("go-toml: %v, finite: %v\nDecode: %v", wantErr, finite, err)
		}
		if err == nil {
			require.True(t, same(plain, doc.Root), "want %v\ngot %v", plain, doc.Root)
		}
		newPositions(doc, string(text)).check(t, "", doc.Root, 0)
	})
}

// FuzzLoad loads whatever there is: without a panic, with the same result on one
// goroutine and on many.
func FuzzLoad(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := fstest.MapFS{
			"a.toml":   {Data: data},
			"b.toml":   {Data: []byte("[[server]]\nname = 'web'\nconfig.address = 'a'\n")},
			"c/d.toml": {Data: data},
		}
		desired, err := manifest.Load(fsys, testKinds(), nil)
		require.NotEqual(t, desired == nil, err == nil)
		again, errAgain := manifest.Load(fsys, testKinds(), nil)
		require.Equal(t, desired, again)
		require.Equal(t, err == nil, errAgain == nil)
		if err != nil {
			require.EqualError(t, errAgain, err.Error())
		}
	})
}

func seed(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"testdata/*/*.toml", "testdata/*/*.txt"} {
		names, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, name := range names {
			data, err := os.ReadFile(name)
			require.NoError(f, err)
			for _, part := range parseArchive(string(data)) {
				f.Add([]byte(part.text))
			}
		}
	}
	f.Add([]byte(machineTOML(1)))
	for _, text := range []string{
		"", "\ufeffa = 1", "a.b.c = 1\na.b.d = [ [ 1, [] ], {x = [[]]} , \n# c\n [2]]", "a = nan\nb = -inf\nc=+inf",
		"[a.b]\n[a]\nb.c = 1", "[[a]]\n[a.b]\n[[a]]\n[a.b]\n", "a = [1]\n[[a]]", "[a]\n[[a]]", "[a]\n[a]", "a = {b = 1, b = 2}",
		"a = {}\n[a.b]", "a.b = 1\n[a]", "[fruit]\napple.color = 1\n[fruit.apple.texture]\nx=1", "'' = 1\n\"\\u00e9\" = 2",
		"d = 2024-02-30", "t = 07:32", "dt = 1979-05-27T07:32:00.999-07:00\nl = 1979-05-27 07:32:00", "i = 0x8000000000000000\nj = 1_000\nf = 1e999\n",
		"s = \"\"\"\n[x]\n\"\"\"\"\"\nr='''\r\n''''", "a = \"\\x41\\e\\U0001F600\"", "[x\n[y]\nz = 1", "k = [\n[server]\n", "a = tru\n[b]\nc=1\nc=2", "a = \"x\ny\"",
		strings.Repeat("[", 2000), "a=" + strings.Repeat("[", 2000) + strings.Repeat("]", 2000), "a\x00b = 1", "a = \"\xff\"", "\xff\xfea\x00",
	} {
		f.Add([]byte(text))
	}
	for n := range 20 {
		f.Add([]byte(strings.Repeat("a", n) + " = {\n x = 1, # c\n}\r\n"))
	}
}

// simplify turns what go-toml returns into what Decode does, and tells whether
// all numbers are finite.
func simplify(value any) (plain any, finite bool) {
	finite = true
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			simple, ok := simplify(member)
			v[name], finite = simple, finite && ok
		}
	case []any:
		for i, element := range v {
			simple, ok := simplify(element)
			v[i], finite = simple, finite && ok
		}
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case toml.LocalDate:
		return v.String(), true
	case toml.LocalTime:
		return v.String(), true
	case toml.LocalDateTime:
		return v.String(), true
	}
	return value, finite
}

// same compares what simplify returns.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, same)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	}
	return a == b
}

// positions holds positions against the text that they are in.
type positions struct {
	doc    *manifest.Document
	text   string
	starts []int // of the lines
}

func newPositions(doc *manifest.Document, text string) *positions {
	p := &positions{doc: doc, text: text, starts: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			p.starts = append(p.starts, i+1)
		}
	}
	return p
}

// check holds that every value is found where its key or its first byte stands.
func (p *positions) check(t *testing.T, path string, value any, depth int) {
	t.Helper()
	if depth > 100 {
		return // paths grow, and checking all of them takes their square
	}
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			at := diff.Member(path, name)
			rest := p.rest(t, at)
			if rest[0] != '"' && rest[0] != '\'' && !strings.HasPrefix(rest, name) {
				t.Fatalf("%s stands at %s, which is %.20q", at, p.doc.Position(at), rest)
			}
			p.check(t, at, member, depth+1)
		}
	case []any:
		for i, element := range v {
			at := diff.Index(path, i)
			rest := p.rest(t, at)
			if strings.IndexByte(" \t\r\n,#]}", rest[0]) >= 0 {
				t.Fatalf("%s stands at %s, which is %.20q", at, p.doc.Position(at), rest)
			}
			p.check(t, at, element, depth+1)
		}
	}
}

// rest returns the text from a value's position.
func (p *positions) rest(t *testing.T, path string) string {
	t.Helper()
	pos := p.doc.Position(path)
	if pos.Line < 1 || pos.Line > len(p.starts) || pos.Col < 1 || p.starts[pos.Line-1]+pos.Col > len(p.text) {
		t.Fatalf("%s stands at %s, which is nowhere", path, pos)
	}
	return p.text[p.starts[pos.Line-1]+pos.Col-1:]
}
