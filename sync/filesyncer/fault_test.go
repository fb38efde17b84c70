package filesyncer_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// The disk may refuse anything at any time: once, for a while, or from then on.
// What was recorded stays readable, what was said to be recorded is, what was
// said to have failed is not; and when the disk is well again, all goes on.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*filesyncer.Options{"Journal": nil, "TinyJournal": {CompactBytes: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			total := steps(t, opts)
			errnos := []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EACCES}
			for turn := range 3 * syncertest.Soak(2*total) {
				length := []int{1, 2 + rand.IntN(4), 1 << 20}[turn%3]
				failAndRecover(t, opts, turn/3*7%total+1, length, errnos[turn%len(errnos)])
			}
		})
	}
}

func failAndRecover(t *testing.T, opts *filesyncer.Options, at, length int, errno syscall.Errno) {
	t.Helper()
	dir := prepared(t)
	n, where := 0, ""
	b, err := filesyncer.NewStepping(dir, scope(), opts, func(op, path string) error {
		if n++; n >= at && n < at+length {
			where += fmt.Sprintf("%s %s: %s\n", op, path, errno)
			return errno
		}
		return nil
	})
	require.NoError(t, err)
	recorded, failed, err := script(t.Context(), b)
	if err != nil {
		require.ErrorIs(t, err, errno, where)
		var disk *filesyncer.DiskError
		require.ErrorAs(t, err, &disk, where)
	}
	committed := append([]string{"old1", "old2"}, recorded...)
	all := names(t, dir)
	if length == 1 || failed == "" || slices.Equal(after(committed), all) {
		require.Equal(t, after(committed), all, where)
	} else {
		// A disk that takes a line, and then neither makes it safe nor takes it
		// back, may have it after all.
		require.Equal(t, after(append(committed, failed)), all, where)
	}
	requireWhole(t, dir, where)
	lapseDir(t, dir) // it may not have been able to give the lease back
	write(t, open(t, dir), "z")
	require.Equal(t, append(all, "z"), names(t, dir), where)
	requireWhole(t, dir, where)
}

// after returns what is recorded after these commits.
func after(commits []string) []string {
	var all []string
	for _, name := range commits {
		if name[0] == '-' {
			all = slices.DeleteFunc(all, func(s string) bool { return s == name[1:] })
			continue
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// When half a line is in the journal, and can't be cut off again, nothing more is
// added behind it; the next writer cuts it off.
func TestNothingIsAddedBehindATornLine(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	failing := false
	b, err := filesyncer.NewStepping(dir, scope(), nil, func(op, _ string) error {
		if failing && (op == "tear" || op == "before truncate") {
			return syscall.EIO
		}
		return nil
	})
	require.NoError(t, err)
	w, err := begin(t.Context(), b)
	require.NoError(t, err)
	require.NoError(t, w.commit(t.Context(), "one"))
	failing = true
	require.ErrorIs(t, w.commit(t.Context(), "two"), syscall.EIO)
	failing = false
	require.ErrorIs(t, w.commit(t.Context(), "two"), syscall.EIO)
	require.Equal(t, []string{"old1", "old2", "one"}, names(t, dir))
	require.NoError(t, w.tx.Close(t.Context()))
	write(t, open(t, dir), "two")
	require.Equal(t, []string{"old1", "old2", "one", "two"}, names(t, dir))
}
