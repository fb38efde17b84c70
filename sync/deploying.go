package sync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// How long to wait before the health of what was deployed is asked for again: at
// first, and at most.
const (
	healthPause    = 50 * time.Millisecond
	healthPauseMax = 2 * time.Second
)

// startDeploy has the Deployer start a thing: again after a pause, if it is asked
// to slow down or the error is Retryable.
func (a *acts) startDeploy(ctx context.Context, kind *Kind, deploy *diff.Deploy) error {
	for tries := 0; ; {
		err := callDeploy(ctx, kind, deploy)
		var pause time.Duration
		switch {
		case errors.Is(err, ErrTooManyRequests):
			var asked *ThrottledError
			if errors.As(err, &asked) {
				pause = asked.After
			}
			a.performer.limiter.throttled(kind.Name, pause)
		case err == nil:
			a.performer.limiter.succeeded(kind.Name)
			return nil
		case Retryable(err) && tries < a.performer.retries:
			tries++
		default:
			return err
		}
		if a.performer.pause(ctx, kind, tries) != nil {
			return err
		}
	}
}

func callDeploy(ctx context.Context, kind *Kind, deploy *diff.Deploy) error {
	var err error
	broken := guard(kind, "Deploy", func() { err = kind.Deployer.Deploy(ctx, deploy) })
	return cmp.Or(broken, err)
}

// waitHealthy asks for the health of what was deployed.
func waitHealthy(ctx context.Context, kind *Kind, deploy *diff.Deploy, timeout time.Duration) error {
	record := state.Record{Key: deploy.Key()}
	if deploy.Recorded != nil {
		record = *deploy.Recorded
	}
	err := AwaitHealth(ctx, timeout, func(ctx context.Context) Health {
		healths, err := healthOf(ctx, kind, []state.Record{record})
		if err != nil {
			return Health{Err: err}
		}
		return healths[0]
	})
	if errors.Is(err, ErrUnhealthy) {
		return fmt.Errorf("%s is %w", deploy.Key(), err)
	}
	return err
}

// AwaitHealth asks how a thing is doing until it is Healthy, which is nil, or Degraded or
// the time is up, which wraps ErrUnhealthy. Other errors are the context's cause, and
// Health.Err if that isn't Retryable. It is for a Handler whose acts are over when a
// thing runs as it should; for what a Deployer deploys the engine waits itself.
func AwaitHealth(ctx context.Context, timeout time.Duration, ask func(ctx context.Context) Health) error {
	late, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for pause := healthPause; ; pause = min(2*pause, healthPauseMax) {
		health := ask(late)
		err := health.Err
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case late.Err() != nil:
			return fmt.Errorf("%w after %s%s", ErrUnhealthy, timeout, detail(health.Message))
		case err != nil && !Retryable(err) && !errors.Is(err, ErrTooManyRequests):
			return fmt.Errorf("ask how it is doing: %w", err)
		case err == nil && health.Phase == Healthy:
			return nil
		case err == nil && health.Phase == Degraded:
			return fmt.Errorf("%w%s", ErrUnhealthy, detail(health.Message))
		}
		if sleep(late, pause) != nil {
			continue // the loop says which of the two contexts is done
		}
	}
}
