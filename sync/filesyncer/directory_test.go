package filesyncer_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// list is what there is in a directory, with its mode.
func list(t testing.TB, dir string) map[string]fs.FileMode {
	t.Helper()
	all := map[string]fs.FileMode{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		all[name] = info.Mode()
		return err
	}))
	return all
}

// What is left when nobody writes is what people read, for its owner alone.
func TestDirectoryAtRest(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, open(t, dir), "one")
	write(t, open(t, dir), "two", "three")
	require.Empty(t, cmp.Diff(map[string]fs.FileMode{
		".":                   fs.ModeDir | 0o700,
		".gitignore":          0o600,
		"declared.jsonl":      0o600,
		"history":             fs.ModeDir | 0o700,
		"history/1.jsonl":     0o600,
		"lease-2":             fs.ModeDir | 0o700,
		"lease-2/lease.jsonl": 0o600,
		"state.json":          0o600,
	}, list(t, dir)))
	ignore, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	require.NoError(t, err)
	require.Equal(t, "*\n", string(ignore))
	f, err := os.Open(filepath.Join(dir, "state.json"))
	require.NoError(t, err)
	s, err := state.Decode(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.EqualValues(t, 3, s.Serial)
	require.Len(t, s.Records, 3)
}

// Whoever only reads makes nothing, not even the directory.
func TestReadingMakesNothing(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	require.Empty(t, names(t, dir))
	require.NoDirExists(t, dir)
	write(t, open(t, dir), "one")
	before := list(t, dir)
	require.Equal(t, []string{"one"}, names(t, dir))
	require.Equal(t, before, list(t, dir))
}

func TestGitignoreIsOneOnlyOnce(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, open(t, dir), "one")
	require.NoError(t, os.Remove(filepath.Join(dir, ".gitignore")), "somebody wants the State in git")
	write(t, open(t, dir), "two")
	require.NoFileExists(t, filepath.Join(dir, ".gitignore"))
}

func TestNewChecksItsArguments(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for name, c := range map[string]struct {
		dir   string
		scope state.Scope
		opts  *filesyncer.Options
		want  string
	}{
		"no directory":      {"", scope(), nil, "the directory has no name"},
		"a file":            {file, scope(), nil, "is not a directory"},
		"below a file":      {filepath.Join(file, "dir"), scope(), nil, "not a directory"},
		"no org":            {"dir", state.Scope{App: "shop"}, nil, "the org is empty"},
		"a negative number": {"dir", scope(), &filesyncer.Options{CompactBytes: -1}, "Options.CompactBytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := filesyncer.New(c.dir, c.scope, c.opts)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A commit adds to files; it writes none of them anew. A large State is folded
// when the journal is worth it, a small one whenever a Tx closes.
func TestCommitCostsWhatItChanges(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	w, err := begin(t.Context(), open(t, dir))
	require.NoError(t, err)
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprintf("n%05d", i))
	}
	require.NoError(t, w.commit(t.Context(), many...))
	require.NoFileExists(t, filepath.Join(dir, "state.json"))
	require.NoError(t, w.tx.Close(t.Context()))
	size := func(name string) int64 {
		info, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return -1
		}
		require.NoError(t, err)
		return info.Size()
	}
	folded := size("state.json")
	require.Greater(t, folded, int64(1<<20))
	require.EqualValues(t, -1, size("journal.jsonl"))

	before, err := os.Stat(filepath.Join(dir, "state.json"))
	require.NoError(t, err)
	for i := range 3 {
		write(t, open(t, dir), fmt.Sprint("more", i))
	}
	after, err := os.Stat(filepath.Join(dir, "state.json"))
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "a large State was written anew")
	require.Less(t, size("journal.jsonl"), int64(10_000))
	require.Len(t, names(t, dir), 5003)

	w, err = begin(t.Context(), open(t, dir))
	require.NoError(t, err)
	require.NoError(t, w.commit(t.Context(), many...))
	require.NoError(t, w.tx.Close(t.Context()))
	require.EqualValues(t, -1, size("journal.jsonl"), "the journal outgrew the State")
	require.Len(t, names(t, dir), 5003)
}

// The journal is folded in the middle of a transaction too, when it grows large.
func TestJournalIsFoldedMeanwhile(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	b, err := filesyncer.New(dir, scope(), &filesyncer.Options{CompactBytes: 20_000})
	require.NoError(t, err)
	w, err := begin(t.Context(), b)
	require.NoError(t, err)
	largest := int64(0)
	for i := range 200 {
		require.NoError(t, w.commit(t.Context(), fmt.Sprintf("n%05d", i%150)))
		if info, err := os.Stat(filepath.Join(dir, "journal.jsonl")); err == nil {
			largest = max(largest, info.Size())
		}
	}
	require.Len(t, names(t, dir), 150)
	require.NoError(t, w.tx.Close(t.Context()))
	state, err := os.Stat(filepath.Join(dir, "state.json"))
	require.NoError(t, err)
	require.Less(t, largest, max(20_000, 2*state.Size())+1)
	require.Len(t, names(t, dir), 150)
}

// Declarations that no record names go when they are more than half of the file.
func TestGarbageIsCollected(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	b := openWith(t, dir, &filesyncer.Options{History: -1})
	lines := func() int {
		text, err := os.ReadFile(filepath.Join(dir, "declared.jsonl"))
		require.NoError(t, err)
		return strings.Count(string(text), "\n")
	}
	write(t, b, "a", "b", "c", "d")
	write(t, b, "-a", "-b")
	require.Equal(t, 4, lines(), "half is not more than half")
	write(t, b, "-c")
	require.Equal(t, 1, lines())
	require.Equal(t, []string{"d"}, names(t, dir))
	write(t, b, "a", "e")
	require.Equal(t, []string{"a", "d", "e"}, names(t, dir))
	found, err := b.Declared(t.Context(), []state.Checksum{sumOf(t, "a"), sumOf(t, "c"), sumOf(t, "d")})
	require.NoError(t, err)
	require.Len(t, found, 2)
	write(t, b, "-a", "-d", "-e")
	require.Equal(t, 0, lines())
}

func sumOf(t testing.TB, name string) state.Checksum {
	t.Helper()
	r := resource(name)
	sum, err := r.Checksum()
	require.NoError(t, err)
	return sum
}

// What was declared before isn't stored again.
func TestDeclarationsAreStoredOnce(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, open(t, dir), "a", "b", "a", "b")
	write(t, open(t, dir), "a", "b")
	text, err := os.ReadFile(filepath.Join(dir, "declared.jsonl"))
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(text), "\n"))
}

// What a crash left is gone when the next writer begins.
func TestLeftoversAreRemoved(t *testing.T) {
	t.Parallel()
	for name, plant := range leftovers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := prepared(t)
			plant(t, filepath.Dir(filepath.Dir(dir)), scope())
			write(t, open(t, dir), "one")
			for path := range list(t, dir) {
				require.NotContains(t, path, "ABC")
				require.NotContains(t, path, "journal")
			}
			require.Equal(t, []string{"old1", "old2", "one"}, sorted(names(t, dir)))
		})
	}
}

// The journal may be taken away, by a person or a cleaner, while somebody writes
// to it. Nothing is then said to be recorded that isn't.
func TestJournalTakenAway(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	w, err := begin(t.Context(), open(t, dir))
	require.NoError(t, err)
	require.NoError(t, w.commit(t.Context(), "one"))
	require.NoError(t, os.Remove(filepath.Join(dir, "journal.jsonl")))
	var corrupt *filesyncer.CorruptError
	require.ErrorAs(t, w.commit(t.Context(), "two"), &corrupt)
	require.Equal(t, []string{"old1", "old2"}, names(t, dir))
	require.NoError(t, os.RemoveAll(dir))
	require.ErrorIs(t, w.commit(t.Context(), "three"), sync.ErrLeaseLost)
	require.NoError(t, w.tx.Close(t.Context()))
	require.NoDirExists(t, dir)
}

// A lease whose time lies ahead, since the clock was set back, is given back and
// taken like any other.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	w, err := begin(t.Context(), open(t, dir))
	require.NoError(t, err)
	ahead := time.Now().Add(24 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "lease-2/lease.jsonl"), ahead, ahead))
	_, err = begin(t.Context(), open(t, dir))
	require.ErrorIs(t, err, sync.ErrLocked)
	require.NoError(t, w.commit(t.Context(), "one"))
	require.NoError(t, w.tx.Close(t.Context()))
	write(t, open(t, dir), "two")
}

// Where the file system has no locks, death doesn't show; then a lease that isn't
// renewed lapses.
func TestLeaseWithoutLocks(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	plantLease(t, nextLease(t, dir), `{"owner":"far away","since":"2026-01-02T03:04:05Z"}`+"\n")
	_, err := begin(t.Context(), open(t, dir))
	var locked *sync.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, "far away", locked.Owner)
	lapseDir(t, dir)
	write(t, open(t, dir), "one")
	require.Equal(t, []string{"old1", "old2", "one"}, names(t, dir))
}

// What isn't ours in the directory is left alone.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	foreign := []string{
		"lease", "lease-", "lease-0", "lease-007", "lease--1", "lease-x", "lease-9223372036854775807", "lease-99999999999999999999",
		"README.md", "state.json.bak", "journal.jsonl~",
	}
	for _, name := range foreign {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
	}
	write(t, open(t, dir), "one")
	for _, name := range foreign {
		require.FileExists(t, filepath.Join(dir, name))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lease-50"), nil, 0o600))
	_, err := begin(t.Context(), open(t, dir))
	require.ErrorContains(t, err, "lease-50/lease.jsonl: not a directory")
	require.Equal(t, []string{"old1", "old2", "one"}, names(t, dir))
}

// A head that is read is at least as new as any that was committed before.
func TestHeadIsNeverOld(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	var committed atomic.Int64
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		b := open(t, dir)
		for {
			least := committed.Load()
			head, err := b.Head(t.Context())
			if err == nil && head.Serial < least {
				err = fmt.Errorf("serial %d was committed, and then read %d", least, head.Serial)
			}
			select {
			case <-stop:
				done <- err
				return
			default:
			}
			if err != nil {
				<-stop
				done <- err
				return
			}
		}
	}()
	b := open(t, dir)
	for i := range 60 {
		w, err := begin(t.Context(), b)
		require.NoError(t, err)
		require.NoError(t, w.commit(t.Context(), fmt.Sprint("n", i%10)))
		committed.Store(w.head.Serial)
		require.NoError(t, w.tx.Close(t.Context()))
	}
	close(stop)
	require.NoError(t, <-done)
}
