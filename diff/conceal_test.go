package diff_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// accessSchema has sensitive and unmanaged fields and references wherever they
// can be.
func accessSchema() *diff.Schema {
	text := diff.Value{Type: diff.Text}
	network := diff.Value{Type: diff.Text, Ref: "network"}
	user := diff.Value{Type: diff.Object, Object: &diff.Schema{Fields: []diff.SchemaField{
		{Name: "name", Value: text}, {Name: "network", Value: network},
		{Name: "password", Value: text, Sensitive: true}, {Name: "seen", Value: text, Unmanaged: true},
	}}}
	return &diff.Schema{Fields: []diff.SchemaField{
		{Name: "any", Value: diff.Value{Type: diff.Any}},
		{Name: "login", Value: diff.Value{Type: diff.Object, Object: &diff.Schema{Fields: []diff.SchemaField{
			{Name: "count", Value: diff.Value{Type: diff.Int}, Unmanaged: true}, {Name: "pin", Value: text, Sensitive: true},
		}}}, Sensitive: true},
		{Name: "name", Value: text},
		{Name: "network", Value: network},
		{Name: "networks", Value: diff.Value{Type: diff.List, Elem: &network}},
		{Name: "owner", Value: user, Default: raw(`{}`)},
		{Name: "peers", Value: diff.Value{Type: diff.Map, Elem: &network}},
		{Name: "replicas", Value: diff.Value{Type: diff.Int}, Unmanaged: true},
		{Name: "teams", Value: diff.Value{Type: diff.Map, Elem: &diff.Value{Type: diff.List, Elem: &user}}},
		{Name: "users", Value: diff.Value{Type: diff.List, Elem: &user}},
	}}
}

const access = `{"any":{"password":"p0"},"login":{"count":7,"pin":"p1"},"name":"n","network":"main",` +
	`"networks":["a","","b"],"owner":{"name":"o","network":"side","password":"p2","seen":"s"},"peers":{"x":"c","y.z":"d"},"replicas":3,` +
	`"teams":{"red":[{"password":"p3"}],"sky blue":[{"name":"t"},{"network":"far","password":"p4"}]},"users":[{"name":"u","password":"p5"},{"seen":"s"}]}`

// byPath stands for a digest: it says what it was asked for.
func byPath(path string, value json.RawMessage) json.RawMessage {
	digest, err := state.AppendCanonical(nil, path+" of "+string(value))
	if err != nil {
		return nil
	}
	return digest
}

func TestConceal(t *testing.T) {
	t.Parallel()
	require.NoError(t, accessSchema().Validate())
	for _, c := range []struct {
		name, config, want string
		unmanaged          []string
	}{
		{
			"everything", access,
			`{"any":{"password":"p0"},"login":"login of {\"pin\":\"p1\"}","name":"n","network":"main",` +
				`"networks":["a","","b"],"owner":{"name":"o","network":"side","password":"owner.password of \"p2\""},"peers":{"x":"c","y.z":"d"},` +
				`"teams":{"red":[{"password":"teams.password of \"p3\""}],"sky blue":[{"name":"t"},{"network":"far","password":"teams.password of \"p4\""}]},` +
				`"users":[{"name":"u","password":"users.password of \"p5\""},{}]}`, nil,
		},
		{"what is absent stays absent", `{"name":"n","users":[{"name":"u"}]}`, `{"name":"n","users":[{"name":"u"}]}`, nil},
		{"a path", `{"any":{"a":1,"b":2},"name":"n"}`, `{"any":{"b":2}}`, []string{"any.a", "name"}},
		{"a path into a map", `{"peers":{"x":"c","y.z":"d"}}`, `{"peers":{"x":"c"}}`, []string{`peers."y.z"`}},
		{"an element keeps its place", `{"networks":["a","b","c"]}`, `{"networks":["a",null,"c"]}`, []string{"networks[1]", "networks[9]"}},
		{"a path within a secret", `{"login":{"pin":"p","x":1}}`, `{"login":"login of {\"pin\":\"p\"}"}`, []string{"login.x"}},
		{"a path to a secret", `{"login":{"pin":"p"},"name":"n"}`, `{"name":"n"}`, []string{"login"}},
		{"what isn't a path", `{"name":"n"}`, `{"name":"n"}`, []string{"", ".", "name.", "nam", "name[0]", `"name"`}},
		{"only unmanaged is as if it weren't there", `{"owner":{"seen":"s"}}`, `{}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, string(accessSchema().Conceal(raw(c.config), c.unmanaged, byPath)))
		})
	}
}

func TestConcealWithoutASchema(t *testing.T) {
	t.Parallel()
	var none *diff.Schema
	require.Equal(t, access, string(none.Conceal(raw(access), nil, byPath)))
	require.JSONEq(t, `{"a":{"c":2}}`, string(none.Conceal(raw(`{"a":{"b":1,"c":2}}`), []string{"a.b"}, byPath)))
	require.Empty(t, none.Refs(raw(access)))
	require.False(t, none.HasSensitive() || none.HasUnmanaged() || none.HasRefs())
}

func TestASecretThatOnlyMovesKeepsItsDigest(t *testing.T) {
	t.Parallel()
	before := accessSchema().Conceal(raw(`{"teams":{"a":[{"password":"p"}]}}`), nil, byPath)
	after := accessSchema().Conceal(raw(`{"teams":{"b":[{},{"password":"p"}]}}`), nil, byPath)
	was, _ := diff.Lookup(before, "teams.a[0].password")
	is, _ := diff.Lookup(after, "teams.b[1].password")
	require.Equal(t, string(was), string(is))
}

func TestWhatHasNothingToConcealCostsNothing(t *testing.T) {
	text := diff.Value{Type: diff.Text}
	object := diff.Value{Type: diff.Object, Object: &diff.Schema{Fields: []diff.SchemaField{{Name: "b", Value: text}}}}
	plain := &diff.Schema{Fields: []diff.SchemaField{{Name: "a", Value: text}, {Name: "o", Value: object}}}
	config := raw(`{"a":"x","o":{"b":"y"}}`)
	allocations := testing.AllocsPerRun(100, func() {
		if out := plain.Conceal(config, nil, byPath); &out[0] != &config[0] {
			t.Error("it was copied")
		}
		if plain.Refs(config) != nil || plain.HasSensitive() {
			t.Error("found something")
		}
	})
	require.Zero(t, allocations)
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	var got []string
	for path, value := range accessSchema().Secrets(raw(access)) {
		there, ok := diff.Lookup(raw(access), path)
		require.True(t, ok)
		require.Equal(t, value, there)
		got = append(got, path+" "+string(value))
	}
	require.Equal(t, []string{
		`login {"count":7,"pin":"p1"}`, `owner.password "p2"`, `teams.red[0].password "p3"`,
		`teams."sky blue"[1].password "p4"`, `users[0].password "p5"`,
	}, got)
	for path := range accessSchema().Secrets(raw(access)) {
		require.Equal(t, "login", path)
		break // and no more
	}
}

func TestRefs(t *testing.T) {
	t.Parallel()
	var got []string
	for _, ref := range accessSchema().Refs(raw(access)) {
		got = append(got, ref.Path+" "+ref.To.String())
	}
	require.Equal(t, []string{
		"network network/main", "networks[0] network/a", "networks[2] network/b", "owner.network network/side",
		`peers."y.z" network/d`, "peers.x network/c", `teams."sky blue"[1].network network/far`,
	}, got)
}

func TestHas(t *testing.T) {
	t.Parallel()
	require.True(t, accessSchema().HasSensitive())
	require.True(t, accessSchema().HasUnmanaged())
	require.True(t, accessSchema().HasRefs())
	require.False(t, (&diff.Schema{Fields: []diff.SchemaField{{Name: "a", Value: diff.Value{Type: diff.Text}}}}).HasRefs())
}

func TestSubstitute(t *testing.T) {
	t.Parallel()
	const config = `{"a":{"b":[1,{"c":"x"}],"d e":2},"f":3}`
	for _, c := range []struct {
		name, want string
		values     map[string]json.RawMessage
	}{
		{"nothing", config, nil},
		{"one", `{"a":{"b":[1,{"c":"id-1"}],"d e":2},"f":3}`, map[string]json.RawMessage{"a.b[1].c": raw(`"id-1"`)}},
		{"several", `{"a":{"b":[[],{"c":"x"}],"d e":{}},"f":3}`, map[string]json.RawMessage{"a.b[0]": raw(`[]`), `a."d e"`: raw(`{}`)}},
		{"to remove", `{"a":{"b":[null,{}]},"f":3}`, map[string]json.RawMessage{"a.b[0]": nil, "a.b[1].c": nil, `a."d e"`: nil}},
		{"to nowhere", config, map[string]json.RawMessage{"a.b[2]": raw("1"), "a.b[01]": raw("1"), "a.x": raw("1"), "f.g": raw("1"), "": raw("1"), "a[0]": raw("1"), "a..b": raw("1"), `a."d\u0020e"`: raw("1")}},
		{"one below the other", `{"a":9,"f":3}`, map[string]json.RawMessage{"a": raw("9"), "a.b": raw("1")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, string(diff.Substitute(raw(config), c.values)))
			require.Equal(t, `{"a":{"b":[1,{"c":"x"}],"d e":2},"f":3}`, config)
		})
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	const config = `{"":1,"a":{"b":[1,{"c":"x"}],"d\"e":2}}`
	for path, want := range map[string]string{
		"a.b[1].c": `"x"`, "a.b[0]": "1", `a."d\"e"`: "2", `""`: "1", "a.b": `[1,{"c":"x"}]`,
	} {
		got, ok := diff.Lookup(raw(config), path)
		require.True(t, ok, path)
		require.Equal(t, want, string(got))
	}
	for _, path := range []string{"", "b", "a.b[2]", "a.b[-1]", "a.b[+1]", "a.b[1", "a.b[]", "a.", ".a", "a b", `a."b"`, `"a`, "`a`", "'a'", "a[0]", "a.b.c"} {
		_, ok := diff.Lookup(raw(config), path)
		require.False(t, ok, path)
	}
}

// FuzzConceal holds: what comes out is canonical, is the same whatever the
// secrets are, and has nothing where something is unmanaged.
func FuzzConceal(f *testing.F) {
	f.Add([]byte(access), "any.password")
	f.Add([]byte(`{"login":[{"pin":1}],"owner":{"seen":1},"users":[[{"password":{}}]]}`), "users[0]")
	f.Fuzz(func(t *testing.T, data []byte, unmanaged string) {
		config, err := state.Canonical(data)
		if err != nil || config[0] != '{' {
			return
		}
		const canary = `"CANARY"`
		digest := func(string, json.RawMessage) json.RawMessage { return raw(`"digest"`) }
		paths, others := []string{unmanaged}, map[string]json.RawMessage{}
		for path := range accessSchema().Secrets(config) {
			others[path] = raw(canary)
		}
		got := accessSchema().Conceal(config, paths, digest)
		requireCanonical(t, got)
		require.Equal(t, string(got), string(accessSchema().Conceal(diff.Substitute(config, others), paths, digest)))
		if left, ok := diff.Lookup(got, unmanaged); ok {
			require.Equal(t, "null", string(left))
		}
		for path, value := range accessSchema().Secrets(got) {
			require.Equal(t, `"digest"`, string(value), path)
		}
	})
}

// FuzzSubstitute holds: what comes out is canonical, and the value is where it
// was put.
func FuzzSubstitute(f *testing.F) {
	f.Add([]byte(access), "users[0].password", []byte(`{"a":1}`))
	f.Add([]byte(`{"a b":{"\u0000":[1]}}`), `"a b"."\x00"[0]`, []byte(`null`))
	f.Add([]byte(`{"é":1}`), `"é"`, []byte(`1`))
	f.Fuzz(func(t *testing.T, data []byte, path string, replacement []byte) {
		config, err := state.Canonical(data)
		if err != nil {
			return
		}
		value, err := state.Canonical(replacement)
		if err != nil {
			return
		}
		_, there := diff.Lookup(config, path)
		got := diff.Substitute(config, map[string]json.RawMessage{path: value})
		requireCanonical(t, got)
		now, ok := diff.Lookup(got, path)
		require.Equal(t, there, ok)
		if !there {
			require.Equal(t, string(config), string(got))
			return
		}
		require.Equal(t, string(value), string(now))
		removed := diff.Substitute(config, map[string]json.RawMessage{path: nil})
		requireCanonical(t, removed)
		if left, ok := diff.Lookup(removed, path); ok {
			require.Equal(t, "null", string(left))
		}
	})
}

// FuzzLookup holds: every value has the path that Member and Index build.
func FuzzLookup(f *testing.F) {
	f.Add([]byte(access))
	f.Add([]byte(`{"":{"a.b":[[1]],"\u001b\"":2,"é":3,"😀":4}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := state.Canonical(data)
		if err != nil {
			return
		}
		everyPath("", config, func(path string, value json.RawMessage) {
			got, ok := diff.Lookup(config, path)
			require.True(t, ok, path)
			require.Equal(t, string(value), string(got), path)
		})
	})
}

func everyPath(path string, value json.RawMessage, visit func(string, json.RawMessage)) {
	if path != "" {
		visit(path, value)
	}
	for name, member := range state.Members(value) {
		everyPath(diff.Member(path, string(name)), member, visit)
	}
	i := 0
	for element := range state.Elements(value) {
		everyPath(diff.Index(path, i), element, visit)
		i++
	}
}

func requireCanonical(t *testing.T, value json.RawMessage) {
	t.Helper()
	canonical, err := state.Canonical(value)
	require.NoError(t, err)
	require.Equal(t, string(canonical), string(value))
}
