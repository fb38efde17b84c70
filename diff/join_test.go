package diff_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

func key(text string) state.Key {
	kind, name, _ := strings.Cut(text, "/")
	return state.Key{Kind: kind, Name: name}
}

func sum(text string) state.Checksum { return state.Sum([]byte(text)) }

// declare makes a declaration of "kind/name=content" or
// "kind/name=content>edge>edge".
func declare(texts ...string) []diff.Declared {
	var declared []diff.Declared
	for _, text := range texts {
		parts := strings.Split(text, ">")
		name, content, _ := strings.Cut(parts[0], "=")
		r := &state.Resource{Key: key(name)}
		for _, edge := range parts[1:] {
			r.After = append(r.After, key(edge))
		}
		declared = append(declared, diff.Declared{Resource: r, Checksum: sum(content), Edges: r.Edges()})
	}
	return declared
}

func recordsOf(texts ...string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		for _, d := range declare(texts...) {
			name, orphaned := strings.CutPrefix(d.Resource.Name, "!")
			r := state.Record{Key: state.Key{Kind: d.Resource.Kind, Name: name}, Checksum: d.Checksum, After: d.Edges, Orphaned: orphaned}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func join(t *testing.T, declared []diff.Declared, recorded iter.Seq2[state.Record, error]) []string {
	var got []string
	for change, err := range diff.Join(slices.Values(declared), recorded) {
		require.NoError(t, err)
		got = append(got, fmt.Sprintf("%s %s", change.Op(), change.Key()))
	}
	return got
}

func TestJoin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		declared, recorded, want []string
	}{
		"nothing":                   {nil, nil, nil},
		"all new":                   {[]string{"a/1=x", "b/1=x"}, nil, []string{"create a/1", "create b/1"}},
		"all gone":                  {nil, []string{"a/1=x", "b/1=x"}, []string{"orphan a/1", "orphan b/1"}},
		"unchanged":                 {[]string{"a/1=x"}, []string{"a/1=x"}, []string{"no-op a/1"}},
		"changed":                   {[]string{"a/1=y"}, []string{"a/1=x"}, []string{"update a/1"}},
		"an edge more":              {[]string{"a/1=x>b/1"}, []string{"a/1=x"}, []string{"update a/1"}},
		"the last edge gone":        {[]string{"a/1=x"}, []string{"a/1=x>b/1"}, []string{"update a/1"}},
		"an orphan stays one":       {nil, []string{"a/!1=x"}, []string{"no-op a/1"}},
		"an orphan, declared again": {[]string{"a/1=x"}, []string{"a/!1=x"}, []string{"update a/1"}},
		"interleaved": {
			[]string{"a/1=x", "a/3=y", "b/2=x"},
			[]string{"a/0=x", "a/1=x", "a/2=x", "a/3=x", "c/1=x"},
			[]string{"orphan a/0", "no-op a/1", "orphan a/2", "update a/3", "create b/2", "orphan c/1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, join(t, declare(c.declared...), recordsOf(c.recorded...)))
		})
	}
}

func TestJoinRefusesDisorder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ declared, recorded []string }{
		"the resources a/2 and a/1": {[]string{"a/2=x", "a/1=x"}, []string{"b/1=x"}},
		"the resources a/1 and a/1": {[]string{"a/1=x", "a/1=x"}, nil},
		"the records a/2 and a/1":   {nil, []string{"a/2=x", "a/1=x"}},
	} {
		var last error
		for _, err := range diff.Join(slices.Values(declare(c.declared...)), recordsOf(c.recorded...)) {
			last = err
		}
		require.ErrorContains(t, last, name+" are not in key order")
	}
}

func TestJoinPassesErrorsOnAndStopsWhenAsked(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	failing := func(yield func(state.Record, error) bool) {
		if yield(state.Record{Key: key("a/1")}, nil) {
			yield(state.Record{}, broken)
		}
	}
	var last error
	for _, err := range diff.Join(slices.Values(declare()), failing) {
		last = err
	}
	require.ErrorIs(t, last, broken)
	for change, err := range diff.Join(slices.Values(declare("a/1=x", "a/2=x")), recordsOf("a/1=x", "b/1=x")) {
		require.NoError(t, err)
		require.Equal(t, key("a/1"), change.Key())
		break
	}
}

func TestJoinAllocatesNothingPerUnchangedRecord(t *testing.T) {
	cost := func(n int) float64 {
		declared := many(n)
		records := make([]state.Record, n)
		for i, d := range declared {
			records[i] = state.Record{Key: d.Resource.Key, ID: "x", Checksum: d.Checksum, After: d.Edges}
		}
		return testing.AllocsPerRun(5, func() {
			for change, err := range diff.Join(slices.Values(declared), seq(records)) {
				if err != nil || change.Op() != diff.OpNoOp {
					t.Fatal(change, err)
				}
			}
		})
	}
	require.Equal(t, cost(10), cost(10_000))
}

func many(n int) []diff.Declared {
	declared := make([]diff.Declared, n)
	for i := range declared {
		r := &state.Resource{Key: state.Key{Kind: "server", Name: fmt.Sprintf("s%07d", i)}}
		if i > 0 {
			r.After = []state.Key{declared[i-1].Resource.Key}
		}
		declared[i] = diff.Declared{Resource: r, Checksum: sum(r.Name), Edges: r.After}
	}
	return declared
}

func seq(records []state.Record) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		for i := range records {
			if !yield(records[i], nil) {
				return
			}
		}
	}
}

func BenchmarkJoinUnchanged(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			declared := many(n)
			records := make([]state.Record, n)
			for i, d := range declared {
				records[i] = state.Record{Key: d.Resource.Key, ID: "x", Checksum: d.Checksum, After: d.Edges}
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range diff.Join(slices.Values(declared), seq(records)) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func raw(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
