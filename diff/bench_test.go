package diff_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// BenchmarkFields compares two declarations that differ in one place: of a usual
// resource, in a list of 10,000, and in a text of 10,000 lines.
func BenchmarkFields(b *testing.B) {
	usual := func(image string) json.RawMessage {
		var env []string
		for i := range 20 {
			env = append(env, fmt.Sprintf(`"NAME_%02d":"value %d"`, i, i))
		}
		return raw(`{"env":{` + strings.Join(env, ",") + `},"image":"` + image + `","ports":[{"name":"http","port":80},{"name":"https","port":443}],"region":"eu"}`)
	}
	list := func(first string) json.RawMessage {
		elements := []string{first}
		for i := range 10_000 {
			elements = append(elements, fmt.Sprintf(`{"name":"n%d","value":%d}`, i, i))
		}
		return raw(`{"list":[` + strings.Join(elements, ",") + `]}`)
	}
	b.Run("update", func(b *testing.B) { benchmarkFields(b, usual("a:1"), usual("a:2"), 1) })
	b.Run("list/changed", func(b *testing.B) {
		benchmarkFields(b, list(`{"name":"x","value":1}`), list(`{"name":"x","value":2}`), 1)
	})
	b.Run("list/inserted", func(b *testing.B) {
		benchmarkFields(b, list(`{"name":"x"}`), list(`{"name":"y"},{"name":"x"}`), 1)
	})
	b.Run("list/other", func(b *testing.B) {
		other := raw(strings.ReplaceAll(string(list(`1`)), `:"n`, `:"m`))
		benchmarkFields(b, list(`1`), other, 10_000)
	})
}

func benchmarkFields(b *testing.B, old, desired json.RawMessage, want int) {
	before, now := &state.Resource{Config: old}, &state.Resource{Config: desired}
	b.ReportAllocs()
	for b.Loop() {
		if got := diff.Fields(before, now, nil); len(got) != want {
			b.Fatalf("%d fields", len(got))
		}
	}
}

// BenchmarkLines compares two texts of 10,000 lines of which one in a hundred
// differs.
func BenchmarkLines(b *testing.B) {
	text := func(other string) string {
		var t strings.Builder
		for i := range 10_000 {
			if i%100 == 0 {
				t.WriteString(other)
			}
			fmt.Fprintf(&t, "line %d\n", i)
		}
		return t.String()
	}
	old, desired := text("old "), text("new ")
	b.ReportAllocs()
	for b.Loop() {
		if got := diff.Lines(old, desired); len(got) != 10_100 {
			b.Fatalf("%d lines", len(got))
		}
	}
}

// BenchmarkConceal conceals one value of a usual Config.
func BenchmarkConceal(b *testing.B) {
	digest := func(string, json.RawMessage) json.RawMessage { return raw(`"digest"`) }
	schema := accessSchema()
	b.ReportAllocs()
	for b.Loop() {
		schema.Conceal(raw(access), nil, digest)
	}
}
