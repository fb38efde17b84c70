package dbsyncer_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer"
	"github.com/trueup-go/trueup/apisyncer/apiserver"
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
		}, func(*http.Request) (*apiserver.Caller, error) {
			return &apiserver.Caller{Name: "anybody", May: func(string, bool) bool { return true }}, nil
		}, nil)
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
