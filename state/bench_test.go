package state_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/trueup-go/trueup/state"
)

func manyRecords(n int) *state.State {
	s := &state.State{Head: state.Head{Scope: state.Scope{Org: "acme", App: "shop"}, Serial: 1}}
	for i := range n {
		name := fmt.Sprintf("n%07d", i)
		s.Records = append(s.Records, state.Record{
			Key: state.Key{Kind: "server", Name: name}, Type: "vm", ID: state.DeriveID("r", name), ConfigID: state.DeriveID("c", name),
			Checksum: state.Sum([]byte(name)), After: []state.Key{{Kind: "network", Name: "main"}},
		})
	}
	return s
}

func BenchmarkEncodeState(b *testing.B) {
	s := manyRecords(10_000)
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		if err := s.Encode(&out); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(out.Len()))
	}
}

func BenchmarkDecodeState(b *testing.B) {
	var out bytes.Buffer
	if err := manyRecords(10_000).Encode(&out); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(out.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := state.Decode(bytes.NewReader(out.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
