package filesyncer_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// paused is a backend that stops at one operation on one file, until it is told
// to go on.
type paused struct {
	*filesyncer.Backend
	stopped, goOn chan struct{}
}

func pauseAt(t *testing.T, dir, op, file string, nth int) *paused {
	t.Helper()
	p := &paused{stopped: make(chan struct{}), goOn: make(chan struct{})}
	n := 0
	b, err := filesyncer.NewStepping(dir, scope(), nil, func(o, path string) error {
		if o == op && filepath.Base(path) == file {
			if n++; n == nth {
				p.stopped <- struct{}{}
				<-p.goOn
			}
		}
		return nil
	})
	require.NoError(t, err)
	p.Backend = b
	return p
}

// await receives what must come: where it doesn't, the test fails instead of
// hanging.
func await[T any](t *testing.T, from <-chan T, what string) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(patience):
		require.FailNow(t, what+" never came")
	}
	return got
}

// commitSlowly is a writer that has committed "one" and hangs in the commit of
// "two"; its outcome comes over the channel.
func commitSlowly(t *testing.T, dir, op, file string) (*paused, *writer, chan error) {
	t.Helper()
	p := pauseAt(t, dir, op, file, 2)
	w, err := begin(t.Context(), p.Backend)
	require.NoError(t, err)
	require.NoError(t, w.commit(t.Context(), "one"))
	done := make(chan error, 1)
	go func() { done <- w.commit(context.WithoutCancel(t.Context()), "two") }()
	await(t, p.stopped, op+" of "+file)
	return p, w, done
}

// A writer that hangs when its line is on the disk, and finds the lease lost, is
// told whether the next one has found the line.
func TestCommitThatTheNextHolderFound(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	slow, w, done := commitSlowly(t, dir, "after sync", "journal.jsonl")
	lapseDir(t, dir)
	quick, err := begin(t.Context(), open(t, dir))
	require.NoError(t, err)
	slow.goOn <- struct{}{}
	require.NoError(t, await(t, done, "the end of the commit"))
	require.Equal(t, []string{"old1", "old2", "one", "two"}, names(t, dir))
	require.ErrorIs(t, w.commit(t.Context(), "three"), sync.ErrLeaseLost)
	require.NoError(t, quick.commit(t.Context(), "four"))
	require.Equal(t, []string{"four", "old1", "old2", "one", "two"}, names(t, dir))
}

// If it hangs before it writes the line, nobody reads it; even if it goes on
// while the next one has read the journal and not replaced it yet.
func TestCommitThatComesTooLate(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	slow, _, done := commitSlowly(t, dir, "before write", "journal.jsonl")
	lapseDir(t, dir)
	next := pauseAt(t, dir, "before create", "state.json", 1)
	began := make(chan error, 1)
	var quick *writer
	go func() {
		var err error
		quick, err = begin(context.WithoutCancel(t.Context()), next.Backend)
		began <- err
	}()
	await(t, next.stopped, "a new State, which fences the slow one off,")
	slow.goOn <- struct{}{}
	require.Eventually(t, func() bool { // the line is there, and it waits for what becomes of it
		head, err := open(t, dir).Head(t.Context())
		return err == nil && head.Serial == 4
	}, patience, time.Millisecond)
	next.goOn <- struct{}{}
	require.NoError(t, await(t, began, "the lease"))
	require.ErrorIs(t, await(t, done, "the end of the commit"), sync.ErrLeaseLost)
	require.Equal(t, []string{"old1", "old2", "one"}, names(t, dir))
	require.NoError(t, quick.commit(t.Context(), "four"))
	require.Equal(t, []string{"four", "old1", "old2", "one"}, names(t, dir))
}

// A declaration may be longer than any buffer, wherever it is read or copied.
func TestLargeDeclarations(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	b := open(t, dir)
	large := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB
	one := state.Resource{Key: key("large"), Config: fmt.Appendf(nil, `{"text":%q}`, large)}
	sum, err := one.Checksum()
	require.NoError(t, err)
	w, err := begin(t.Context(), b)
	require.NoError(t, err)
	delta, err := next(w.head, nil, "one", "two")
	require.NoError(t, err)
	delta.Records = append([]state.Record{{Key: one.Key, ID: "large", ConfigID: "large", Checksum: sum}}, delta.Records...)
	delta.Declared = append(delta.Declared, one, large2(one))
	delta.Head, err = state.Seal(delta.Head, delta.Records)
	require.NoError(t, err)
	_, err = w.tx.Commit(t.Context(), delta)
	require.NoError(t, err)
	require.NoError(t, w.tx.Close(t.Context()))
	require.Equal(t, []string{"large", "one", "two"}, names(t, dir))

	found, err := b.Declared(t.Context(), []state.Checksum{sum, state.Sum([]byte("never"))})
	require.NoError(t, err)
	require.Len(t, found, 1)
	text, err := one.MarshalJSON()
	require.NoError(t, err)
	read := found[sum]
	again, err := read.MarshalJSON()
	require.NoError(t, err)
	require.Equal(t, len(text), len(again))
	write(t, b, "-one", "-two") // the large one that nobody names goes
	found, err = open(t, dir).Declared(t.Context(), []state.Checksum{sum})
	require.NoError(t, err)
	require.Len(t, found, 1)
}

// large2 is another large declaration, which no record names.
func large2(r state.Resource) state.Resource {
	r.Description = "another"
	return r
}
