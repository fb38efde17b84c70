package filesyncer_test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// A commit waits for the disk once; once more if it brings declarations.
func TestCommitWaitsForTheDiskOnce(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	syncs := 0
	b, err := filesyncer.NewStepping(dir, scope(), nil, func(op, _ string) error {
		if op == "before sync" {
			syncs++
		}
		return nil
	})
	require.NoError(t, err)
	w, err := begin(t.Context(), b)
	require.NoError(t, err)
	require.NoError(t, w.commit(t.Context(), "one")) // it makes the journal
	for names, want := range map[string]int{"one": 1, "-one": 1, "new": 2} {
		syncs = 0
		require.NoError(t, w.commit(t.Context(), names))
		require.Equal(t, want, syncs, names)
	}
	require.NoError(t, w.tx.Close(t.Context()))
}

// A fold that fails is not tried again at each commit: the journal takes them
// meanwhile. When the disk is well again, it is folded.
func TestFailedFoldIsNotTriedAgainAtEachCommit(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	tries, failing := 0, true
	b, err := filesyncer.NewStepping(dir, scope(), &filesyncer.Options{CompactBytes: 1}, func(op, path string) error {
		if op == "before create" && filepath.Base(path) == "state.json" {
			if tries++; failing {
				return syscall.ENOSPC
			}
		}
		return nil
	})
	require.NoError(t, err)
	w, err := begin(t.Context(), b)
	require.NoError(t, err)
	for i := range 100 {
		require.NoError(t, w.commit(t.Context(), fmt.Sprint("n", i%3)))
	}
	require.LessOrEqual(t, tries, 8)
	failing = false
	require.NoError(t, w.tx.Close(t.Context()))
	require.NoFileExists(t, filepath.Join(dir, "journal.jsonl"))
	require.Equal(t, []string{"n0", "n1", "n2", "old1", "old2"}, names(t, dir))
}

// A declaration that pending work alone names is not garbage.
func TestGarbageIsNotWhatIsPending(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	b := openWith(t, dir, &filesyncer.Options{History: -1})
	write(t, b, "a", "b", "c", "d")
	w, err := begin(t.Context(), b)
	require.NoError(t, err)
	intended := resource("a")
	intended.Description = "what it is to be"
	sum, err := intended.Checksum()
	require.NoError(t, err)
	record := w.records[0]
	record.Pending = []state.Pending{{Op: "update", Serial: 5, Checksum: sum}}
	delta, err := next(w.head, w.records)
	require.NoError(t, err)
	delta.Records, delta.Declared = []state.Record{record}, []state.Resource{intended}
	w.records[0] = record
	delta.Head, err = state.Seal(delta.Head, w.records)
	require.NoError(t, err)
	w.head, err = w.tx.Commit(t.Context(), delta)
	require.NoError(t, err)
	require.NoError(t, w.commit(t.Context(), "-b", "-c", "-d"))
	require.NoError(t, w.tx.Close(t.Context()))

	found, err := open(t, dir).Declared(t.Context(), []state.Checksum{sum, sumOf(t, "a"), sumOf(t, "b")})
	require.NoError(t, err)
	require.Contains(t, found, sum)
	require.Contains(t, found, sumOf(t, "a"))
	require.NotContains(t, found, sumOf(t, "b"), "the file was written anew")
}

// A commit that the disk refused leaves nothing in what is kept in memory: another
// one may take its place.
func TestRefusedCommitLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	failing := false
	b, err := filesyncer.NewStepping(dir, scope(), nil, func(op, path string) error {
		if failing && op == "before write" && filepath.Base(path) == "journal.jsonl" {
			return syscall.ENOSPC
		}
		return nil
	})
	require.NoError(t, err)
	w, err := begin(t.Context(), b)
	require.NoError(t, err)
	for _, refused := range []string{"one", "-old1"} {
		failing = true
		require.ErrorIs(t, w.commit(t.Context(), refused), syscall.ENOSPC)
		failing = false
		require.NoError(t, w.commit(t.Context(), "instead of "+refused))
	}
	require.NoError(t, w.tx.Close(t.Context()))
	require.Equal(t, []string{"instead of -old1", "instead of one", "old1", "old2"}, names(t, dir))
}
