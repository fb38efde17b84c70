package diff_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

func driftSchema() *diff.Schema {
	text, number := diff.Value{Type: diff.Text}, diff.Value{Type: diff.Int}
	options := diff.Value{Type: diff.Object, Object: &diff.Schema{Fields: []diff.SchemaField{
		{Name: "level", Value: number, Default: raw("0")},
		{Name: "mode", Value: text, Default: raw(`"strict"`)},
		{Name: "secret", Value: text, Sensitive: true},
	}}}
	return &diff.Schema{Fields: []diff.SchemaField{
		{Name: "count", Value: number, Default: raw("2")},
		{Name: "env", Value: diff.Value{Type: diff.Map, Elem: &text}},
		{Name: "hidden", Value: text, Sensitive: true, Default: raw(`"x"`)},
		{Name: "image", Value: text, Default: raw(`""`)},
		{Name: "key", Value: options, Default: raw(`{}`), Sensitive: true},
		{Name: "list", Value: diff.Value{Type: diff.List, Elem: &text}},
		{Name: "maybe", Value: options},
		{Name: "options", Value: options, Default: raw(`{}`)},
		{Name: "replicas", Value: number, Unmanaged: true},
		{Name: "token", Value: text, Sensitive: true, Default: raw(`""`)},
	}}
}

func drifted(recorded, live string) []string {
	var got []string
	for _, f := range diff.Drift(&state.Resource{Config: raw(recorded)}, raw(live), driftSchema()) {
		text := fmt.Sprintf("%s: %s, live %s", f.Path, f.Old, f.Live)
		if f.Sensitive {
			text = fmt.Sprintf("%s is sensitive%s%s%s", f.Path, f.Old, f.New, f.Live)
		}
		if f.Default != nil {
			text += ", default " + string(f.Default)
		}
		if !f.Drifted || string(f.Old) != string(f.New) {
			text += " (not drift)"
		}
		got = append(got, text)
	}
	return got
}

func TestDrift(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, recorded, live string
		want                 []string
	}{
		{"none", `{"image":"a"}`, `{"image":"a"}`, nil},
		{"a value", `{"image":"a"}`, `{"image":"b"}`, []string{`config.image: "a", live "b", default ""`}},
		{"a value gone", `{"image":"a"}`, `{}`, []string{`config.image: "a", live , default ""`}},
		{"the server's default", `{}`, `{"image":"b","list":["x"],"env":{"a":"b"},"maybe":{"mode":"lax"},"unknown":1}`, nil},
		{"a default of ours", ``, `{"count":3}`, []string{`config.count: , live 3, default 2`}},
		{"a default of ours as it is", `{}`, `{"count":2}`, nil},
		{"a default of ours inside", `{}`, `{"options":{"level":5,"mode":"lax","secret":"s"}}`, []string{`config.options.mode: , live "lax", default "strict"`}},
		{"a server's default inside", `{"options":{"mode":"lax"}}`, `{"options":{"level":5,"mode":"lax","other":1}}`, nil},
		{"an object gone", `{"options":{"level":5,"secret":"s"}}`, `{}`, []string{`config.options.level: 5, live , default 0`}},
		{"an object that is none", `{}`, `{"options":"text"}`, nil},
		{"a name of the user's more", `{"env":{"a":"b"}}`, `{"env":{"a":"b","c":"d"}}`, []string{`config.env.c: , live "d"`}},
		{"a name of the user's less", `{"env":{"a":"b"}}`, `{"env":{}}`, []string{`config.env.a: "b", live `}},
		{"the first name", `{"env":{}}`, `{"env":{"c":"d"}}`, []string{`config.env.c: , live "d"`}},
		{"an element more", `{"list":["a","b"]}`, `{"list":["x","a","b"]}`, []string{`config.list[0]: , live "x"`}},
		{"an element less", `{"list":["a","b"]}`, `{"list":["b"]}`, []string{`config.list[0]: "a", live `}},
		{"an element changed behind one more", `{"list":["a","b","c"]}`, `{"list":["x","a","y","c"]}`,
			[]string{`config.list[0]: , live "x"`, `config.list[1]: "b", live "y"`}},
		{"a secret", `{"token":"d1"}`, `{"token":"d2"}`, []string{`config.token is sensitive`}},
		{"a secret that isn't told", `{"maybe":{"secret":"d"},"token":"d1"}`, `{"maybe":{}}`, nil},
		{"a secret that wasn't recorded", `{}`, `{"hidden":"d","key":{"mode":"CANARY"},"token":"d"}`, []string{`config.hidden is sensitive`}},
		{"what is unmanaged", `{}`, `{"replicas":5}`, nil},
		{"what was recorded and is unmanaged now", `{"replicas":4}`, `{"replicas":5}`, nil},
		{"text where an object was", `{"maybe":{"mode":"lax"}}`, `{"maybe":"x"}`, []string{`config.maybe.mode: "lax", live , default "strict"`, `config.maybe: , live "x"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, drifted(c.recorded, c.live))
		})
	}
}

func TestDriftOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	require.Empty(t, diff.Drift(nil, raw(`{"a":1}`), nil))
	require.Empty(t, diff.Drift(&state.Resource{Config: raw(`{"a":1}`)}, nil, nil))
	recorded := &state.Resource{Config: raw(`{"a":1,"b":{"c":1}}`), Unmanaged: []string{"a", "b.d"}}
	changed := &state.Resource{Config: raw(`{"env":{"a":"b"}}`), Unmanaged: []string{"env.c"}}
	require.Empty(t, diff.Drift(changed, raw(`{"env":{"a":"b","c":"d"}}`), driftSchema()))
	added := diff.Drift(&state.Resource{Config: raw(`{"a":[{"b":1}]}`)}, raw(`{"a":[{"b":1},{"b":2}]}`), nil)
	require.Equal(t, []diff.Field{{Path: "config.a[1].b", Live: raw("2"), Drifted: true}}, added)
	require.Equal(t, []diff.Field{{Path: "config.b.c", Old: raw("1"), New: raw("1"), Live: raw("2"), Drifted: true}},
		diff.Drift(recorded, raw(`{"a":2,"b":{"c":2,"d":5},"e":1}`), nil))
}

func TestMergeDrift(t *testing.T) {
	t.Parallel()
	edit := []diff.Field{
		{Path: "config.image", Old: raw(`"a"`), New: raw(`"b"`)},
		{Path: "config.list[2]", New: raw(`"x"`)},
		{Path: "config.list[10]", Old: raw(`"z"`)},
		{Path: "config.token", Sensitive: true},
		{Path: "type", New: raw(`"t"`)},
	}
	drift := []diff.Field{
		{Path: "config.count", Old: raw("1"), New: raw("1"), Live: raw("2"), Drifted: true},
		{Path: "config.image", Old: raw(`"a"`), New: raw(`"a"`), Live: raw(`"c"`), Drifted: true},
		{Path: "config.list[2]", Old: raw(`"q"`), New: raw(`"q"`), Drifted: true},
		{Path: "config.list[9]", Old: raw(`"q"`), New: raw(`"q"`), Drifted: true},
		{Path: "config.token", Sensitive: true, Drifted: true},
	}
	got := diff.MergeDrift(edit, drift)
	require.Equal(t, []diff.Field{
		drift[0],
		{Path: "config.image", Old: raw(`"a"`), New: raw(`"b"`), Live: raw(`"c"`), Drifted: true},
		edit[1], drift[2], drift[3], edit[2],
		{Path: "config.token", Sensitive: true, Drifted: true},
		edit[4],
	}, got)
	diff.MergeDrift(edit, drift[1:2])
	require.False(t, edit[0].Drifted, "the edit is as it was")
	require.Equal(t, edit, diff.MergeDrift(edit, nil))
	require.Equal(t, drift, diff.MergeDrift(nil, drift))
}

// FuzzDrift holds: a thing that is as it was recorded hasn't drifted, every Field
// is drift, and nothing that is sensitive or unmanaged is in one.
func FuzzDrift(f *testing.F) {
	f.Add([]byte(`{"count":1,"env":{"a":"b"},"list":["x"],"options":{"mode":"lax"},"token":"t"}`), []byte(`{"env":{},"list":["y","x"],"replicas":1,"token":"u"}`))
	f.Add([]byte(`{"options":[1]}`), []byte(`{"options":{"secret":[]},"list":[[{}]]}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		recorded, err := state.Canonical(a)
		if err != nil || recorded[0] != '{' {
			return
		}
		live, err := state.Canonical(b)
		if err != nil || live[0] != '{' {
			return
		}
		schema, thing := driftSchema(), &state.Resource{Config: recorded}
		require.Empty(t, diff.Drift(thing, recorded, schema))
		for _, field := range diff.Drift(thing, live, schema) {
			require.True(t, field.Drifted)
			require.Equal(t, field.Old, field.New)
			require.NotEqual(t, "config.replicas", field.Path)
			sensitive := field.Path == "config.token" || field.Path == "config.hidden"
			require.True(t, field.Sensitive || !sensitive, field.Path)
			if field.Sensitive {
				require.Equal(t, diff.Field{Path: field.Path, Sensitive: true, Drifted: true}, field)
			}
		}
		merged := diff.MergeDrift(diff.Fields(nil, thing, schema), diff.Drift(thing, live, schema))
		again := diff.MergeDrift(diff.Fields(nil, thing, schema), diff.Drift(thing, live, schema))
		require.Equal(t, merged, again)
	})
}

func TestFieldsOfWhatIsNewInAResource(t *testing.T) {
	t.Parallel()
	old := &state.Resource{
		Refs:   []state.Ref{{Path: "c", To: key("net/a")}, {Path: "a.b", To: key("net/a")}, {Path: "same", To: key("net/a")}},
		Config: raw(`{"a":1,"replicas":3}`), Unmanaged: []string{"old"},
	}
	desired := &state.Resource{
		Refs:   []state.Ref{{Path: "same", To: key("net/a")}, {Path: "c", To: key("net/b")}, {Path: "d[0]", To: key("net/a")}},
		Config: raw(`{"a":2,"b":{}}`), Unmanaged: []string{"a", "b.c"}, Protected: true,
	}
	var got []string
	for _, f := range diff.Fields(old, desired, driftSchema()) {
		got = append(got, fmt.Sprintf("%s: %s -> %s", f.Path, f.Old, f.New))
	}
	require.Equal(t, []string{
		`config.b:  -> {}`, `protected:  -> true`, `refs."a.b": "net/a" -> `, `refs.c: "net/a" -> "net/b"`, `refs."d[0]":  -> "net/a"`,
		`unmanaged: "old" -> `, `unmanaged:  -> "a"`, `unmanaged:  -> "b.c"`,
	}, got)
}

// What becomes managed again has a value that is to be put in place.
func TestFieldsOfWhatIsNoLongerUnmanaged(t *testing.T) {
	t.Parallel()
	old := &state.Resource{Config: raw(`{"a":1}`), Unmanaged: []string{"a"}}
	desired := &state.Resource{Config: raw(`{"a":2}`)}
	require.Equal(t, []diff.Field{
		{Path: "config.a", New: raw("2")}, {Path: "unmanaged", Old: json.RawMessage(`"a"`)},
	}, diff.Fields(old, desired, nil))
}
