package filesyncer_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// fat is the nth of names that make commits of about 80 KB and a State of 60 KB,
// if each takes the place of the one before.
func fat(n int) string { return fmt.Sprintf("%04d", n) + strings.Repeat("x", 20_000) }

// writeFat commits fat names, a Tx each.
func writeFat(t testing.TB, b *filesyncer.Backend, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		w, err := begin(t.Context(), b)
		require.NoError(t, err)
		require.NoError(t, w.commit(t.Context(), fat(n), "-"+fat(n-1)))
		require.NoError(t, w.tx.Close(t.Context()))
	}
}

// serials are those that History tells of, and the error that it ends with.
func serials(t testing.TB, b *filesyncer.Backend) (all []int64, err error) {
	t.Helper()
	for head, err := range b.History(t.Context()) {
		if err != nil {
			return all, err
		}
		all = append(all, head.Serial)
	}
	return all, nil
}

// down are the serials from one to another.
func down(from, to int64) (all []int64) {
	for ; from >= to; from-- {
		all = append(all, from)
	}
	return all
}

// historyFiles are those in a directory's history, with their sizes.
func historyFiles(t testing.TB, dir string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	entries, err := os.ReadDir(filepath.Join(dir, "history"))
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		all[e.Name()] = info.Size()
	}
	return all
}

// As many earlier States are kept as is asked for; the files of what came before
// them go.
func TestHistoryKeepsWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	b := openWith(t, dir, &filesyncer.Options{History: 5})
	for present := int64(1); present <= 30; present++ {
		writeFat(t, b, int(present), int(present)+1)
		got, err := serials(t, b)
		require.NoError(t, err)
		require.Equal(t, down(present, max(1, present-5)), got)
		for _, gone := range []int64{present - 6, present - 20} {
			_, _, err := b.StateAt(t.Context(), gone)
			require.ErrorIs(t, err, sync.ErrNoState)
		}
		_, records := stateAt(t, b, max(1, present-5))
		require.Equal(t, fat(int(max(1, present-5))), records[0].Name)
	}
	var size int64
	for _, file := range historyFiles(t, dir) {
		size += file
	}
	require.Less(t, size, int64(5*80_000+3*(256<<10)), "%v", historyFiles(t, dir))
	require.Equal(t, []string{fat(30)}, names(t, dir))

	// Whoever asks for more gets what there is.
	got, err := serials(t, open(t, dir))
	require.NoError(t, err)
	require.Equal(t, int64(30), got[0])
	require.Equal(t, down(30, got[len(got)-1]), got)
	require.GreaterOrEqual(t, len(got), 6)
}

// Whatever is committed, there is a State every so often, and what follows it is
// bounded.
func TestEarlierStateCostsABoundedAmount(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	writeFat(t, open(t, dir), 1, 40)
	files := historyFiles(t, dir)
	var since int64
	for serial := int64(1); serial < 40; serial++ {
		if _, ok := files[fmt.Sprint(serial-1, ".json")]; ok {
			since = 0
		}
		since += files[fmt.Sprint(serial, ".jsonl")]
		require.Less(t, since, int64(256<<10+2*80_000), "%v", files)
	}
	requireWhole(t, dir)

	// Small commits share a file.
	dir = newDir(t)
	for i := range 30 {
		write(t, open(t, dir), fmt.Sprint("n", i%7))
	}
	require.Len(t, historyFiles(t, dir), 1)
	requireWhole(t, dir)
}

func TestNoHistory(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, open(t, dir), "one", "two")
	none := openWith(t, dir, &filesyncer.Options{History: -1})
	requirePresentAlone := func(present int64) {
		t.Helper()
		got, err := serials(t, none)
		require.NoError(t, err)
		require.Equal(t, []int64{present}, got)
		_, _, err = none.StateAt(t.Context(), present-1)
		require.ErrorIs(t, err, sync.ErrNoState)
		at, _ := stateAt(t, none, present)
		require.Equal(t, present, at.Serial)
	}
	requirePresentAlone(2)
	require.DirExists(t, filepath.Join(dir, "history"), "whoever reads changes nothing")
	write(t, none, "three", "four")
	require.NoDirExists(t, filepath.Join(dir, "history"))
	requirePresentAlone(4)
	w, err := begin(t.Context(), none)
	require.NoError(t, err)
	require.NoError(t, w.commit(t.Context(), "five"))
	requirePresentAlone(5)
	require.NoError(t, w.tx.Close(t.Context()))

	write(t, open(t, dir), "six", "seven") // it begins anew
	got, err := serials(t, open(t, dir))
	require.NoError(t, err)
	require.Equal(t, down(7, 5), got)
	require.Equal(t, []string{"five", "four", "one", "seven", "six", "three", "two"}, names(t, dir))
}

// The declarations that kept States name are kept; when the States go, they may.
func TestGarbageIsNotWhatEarlierStatesName(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	b := openWith(t, dir, &filesyncer.Options{History: 8})
	kept := map[int64][]state.Checksum{}
	const last = 40
	for present := int64(1); present <= last; present++ {
		writeFat(t, b, int(present), int(present)+1)
		_, records := stateAt(t, b, present)
		for _, r := range records {
			kept[present] = append(kept[present], r.Checksum)
		}
		for serial := max(1, present-8); present%3 == 0 && serial <= present; serial++ {
			found, err := b.Declared(t.Context(), kept[serial])
			require.NoError(t, err)
			require.Len(t, found, len(kept[serial]), "a declaration of serial %d is gone at %d", serial, present)
		}
	}
	gone := 0
	for serial := int64(1); serial < last-8; serial++ {
		found, err := b.Declared(t.Context(), kept[serial])
		require.NoError(t, err)
		if len(found) == 0 {
			gone++
		}
	}
	require.Greater(t, gone, 15)
	names(t, dir)
}

// What was folded without a history, by an older release, has one from then on.
func TestHistoryOfADirectoryWithoutOne(t *testing.T) {
	t.Parallel()
	dir := underway(t).write(t) // a snapshot of serial 2, the commits 3, 4 and 5
	requireFrom := func(present, lowest int64) {
		t.Helper()
		got, err := serials(t, open(t, dir))
		require.NoError(t, err)
		require.Equal(t, down(present, lowest), got)
		for serial := lowest; serial <= min(5, present); serial++ {
			_, records := stateAt(t, open(t, dir), serial)
			require.Len(t, records, len(stages()[serial]))
		}
		_, _, err = open(t, dir).StateAt(t.Context(), lowest-1)
		require.ErrorIs(t, err, sync.ErrNoState)
	}
	requireFrom(5, 2)
	write(t, open(t, dir), "five")
	require.Contains(t, historyFiles(t, dir), "2.json")
	require.Contains(t, historyFiles(t, dir), "3.jsonl")
	requireFrom(6, 2)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "history")))
	requireFrom(6, 6)
	write(t, open(t, dir), "six")
	requireFrom(7, 6)
}

// An older copy of the State, put back beside a history that went on from it, has
// the history up to where it was copied, and then its own.
func TestHistoryOfARestoredState(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, open(t, dir), "one", "two")
	old, err := os.ReadFile(filepath.Join(dir, "state.json"))
	require.NoError(t, err)
	write(t, open(t, dir), "three")
	writeFat(t, open(t, dir), 4, 12)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "state.json"), old, 0o600))
	for present := int64(2); present < 6; present++ {
		got, err := serials(t, open(t, dir))
		require.NoError(t, err)
		require.Equal(t, down(present, 1), got)
		require.Len(t, names(t, dir), int(present))
		write(t, open(t, dir), fmt.Sprint("other", present))
	}
}

// What isn't ours in the history is left alone.
func TestForeignFilesInTheHistory(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	foreign := []string{"README.md", "01.json", "0.json", "-1.jsonl", "1.jsonl.bak", ".json", "x.jsonl", "99999999999999999999.json", "7", "7.txt"}
	for _, name := range foreign {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "history", name), []byte("x"), 0o600))
	}
	writeFat(t, open(t, dir), 3, 10)
	requireWhole(t, dir)
	for _, name := range foreign {
		require.FileExists(t, filepath.Join(dir, "history", name))
	}
}

// Whoever reads the history while others commit, fold and remove what is no longer
// kept, sees States without a gap, each whole.
func TestHistoryIsReadWhileOthersWrite(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	opts := &filesyncer.Options{History: 3}
	stop, done := make(chan struct{}), make(chan error, 2)
	for range cap(done) {
		reader := openWith(t, dir, opts)
		go func() {
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				if err := readHistory(t.Context(), reader); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	b := openWith(t, dir, opts)
	writeFat(t, b, 3, 16)
	close(stop)
	for range cap(done) {
		require.NoError(t, <-done)
	}
}

// readHistory reads as much as it can of what is kept.
func readHistory(ctx context.Context, b *filesyncer.Backend) error {
	next := int64(0)
	for head, err := range b.History(ctx) {
		if err != nil {
			return err
		}
		if next != 0 && head.Serial != next {
			return fmt.Errorf("serial %d follows %d", head.Serial, next+1)
		}
		next = head.Serial - 1
		at, records, err := b.StateAt(ctx, head.Serial)
		if errors.Is(err, sync.ErrNoState) {
			continue // not kept any more
		}
		if err != nil {
			return err
		}
		s := state.State{Head: at}
		for r, err := range records {
			if errors.Is(err, sync.ErrNoState) {
				break
			}
			if err != nil {
				return err
			}
			s.Records = append(s.Records, r)
		}
		if sealed, err := state.Seal(at, s.Records); err != nil || len(s.Records) > 0 && sealed.Root != at.Root {
			return fmt.Errorf("serial %d is not whole: %w", head.Serial, err)
		}
	}
	return nil
}

// An unchanged sync reads a head: it costs the same at State 3 and at State 400.
// Allocations are those of the process, and something else may allocate beside:
// the least of a few measurements is what a head costs, by a few allocations.
func TestHeadCostsTheSameAfterALongHistory(t *testing.T) {
	dir := newDir(t)
	b := open(t, dir)
	cost := func() float64 {
		least := math.Inf(1)
		for range 10 {
			least = min(least, testing.AllocsPerRun(5, func() {
				_, err := b.Head(t.Context())
				require.NoError(t, err)
			}))
		}
		return least
	}
	write(t, b, "a", "b", "c")
	short := cost()
	for range 10 {
		w, err := begin(t.Context(), b)
		require.NoError(t, err)
		for i := range 40 {
			require.NoError(t, w.commit(t.Context(), fmt.Sprint("abc"[i%3:i%3+1])))
		}
		require.NoError(t, w.tx.Close(t.Context()))
	}
	require.InEpsilon(t, short, cost(), 0.1)
	got, err := serials(t, b)
	require.NoError(t, err)
	require.Equal(t, down(403, 1), got)
}
