package filesyncer_test

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// The disk may refuse anything at any time, once or from then on. What was
// recorded stays readable, what was said to be recorded is, what was said to
// have failed is not; and when the disk is well again, all goes on.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*filesyncer.Options{"Journal": nil, "TinyJournal": {CompactBytes: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			total := steps(t, opts)
			errnos := []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EACCES}
			for turn := range 2 * syncertest.Soak(4*total) {
				failAndRecover(t, opts, turn/2*7%total+1, turn%2 == 0, errnos[turn%len(errnos)])
			}
		})
	}
}

func failAndRecover(t *testing.T, opts *filesyncer.Options, at int, once bool, errno syscall.Errno) {
	t.Helper()
	dir := prepared(t)
	n, where := 0, ""
	b, err := filesyncer.NewStepping(dir, scope(), opts, func(op, path string) error {
		if n++; n == at || n > at && !once {
			if where == "" {
				where = fmt.Sprintf("%s %s: %s, once: %t", op, path, errno, once)
			}
			return errno
		}
		return nil
	})
	require.NoError(t, err)
	recorded, err := script(t.Context(), b)
	if err != nil {
		require.ErrorIs(t, err, errno, where)
		var disk *filesyncer.DiskError
		require.ErrorAs(t, err, &disk, where)
	}
	// A disk that takes a line, and then neither makes it safe nor takes it back,
	// may have it after all.
	atLeast := after(append([]string{"old1", "old2"}, recorded...))
	all := names(t, dir)
	if once || len(all) == len(atLeast) {
		require.Equal(t, atLeast, all, where)
	}
	lapseDir(t, dir) // it may not have been able to give the lease back
	write(t, open(t, dir), "d")
	require.Equal(t, append([]string{"d"}, slices.DeleteFunc(all, func(s string) bool { return s == "d" })...), sortedFirst(names(t, dir), "d"), where)
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

func sortedFirst(all []string, first string) []string {
	rest := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == first })
	return append([]string{first}, rest...)
}
