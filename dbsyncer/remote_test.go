package dbsyncer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer"
	"github.com/trueup-go/trueup/apisyncer/apiserver"
	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// Served over HTTP it keeps the same promises.
func TestConformanceOverHTTP(t *testing.T) {
	t.Parallel()
	s := suite(t, dbsyncertest.URL, "")
	straight := s.New
	var served sync.Map // what there is behind the address of a server
	s.New = func(t testing.TB) string {
		address := straight(t)
		handler, err := apiserver.New(func(_ context.Context, scope state.Scope) (tusync.Backend, error) {
			return open(address, scope)
		}, anybody, nil)
		require.NoError(t, err)
		server := httptest.NewServer(handler)
		t.Cleanup(func() {
			server.Close()
			require.NoError(t, handler.Close(context.WithoutCancel(t.Context())))
		})
		served.Store(server.URL, address)
		return server.URL
	}
	behind := func(address string) string {
		there, _ := served.Load(address)
		return there.(string)
	}
	lapse, stored := s.Lapse, s.Stored
	s.Open = func(address string, scope state.Scope) (tusync.Backend, error) {
		return apisyncer.New(address, scope, nil)
	}
	s.Lapse = func(t testing.TB, address string) { lapse(t, behind(address)) }
	s.Stored = func(t testing.TB, address string) map[string][]byte { return stored(t, behind(address)) }
	syncertest.Run(t, s)
}

// BenchmarkOverHTTP creates n resources over loopback and, in turn with that, straight.
func BenchmarkOverHTTP(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			pool, schema := benchPool(b, &meter{})
			straight := func(_ context.Context, scope state.Scope) (tusync.Backend, error) {
				return dbsyncer.New(pool, scope, &dbsyncer.Options{Schema: schema})
			}
			handler, err := apiserver.New(straight, anybody, nil)
			require.NoError(b, err)
			server := httptest.NewServer(handler)
			defer server.Close()
			desired := manyDeclared(b, n, 0)
			var took [2]time.Duration
			round := 0
			for b.Loop() {
				round++
				for side := range took {
					scope := state.Scope{Org: "acme", App: fmt.Sprintf("shop-%d-%d", round, side)}
					backend, err := straight(b.Context(), scope)
					if side == 1 {
						backend, err = apisyncer.New(server.URL, scope, nil)
					}
					require.NoError(b, err)
					engine, err := tusync.New(backend, benchKinds(), nil)
					require.NoError(b, err)
					began := time.Now()
					_, err = apply(b.Context(), engine, desired, nil)
					require.NoError(b, err)
					took[side] += time.Since(began)
				}
			}
			b.ReportMetric(took[0].Seconds()*1e3/float64(round), "straight-ms")
			b.ReportMetric(took[1].Seconds()*1e3/float64(round), "http-ms")
			b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "http/straight")
		})
	}
}

// anybody may do everything.
func anybody(*http.Request) (*apiserver.Caller, error) {
	return &apiserver.Caller{Name: "anybody", May: func(string, bool) bool { return true }}, nil
}
