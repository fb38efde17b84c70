package filesyncer_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// The disk may fail, or the process die, at any point of a fold, whatever that has
// to do in the history: begin it, begin it anew, add a State, remove what is no
// longer kept. No State that was kept is missing, before the next fold and after.
func TestFoldThatFails(t *testing.T) {
	t.Parallel()
	past := pastFiles(t)
	for name, c := range map[string]struct {
		files  files
		opts   *filesyncer.Options
		lowest int64
	}{
		"that begins the history":      {underway(t), nil, 2},
		"that begins it anew":          {restored(t, past, 7), nil, 1},
		"that adds and removes States": {past, &filesyncer.Options{History: 3}, -3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			total := failToFold(t, c.files, c.opts, c.lowest, 0, 0)
			every := total/syncertest.Soak(total) + 1
			for at := 1 + rand.IntN(every); at <= total; at += every {
				for _, length := range []int{1, 1 << 20} {
					failToFold(t, c.files, c.opts, c.lowest, at, length)
				}
			}
		})
	}
}

// restored are the files of a directory with a history, with the State put back to
// what it was.
func restored(t *testing.T, past files, serial int) files {
	t.Helper()
	dir, all := newDir(t), files{}
	writeFat(t, open(t, dir), 1, serial+1)
	for name, text := range past {
		all[name] = text
	}
	all["state.json"] = read(t, dir, "state.json")
	return all
}

// A writer that lost its lease while it removed something from the history removes
// nothing of what others have put there meanwhile.
func TestStoppedWriterRemovesNoHistory(t *testing.T) {
	t.Parallel()
	dir := restored(t, pastFiles(t), 7).write(t)
	slow := pauseAt(t, dir, "before rename", "old-8.jsonl", 1)
	done := make(chan error, 1)
	go func() {
		w, err := begin(context.WithoutCancel(t.Context()), slow.Backend)
		if err == nil {
			err = errors.Join(w.commit(context.WithoutCancel(t.Context()), "slow"), w.tx.Close(context.WithoutCancel(t.Context())))
		}
		done <- err
	}()
	<-slow.stopped
	lapseDir(t, dir)
	writeFat(t, open(t, dir), 8, 12)
	slow.goOn <- struct{}{}
	require.NoError(t, <-done, "what it was asked for was done; to tidy up is for the others")
	require.EqualValues(t, 12, requireKept(t, open(t, dir), 1, "after the slow one"))
}

// failToFold folds once while a number of steps fail, from one on. It returns how
// many steps there were.
func failToFold(t *testing.T, f files, opts *filesyncer.Options, lowest int64, at, length int) (n int) {
	t.Helper()
	dir, where := f.write(t), "nowhere"
	b, err := filesyncer.NewStepping(dir, scope(), opts, func(op, path string) error {
		if n++; n >= at && n < at+length {
			where = op + " " + path
			return syscall.EIO
		}
		return nil
	})
	require.NoError(t, err)
	check := func() int64 {
		t.Helper()
		return requireKept(t, openWith(t, dir, opts), lowest, where)
	}
	before := check()
	w, err := begin(t.Context(), b)
	if err == nil {
		err = w.commit(t.Context(), fat(77), "-"+w.records[0].Name)
		if cerr := w.tx.Close(t.Context()); err == nil {
			err = cerr
		}
	}
	if err != nil {
		require.ErrorIs(t, err, syscall.EIO, where)
	}
	require.GreaterOrEqual(t, check(), before, where)
	lapseDir(t, dir)
	write(t, openWith(t, dir, opts), "z")
	require.Greater(t, check(), before, where)
	return n
}

// requireKept checks that the States are there from the present one down to the
// lowest, which is counted from the present one if it is negative.
func requireKept(t *testing.T, b *filesyncer.Backend, lowest int64, where string) (present int64) {
	t.Helper()
	head, err := b.Head(t.Context())
	require.NoError(t, err, where)
	if lowest < 0 {
		lowest += head.Serial
	}
	got, err := serials(t, b)
	require.NoError(t, err, where)
	require.Equal(t, down(head.Serial, lowest), got, where)
	for _, serial := range []int64{lowest, lowest + rand.Int64N(head.Serial-lowest+1)} {
		_, err := readState(t, b, serial)
		require.NoError(t, err, where)
	}
	return head.Serial
}
