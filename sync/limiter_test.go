package sync

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// acquire takes so many slots and returns how many it got.
func acquire(l *limiter, kind string, most, n int) int {
	got := 0
	for range n {
		if l.tryAcquire(kind, most) {
			got++
		}
	}
	return got
}

func TestLimiterCountsInAllAndPerKind(t *testing.T) {
	t.Parallel()
	l := newLimiter(5)
	require.Equal(t, 2, acquire(l, "server", 2, 9))
	require.Equal(t, 3, acquire(l, "network", 0, 9), "0 is as many as there are in all")
	require.False(t, l.tryAcquire("volume", 1))

	l.release("network")
	require.False(t, l.tryAcquire("server", 2), "the kind has as many as it may")
	require.True(t, l.tryAcquire("volume", 1))
	l.release("server")
	require.True(t, l.tryAcquire("server", 9), "more than in all is as many as in all")
	require.Equal(t, 1, acquire(newLimiter(0), "server", 0, 9), "at least one")
}

func TestLimiterHalvesAndGrowsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(8)
		slots := func() int {
			n := acquire(l, "server", 0, 99)
			for range n {
				l.release("server")
			}
			return n
		}
		var limits []int
		for range 5 {
			l.throttled("server", time.Second)
			require.Zero(t, slots(), "nothing is called in the pause")
			require.NoError(t, l.wait(t.Context(), "server"))
			limits = append(limits, slots())
		}
		require.Equal(t, []int{4, 2, 1, 1, 1}, limits)
		limits = nil
		for range 1 + 2 + 3 + 4 {
			l.succeeded("server")
			limits = append(limits, slots())
		}
		require.Equal(t, []int{2, 2, 3, 3, 3, 4, 4, 4, 4, 5}, limits, "one more after a round that went well")
		for range 99 {
			l.succeeded("server")
		}
		require.Equal(t, 8, slots(), "and no more than at first")
		require.Equal(t, 8, acquire(l, "network", 0, 99), "another kind is not concerned")
	})
}

func TestLimiterNeverGrowsOverTheKindsOwnMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(8)
		require.True(t, l.tryAcquire("server", 3))
		l.throttled("server", time.Second)
		require.NoError(t, l.wait(t.Context(), "server"))
		require.Zero(t, acquire(l, "server", 3, 9), "half of 3 is the one that is held")
		for range 20 {
			l.succeeded("server")
		}
		require.Equal(t, 2, acquire(l, "server", 3, 9))
	})
}

func TestLimiterCountsARoundFromItsBegin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(2)
		require.Equal(t, 2, acquire(l, "server", 100, 99))
		for range 100 {
			l.succeeded("server")
		}
		l.throttled("server", time.Second)
		require.NoError(t, l.wait(t.Context(), "server"))
		l.release("server")
		l.release("server")
		require.Equal(t, 1, acquire(l, "server", 100, 99), "half of what there can be, whatever went well before")
		l.release("server")

		l = newLimiter(8)
		l.throttled("server", time.Second)
		require.NoError(t, l.wait(t.Context(), "server"))
		for range 3 {
			l.succeeded("server")
		}
		l.throttled("server", time.Second)
		require.NoError(t, l.wait(t.Context(), "server"))
		l.succeeded("server")
		require.Equal(t, 2, acquire(l, "server", 0, 99), "a round of 2 is not over")
	})
}

// Ten calls that were under way together are throttled together: that is one
// reason to slow down, not ten.
func TestLimiterSlowsDownOncePerPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(10)
		for range 10 {
			l.throttled("server", time.Second)
		}
		l.succeeded("server") // it was under way as well
		require.NoError(t, l.wait(t.Context(), "server"))
		require.Equal(t, 5, acquire(l, "server", 0, 99))
	})
}

func TestLimiterPauses(t *testing.T) {
	t.Parallel()
	pauseOf := func(t *testing.T, l *limiter) time.Duration {
		start := time.Now()
		require.NoError(t, l.wait(t.Context(), "server"))
		return time.Since(start)
	}
	t.Run("as long as it was told", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(1)
			l.throttled("server", 20*time.Second)
			l.throttled("server", 10*time.Second) // which is over before
			pause := pauseOf(t, l)
			require.GreaterOrEqual(t, pause, 20*time.Second)
			require.LessOrEqual(t, pause, 22*time.Second)
			require.Zero(t, pauseOf(t, l), "and not again")
		})
	})
	t.Run("longer and longer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(1)
			for want := throttlePause; want < 4*throttlePauseMax; want *= 2 {
				l.throttled("server", 0)
				l.succeeded("server") // a call that began before
				pause := pauseOf(t, l)
				require.LessOrEqual(t, pause, min(want, throttlePauseMax))
				require.GreaterOrEqual(t, pause, min(want, throttlePauseMax)/2)
			}
			l.succeeded("server")
			l.throttled("server", 0)
			require.LessOrEqual(t, pauseOf(t, l), throttlePause, "until a call went well")
		})
	})
	t.Run("until the context ends", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(1)
			l.throttled("server", time.Hour)
			boom := errors.New("boom")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Minute, func() { cancel(boom) })
			start := time.Now()
			require.ErrorIs(t, l.wait(ctx, "server"), boom)
			require.Equal(t, time.Minute, time.Since(start))
			require.ErrorIs(t, l.turn(ctx, "server"), boom)
		})
	})
}

// Slots that were taken before the limit fell are not given back, but their
// holders call in turns.
func TestLimiterGivesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(8)
		require.Equal(t, 8, acquire(l, "server", 0, 8))
		l.throttled("server", time.Second)
		var mu sync.Mutex
		calling, most, calls := 0, 0, 0
		for range 8 {
			go func() {
				defer l.release("server")
				if l.turn(t.Context(), "server") != nil {
					return
				}
				mu.Lock()
				calling++
				calls++
				most = max(most, calling)
				mu.Unlock()
				_ = sleep(t.Context(), time.Minute)
				mu.Lock()
				calling--
				mu.Unlock()
			}()
		}
		require.NoError(t, sleep(t.Context(), time.Hour))
		require.Equal(t, 4, most)
		require.Equal(t, 8, calls)
		require.Equal(t, 4, acquire(l, "server", 0, 99), "all slots were given back")
	})
}

// One that gives up waiting for its turn gives back what it took from the count.
func TestLimiterTurnEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(2)
		require.Equal(t, 2, acquire(l, "server", 0, 2))
		l.throttled("server", time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, l.turn(ctx, "server"), context.DeadlineExceeded, "the other one is calling")
		l.release("server")
		l.release("server")
		require.Equal(t, 1, acquire(l, "server", 0, 9))
		require.Equal(t, 1, l.kinds["server"].calling)
	})
}
