package diff_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

func schema() *diff.Schema {
	text := diff.Value{Type: diff.Text}
	return &diff.Schema{Fields: []diff.SchemaField{
		{Name: "auth", Value: diff.Value{Type: diff.Object, Object: &diff.Schema{Fields: []diff.SchemaField{
			{Name: "token", Value: text, Sensitive: true}, {Name: "user", Value: text},
		}}}},
		{Name: "count", Value: diff.Value{Type: diff.Int}, Default: raw("1")},
		{Name: "keys", Value: diff.Value{Type: diff.List, Elem: &diff.Value{Type: diff.Object, Object: &diff.Schema{
			Fields: []diff.SchemaField{{Name: "id", Value: text}, {Name: "secret", Value: text, Sensitive: true}},
		}}}},
		{Name: "name", Value: text},
		{Name: "password", Value: diff.Value{Type: diff.Any}, Sensitive: true},
		{Name: "tokens", Value: diff.Value{Type: diff.Map, Elem: &diff.Value{Type: diff.Object, Object: &diff.Schema{
			Fields: []diff.SchemaField{{Name: "t", Value: text, Sensitive: true}},
		}}}},
	}}
}

func fields(old, desired string) []string {
	var a, b *state.Resource
	if old != "" {
		a = &state.Resource{Config: raw(old)}
	}
	if desired != "" {
		b = &state.Resource{Config: raw(desired)}
	}
	var got []string
	for _, f := range diff.Fields(a, b, schema()) {
		text := f.Path + ": " + string(f.Old) + " -> " + string(f.New)
		if f.Default != nil {
			text += " default " + string(f.Default)
		}
		if f.Sensitive {
			text = f.Path + " is sensitive" + string(f.Old) + string(f.New)
		}
		got = append(got, text)
	}
	return got
}

func TestFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, old, desired string
		want               []string
	}{
		{"nothing", `{"name":"a"}`, `{"name":"a"}`, nil},
		{"a scalar", `{"name":"a"}`, `{"name":"b"}`, []string{`config.name: "a" -> "b"`}},
		{"a default", `{}`, `{"count":2}`, []string{`config.count:  -> 2 default 1`}},
		{"an object comes", `{}`, `{"x":{"a":{"b":1}}}`, []string{`config.x.a.b:  -> 1`}},
		{"an object becomes text", `{"x":{"a":1}}`, `{"x":"y"}`, []string{`config.x.a: 1 -> `, `config.x:  -> "y"`}},
		{"an empty object fills", `{"x":{}}`, `{"x":{"a":1}}`, []string{`config.x: {} -> `, `config.x.a:  -> 1`}},
		{"a list becomes empty", `{"x":[1]}`, `{"x":[]}`, []string{`config.x[0]: 1 -> `, `config.x:  -> []`}},
		{"a list", `{"x":[1,2,3]}`, `{"x":[1,4]}`, []string{`config.x[1]: 2 -> 4`, `config.x[2]: 3 -> `}},
		{"odd names", `{"x":{"":2,"a.b":1}}`, `{"x":{"":4,"a.b":3}}`, []string{`config.x."": 2 -> 4`, `config.x."a.b": 1 -> 3`}},
		{"a secret", `{"password":"a"}`, `{"password":"b"}`, []string{`config.password is sensitive`}},
		{"a secret object", `{"password":{"a":"S"}}`, `{"password":["S2"]}`, []string{`config.password is sensitive`}},
		{"a secret inside comes", `{}`, `{"auth":{"token":"S","user":"u"}}`, []string{`config.auth.token is sensitive`, `config.auth.user:  -> "u"`}},
		{"a secret in a list", `{"keys":[{"id":"a","secret":"S"}]}`, `{"keys":[{"id":"b","secret":"T"},{"secret":"U"}]}`,
			[]string{`config.keys[0].id: "a" -> "b"`, `config.keys[0].secret is sensitive`, `config.keys[1].secret is sensitive`}},
		{"a secret in a map", `{"tokens":{"x":{"t":"S"}}}`, `{"tokens":{"x":{"t":"T"},"y":{"t":"U"}}}`,
			[]string{`config.tokens.x.t is sensitive`, `config.tokens.y.t is sensitive`}},
		{"a secret where a scalar was", `{"auth":"x"}`, `{"auth":{"token":"S"}}`, []string{`config.auth: "x" -> `, `config.auth.token is sensitive`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, fields(c.old, c.desired))
		})
	}
}

func TestFieldsOfTheResourceItself(t *testing.T) {
	t.Parallel()
	old := &state.Resource{Key: key("a/b"), Type: "x", Tags: []string{"b", "a"}, After: []state.Key{key("a/c")}}
	desired := &state.Resource{Key: key("a/b"), Type: "y", Description: "d", Deploy: true, Tags: []string{"c", "a"}}
	var got []string
	for _, f := range diff.Fields(old, desired, nil) {
		got = append(got, f.Path+": "+string(f.Old)+" -> "+string(f.New))
	}
	require.Equal(t, []string{
		`after: "a/c" -> `, `deploy:  -> true`, `description:  -> "d"`, `tags: "b" -> `, `tags:  -> "c"`, `type: "x" -> "y"`,
	}, got)
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	s := schema()
	s.Fields[3].Required = true // name
	for _, c := range []struct{ in, want string }{
		{`{"name":"a"}`, `{"name":"a"}`},
		{`{"name":"a","count":1}`, `{"name":"a"}`},
		{`{"count":1.0,"name":"a"}`, `{"name":"a"}`},
		{`{"count":0,"name":"a"}`, `{"count":0,"name":"a"}`},
		{`{"count":null,"name":"a","auth":null}`, `{"name":"a"}`},
		{`{"name":"a","keys":[]}`, `{"keys":[],"name":"a"}`},
	} {
		got, mistakes := s.Normalize(raw(c.in))
		require.Empty(t, mistakes)
		require.Equal(t, c.want, string(got))
	}
	_, mistakes := s.Normalize(raw(`{"nmae":1,"count":"x","auth":{"usr":"x"},"keys":[{"id":5}],"tokens":[]}`))
	var got []string
	for _, m := range mistakes {
		got = append(got, m.Error())
	}
	require.Equal(t, []string{
		`auth.usr: unknown field; did you mean "user"?`,
		`count: want a whole number, found text`,
		`keys[0].id: want text, found the number 5`,
		`nmae: unknown field; did you mean "name"?`,
		`tokens: want a table of tables, found a list`,
		`name: is required`,
	}, got)
	_, mistakes = s.Normalize(raw(`{"name":""}`))
	require.Equal(t, "name: must not be empty", mistakes[0].Error())
	for in, message := range map[string]string{`[]`: "want an object, found a list", `{`: "want a member's name"} {
		_, mistakes = s.Normalize(raw(in))
		require.ErrorContains(t, mistakes[0], message)
	}
}

func TestNormalizeNeverShowsASecret(t *testing.T) {
	t.Parallel()
	text := diff.Value{Type: diff.Text}
	schema := &diff.Schema{Fields: []diff.SchemaField{
		{Name: "keys", Value: diff.Value{Type: diff.Map, Elem: &text}, Sensitive: true},
		{Name: "name", Value: text},
		{Name: "pin", Value: text, Sensitive: true},
	}}
	_, mistakes := schema.Normalize(raw(`{"keys":{"a":4711,"b":true},"name":12,"pin":4711}`))
	require.Equal(t, []diff.FieldError{
		{Path: "keys.a", Problem: "want text, found a number"},
		{Path: "keys.b", Problem: "want text, found true or false"},
		{Path: "name", Problem: "want text, found the number 12"},
		{Path: "pin", Problem: "want text, found a number"},
	}, mistakes)
}

func TestNormalizeOfWhatIsInFormAllocatesNothing(t *testing.T) {
	s := schema()
	in := raw(`{"auth":{"token":"x","user":"y"},"keys":[{"id":"a"}],"name":"n","tokens":{"a":{"t":"x"}}}`)
	allocations := testing.AllocsPerRun(100, func() {
		if _, mistakes := s.Normalize(in); mistakes != nil {
			t.Error(mistakes)
		}
	})
	require.True(t, allocations == 0 || raceDetector, "%v allocations", allocations)
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"dependencies", "directory", "name", "namespace"}
	for name, want := range map[string]string{
		"dependancies": "dependencies", "dependecnies": "dependencies", "nmae": "name", "names": "name", "namespaces": "namespace",
		"xyz": "", "": "", "directoryy": "directory",
	} {
		require.Equal(t, want, diff.Nearest(name, known), name)
	}
}

func TestWriteTextNeverShowsASecretNorControlCharacters(t *testing.T) {
	t.Parallel()
	r := &state.Resource{Key: key("a/b"), Config: raw(`{"auth":{"token":"CANARY"},"keys":[{"secret":"CANARY"}],"name":"\u001b[31mred\n2\n3","password":{"x":["CANARY"]},"tokens":{"y":{"t":"CANARY"}}}`)}
	schemas := func(string) *diff.Schema { return schema() }
	changes := func(yield func(diff.Change) bool) {
		_ = yield(&diff.Create{Desired: r, Checksum: sum("x")}) &&
			yield(&diff.Update{Recorded: &state.Record{Key: r.Key}, Desired: r, Checksum: sum("y"), Prior: &state.Resource{}, Fields: diff.Fields(nil, r, schema())})
	}
	var b strings.Builder
	require.NoError(t, diff.WriteText(&b, changes, schemas, 0, nil))
	require.NotContains(t, b.String(), "CANARY")
	require.NotContains(t, b.String(), "\x1b")
	require.Contains(t, b.String(), `"\x1b[31mred" … (3 lines)`)
}

func TestWriteTextOfALongTextShowsTheLineThatDiffers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, desired, want string }{
		{`"a\nb\nc"`, `"a\nx\nc"`, `line 2: "b" → "x" (3 lines)`},
		{`"a\nb"`, `"a\nb\nc\n"`, `line 3: (none) → "c" (2 → 3 lines)`},
		{`"a\nb"`, `"a"`, `line 2: "b" → (none) (2 → 1 lines)`},
		{`"a"`, `"b"`, `"a" → "b"`},
		{``, `"a\nb"`, `(none) → "a" … (2 lines)`},
	} {
		update := &diff.Update{
			Recorded: &state.Record{Key: key("a/b")}, Desired: &state.Resource{Key: key("a/b")}, Prior: &state.Resource{},
			Fields: []diff.Field{{Path: "config.x", Old: raw(c.old), New: raw(c.desired)}},
		}
		var b strings.Builder
		require.NoError(t, diff.WriteText(&b, func(yield func(diff.Change) bool) { yield(update) }, nil, 0, nil))
		require.Contains(t, b.String(), "    config.x: "+c.want+"\n")
	}
}
