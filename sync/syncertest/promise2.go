package syncertest

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	tusync "github.com/trueup-go/trueup/sync"
)

func noChangeNoWork(t *testing.T, s *Suite) {
	store := s.fresh(t)
	declared := s.resources(0, 20, 1)
	first := trueUp(t, s.engine(t, store.open(t), nil), declared, nil)
	for range 3 {
		b := watch(store.open(t))
		result := trueUp(t, s.engine(t, b, nil), declared, nil)
		require.Equal(t, []string{"Head"}, b.take(), "one look at the head, no lease, no write")
		require.Equal(t, first.Head.Token, result.Head.Token)
		require.Equal(t, jsonOf(t, first.Head), jsonOf(t, result.Head))
		require.Equal(t, 20, result.Unchanged)
		require.Empty(t, result.Changes)
	}
	requireDeclared(t, store.open(t), declared)
}

// Identical declarations give identical records, whatever the order of what is
// declared and the size of the batches.
func sameInput(t *testing.T, s *Suite) {
	var want []string
	for turn := range Soak(100) + 1 {
		store := s.fresh(t)
		order := rand.New(rand.NewPCG(1, uint64(turn)))
		e := s.engine(t, store.open(t), &tusync.Options{BatchSize: 1 + order.IntN(10)})
		for _, version := range []int{1, 2} {
			declared := append(s.resources(0, 10, 1), s.resources(10, 20+version, version)...)
			order.Shuffle(len(declared), func(i, j int) { declared[i], declared[j] = declared[j], declared[i] })
			trueUp(t, e, declared, nil)
		}
		got := linesOf(t, collect(t, store.open(t)))
		if turn == 0 {
			want = got
		}
		require.Equal(t, want, got)
	}
}
