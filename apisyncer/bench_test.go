package apisyncer_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// BenchmarkSync syncs over loopback and, in turn with that, straight on the backend:
// the first time, and with 1% changed. It reports medians: of the rounds' ratios, and
// of the times over loopback.
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
				var first, changed [2][]float64 // ms, straight and over loopback
				for b.Loop() {
					round := len(first[0])
					for side := range first {
						scope := state.Scope{Org: "acme", App: fmt.Sprintf("app-%d-%d-%d", n, round, side)}
						backend, err := straight(b.Context(), scope)
						if side == 1 {
							backend, err = open(address, scope)
						}
						require.NoError(b, err)
						before, after := app(b, n*2/3, 1), app(b, n*2/3, 1)
						for i := range n / 100 {
							after.Resources[i].Config = []byte(fmt.Sprintf(`{"image":"shop/web:%d","token":"hunter"}`, round+2))
						}
						first[side] = append(first[side], timed(b, backend, before))
						changed[side] = append(changed[side], timed(b, backend, after))
					}
				}
				for what, took := range map[string][2][]float64{"first": first, "changed": changed} {
					ratios := slices.Clone(took[1])
					for round := range ratios {
						ratios[round] /= took[0][round]
					}
					b.ReportMetric(median(ratios), what+"/straight")
					b.ReportMetric(median(took[1]), what+"-ms")
				}
			})
		}
	}
}

// median returns the middle one, or the lower of the two: a round that something else
// disturbed doesn't count.
func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[(len(of)-1)/2]
}

func timed(b *testing.B, backend tusync.Backend, desired *tusync.Desired) (ms float64) {
	b.Helper()
	runtime.GC() // what comes before leaves no garbage to this
	began := time.Now()
	engine, err := tusync.New(backend, appKinds(), nil)
	require.NoError(b, err)
	plan, err := engine.Plan(b.Context(), desired, nil)
	require.NoError(b, err)
	_, err = engine.Apply(b.Context(), plan)
	require.NoError(b, err)
	return time.Since(began).Seconds() * 1e3
}
