package diff_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
)

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
		{Path: "keys.*", Problem: "want text, found a number"},
		{Path: "keys.*", Problem: "want text, found true or false"},
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

// What is inside a sensitive field is a part of the secret: so are the names that
// the schema doesn't know.
func TestNormalizeNeverShowsWhatIsInsideASecret(t *testing.T) {
	t.Parallel()
	text := diff.Value{Type: diff.Text}
	login := diff.Value{Type: diff.Object, Object: &diff.Schema{Fields: []diff.SchemaField{
		{Name: "pin", Value: diff.Value{Type: diff.Int}, Required: true}, {Name: "user", Value: text},
	}}}
	schema := &diff.Schema{Fields: []diff.SchemaField{
		{Name: "list", Value: diff.Value{Type: diff.List, Elem: &login}, Sensitive: true},
		{Name: "login", Value: login, Sensitive: true},
		{Name: "logins", Value: diff.Value{Type: diff.Map, Elem: &login}, Sensitive: true},
	}}
	_, mistakes := schema.Normalize(raw(`{
		"list":[{"CANARY":1,"pin":4711}],
		"login":{"CANARY":4711,"pin":4711.5,"usr":true,"user":4711},
		"logins":{"CANARY":{"CANARY":1,"user":true}}}`))
	var got []string
	for _, m := range mistakes {
		got = append(got, m.Error())
	}
	require.Equal(t, []string{
		`list[0].*: unknown field`,
		`login.*: unknown field`,
		`login.pin: want a whole number, found a number`,
		`login.user: want text, found a number`,
		`login.*: unknown field; did you mean "user"?`,
		`logins.*.*: unknown field`,
		`logins.*.user: want text, found true or false`,
		`logins.*.pin: is required`,
	}, got)
}

func TestNormalizeLiveTakesWhatAServerSays(t *testing.T) {
	t.Parallel()
	schema := &diff.Schema{Fields: []diff.SchemaField{
		{Name: "name", Value: diff.Value{Type: diff.Text}, Required: true},
		{Name: "size", Value: diff.Value{Type: diff.Int}, Default: json.RawMessage("1")},
		{Name: "zone", Value: diff.Value{Type: diff.Text}, Default: json.RawMessage(`""`)},
	}}
	config, mistakes := schema.NormalizeLive(json.RawMessage(`{"zone":"","size":1,"etag":"x"}`))
	require.Empty(t, mistakes)
	require.Equal(t, "{}", string(config))
	config, mistakes = schema.NormalizeLive(json.RawMessage(`{"name":"","size":2}`))
	require.Empty(t, mistakes)
	require.Equal(t, `{"name":"","size":2}`, string(config))
	_, mistakes = schema.NormalizeLive(json.RawMessage(`{"size":"2"}`))
	require.Len(t, mistakes, 1, "of the wrong type is a mistake of the observer's")
}

// What has no canonical form can't be searched for what is sensitive in it: nothing
// of it is quoted.
func TestNormalizeQuotesNothingOfASecretThatCantBeRead(t *testing.T) {
	t.Parallel()
	secret := &diff.Schema{Fields: []diff.SchemaField{{Name: "pin", Value: diff.Value{Type: diff.Any}, Sensitive: true}}}
	for config, want := range map[string]string{
		`{"pin":{"hunter2":1,"hunter2":2}}`: `byte 32: the member "…" stands twice`,
		`{"pin":12345e99999999999}`:         "byte 7: the number … is out of range",
		`{"pin":hunter2}`:                   "byte 7: unexpected 'h'",
		`{pin:1}`:                           "byte 1: want a member's name in quotes",
	} {
		_, mistakes := secret.Normalize(json.RawMessage(config))
		require.Len(t, mistakes, 1)
		require.Equal(t, want, mistakes[0].Problem)
	}
}
