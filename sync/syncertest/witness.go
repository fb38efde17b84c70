package syncertest

import (
	"context"
	"errors"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// witness is a Handler and Deployer that does what a World's does, and may say what
// it has seen.
type witness struct {
	tusync.Handler
	c *secrecy
}

// Apply implements tusync.Handler.
func (w witness) Apply(ctx context.Context, changes []diff.Change) []tusync.Outcome {
	outcomes := make([]tusync.Outcome, len(changes))
	for i, change := range changes {
		if outcomes[i].Err = w.c.say("apply", change.Key(), configOf(change)); outcomes[i].Err != nil {
			continue
		}
		outcomes[i] = w.Handler.Apply(ctx, []diff.Change{change})[0]
		if err := w.c.say("applied", change.Key(), nil); err != nil {
			outcomes[i] = tusync.Outcome{Err: errors.Join(err, tusync.ErrUncertain)}
		}
	}
	return outcomes
}

// Find implements tusync.Finder.
func (w witness) Find(ctx context.Context, creates []*diff.Create) []tusync.Live {
	lives := w.Handler.(tusync.Finder).Find(ctx, creates)
	for i := range lives {
		if err := w.c.say("find", creates[i].Key(), creates[i].Config); err != nil {
			lives[i].Err = err
		}
	}
	return lives
}

// Observe implements tusync.Observer.
func (w witness) Observe(ctx context.Context, records []state.Record) []tusync.Live {
	lives := w.Handler.(tusync.Observer).Observe(ctx, records)
	for i := range lives {
		if err := w.c.say("observe", records[i].Key, nil); err != nil {
			lives[i].Err = err
		}
		if w.c.live != nil {
			lives[i].Config = w.c.live
		}
	}
	return lives
}

// Deploy implements tusync.Deployer.
func (w witness) Deploy(_ context.Context, deploy *diff.Deploy) error {
	return w.c.say("deploy", deploy.Key(), deploy.Config)
}

// Health implements tusync.Deployer.
func (w witness) Health(_ context.Context, records []state.Record) []tusync.Health {
	healths := make([]tusync.Health, len(records))
	for i := range records {
		healths[i].Phase = tusync.Healthy
		if err := w.c.say("unhealthy", records[i].Key, nil); err != nil {
			healths[i] = tusync.Health{Phase: tusync.Degraded, Message: err.Error()}
		}
		healths[i].Err = w.c.say("health", records[i].Key, nil)
	}
	return healths
}
