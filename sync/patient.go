package sync

import (
	"context"
	"errors"
	"iter"

	"github.com/trueup-go/trueup/state"
)

// patient is a Backend whose calls are made again, after a pause that grows, while
// they fail with a Retryable error: so no backend has to. What one may have beyond
// a Backend is called through Unwrap: where it matters the engine calls it again
// itself, as it does with a Tx.
type patient struct {
	Backend

	retries int
}

// Unwrap returns the backend that is called.
func (p patient) Unwrap() Backend { return p.Backend }

// Head implements Backend.
func (p patient) Head(ctx context.Context) (head state.Head, err error) {
	err = again(ctx, p.retries, func() error {
		head, err = p.Backend.Head(ctx)
		return err
	})
	return head, err
}

// Records implements Backend. Once it has yielded a record it isn't called again.
func (p patient) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		begun := false
		err := again(ctx, p.retries, func() error {
			for r, err := range p.Backend.Records(ctx) {
				if err != nil && !begun {
					return err
				}
				begun = true
				if !yield(r, err) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield(state.Record{}, err)
		}
	}
}

// Declared implements Backend.
func (p patient) Declared(ctx context.Context, sums []state.Checksum) (found map[state.Checksum]state.Resource, err error) {
	err = again(ctx, p.retries, func() error {
		found, err = p.Backend.Declared(ctx, sums)
		return err
	})
	return found, err
}

// Begin implements Backend. Who holds the lease is not asked again.
func (p patient) Begin(ctx context.Context, owner string) (tx Tx, head state.Head, err error) {
	err = again(ctx, p.retries, func() error {
		tx, head, err = p.Backend.Begin(ctx, owner)
		return err
	})
	return tx, head, err
}

// again calls f until it succeeds, fails with what isn't Retryable, or has been
// called so often again. Somebody else's lease is no failure.
func again(ctx context.Context, retries int, f func() error) error {
	for tries := 1; ; tries++ {
		err := f()
		if !Retryable(err) || errors.Is(err, ErrLocked) || errors.Is(err, ErrLeaseLost) || tries > retries {
			return err
		}
		if sleep(ctx, backoff(tries, retryPause, retryPauseMax)) != nil {
			return err
		}
	}
}
