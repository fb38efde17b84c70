package appsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup-go/trueup/sync"
)

// Builder builds components. A host implements it, usually by what it has as its
// Builds too. It must be safe for concurrent use.
type Builder interface {
	// Start begins the builds of components, or puts them in a queue, and doesn't
	// wait for them. From then on Builds.Failed tells of each until it has
	// succeeded, whatever becomes of this process.
	Start(ctx context.Context, components []ComponentState) error
	// Poll tells how the last build of each component is doing, in their order.
	Poll(ctx context.Context, components []ComponentState) ([]Build, error)
}

// Build is how the build of a component is doing.
type Build struct {
	Component string
	Phase     BuildPhase
	// Message says more, for people: "exit status 1".
	Message string
}

// BuildPhase is how a build is doing, in one word.
type BuildPhase string

// The phases, in the order in which they come; a build ends in one of the last two.
const (
	BuildQueued  BuildPhase = "queued"
	BuildRunning BuildPhase = "running"
	BuildDone    BuildPhase = "done"
	BuildFailed  BuildPhase = "failed"
)

func (p BuildPhase) isEnd() bool { return p == BuildDone || p == BuildFailed }

// BuildError says that the build of a component failed.
type BuildError struct {
	// Component is its name; Message is the Build's.
	Component, Message string
}

// Error implements error.
func (e *BuildError) Error() string {
	text := fmt.Sprintf("the build of %s/%s failed", KindComponent, e.Component)
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// How long to wait before builds are asked for again: at first, and at most.
const (
	pollPause    = 50 * time.Millisecond
	pollPauseMax = 2 * time.Second
)

// RunBuilds starts the builds of components, usually those of
// Syncer.GetComponentsScheduled, and polls each until it ends. Changed is called
// with every Build whose phase isn't what it was, from the goroutine of RunBuilds;
// it may be nil.
//
// The error is nil, or joins a *BuildError for every build that failed, in the order
// of the components, and what kept RunBuilds from seeing the others end. A poll
// whose error is sync.Retryable is repeated a few times.
func RunBuilds(ctx context.Context, builder Builder, components []ComponentState, changed func(Build)) error {
	if len(components) == 0 {
		return nil
	}
	if err := builder.Start(ctx, components); err != nil {
		return sync.SyncInternalErr{Description: "start the builds", Err: err}
	}
	w := watch{builder: builder, components: components, builds: make([]Build, len(components)), changed: changed}
	err := w.untilTheEnd(ctx)
	return errors.Join(w.failures(), err)
}

// watch follows builds.
type watch struct {
	builder    Builder
	components []ComponentState
	builds     []Build // as last seen, one for each component
	changed    func(Build)
}

func (w *watch) untilTheEnd(ctx context.Context) error {
	const patience = 5
	failed := 0
	for pause := pollPause; ; pause = min(2*pause, pollPauseMax) {
		open, err := w.poll(ctx)
		switch {
		case err == nil && open == 0:
			return nil
		case err == nil:
			failed = 0
		case failed == patience || !sync.Retryable(err):
			return sync.SyncInternalErr{Description: "ask how the builds are doing", Err: err}
		default:
			failed++
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return sync.SyncInternalErr{Description: "wait for the builds", Err: context.Cause(ctx)}
		case <-timer.C:
		}
	}
}

// poll asks for the builds that have not ended, and returns how many there are
// then.
func (w *watch) poll(ctx context.Context) (open int, err error) {
	var running []ComponentState
	var indices []int
	for i := range w.builds {
		if !w.builds[i].Phase.isEnd() {
			running, indices = append(running, w.components[i]), append(indices, i)
		}
	}
	builds, err := w.builder.Poll(ctx, running)
	if err == nil && len(builds) != len(running) {
		err = fmt.Errorf("asked for %d builds, told of %d", len(running), len(builds))
	}
	if err != nil {
		return len(running), err
	}
	for at, i := range indices {
		if builds[at].Phase != w.builds[i].Phase && w.changed != nil {
			w.changed(builds[at])
		}
		w.builds[i] = builds[at]
		if !builds[at].Phase.isEnd() {
			open++
		}
	}
	return open, nil
}

func (w *watch) failures() error {
	var errs []error
	for i := range w.builds {
		if w.builds[i].Phase == BuildFailed {
			errs = append(errs, &BuildError{Component: w.components[i].Name, Message: w.builds[i].Message})
		}
	}
	return errors.Join(errs...)
}
