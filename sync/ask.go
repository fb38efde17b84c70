package sync

import (
	"context"
	"errors"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// answer is what somebody says of one thing.
type answer interface{ failure() error }

func (l Live) failure() error   { return l.Err }
func (h Health) failure() error { return h.Err }

func (p Prepared) failure() error { return p.Err }

// ask asks about things of a kind, by their indices 0 to n-1, until each has its
// final answer, and returns one for each. The caller holds a slot of the limiter.
// As with acts, what was throttled is asked again after the pause, as often as it
// takes, and what failed with a Retryable error after a pause that grows. An error
// says that there are no answers at all.
func ask[T answer](ctx context.Context, p *performer, kind *Kind, n int, about func(which []int) ([]T, error)) ([]T, error) {
	answers := make([]T, n)
	which := make([]int, n)
	for i := range which {
		which[i] = i
	}
	for tries := 0; ; {
		some, err := about(which)
		if err != nil {
			return nil, err
		}
		var r round
		var again []int
		failed := false
		for at, i := range which {
			answers[i] = some[at]
			switch err := some[at].failure(); {
			case err == nil:
				r.good = true
			case errors.Is(err, ErrTooManyRequests):
				r.slowDown(err)
				again = append(again, i)
			case Retryable(err) && tries < p.retries:
				failed = true
				again = append(again, i)
			}
		}
		if failed {
			tries++
			r.tries = tries
		}
		p.tell(kind, &r)
		if len(again) == 0 || p.pause(ctx, kind, r.tries) != nil {
			return answers, nil
		}
		which = again
	}
}

// pick returns some of all.
func pick[T any](all []T, which []int) []T {
	some := make([]T, len(which))
	for at, i := range which {
		some[at] = all[i]
	}
	return some
}

// find asks the Finder, and makes an error of whatever is no answer.
func find(ctx context.Context, kind *Kind, finder Finder, creates []*diff.Create) (lives []Live, err error) {
	err = guard(kind, "Find", func() { lives = finder.Find(ctx, creates) })
	if err == nil {
		err = wantLen(kind, "Find", len(lives), len(creates))
	}
	return lives, err
}

// observe asks the Observer, and makes an error of whatever is no answer.
func observe(ctx context.Context, kind *Kind, observer Observer, records []state.Record) (lives []Live, err error) {
	err = guard(kind, "Observe", func() { lives = observer.Observe(ctx, records) })
	if err == nil {
		err = wantLen(kind, "Observe", len(lives), len(records))
	}
	return lives, err
}

// healthOf asks the Deployer, and makes an error of whatever is no answer.
func healthOf(ctx context.Context, kind *Kind, records []state.Record) (healths []Health, err error) {
	err = guard(kind, "Health", func() { healths = kind.Deployer.Health(ctx, records) })
	if err == nil {
		err = wantLen(kind, "Health", len(healths), len(records))
	}
	return healths, err
}

// prepare asks the Deployer, if it can tell, and makes an error of whatever is no answer.
func prepare(ctx context.Context, kind *Kind, deploys []*diff.Deploy) (prepared []Prepared, err error) {
	preparer, ok := kind.Deployer.(Preparer)
	if !ok {
		return make([]Prepared, len(deploys)), nil
	}
	err = guard(kind, "Prepare", func() { prepared = preparer.Prepare(ctx, deploys) })
	if err == nil {
		err = wantLen(kind, "Prepare", len(prepared), len(deploys))
	}
	return prepared, err
}
