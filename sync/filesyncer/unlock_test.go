package filesyncer_test

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// unlockAny unlocks whoever holds the lease.
func unlockAny(ctx context.Context, b *filesyncer.Backend) error {
	holder, err := b.Holder(ctx)
	if err != nil {
		return err
	}
	return b.Unlock(ctx, holder)
}

// A writer may be unlocked while it hangs at any point of its work: it changes
// nothing any more when it goes on, and whoever comes next goes on from what was
// recorded.
func TestUnlockedWriterChangesNothing(t *testing.T) {
	t.Parallel()
	total := steps(t, nil)
	for turn := range syncertest.Soak(total) {
		at := (1+turn*7)%total + 1
		dir := prepared(t)
		where, goOn := hangAt(t, dir, nil, at)
		holder, err := open(t, dir).Holder(t.Context())
		require.NoError(t, err)
		require.NoError(t, open(t, dir).Unlock(t.Context(), holder), where)
		before := names(t, dir)
		recorded, err := goOn()
		now := names(t, dir)
		switch {
		case holder == nil:
		case len(recorded) == 4: // before it was unlocked; or it was about to take the lease, and took it again
			if err != nil { // it was renewing the lease
				require.ErrorIs(t, err, sync.ErrLeaseLost, where)
			}
			require.Equal(t, []string{"a2", "a3", "old1", "old2"}, now, where)
			require.Contains(t, [][]string{now, {"old1", "old2"}}, before, where)
		default:
			lostOrLocked(t, err, where)
			require.Equal(t, before, now, where)
		}
		write(t, open(t, dir), "z")
		require.Contains(t, names(t, dir), "z", where)
		requireWhole(t, dir, where)
	}
}

// An unlock may fail, or die, at any point: the State is what it was, the holder
// commits or has lost the lease, and loses it to the next writer at the latest.
func TestUnlockThatFails(t *testing.T) {
	t.Parallel()
	total := 0
	for at := 1; at == 1 || at <= total; at += 1 + total/syncertest.Soak(2*total+1) {
		dir := prepared(t)
		slow, err := begin(t.Context(), open(t, dir))
		require.NoError(t, err)
		require.NoError(t, slow.commit(t.Context(), "one"))
		n, where := 0, ""
		failing, err := filesyncer.NewStepping(dir, scope(), nil, func(op, path string) error {
			if n++; n >= at && at > 1 {
				where += fmt.Sprintln(op, path)
				return syscall.EIO
			}
			return nil
		})
		require.NoError(t, err)
		err = unlockAny(t.Context(), failing)
		if at == 1 {
			require.NoError(t, err)
			total = n
		} else {
			require.ErrorIs(t, err, syscall.EIO, where)
		}
		all := names(t, dir)
		require.Equal(t, []string{"old1", "old2", "one"}, all, where)
		if err := slow.commit(t.Context(), "two"); err == nil {
			all = append(all, "two")
		} else {
			require.ErrorIs(t, err, sync.ErrLeaseLost, where)
		}
		require.NoError(t, unlockAny(t.Context(), open(t, dir)), where)
		write(t, open(t, dir), "z")
		require.ErrorIs(t, slow.commit(t.Context(), "three"), sync.ErrLeaseLost, where)
		require.NoError(t, slow.tx.Close(t.Context()), where)
		require.Equal(t, append(all, "z"), names(t, dir), where)
	}
}

// Where the file system has no locks, death doesn't show; whoever knows that the
// holder is dead needn't wait for its lease to lapse.
func TestUnlockOfADeadHolder(t *testing.T) {
	t.Parallel()
	dir := prepared(t)
	plantLease(t, nextLease(t, dir), `{"owner":"far away","since":"2026-01-02T03:04:05Z"}`+"\n")
	_, err := begin(t.Context(), open(t, dir))
	require.ErrorIs(t, err, sync.ErrLocked)
	require.NoError(t, unlockAny(t.Context(), open(t, dir)))
	require.NoDirExists(t, filepath.Join(dir, "lease-2"))
	write(t, open(t, dir), "one")
	require.Equal(t, []string{"old1", "old2", "one"}, names(t, dir))
}
