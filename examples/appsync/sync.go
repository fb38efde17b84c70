package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// sync syncs a config and has the components built that are to be. Without --build
// it says which, and leaves it at that.
func (p *program) sync(ctx context.Context, call *synccli.Call, config *appsync.Config, syncer sync.Syncer) error {
	config.Options = &call.Options
	var builds *builds
	if p.build != "" {
		builds = newBuilds(call, p.build)
		defer builds.wait()
		config.Builds, syncer = builds, builds.scheduling(syncer)
	}
	app := appsync.New(syncer, config)
	ctx = appsync.SetOrgContext(ctx, call.Scope.Org)
	ctx = appsync.SetAccountContext(ctx, call.Account)
	err := app.Sync(ctx)
	scheduled := app.GetComponentsScheduled()
	switch {
	case len(scheduled) == 0:
		return err
	case builds == nil:
		return errors.Join(err, showScheduled(call, scheduled))
	}
	return errors.Join(err, showScheduled(call, scheduled), runBuilds(ctx, call, builds, scheduled))
}

func showScheduled(call *synccli.Call, scheduled []appsync.ComponentState) error {
	if call.JSON {
		return json.NewEncoder(call.Out).Encode(struct {
			Event      string                   `json:"event"`
			Components []appsync.ComponentState `json:"components"`
		}{"scheduled", scheduled})
	}
	const enough = 10
	var names []string
	for i, component := range scheduled {
		if i == enough {
			names = append(names, fmt.Sprintf("and %d more", len(scheduled)-enough))
			break
		}
		names = append(names, component.Name)
	}
	_, err := fmt.Fprintf(call.Out, "to be built: %s\n", strings.Join(names, ", "))
	return err
}

// runBuilds builds components and shows how that goes.
func runBuilds(ctx context.Context, call *synccli.Call, builder appsync.Builder, scheduled []appsync.ComponentState) error {
	work := call.Work(len(scheduled))
	defer work.Close()
	var unwritten error
	err := appsync.RunBuilds(ctx, builder, scheduled, func(build appsync.Build) {
		if call.JSON {
			unwritten = errors.Join(unwritten, json.NewEncoder(call.Out).Encode(struct {
				Event     string             `json:"event"`
				Component string             `json:"component"`
				Phase     appsync.BuildPhase `json:"phase"`
				Message   string             `json:"message,omitempty"`
			}{"build", build.Component, build.Phase, build.Message}))
		}
		switch name := build.Component; build.Phase {
		case appsync.BuildRunning:
			work.Begin(name, "building "+name)
		case appsync.BuildDone:
			work.End(name, "built "+name, true)
		case appsync.BuildFailed:
			work.End(name, "failed to build "+name, false)
		}
	})
	return errors.Join(err, unwritten)
}
