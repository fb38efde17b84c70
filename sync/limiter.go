package sync

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// How long a kind pauses when the other side asks to slow down and doesn't say
// for how long: at first, and at most.
const (
	throttlePause    = 500 * time.Millisecond
	throttlePauseMax = 30 * time.Second
)

// limiter decides how many calls of Handlers may be under way, in all and per
// kind. A kind that the other side throttles slows down and speeds up again as
// TCP does: half as many calls after a "too many requests", one more after a
// round of calls that went well. It is safe for concurrent use.
//
// Who wants to call takes a slot (tryAcquire) and gives it back (release). Who
// calls again in between waits for a turn.
type limiter struct {
	total int

	mu    sync.Mutex
	held  int
	kinds map[string]*kindLimit
}

// kindLimit is what a limiter knows of one kind.
type kindLimit struct {
	most    int           // how many calls there may be at once, at best
	limit   int           // and how many since it was throttled; more than most means most
	held    int           // slots
	calling int           // slots whose holders don't wait for a turn
	good    int           // calls that went well since the limit last changed
	strikes int           // pauses since a call last went well
	resume  time.Time     // when the pause ends
	changed chan struct{} // closed when there may be a turn; nil if nobody waits
}

// newLimiter returns a limiter of so many calls in all, at least 1.
func newLimiter(total int) *limiter {
	return &limiter{total: max(1, total), kinds: map[string]*kindLimit{}}
}

// tryAcquire takes a slot for a call of the kind, if there is one and the kind
// doesn't pause. most is how many calls of the kind there may be at once; 0 means
// as many as in all.
//
// Whoever gets no slot has a release to wait for: the call that was throttled
// keeps its slot until the pause that it caused is over.
func (l *limiter) tryAcquire(kind string, most int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kind(kind)
	k.most = l.total
	if most > 0 {
		k.most = min(most, l.total)
	}
	if l.held >= l.total || k.held >= k.allowed() || time.Now().Before(k.resume) {
		return false
	}
	l.held++
	k.held++
	k.calling++
	return true
}

// release gives a slot back.
func (l *limiter) release(kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kind(kind)
	l.held--
	k.held--
	k.calling--
	k.wake()
}

// throttled notes that the other side asked to slow down, and not to be called
// for so long; 0 if it didn't say. Calls that were under way together are often
// throttled together: while the kind pauses already, only the pause may grow.
func (l *limiter) throttled(kind string, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kind(kind)
	now := time.Now()
	if !now.Before(k.resume) {
		k.limit, k.good = max(1, k.allowed()/2), 0
		k.strikes++
	}
	pause := backoff(k.strikes, throttlePause, throttlePauseMax)
	if after > 0 {
		pause = after + rand.N(after/10+1) // not everybody who was told so at the same instant
	}
	if resume := now.Add(pause); resume.After(k.resume) {
		k.resume = resume
	}
}

// succeeded notes that a call went well and was not throttled.
func (l *limiter) succeeded(kind string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kind(kind)
	if time.Now().Before(k.resume) {
		return // it began before the pause
	}
	k.strikes = 0
	if k.good++; k.good >= k.limit {
		k.limit, k.good = k.limit+1, 0
		k.wake()
	}
}

// wait blocks until the kind's pause is over. The error is the context's cause.
func (l *limiter) wait(ctx context.Context, kind string) error {
	for {
		l.mu.Lock()
		pause := time.Until(l.kind(kind).resume)
		l.mu.Unlock()
		if err := context.Cause(ctx); err != nil || pause <= 0 {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// turn blocks one who holds a slot until the kind's pause is over and fewer of
// those who hold one are calling than may be: slots that were taken before the
// limit fell don't all call at once. The error is the context's cause.
func (l *limiter) turn(ctx context.Context, kind string) error {
	l.mu.Lock()
	k := l.kind(kind)
	k.calling--
	k.wake()
	l.mu.Unlock()
	for {
		err := l.wait(ctx, kind)
		l.mu.Lock()
		if err != nil || k.calling < k.allowed() && !time.Now().Before(k.resume) {
			k.calling++
			l.mu.Unlock()
			return err
		}
		if k.changed == nil {
			k.changed = make(chan struct{})
		}
		changed := k.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// kind returns what is known of a kind. The lock is held.
func (l *limiter) kind(name string) *kindLimit {
	k := l.kinds[name]
	if k == nil {
		k = &kindLimit{most: l.total, limit: l.total}
		l.kinds[name] = k
	}
	return k
}

// allowed is how many calls there may be at once. The lock is held.
func (k *kindLimit) allowed() int { return min(k.limit, k.most) }

// wake lets those who wait for a turn look again. The lock is held.
func (k *kindLimit) wake() {
	if k.changed != nil {
		close(k.changed)
		k.changed = nil
	}
}

// backoff returns how long to pause for the nth time, from 1: twice as long as
// the time before, at most so long, and less by a random part of up to half.
func backoff(n int, first, most time.Duration) time.Duration {
	pause := most
	if n < 32 && first<<(n-1) < most {
		pause = first << (n - 1)
	}
	return pause - rand.N(pause/2)
}

// sleep waits. The error is the context's cause if that has ended by then.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}
