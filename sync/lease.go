package sync

import (
	"context"
	"errors"
	"time"
)

// holdLease starts renewing the run's lease and sets the run's contexts. The
// function that it returns ends the renewal and waits for it.
func (r *run) holdLease(ctx context.Context) (stop func()) {
	held, lose := context.WithCancelCause(context.WithoutCancel(ctx))
	r.caller, r.lease = ctx, held
	// Work goes on for a while after the caller has cancelled, and not at all
	// without the lease.
	work, cancel := context.WithCancel(held)
	r.work = work
	undo := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(r.engine.opts.Grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-work.Done():
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.renew(held, lose)
	}()
	return func() {
		undo()
		cancel()
		lose(nil)
		<-done
	}
}

// renew prolongs the lease at every third of its time until ctx ends. A renewal
// that fails is tried again every second, until the lease has lapsed.
func (r *run) renew(ctx context.Context, lose context.CancelCauseFunc) {
	until := time.Now().Add(LeaseTTL)
	pause := LeaseTTL / 3
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		prolonged, err := r.tx.Renew(ctx)
		switch {
		case err == nil:
			until = prolonged
			pause = max(time.Until(until)/3, 10*time.Millisecond)
		case errors.Is(err, ErrLeaseLost), time.Now().After(until):
			lose(ErrLeaseLost)
			return
		default:
			pause = time.Second
		}
	}
}
