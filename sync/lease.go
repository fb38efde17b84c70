package sync

import (
	"context"
	"errors"
	"time"
)

// lease is the engine's side of a Tx: it renews it, and knows how long things may
// go on.
type lease struct {
	tx    Tx
	grace time.Duration
	// caller is Apply's context. When it is done nothing new starts.
	caller context.Context
	// held is done when the lease is lost; its cause is ErrLeaseLost.
	held context.Context
	// work is done when the lease is lost, or a while after the caller's context.
	work context.Context
	end  func()
}

// hold starts renewing the lease that was taken at since. end stops that and
// waits for it.
func (e *Engine) hold(ctx context.Context, tx Tx, since time.Time) *lease {
	held, lose := context.WithCancelCause(context.WithoutCancel(ctx))
	l := &lease{tx: tx, grace: e.opts.Grace, caller: ctx, held: held}
	work, cancel := l.graceful(held)
	l.work = work
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.renew(lose, since.Add(LeaseTTL))
	}()
	l.end = func() {
		cancel()
		lose(nil)
		<-done
	}
	return l
}

// graceful returns a context for what has begun: it ends with ctx, or when the
// caller's has been done for as long as Options.Grace.
func (l *lease) graceful(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	undo := context.AfterFunc(l.caller, func() {
		timer := time.NewTimer(l.grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() { undo(); cancel() }
}

// lastWords is graceful for what must be said even without the lease.
func (l *lease) lastWords() (context.Context, context.CancelFunc) {
	return l.graceful(context.WithoutCancel(l.held))
}

// cause returns why nothing new may start, nil if it may.
func (l *lease) cause() error {
	if cause := context.Cause(l.held); cause != nil {
		return cause
	}
	return context.Cause(l.caller)
}

// renew prolongs the lease at every third of its time. A renewal that fails is
// tried again every second, until the lease has lapsed.
func (l *lease) renew(lose context.CancelCauseFunc, until time.Time) {
	pause := time.Until(until) / 3
	for {
		timer := time.NewTimer(pause)
		select {
		case <-l.held.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		ctx, cancel := context.WithDeadline(l.held, until)
		sent := time.Now()
		_, err := l.tx.Renew(ctx)
		cancel()
		switch {
		case err == nil:
			until = sent.Add(LeaseTTL) // and not what was answered: the other side's clock may be another one
			pause = max(time.Until(until)/3, 10*time.Millisecond)
		case errors.Is(err, ErrLeaseLost), !time.Now().Before(until):
			lose(ErrLeaseLost)
			return
		default:
			pause = min(time.Second, max(time.Until(until), 0))
		}
	}
}
