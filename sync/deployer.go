package sync

import (
	"context"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Deployer brings things to run that are declared with Deploy. It may be a
// kind's Handler, or stand beside a kind that has none (Deploys). It must be safe
// for concurrent use. The engine decides what is deployed and when, waits for
// health, records what is pending and tries again in the next sync.
//
// A Deployer isn't told that a thing is no longer declared, or no longer declared
// with Deploy: what runs, runs on. A kind whose things have to end when they are
// deleted has a Handler.
type Deployer interface {
	// Deploy starts the thing as it is declared, in the place of what runs of it
	// now. It needn't wait until it is healthy. The deploy has Config to act on and
	// the record.
	Deploy(ctx context.Context, deploy *diff.Deploy) error
	// Health tells how each of the things is doing, in their order. It is asked
	// for what is recorded and declared with Deploy when a plan is made, and again
	// and again after a Deploy until it is Healthy or Degraded, or the time is up.
	// What is renamed has its new key.
	Health(ctx context.Context, records []state.Record) []Health
}

// Preparer is implemented by a Deployer that can tell, before it deploys, what else than
// the declaration goes into what runs: an image that was built, files that are read.
type Preparer interface {
	// Prepare looks at what each of the deploys would be made of, in their order, and
	// changes nothing that runs. It is asked for all that is declared with Deploy when a
	// plan is made, with names in Config in place of IDs that are not known yet, and
	// again for each right before its Deploy. Of what comes after something that is
	// deployed in the same plan, the plan doesn't use the answer.
	Prepare(ctx context.Context, deploys []*diff.Deploy) []Prepared
}

// Prepared is what a deploy would be made of.
type Prepared struct {
	// Sum is a checksum of what else than the declaration goes into what runs; zero if
	// nothing does. The engine makes it a part of diff.Deploy.Running, so that another
	// one is a reason to deploy. It should not be one of secrets: what has few values can
	// be guessed from a checksum.
	Sum state.Checksum
	// Err is why the thing can't be deployed as things are. If it is to be deployed,
	// that is an error of the plan; else a warning.
	Err error
	// Wrong says that Err is about what is declared: no deploy of something else can
	// mend it, so that it counts whatever the thing comes after.
	Wrong bool
}

// Health is how a thing is doing.
type Health struct {
	Phase HealthPhase
	// Running is the Running of the diff.Deploy that started what runs, if that is
	// known; zero if not. Another one than that of what is declared is a reason to
	// deploy.
	Running state.Checksum
	// Message says more, for people: "exited with code 1".
	Message string
	// Err is why it isn't known. The Phase is then ignored.
	Err error
}

// HealthPhase is how a thing is doing, in one word.
type HealthPhase string

// The phases.
const (
	// Healthy: it runs and does what it should.
	Healthy HealthPhase = "healthy"
	// Progressing: it isn't healthy yet and may become so by itself.
	Progressing HealthPhase = "progressing"
	// Degraded: it doesn't run as it should and won't by itself.
	Degraded HealthPhase = "degraded"
	// Missing: it isn't there at all.
	Missing HealthPhase = "missing"
)
