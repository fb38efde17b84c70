package sync_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// runs deploys everything at once, and all of it is well.
type runs struct{}

func (runs) Deploy(context.Context, *diff.Deploy) error { return nil }

func (runs) Health(_ context.Context, records []state.Record) []sync.Health {
	healths := make([]sync.Health, len(records))
	for i := range healths {
		healths[i].Phase = sync.Healthy
	}
	return healths
}

// A deploy waits for those of all it comes after, also where what is in between
// isn't deployed.
func TestPromise3_ADeployWaitsForAllBelow(t *testing.T) {
	t.Parallel()
	kinds := sync.Kinds(sync.Define[box]("box", sync.Deploys(runs{})))
	engine, err := sync.New(newSpy(), kinds, nil)
	require.NoError(t, err)
	database := resource(t, kinds, "box/z-database", box{1})
	schema := resource(t, kinds, "box/schema", box{1}, "box/z-database")
	app := resource(t, kinds, "box/app", box{1}, "box/schema")
	database.Deploy, app.Deploy = true, true
	p := plan(t, engine, declaring(app, database, schema), nil)
	require.Equal(t, []string{"create z-database", "deploy z-database", "create schema", "create app", "deploy app"}, planned(p))
	require.Equal(t, []int{1, 3}, p.Changes[4].After)
}

// What nobody needs any more is in use until those that used it run without it.
func TestPromise3_ADeleteWaitsForDeploysOfWhatUsedIt(t *testing.T) {
	t.Parallel()
	kinds := sync.Kinds(sync.Define[box]("box", sync.Deploys(runs{})))
	engine, err := sync.New(newSpy(), kinds, nil)
	require.NoError(t, err)
	volume := resource(t, kinds, "box/volume", box{1})
	app := resource(t, kinds, "box/app", box{1}, "box/volume")
	app.Deploy = true
	syncAll(t, engine, declaring(app, volume), nil)
	app = resource(t, kinds, "box/app", box{2})
	app.Deploy = true
	p := plan(t, engine, declaring(app), &sync.PlanOptions{Prune: true, PruneLimit: sync.LimitPercent(100)})
	require.Equal(t, []string{"update app", "deploy app", "delete volume"}, planned(p))
	require.Contains(t, p.Changes[2].After, 1)
}
