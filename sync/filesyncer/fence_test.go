package filesyncer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// script is a writer that touches everything: a first commit with a fold right
// after it, another, a drop, a close with a fold. What fails it tries once more.
func script(ctx context.Context, b *filesyncer.Backend) (recorded []string, failed string, err error) {
	w, err := begin(ctx, b)
	if err != nil {
		return nil, "", err
	}
	for _, name := range []string{"a1", "a2", "-a1", "a3"} {
		if err = w.commit(ctx, name); err != nil && !errors.Is(err, sync.ErrLeaseLost) {
			err = w.commit(ctx, name)
		}
		if err != nil {
			failed = name
			break
		}
		recorded = append(recorded, name)
		if _, err = w.tx.Renew(ctx); err != nil {
			break
		}
	}
	if cerr := w.tx.Close(ctx); err == nil {
		err = cerr
	}
	return recorded, failed, err
}

// steps runs the script and counts its steps.
func steps(t *testing.T, opts *filesyncer.Options) int {
	t.Helper()
	dir := prepared(t)
	n := 0
	b, err := filesyncer.NewStepping(dir, scope(), opts, func(string, string) error { n++; return nil })
	require.NoError(t, err)
	_, _, err = script(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, []string{"a2", "a3", "old1", "old2"}, names(t, dir))
	return n
}

// prepared is a directory with a State.
func prepared(t *testing.T) string {
	t.Helper()
	dir := newDir(t)
	write(t, open(t, dir), "old1", "old2")
	return dir
}

// A writer may stop at any point, lose its lease to another one, and go on: it
// changes nothing any more. Here it stops before, in the middle of and after each
// thing that it does to the directory.
func TestStoppedWriterChangesNothing(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]*filesyncer.Options{"Journal": nil, "TinyJournal": {CompactBytes: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			total := steps(t, opts)
			for turn := range 3 * syncertest.Soak(total) {
				at := turn/3%total + 1
				stopAndGoOn(t, opts, at, turn%3)
			}
		})
	}
}

// How others have the lease while the slow one is stopped.
const (
	closed = iota // one has come and gone
	opened        // one is at work
	failed        // one failed in the middle of taking it, then another came
)

// hangAt runs the script up to a step, at which it hangs: where says what that is. goOn
// lets it go on, and returns what it was told to be recorded.
func hangAt(t *testing.T, dir string, opts *filesyncer.Options, at int) (where string, goOn func() (recorded []string, err error)) {
	t.Helper()
	n := 0
	stopped, release := make(chan string), make(chan struct{})
	slow, err := filesyncer.NewStepping(dir, scope(), opts, func(op, path string) error {
		if n++; n == at {
			stopped <- fmt.Sprint(op, " ", path)
			<-release
		}
		return nil
	})
	require.NoError(t, err)
	var recorded []string
	done := make(chan error, 1)
	go func() {
		var err error
		recorded, _, err = script(context.WithoutCancel(t.Context()), slow)
		done <- err
	}()
	select {
	case where = <-stopped:
	case <-time.After(patience):
		require.FailNow(t, "the script has fewer steps than before")
	}
	return where, func() ([]string, error) {
		close(release)
		err := <-done
		return recorded, err
	}
}

func stopAndGoOn(t *testing.T, opts *filesyncer.Options, at, others int) {
	t.Helper()
	dir := prepared(t)
	where, goOn := hangAt(t, dir, opts, at)
	lapseDir(t, dir)
	if others == failed {
		failToBegin(t, dir)
	}
	quick, err := begin(t.Context(), open(t, dir))
	require.NoError(t, err, where)
	base := quick.head.Serial - 2 // of the commits of the script, so many are in
	require.NoError(t, quick.commit(t.Context(), "b"), where)
	if others == closed {
		require.NoError(t, quick.tx.Close(t.Context()), where)
	}
	recorded, err := goOn()
	all := names(t, dir)
	require.Contains(t, all, "b", where)
	head, herr := open(t, dir).Head(t.Context())
	require.NoError(t, herr)
	if head.Serial == quick.head.Serial {
		// Nothing came after the quick one's commit; so whatever the slow one was
		// told to be recorded was before. (If it was stopped between its write and
		// the news of it, it may be in without its knowing.)
		require.LessOrEqual(t, int64(len(recorded)), base, where)
		require.GreaterOrEqual(t, int64(len(recorded)), base-1, where)
		if int64(len(recorded)) < 4 {
			require.Error(t, err, where)
		}
	} else {
		// It was stopped before it had the lease, and took it afterwards.
		require.Zero(t, base, where)
		require.Len(t, recorded, 4, where)
		require.NoError(t, err, where)
	}
	if others != closed {
		require.NoError(t, quick.commit(t.Context(), "c"), where)
		require.NoError(t, quick.tx.Close(t.Context()), where)
		require.Contains(t, names(t, dir), "c", where)
	}
	write(t, open(t, dir), "d")
	require.Contains(t, names(t, dir), "d", where)
	requireWhole(t, dir, where)
	if err != nil {
		lostOrLocked(t, err, where)
	}
}

// A process stops in the middle of a commit; the one that takes its lease dies
// before it has fenced it off; so the next one must.
func TestStoppedWriterOutlivesItsSuccessor(t *testing.T) {
	t.Parallel()
	for name, begins := range map[string]func(context.Context, *testing.T, string, *filesyncer.Backend) error{
		"that took the lapsed lease": func(ctx context.Context, t *testing.T, dir string, b *filesyncer.Backend) error {
			lapseDir(t, dir)
			_, err := begin(ctx, b)
			return err
		},
		"that unlocked it": func(ctx context.Context, _ *testing.T, _ string, b *filesyncer.Backend) error {
			return unlockAny(ctx, b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outliveSuccessor(t, begins)
		})
	}
}

func outliveSuccessor(t *testing.T, begins func(context.Context, *testing.T, string, *filesyncer.Backend) error) {
	t.Helper()
	dir := prepared(t)
	stopped, goOn := make(chan struct{}), make(chan struct{})
	commits := 0
	slow, err := filesyncer.NewStepping(dir, scope(), nil, func(op, path string) error {
		if op == "tear" && filepath.Base(path) == "journal.jsonl" {
			if commits++; commits == 3 {
				stopped <- struct{}{}
				<-goOn
			}
		}
		return nil
	})
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, _, err := script(context.WithoutCancel(t.Context()), slow)
		done <- err
	}()
	<-stopped
	dying, err := filesyncer.NewStepping(dir, scope(), nil, func(op, path string) error {
		if op == "after create" && filepath.Base(path) == "state.json" {
			return syscall.EIO
		}
		return nil
	})
	require.NoError(t, err)
	require.ErrorIs(t, begins(t.Context(), t, dir, dying), syscall.EIO)

	quick, err := begin(t.Context(), open(t, dir))
	require.NoError(t, err)
	require.NoError(t, quick.commit(t.Context(), "b"))
	goOn <- struct{}{}
	require.ErrorIs(t, <-done, sync.ErrLeaseLost)
	require.NoError(t, quick.commit(t.Context(), "c"))
	require.Equal(t, []string{"a1", "a2", "b", "c", "old1", "old2"}, names(t, dir))
	require.NoError(t, quick.tx.Close(t.Context()))
	require.Equal(t, []string{"a1", "a2", "b", "c", "old1", "old2"}, names(t, dir))
	require.Contains(t, leases(t, dir), "unfenced")
	write(t, open(t, dir), "d")
	require.NotContains(t, leases(t, dir), "unfenced", "it is fenced off for good")
}

// leases is what is said in the directory of leases.
func leases(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "lease-*/lease.jsonl"))
	require.NoError(t, err)
	var all []byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		all = append(all, text...)
	}
	return string(all)
}

// failToBegin begins, and fails somewhere on the way.
func failToBegin(t *testing.T, dir string) {
	t.Helper()
	n, at := 0, 1+rand.IntN(60)
	b, err := filesyncer.NewStepping(dir, scope(), nil, func(string, string) error {
		if n++; n >= at {
			return syscall.EIO
		}
		return nil
	})
	require.NoError(t, err)
	if w, err := begin(t.Context(), b); err == nil {
		_ = w.tx.Close(t.Context()) // the disk fails
	}
	lapseDir(t, dir)
}

func lostOrLocked(t *testing.T, err error, where string) {
	t.Helper()
	if !isAny(err, sync.ErrLeaseLost, sync.ErrLocked) {
		require.ErrorIs(t, err, sync.ErrLeaseLost, where)
	}
}

// The next holder may die while it clears the lease away: what is left of it is no
// lease to work with.
func TestLeaseThatIsHalfClearedAwayIsLost(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	w, err := begin(t.Context(), open(t, dir))
	require.NoError(t, err)
	work, err := filepath.Glob(filepath.Join(dir, "lease-2/work-*"))
	require.NoError(t, err)
	require.Len(t, work, 1)
	require.NoError(t, os.Remove(work[0]))
	require.ErrorIs(t, w.commit(t.Context(), "one"), sync.ErrLeaseLost)
	require.NoError(t, w.tx.Close(t.Context()))
	write(t, open(t, dir), "two")
	require.Equal(t, []string{"old1", "old2", "two"}, names(t, dir))
}
