package state_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// A delta whose head tells another State than it makes would be written, and
// never be read again.
func TestDeltaMustFitItsHead(t *testing.T) {
	t.Parallel()
	records := manyRecords(3).Records
	records[1].Orphaned = true
	head, err := state.Seal(state.Head{Scope: state.Scope{Org: "acme", App: "shop"}, Serial: 1}, records)
	require.NoError(t, err)
	whole := state.Delta{Head: head, Records: records}
	_, err = whole.Apply(nil)
	require.NoError(t, err)

	other := state.Sum([]byte("another"))
	for name, spoil := range map[string]func(*state.Head){
		"root":     func(h *state.Head) { h.Root = other },
		"declared": func(h *state.Head) { h.Declared = other },
		"count":    func(h *state.Head) { h.Records++ },
		"orphans":  func(h *state.Head) { h.Orphans++ },
		"pending":  func(h *state.Head) { h.Pending++ },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spoilt := whole
			spoil(&spoilt.Head)
			_, err := spoilt.Apply(nil)
			require.Error(t, err)
		})
	}
}

func TestDeltaComesBackFromAnyLayout(t *testing.T) {
	t.Parallel()
	records := manyRecords(2).Records
	records[1].Pending = []state.Pending{{Op: "create", Serial: 1, Error: "a < b & \"c\""}}
	delta := state.Delta{
		Head:     state.Head{Version: "v1", Scope: state.Scope{Org: "acme", App: "a<b>&c"}, Serial: 2, By: "<ada>"},
		Records:  records,
		Dropped:  []state.Key{{Kind: "server", Name: "ünï \"x\""}, {Kind: "server", Name: "z"}},
		Declared: []state.Resource{{Key: state.Key{Kind: "server", Name: "<web>"}, Config: []byte(`{"a":"<&>"}`)}},
	}
	same := cmp.Comparer(func(a, b state.Checksum) bool { return a == b })
	tight, err := delta.AppendJSON([]byte("x"))
	require.NoError(t, err)
	loose := append([]byte(" {\n"), tight[2:]...)
	for _, text := range [][]byte{tight[1:], loose} {
		var back state.Delta
		require.NoError(t, back.UnmarshalJSON(text))
		require.Empty(t, cmp.Diff(delta, back, same))
	}
}

func BenchmarkDelta(b *testing.B) {
	s := manyRecords(10_000)
	s.Version = state.DefaultStateVersion
	delta := state.Delta{Head: s.Head, Records: s.Records}
	text, err := delta.MarshalJSON()
	require.NoError(b, err)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := delta.MarshalJSON(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var back state.Delta
			if err := back.UnmarshalJSON(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPart(b *testing.B) {
	records := manyRecords(100).Records
	b.ReportAllocs()
	for b.Loop() {
		for i := range records {
			if _, err := records[i].Part(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
