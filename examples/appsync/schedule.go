package main

import (
	"context"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
)

// schedulingSyncer notes what is to be built once a plan is applied.
type schedulingSyncer struct {
	sync.Syncer
	log *buildLog
}

// Apply implements sync.Syncer.
func (s *schedulingSyncer) Apply(ctx context.Context, plan *sync.Plan) (*sync.Result, error) {
	var lines []buildLine
	for _, change := range plan.Changes {
		if sum := desired(change.Change); change.Key().Kind == appsync.KindComponent && !sum.IsZero() {
			lines = append(lines, buildLine{Component: change.Key().Name, Checksum: sum.Hex(), Phase: appsync.BuildQueued})
		}
	}
	if err := s.log.add(lines...); err != nil {
		return nil, sync.SyncInternalErr{Description: "note what is to be built", Err: err}
	}
	return s.Syncer.Apply(ctx, plan)
}

// desired returns the checksum of what a change makes, zero if it makes nothing.
func desired(change diff.Change) state.Checksum {
	switch c := change.(type) {
	case *diff.Create:
		return c.Checksum
	case *diff.Update:
		return c.Checksum
	case *diff.Adopt:
		return c.Checksum
	}
	return state.Checksum{}
}
