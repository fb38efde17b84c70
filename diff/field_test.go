package diff_test

import (
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
