package sync_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// upToDate checks that everything refers to what there is.
func (o *outside) upToDate(t *testing.T) {
	t.Helper()
	lan := o.id(t, "network/lan")
	require.Equal(t, lan, o.config(t, "subnet/a", "network"))
	require.Equal(t, lan, o.config(t, "gateway/g", "network"))
	require.Equal(t, o.id(t, "subnet/a"), o.config(t, "gateway/g", "subnet"))
}

// An orphan has the ID of what it referred to. If that gets another one meanwhile,
// the orphan hears of it when it is declared again.
func TestPromise3_ANewIDReachesAnOrphanThatIsDeclaredAgain(t *testing.T) {
	t.Parallel()
	for name, ranges := range map[string][]string{
		"with its leaving":  {"2", "3"},
		"after its leaving": {"1", "2"},
	} {
		for _, options := range [][]sync.KindOption{nil, {sync.CreateFirst()}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w, options...) })
				o.sync(t, o.desire(t, town("1")), nil)
				for _, network := range ranges {
					_, result := o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: network}}), nil)
					require.Len(t, result.Orphans(), 2)
				}
				o.sync(t, o.desire(t, town(ranges[1])), nil)
				o.upToDate(t)
				require.Len(t, o.all(t), 3)
			})
		}
	}
}

// What was to refer to something else, and never came to that, has the old ID, too.
func TestPromise3_ANewIDReachesWhatIsDeclaredAsItWas(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "gateway/g": gateway{Network: "lan"}}), nil)
	apart := o.desire(t, map[string]any{"network/lan": wire{Range: "2"}, "gateway/g": gateway{}})
	for i := range apart.Resources {
		if apart.Resources[i].Kind == "gateway" {
			apart.Resources[i].After = []state.Key{{Kind: "network", Name: "lan"}}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.Hook = func(change diff.Change, done bool) error {
		if _, creates := change.(*diff.Create); creates && done {
			cancel()
		}
		return nil
	}
	plan, err := o.engine.Plan(ctx, apart, nil)
	require.NoError(t, err)
	_, err = o.engine.Apply(ctx, plan)
	require.ErrorIs(t, err, context.Canceled)
	o.Hook = nil
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "2"}, "gateway/g": gateway{Network: "lan"}}), nil)
	require.Equal(t, o.id(t, "network/lan"), o.config(t, "gateway/g", "network"))
}
