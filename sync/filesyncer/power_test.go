package filesyncer_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// When the power fails, at any point, what was committed is there, with its
// declarations; and the next writer goes on from there.
func TestPowerFails(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*filesyncer.Options{"Journal": nil, "TinyJournal": {CompactBytes: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for turn := range syncertest.Soak(40) {
				failPower(t, opts, rand.New(rand.NewPCG(uint64(turn), 1)))
			}
		})
	}
}

// failPower runs a writer, and lets the power fail at some of its steps.
func failPower(t *testing.T, opts *filesyncer.Options, random *rand.Rand) {
	t.Helper()
	dir := newDir(t)
	b, disk, err := filesyncer.NewOnPowerDisk(dir, scope(), opts)
	require.NoError(t, err)
	var committed []string
	underway := ""
	losses := 0
	disk.Step = func() {
		if random.IntN(8) > 0 {
			return
		}
		losses++
		left := newDir(t)
		require.NoError(t, disk.Lose(random, left))
		all := names(t, left)
		if before := after(committed); !slices.Equal(before, all) {
			require.NotEmpty(t, underway)
			require.Equal(t, after(append(slices.Clone(committed), underway)), all)
		}
		requireWhole(t, left)
		write(t, open(t, left), "z")
		require.Equal(t, append(all, "z"), names(t, left))
		requireWhole(t, left)
	}
	old := []string{"p", "q", "a", "b", "-a", "c", "-p", "d", "-d"}
	for len(old) > 0 {
		w, err := begin(t.Context(), b)
		require.NoError(t, err)
		for range min(len(old), 1+random.IntN(3)) {
			underway, old = old[0], old[1:]
			require.NoError(t, w.commit(t.Context(), underway))
			committed, underway = append(committed, underway), ""
		}
		require.NoError(t, w.tx.Close(t.Context()), fmt.Sprint(committed))
	}
	disk.Step()
}
