package diff_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// serverSchema has one field of every sort that text and JSON treat differently.
func serverSchema() *diff.Schema {
	text := diff.Value{Type: diff.Text}
	return &diff.Schema{Fields: []diff.SchemaField{
		{Name: "image", Value: text},
		{Name: "region", Value: text, Immutable: true, Default: raw(`"eu"`)},
		{Name: "script", Value: text},
		{Name: "token", Value: text, Sensitive: true},
		{Name: "type", Value: text},
	}}
}

// everyChange is one of each, and each in the variants that are shown
// differently.
func everyChange() []diff.Change {
	schema := serverSchema()
	server := func(name, config string) *state.Resource {
		return &state.Resource{Key: key("server/" + name), Type: "vm", Config: raw(config)}
	}
	record := func(name string) *state.Record {
		return &state.Record{Key: key("server/" + name), Type: "vm", ID: "s-" + name, Checksum: sum(name)}
	}
	target := func(r *state.Resource) diff.Target {
		return diff.Target{Desired: r, Checksum: sum(string(r.Config))}
	}
	orphaned, interrupted := record("back"), record("again")
	orphaned.Orphaned = true
	interrupted.ID, interrupted.Pending = "", []state.Pending{{Op: "create", Serial: 3}}

	web, moved, us := server("web", `{"image":"a:1","script":"one\ntwo\nthree\n","token":"1"}`), server("new", `{}`), server("us", `{"image":"a:2","region":"us"}`)
	edited := server("web", `{"image":"a:2","script":"one\n2\nthree\n","token":"2","type":"x"}`)
	edited.Protected, edited.Tags = true, []string{"blue"}
	drifted := server("drifted", `{"image":"a:1","region":"us","token":"1"}`)
	drift := diff.Drift(drifted, raw(`{"image":"a:9","token":"9"}`), schema)
	wanted := server("drifted", `{"image":"a:2","region":"us","token":"1"}`)
	return []diff.Change{
		&diff.Create{Target: target(server("fresh", `{"image":"a:1","token":"1"}`))},
		&diff.Create{Target: target(server("again", `{"image":"a:1"}`)), ID: "s-again", Recorded: interrupted},
		&diff.Create{Target: target(us), Recorded: record("us"), Replaces: true, Fields: diff.Fields(server("us", `{"image":"a:1"}`), us, schema)},
		&diff.Delete{Recorded: record("us"), Replaced: true},
		&diff.Delete{Recorded: record("follower"), Replaced: true},
		&diff.Create{Target: target(server("follower", `{}`)), Recorded: record("follower"), Replaces: true, Reasons: []string{"network/main is replaced"}},
		&diff.Create{Target: target(server("reasons", `{}`)), Recorded: record("reasons"), Replaces: true, Reasons: []string{"network/main is replaced", "network/side is replaced"}},
		&diff.Update{Target: target(edited), Recorded: record("web"), Prior: web, Fields: diff.Fields(web, edited, schema)},
		&diff.Update{Target: target(moved), Recorded: record("old"), Prior: server("old", `{}`)},
		&diff.Update{Target: target(server("back", `{}`)), Recorded: orphaned},
		&diff.Update{Target: target(wanted), Recorded: record("drifted"), Prior: drifted, Fields: diff.MergeDrift(diff.Fields(drifted, wanted, schema), drift)},
		&diff.Update{Target: target(server("refers", `{}`)), Recorded: record("refers"), Prior: server("refers", `{}`), Reasons: []string{"network/main has a new ID"}},
		&diff.Adopt{Target: target(server("found", `{"image":"a:2"}`)), ID: "s-found", Fields: []diff.Field{{Path: "config.image", Old: raw(`"a:1"`), New: raw(`"a:2"`)}}},
		&diff.Delete{Recorded: record("gone")},
		&diff.Delete{Recorded: record("leftover"), Replaced: true},
		&diff.Orphan{Recorded: record("orphan")},
		&diff.Forget{Recorded: record("forgotten")},
		&diff.Deploy{Target: target(us), Reasons: []string{"it was changed"}},
		&diff.Deploy{Target: target(web), Recorded: record("web"), Reasons: []string{"it was changed", "it is degraded: exited with code 1"}},
		diff.NoOp{Recorded: record("same")},
	}
}

func show(t *testing.T, opts *diff.TextOptions, changes ...diff.Change) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, diff.WriteText(&b, slices.Values(changes), func(string) *diff.Schema { return serverSchema() }, 0, opts))
	return b.String()
}

func TestWriteTextOfEveryChange(t *testing.T) {
	t.Parallel()
	golden(t, "text.golden", show(t, nil, everyChange()...))
	golden(t, "text_brief.golden", show(t, &diff.TextOptions{Brief: true}, everyChange()...))
	golden(t, "text_color.golden", strings.ReplaceAll(show(t, &diff.TextOptions{Color: true}, everyChange()...), "\x1b", "␛"))
}

func TestJSONOfEveryChange(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, change := range everyChange() {
		line, err := json.Marshal(diff.JSONOf(change, func(string) *diff.Schema { return serverSchema() }))
		require.NoError(t, err)
		b.Write(append(line, '\n'))
	}
	golden(t, "json.golden", b.String())
}

func TestWriteTextNeverShowsASecretNorControlCharacters(t *testing.T) {
	t.Parallel()
	r := &state.Resource{Key: key("a/b"), Config: raw(`{"auth":{"token":"CANARY"},"keys":[{"secret":"CANARY"}],"name":"\u001b[31mred\n2\n3","password":{"x":["CANARY"]},"tokens":{"y":{"t":"CANARY"}}}`)}
	schemas := func(string) *diff.Schema { return schema() }
	changes := func(yield func(diff.Change) bool) {
		_ = yield(&diff.Create{Target: diff.Target{Desired: r, Checksum: sum("x")}}) &&
			yield(&diff.Update{Recorded: &state.Record{Key: r.Key}, Target: diff.Target{Desired: r, Checksum: sum("y")}, Prior: &state.Resource{}, Fields: diff.Fields(nil, r, schema())})
	}
	var b strings.Builder
	require.NoError(t, diff.WriteText(&b, changes, schemas, 0, nil))
	require.NotContains(t, b.String(), "CANARY")
	require.NotContains(t, b.String(), "\x1b")
	require.Contains(t, b.String(), `"\x1b[31mred" … (3 lines)`)
}

// Whatever a change holds, nothing of it steers the terminal: neither a colour
// nor a line of its own, nor an override of the direction.
func TestWriteTextEscapesEverything(t *testing.T) {
	t.Parallel()
	const evil = "\x1b[2J\u202e\u0085x\r\x9b"
	asJSON, err := json.Marshal("a\n" + evil)
	require.NoError(t, err)
	field := func(path string, old, desired json.RawMessage) diff.Field {
		return diff.Field{Path: path, Old: old, New: desired}
	}
	fields := []diff.Field{
		field("config.x"+evil, asJSON, raw(`"b"`)),
		field("config.y", raw(`"a"`), asJSON),
		{Path: "config.z", Live: json.RawMessage("{\"\u202e\":1}"), Drifted: true, Default: asJSON},
	}
	r := &state.Resource{Key: state.Key{Kind: "a", Name: evil}, Type: evil}
	record := &state.Record{Key: state.Key{Kind: "b", Name: evil}, Type: evil, ID: evil}
	target, reasons := diff.Target{Desired: r}, []string{evil}
	got := show(t, nil,
		&diff.Create{Target: target, Reasons: reasons},
		&diff.Create{Target: target, Replaces: true, Recorded: record, Fields: fields, Reasons: reasons},
		&diff.Update{Target: target, Recorded: record, Fields: fields, Reasons: reasons},
		&diff.Adopt{Target: target, ID: evil, Fields: fields},
		&diff.Delete{Recorded: record}, &diff.Orphan{Recorded: record}, &diff.Forget{Recorded: record},
		&diff.Deploy{Target: target, Reasons: reasons},
	)
	require.True(t, utf8.ValidString(got))
	require.NotRegexp(t, "[\\x00-\\x09\\x0b-\\x1f\\x7f\u0080-\u009f\u202e]", got)
}

func TestWriteTextShowsWhichLinesDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, desired, want string }{
		{`"a\nb\nc"`, `"a\nx\nc"`, `
    x: 3 lines
      a
    - b
    + x
      c
`},
		{`"a\nb"`, `"a\nb\nc\n"`, `
    x: 2 → 3 lines
      a
    - b (no line end)
    + b
    + c
`},
		{`"a\nb"`, `"a\nc"`, `
    x: 2 lines
      a
    - b
    + c
`},
		{`"1\n2\n3\n4\n5\n6\n7\n8\n9\n"`, `"1\n2\n3\n4\n5\n6\n\tseven\u0007\n8\n9\n"`, `
    x: 9 lines
      … 4 lines
      5
      6
    - 7
    + 	seven\a
      8
      9
`},
		{`"a"`, `"b"`, `
    x: "a" → "b"
`},
		{``, `"a\nb"`, `
    x: (none) → "a" … (2 lines)
`},
		{`null`, `"a\nb"`, `
    x: null → "a" … (2 lines)
`},
	} {
		got := show(t, nil, updateOf(diff.Field{Path: "config.x", Old: raw(c.old), New: raw(c.desired)}))
		require.Equal(t, "~ a/b"+c.want+"Plan: 1 to update, 0 unchanged.\n", got)
	}
}

func TestWriteTextIsBounded(t *testing.T) {
	t.Parallel()
	long, err := json.Marshal(strings.Repeat(strings.Repeat("y", 1_000)+"\n", 10_000))
	require.NoError(t, err)
	got := show(t, nil, updateOf(diff.Field{Path: "config.x", Old: raw(`"x\n"`), New: long}))
	require.Less(t, len(got), 5_000)
	require.Contains(t, got, "… 9961 lines\n")
	digits := json.RawMessage(strings.Repeat("7", 10_000))
	require.Less(t, len(show(t, nil, updateOf(diff.Field{Path: "config.x", Old: digits}))), 200)
}

// Of two long texts that begin alike, the beginning tells nothing.
func TestWriteTextShowsWhereLongTextsDiffer(t *testing.T) {
	t.Parallel()
	same := strings.Repeat("ä", 100)
	got := show(t, &diff.TextOptions{MaxWidth: 9}, updateOf(diff.Field{Path: "config.x", Old: raw(`"` + same + `old"`), New: raw(`"` + same + `new"`)}))
	require.Contains(t, got, `x: … "äääold" → … "ääänew"`)
}

// Without "config." a field could be taken for what every resource has.
func TestWriteTextKeepsConfigWhereItTellsSomething(t *testing.T) {
	t.Parallel()
	got := show(t, nil, updateOf(
		diff.Field{Path: "config.tags[0]", New: raw("1")}, diff.Field{Path: "config.type.x", New: raw("1")},
		diff.Field{Path: "config.typed", New: raw("1")}, diff.Field{Path: "type", New: raw("1")},
	))
	for _, path := range []string{"config.tags[0]", "config.type.x", "typed", "type"} {
		require.Contains(t, got, "\n    "+path+": (none) → 1\n")
	}
}

func updateOf(fields ...diff.Field) *diff.Update {
	return &diff.Update{
		Recorded: &state.Record{Key: key("a/b")}, Target: diff.Target{Desired: &state.Resource{Key: key("a/b")}},
		Prior: &state.Resource{}, Fields: fields,
	}
}
