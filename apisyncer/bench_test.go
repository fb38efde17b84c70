package apisyncer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// BenchmarkSync syncs over loopback and, in turn with that, straight on the backend:
// the first time, and with 1% changed.
func BenchmarkSync(b *testing.B) {
	stores := map[string]func(b *testing.B) func(context.Context, state.Scope) (tusync.Backend, error){
		"files": func(b *testing.B) func(context.Context, state.Scope) (tusync.Backend, error) {
			dir := b.TempDir()
			return func(_ context.Context, scope state.Scope) (tusync.Backend, error) {
				return filesyncer.New(dir+"/"+scope.App, scope, nil)
			}
		},
	}
	for name, store := range stores {
		for _, n := range []int{150, 9_999} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				straight := store(b)
				address := serve(b, straight, nil)
				var took [2]struct{ first, changed time.Duration }
				rounds := 0
				for b.Loop() {
					rounds++
					for side := range took {
						scope := state.Scope{Org: "acme", App: fmt.Sprintf("%s-%d-%d-%d", "app", n, rounds, side)}
						backend, err := straight(b.Context(), scope)
						if side == 1 {
							backend, err = open(address, scope)
						}
						require.NoError(b, err)
						first, changed := app(b, n*2/3, 1), app(b, n*2/3, 1)
						for i := range n / 100 {
							changed.Resources[i].Config = []byte(fmt.Sprintf(`{"image":"shop/web:%d","token":"hunter"}`, rounds))
						}
						took[side].first += timed(b, backend, first)
						took[side].changed += timed(b, backend, changed)
					}
				}
				b.ReportMetric(took[1].first.Seconds()/took[0].first.Seconds(), "first/straight")
				b.ReportMetric(took[1].changed.Seconds()/took[0].changed.Seconds(), "changed/straight")
				b.ReportMetric(took[1].first.Seconds()*1e3/float64(rounds), "first-ms")
				b.ReportMetric(took[1].changed.Seconds()*1e3/float64(rounds), "changed-ms")
			})
		}
	}
}

func timed(b *testing.B, backend tusync.Backend, desired *tusync.Desired) time.Duration {
	b.Helper()
	began := time.Now()
	engine, err := tusync.New(backend, appKinds(), nil)
	require.NoError(b, err)
	plan, err := engine.Plan(b.Context(), desired, nil)
	require.NoError(b, err)
	_, err = engine.Apply(b.Context(), plan)
	require.NoError(b, err)
	return time.Since(began)
}
