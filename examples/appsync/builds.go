package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// atOnce is how many builds run at the same time.
const atOnce = 4

// builds builds components by running a command for each. A vendor's own program
// would ask its build service.
//
// The command is the shell's, runs in the config directory, gets the component's
// config as JSON on its input and finds what else there is to know of it in its
// environment, in APPSYNC_COMPONENT and others. It has built the component if it
// ends with exit code 0.
type builds struct {
	call    *synccli.Call
	command string
	log     *buildLog
	slots   chan struct{}
	running sync.WaitGroup

	mu     sync.Mutex
	latest map[string]appsync.Build // by component
}

var (
	_ appsync.Builds  = (*builds)(nil)
	_ appsync.Builder = (*builds)(nil)
)

func newBuilds(call *synccli.Call, command string) *builds {
	return &builds{
		call: call, command: command, log: newBuildLog(call.Dir(), call.Scope),
		slots: make(chan struct{}, atOnce), latest: map[string]appsync.Build{},
	}
}

// wait waits until nothing runs any more.
func (b *builds) wait() { b.running.Wait() }

// Failed implements appsync.Builds: it returns the components of which the log
// doesn't say that what is recorded of them was built.
func (b *builds) Failed(ctx context.Context) ([]string, error) {
	open, err := b.log.open()
	if err != nil || len(open) == 0 {
		return nil, err
	}
	recorded, err := b.call.State(ctx)
	if err != nil {
		return nil, err
	}
	var failed []string
	for i := range recorded.Records {
		r := &recorded.Records[i]
		if r.Kind == appsync.KindComponent && open[built{r.Name, r.Checksum.Hex()}] {
			failed = append(failed, r.Name)
		}
	}
	return failed, nil
}

// scheduling returns a syncer that notes, before it applies a plan, which
// components are to be built then: a crash in between must not lose that.
func (b *builds) scheduling(syncer tusync.Syncer) tusync.Syncer {
	return &schedulingSyncer{Syncer: syncer, log: b.log}
}

// Start implements appsync.Builder. What is built is what is recorded, which may
// be another thing than what the directory says by now.
func (b *builds) Start(ctx context.Context, components []appsync.ComponentState) error {
	configs, err := b.configs(ctx, components)
	if err != nil {
		return err
	}
	var lines []buildLine
	for _, c := range components {
		lines = append(lines, buildLine{Component: c.Name, Checksum: c.Checksum, Phase: appsync.BuildQueued})
	}
	if err := b.log.add(lines...); err != nil {
		return err
	}
	for i, c := range components {
		b.note(appsync.Build{Component: c.Name, Phase: appsync.BuildQueued})
		b.running.Go(func() {
			select {
			case b.slots <- struct{}{}:
				defer func() { <-b.slots }()
				b.build(ctx, c, configs[i])
			case <-ctx.Done():
			}
		})
	}
	return nil
}

// Poll implements appsync.Builder.
func (b *builds) Poll(_ context.Context, components []appsync.ComponentState) ([]appsync.Build, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	latest := make([]appsync.Build, len(components))
	for i, c := range components {
		latest[i] = b.latest[c.Name]
	}
	return latest, nil
}

func (b *builds) note(build appsync.Build) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.latest[build.Component] = build
}

// configs returns the recorded configs of components.
func (b *builds) configs(ctx context.Context, components []appsync.ComponentState) ([][]byte, error) {
	engine, err := b.call.Engine(ctx)
	if err != nil {
		return nil, err
	}
	sums := make([]state.Checksum, len(components))
	for i, c := range components {
		if sums[i], err = state.ParseChecksum("sha256:" + c.Checksum); err != nil {
			return nil, err
		}
	}
	declared, err := engine.Backend().Declared(ctx, sums)
	if err != nil {
		return nil, err
	}
	configs := make([][]byte, len(components))
	for i, c := range components {
		resource, ok := declared[sums[i]]
		if !ok {
			return nil, fmt.Errorf("component/%s: what was declared of it is not recorded", c.Name)
		}
		configs[i] = resource.Config
	}
	return configs, nil
}

// build runs the command for a component. Unless the log says in the end that it is
// done, the next sync begins it again.
func (b *builds) build(ctx context.Context, c appsync.ComponentState, config []byte) {
	build := appsync.Build{Component: c.Name, Phase: appsync.BuildRunning}
	b.note(build)
	line := buildLine{Component: c.Name, Checksum: c.Checksum, Phase: build.Phase}
	err := b.log.add(line)
	if err == nil {
		err = b.run(ctx, c, config)
	}
	build.Phase = appsync.BuildDone
	if err != nil {
		build.Phase, build.Message = appsync.BuildFailed, err.Error()
	}
	line.Phase = build.Phase
	if err := b.log.add(line); err != nil {
		build.Phase, build.Message = appsync.BuildFailed, err.Error()
	}
	b.note(build)
}
