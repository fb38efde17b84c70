package state_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

func key(text string) state.Key {
	kind, name, _ := strings.Cut(text, "/")
	return state.Key{Kind: kind, Name: name}
}

func sample() *state.State {
	return &state.State{
		Head: state.Head{
			Version: state.DefaultStateVersion, Scope: state.Scope{Org: "acme", App: "shop"}, Serial: 7, ConfigID: "cfg",
			Kinds: map[string]int{"server": 2}, Revision: "abc", By: "ann", When: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		},
		Records: []state.Record{
			{Key: key("network/<main>"), Type: "vpc", ID: "n1", ConfigID: "c1", Checksum: state.Sum([]byte("1"))},
			{Key: key("server/old"), ID: "s0", Orphaned: true, Protected: true, Replaced: "s-1"},
			{
				Key: key("server/web \"1\""), ID: "s1", ConfigID: "c2", Checksum: state.Sum([]byte("2")),
				After:   []state.Key{key("network/<main>")},
				Pending: []state.Pending{{Op: "update", Serial: 6, Checksum: state.Sum([]byte("3")), Attempts: 2, Error: "boom"}},
			},
		},
	}
}

func encode(t *testing.T, s *state.State) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, s.Encode(&b))
	return b.String()
}

func TestStateRoundTrip(t *testing.T) {
	t.Parallel()
	text := encode(t, sample())
	require.True(t, json.Valid([]byte(text)), text)
	got, err := state.Decode(strings.NewReader(text))
	require.NoError(t, err)
	require.Equal(t, 3, got.Head.Records)
	require.Equal(t, 1, got.Head.Orphans)
	require.Equal(t, 2, got.Head.Pending)
	require.False(t, got.Root.IsZero())
	require.Empty(t, cmp.Diff(sample(), got, cmp.Comparer(func(a, b state.Checksum) bool { return a == b }),
		cmpopts.IgnoreFields(state.Head{}, "Root", "Declared", "Records", "Orphans", "Pending")))
	require.Equal(t, text, encode(t, got))
}

func TestStateMayBeFormattedAnew(t *testing.T) {
	t.Parallel()
	text := encode(t, sample())
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, []byte(text), "", "\t"))
	got, err := state.Decode(&indented)
	require.NoError(t, err)
	require.Equal(t, text, encode(t, got))
}

func TestStateThatWasChangedNamesTheRecord(t *testing.T) {
	t.Parallel()
	text := encode(t, sample())
	for from, to := range map[string]string{
		`"id":"s1"`:          `"id":"s2"`,
		`"orphaned":true,`:   ``,
		`"type":"vpc"`:       `"type":"vpn"`,
		`"attempts":2`:       `"attempts":3`,
		`["network/<main>"]`: `["server/old"]`,
	} {
		require.Contains(t, text, from)
		_, err := state.Decode(strings.NewReader(strings.Replace(text, from, to, 1)))
		var bad *state.ChecksumError
		require.ErrorAs(t, err, &bad, from)
		require.False(t, bad.Key.IsZero())
		require.ErrorContains(t, err, "the record of "+bad.Key.String()+" doesn't fit its checksum")
		require.ErrorContains(t, err, "restore it from a copy")
	}
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.Contains(line, `"key":"server/old"`) {
			lines[i] = ""
		}
	}
	_, err := state.Decode(strings.NewReader(strings.Join(lines, "")))
	require.ErrorContains(t, err, "records are missing or too many")
	_, err = state.Decode(strings.NewReader(strings.Replace(text, `"orphans": 1`, `"orphans": 0`, 1)))
	require.ErrorContains(t, err, "the head counts")
	_, err = state.Decode(strings.NewReader(strings.Replace(text, `"declared": "sha256:`+sealed(t).Declared.Hex(), `"declared": "sha256:`+state.Sum(nil).Hex(), 1)))
	require.ErrorContains(t, err, "don't fit its root")
}

func sealed(t *testing.T) state.Head {
	head, err := state.Seal(state.Head{}, sample().Records)
	require.NoError(t, err)
	return head
}

func TestStateOfAnotherVersion(t *testing.T) {
	t.Parallel()
	text := encode(t, sample())
	_, err := state.Decode(strings.NewReader(strings.Replace(text, `"version": "v1"`, `"version": "v2"`, 1)))
	require.ErrorIs(t, err, state.ErrNewerVersion)
	require.ErrorContains(t, err, `a State of version "v2"; this program reads up to "v1"`)
	// An older one is upgraded: v0 has neither sums nor roots nor counts.
	old := `{"version":"v0","scope":{"org":"acme","app":"shop"},"serial":3,"config_id":"c","records":[{"record":{"key":"server/web","id":"s1"}}]}`
	got, err := state.Decode(strings.NewReader(old))
	require.NoError(t, err)
	require.Equal(t, "v1", got.Version)
	require.Equal(t, int64(3), got.Serial)
	require.Equal(t, 1, got.Head.Records)
	require.False(t, got.Root.IsZero())
	_, err = state.Decode(strings.NewReader(encode(t, got)))
	require.NoError(t, err)
}

func TestStateThatIsBroken(t *testing.T) {
	t.Parallel()
	text := encode(t, sample())
	for cut := range len(text) - 2 {
		_, err := state.Decode(strings.NewReader(text[:cut]))
		require.Error(t, err, "cut at %d", cut)
	}
	for from, to := range map[string]string{
		`"serial": 7`:        `"serial": -7`,
		`"org": "acme"`:      `"org": ""`,
		`"config_id": "cfg"`: `"config_idd": "cfg"`,
		`"version": "v1",`:   ``,
		`"id":"n1"`:          `"idd":"n1"`,
		`"serial": 7,`:       `"serial": 7, "serial": 8,`,
		`"records": [`:       `"recordz": [`,
	} {
		require.Contains(t, text, from)
		_, err := state.Decode(strings.NewReader(strings.Replace(text, from, to, 1)))
		require.ErrorContains(t, err, "decode a State", to)
	}
	for _, more := range []string{text, "{}", "x", "]"} {
		_, err := state.Decode(strings.NewReader(text + more))
		require.ErrorContains(t, err, "decode a State", more)
	}
	swapped := sample()
	swapped.Records[0], swapped.Records[1] = swapped.Records[1], swapped.Records[0]
	require.ErrorContains(t, swapped.Encode(&bytes.Buffer{}), "not in key order")
}

func TestDeltaLeadsFromOneStateToTheNext(t *testing.T) {
	t.Parallel()
	base := sample().Records
	web := base[2]
	web.ID = "s2"
	added := state.Record{Key: key("zone/a"), ID: "z"}
	first := state.Record{Key: key("a/first"), ID: "f"}
	after := []state.Record{first, base[0], web, added}
	head, err := state.Seal(state.Head{Scope: sample().Scope, Serial: 8}, after)
	require.NoError(t, err)
	delta := state.Delta{
		Head: head, Records: []state.Record{first, web, added}, Dropped: []state.Key{key("server/old")},
		Declared: []state.Resource{{Key: key("zone/a"), Config: json.RawMessage(`{"x":1}`)}},
	}
	raw, err := json.Marshal(delta)
	require.NoError(t, err)
	var read state.Delta
	require.NoError(t, json.Unmarshal(raw, &read))
	require.Empty(t, cmp.Diff(delta, read, cmp.Comparer(func(a, b state.Checksum) bool { return a == b })))
	got, err := read.Apply(base)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(after, got, cmp.Comparer(func(a, b state.Checksum) bool { return a == b })))
	_, err = read.Apply(base[:2])
	require.NoError(t, err, "what is replaced need not be there")
	_, err = read.Apply(base[1:])
	var bad *state.ChecksumError
	require.ErrorAs(t, err, &bad)
}

func TestEqualDeclarationsAreEqualBytes(t *testing.T) {
	t.Parallel()
	a := state.Resource{
		Key: key("server/web"), Tags: []string{"b", "a", "b"}, After: []state.Key{key("server/db"), key("network/main")},
		Refs: []state.Ref{{Path: "b", To: key("a/b")}, {Path: "a", To: key("a/b")}}, Config: json.RawMessage(`{"b":1.0,"a":[]}`),
	}
	b := state.Resource{
		Key: key("server/web"), Tags: []string{"a", "b"}, After: []state.Key{key("network/main"), key("server/db"), key("network/main")},
		Refs: []state.Ref{{Path: "a", To: key("a/b")}, {Path: "b", To: key("a/b")}}, Config: json.RawMessage(` {"a": [], "b":1}`),
	}
	require.Equal(t, checksum(t, a), checksum(t, b))
	require.Equal(t, []state.Key{key("a/b"), key("network/main"), key("server/db")}, a.Edges())
	require.Equal(t, []string{"b", "a", "b"}, a.Tags, "the caller's slices stay as they are")
	for name, change := range map[string]func(*state.Resource){
		"kind": func(r *state.Resource) { r.Kind = "servers" }, "name": func(r *state.Resource) { r.Name = "we" },
		"type": func(r *state.Resource) { r.Type = "x" }, "description": func(r *state.Resource) { r.Description = "x" },
		"tags": func(r *state.Resource) { r.Tags = []string{"ab"} }, "after": func(r *state.Resource) { r.After = nil },
		"refs": func(r *state.Resource) { r.Refs = nil }, "deploy": func(r *state.Resource) { r.Deploy = true },
		"config": func(r *state.Resource) { r.Config = json.RawMessage(`{"a":[],"b":2}`) },
	} {
		changed := b
		change(&changed)
		require.NotEqual(t, checksum(t, a), checksum(t, changed), name)
	}
}

func TestAResourceComesBackCanonical(t *testing.T) {
	t.Parallel()
	var r state.Resource
	require.NoError(t, json.Unmarshal([]byte(`{"key":"a/b","config":{"b": "\u003c", "a": 1.0}}`), &r))
	require.Equal(t, `{"a":1,"b":"<"}`, string(r.Config))
	require.ErrorContains(t, json.Unmarshal([]byte(`{"key":"a/b","config":{"a":1,"a":2}}`), &r), "stands twice")
}

func TestNoFieldBoundaryCollision(t *testing.T) {
	t.Parallel()
	resource := func(config string) state.Resource {
		return state.Resource{Key: key("a/b"), Config: json.RawMessage(config)}
	}
	require.NotEqual(t, checksum(t, resource(`{"A":"1b:2","B":"3"}`)), checksum(t, resource(`{"A":"1","B":"2b:3"}`)))
	require.NotEqual(t, state.DeriveID("a", "bc"), state.DeriveID("ab", "c"))
	require.NotEqual(t, state.DeriveID("a"), state.DeriveID("a", ""))
	require.Equal(t, state.DeriveID("a", "b"), state.DeriveID("a", "b"))
	require.Regexp(t, `^[a-z][a-z2-7]{25}$`, state.DeriveID("x"))
}

func checksum(t *testing.T, r state.Resource) state.Checksum {
	sum, err := r.Checksum()
	require.NoError(t, err)
	return sum
}

// FuzzDecode holds: whatever is read, no panic; and what is taken as whole is
// written and read again the same.
func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := sample().Encode(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"version":"v0","scope":{"org":"a","app":"b"},"serial":0,"config_id":"","records":[{"record":{"key":"a/b"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := state.Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := s.Encode(&first); err != nil {
			t.Fatalf("can't be written again: %v", err)
		}
		again, err := state.Decode(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("can't be read again: %v\n%s", err, first.Bytes())
		}
		if err := again.Encode(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("differs when written again: %v", err)
		}
	})
}

// FuzzDelta is FuzzDecode for the entries of a journal.
func FuzzDelta(f *testing.F) {
	raw, err := json.Marshal(state.Delta{Head: sample().Head, Records: sample().Records, Dropped: []state.Key{key("a/b")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, data []byte) {
		var d state.Delta
		if json.Unmarshal(data, &d) != nil {
			return
		}
		first, err := json.Marshal(d)
		if err != nil {
			return // a config that has no canonical form
		}
		var again state.Delta
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("can't be read again: %v\n%s", err, first)
		}
		second, err := json.Marshal(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("differs when written again: %v\n%s\n%s", err, first, second)
		}
	})
}

func BenchmarkChecksum(b *testing.B) {
	r := state.Resource{Key: key("server/web"), Config: config(1024)}
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Checksum(); err != nil {
			b.Fatal(err)
		}
	}
}

// config makes a canonical Config of ten fields and about n bytes.
func config(n int) json.RawMessage {
	random := rand.New(rand.NewPCG(1, 2))
	fields := map[string]any{}
	for i := range 10 {
		var text strings.Builder
		for range n/10 - 16 {
			text.WriteByte("abcdefghijklmnop"[random.IntN(16)])
		}
		fields["field_"+string(rune('a'+i))] = text.String()
	}
	raw, err := state.AppendCanonical(nil, fields)
	if err != nil {
		panic(err)
	}
	return raw
}
