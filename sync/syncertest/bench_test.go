package syncertest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// BenchmarkMemoryCommitOne is a commit of one record to a State of 10,000.
func BenchmarkMemoryCommitOne(b *testing.B) {
	shop := state.Scope{Org: "acme", App: "shop"}
	tx, _, err := syncertest.NewMemory(shop).Begin(b.Context(), "a benchmark")
	require.NoError(b, err)
	delta := state.Delta{Head: state.Head{Scope: shop, Serial: 1}}
	for i := range 10_000 {
		delta.Records = append(delta.Records, state.Record{Key: state.Key{Kind: "thing", Name: fmt.Sprintf("n%05d", i)}, ID: "id"})
	}
	delta.Head, err = state.Seal(delta.Head, delta.Records)
	require.NoError(b, err)
	_, err = tx.Commit(b.Context(), delta)
	require.NoError(b, err)
	for b.Loop() {
		delta.Head.Serial++
		if _, err := tx.Commit(b.Context(), state.Delta{Head: delta.Head, Records: delta.Records[:1]}); err != nil {
			b.Fatal(err)
		}
	}
}
