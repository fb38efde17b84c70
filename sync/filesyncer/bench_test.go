package filesyncer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// sizes are how many resources benchmarks have; with -short not the most.
func sizes() []int {
	if testing.Short() {
		return []int{1_000, 10_000}
	}
	return []int{1_000, 10_000, 100_000}
}

// many is a State of n resources of about 1 KiB, as the delta that makes it.
func many(b *testing.B, n int) state.Delta {
	b.Helper()
	var delta state.Delta
	filler := strings.Repeat("0123456789abcdef", 56)
	for i := range n {
		name := fmt.Sprintf("n%07d", i)
		r := state.Resource{
			Key: key(name), Type: "vm", After: []state.Key{{Kind: "network", Name: "main"}},
			Config: fmt.Appendf(nil, `{"name":%q,"text":%q}`, name, filler),
		}
		sum, err := r.Checksum()
		require.NoError(b, err)
		delta.Declared = append(delta.Declared, r)
		delta.Records = append(delta.Records, state.Record{
			Key: r.Key, Type: r.Type, ID: state.DeriveID(name), ConfigID: state.DeriveID("config", name), Checksum: sum, After: r.After,
		})
	}
	head, err := state.Seal(state.Head{Scope: scope(), Serial: 1, ConfigID: "first"}, delta.Records)
	require.NoError(b, err)
	delta.Head = head
	return delta
}

// stored is a directory with a State of n resources.
func stored(b *testing.B, n int) (*filesyncer.Backend, state.Delta) {
	b.Helper()
	delta := many(b, n)
	backend := open(b, newDir(b))
	tx, _, err := backend.Begin(b.Context(), "a benchmark")
	require.NoError(b, err)
	_, err = tx.Commit(b.Context(), delta)
	require.NoError(b, err)
	require.NoError(b, tx.Close(b.Context()))
	return backend, delta
}

func BenchmarkFirstCommit(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			delta := many(b, n)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				tx, _, err := open(b, newDir(b)).Begin(b.Context(), "a benchmark")
				require.NoError(b, err)
				b.StartTimer()
				if _, err := tx.Commit(b.Context(), delta); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				require.NoError(b, tx.Close(b.Context()))
				b.StartTimer()
			}
		})
	}
}

// BenchmarkCommitOfOnePercent is a whole transaction: lease, commit, close.
func BenchmarkCommitOfOnePercent(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			backend, delta := stored(b, n)
			records := delta.Records
			b.ReportAllocs()
			for turn := 0; b.Loop(); turn++ {
				b.StopTimer()
				change := state.Delta{Head: delta.Head}
				change.Head.Serial += int64(turn) + 1
				for i := turn % 100; i < n; i += 100 {
					r := delta.Declared[i]
					r.Config = fmt.Appendf(nil, `{"turn":%d,"text":%q}`, turn, strings.Repeat("0123456789abcdef", 56))
					sum, err := r.Checksum()
					require.NoError(b, err)
					records[i].Checksum = sum
					change.Records, change.Declared = append(change.Records, records[i]), append(change.Declared, r)
				}
				var err error
				change.Head, err = state.Seal(change.Head, records)
				require.NoError(b, err)
				b.StartTimer()
				tx, _, err := backend.Begin(b.Context(), "a benchmark")
				if err != nil {
					b.Fatal(err)
				}
				if _, err := tx.Commit(b.Context(), change); err != nil {
					b.Fatal(err)
				}
				if err := tx.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCommitOne is a commit of one changed record, one of many in a
// transaction: as the engine records what it intends, and what came of it.
func BenchmarkCommitOne(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			backend, delta := stored(b, n)
			tx, _, err := backend.Begin(b.Context(), "a benchmark")
			require.NoError(b, err)
			changes := changesOfOne(b, delta)
			_, err = tx.Commit(b.Context(), changes()) // the first reads the State
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				change := changes()
				b.StartTimer()
				if _, err := tx.Commit(b.Context(), change); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, tx.Close(b.Context()))
		})
	}
}

// changesOfOne returns a function that makes one delta after the other, each of
// which changes one record of a State.
func changesOfOne(b *testing.B, first state.Delta) func() state.Delta {
	b.Helper()
	head, records := first.Head, first.Records
	var tally state.Tally
	swap := func(was state.Part, r *state.Record) {
		is, err := r.Part()
		require.NoError(b, err)
		tally.Swap(was, is)
	}
	for i := range records {
		swap(state.Part{}, &records[i])
	}
	return func() state.Delta {
		r := &records[int(head.Serial)*7919%len(records)]
		was, err := r.Part()
		require.NoError(b, err)
		head.Serial++
		r.Checksum = state.Sum(fmt.Append(nil, head.Serial))
		swap(was, r)
		head = tally.Seal(head)
		return state.Delta{Head: head, Records: []state.Record{*r}}
	}
}

func BenchmarkHead(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			backend, _ := stored(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := backend.Head(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRecords(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			backend, _ := stored(b, n)
			b.ReportAllocs()
			for b.Loop() {
				count := 0
				for _, err := range backend.Records(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
					count++
				}
				if count != n {
					b.Fatal(count)
				}
			}
		})
	}
}

// BenchmarkDeclared is 100 declarations, asked for by a process that has just
// started, and by one that asked before.
func BenchmarkDeclared(b *testing.B) {
	for _, n := range sizes() {
		backend, delta := stored(b, n)
		var sums []state.Checksum
		for i := 0; i < n; i += n / 100 {
			sums = append(sums, delta.Records[i].Checksum)
		}
		b.Run(fmt.Sprint("first/", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if found, err := open(b, backend.Dir()).Declared(b.Context(), sums); err != nil || len(found) != 100 {
					b.Fatal(len(found), err)
				}
			}
		})
		b.Run(fmt.Sprint("again/", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if found, err := backend.Declared(b.Context(), sums); err != nil || len(found) != 100 {
					b.Fatal(len(found), err)
				}
			}
		})
	}
}

// BenchmarkHistory is the heads of a thousand States.
func BenchmarkHistory(b *testing.B) {
	backend, first := stored(b, 1_000)
	commitMany(b, backend, first, 1_000)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range backend.History(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 1_001 {
			b.Fatal(n)
		}
	}
}

// BenchmarkStateAt is an earlier State, 500 commits ago.
func BenchmarkStateAt(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			backend, first := stored(b, n)
			commitMany(b, backend, first, 1_000)
			b.ReportAllocs()
			for b.Loop() {
				_, records, err := backend.StateAt(b.Context(), 500)
				if err != nil {
					b.Fatal(err)
				}
				count := 0
				for _, err := range records {
					if err != nil {
						b.Fatal(err)
					}
					count++
				}
				if count != n {
					b.Fatal(count)
				}
			}
		})
	}
}

// commitMany commits a number of times in one Tx, a changed record each time.
func commitMany(b *testing.B, backend *filesyncer.Backend, first state.Delta, n int) {
	b.Helper()
	tx, _, err := backend.Begin(b.Context(), "a benchmark")
	require.NoError(b, err)
	changes := changesOfOne(b, first)
	for range n {
		_, err := tx.Commit(b.Context(), changes())
		require.NoError(b, err)
	}
	require.NoError(b, tx.Close(b.Context()))
}
