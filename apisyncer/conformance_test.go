package apisyncer_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer"
	"github.com/trueup-go/trueup/apisyncer/apiserver"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// serve serves the backends that open opens, at the returned address.
func serve(t testing.TB, open apiserver.Open, opts *apiserver.Options) string {
	t.Helper()
	handler, err := apiserver.New(open, anybody, opts)
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, handler.Close(context.WithoutCancel(t.Context())))
	})
	return server.URL
}

// anybody may do everything.
func anybody(*http.Request) (*apiserver.Caller, error) {
	return &apiserver.Caller{Name: "anybody", May: func(string, bool) bool { return true }}, nil
}

func open(address string, scope state.Scope) (tusync.Backend, error) {
	return apisyncer.New(address, scope, nil)
}

// memories are the stores of a server.
type memories struct {
	mu  sync.Mutex
	all map[state.Scope]*syncertest.Memory
}

func (m *memories) open(_ context.Context, scope state.Scope) (tusync.Backend, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = map[state.Scope]*syncertest.Memory{}
	}
	if m.all[scope] == nil {
		m.all[scope] = syncertest.NewMemory(scope)
	}
	return m.all[scope].Reopen(), nil
}

func (m *memories) lapse() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, memory := range m.all {
		memory.Lapse()
	}
}

func TestConformanceOverMemory(t *testing.T) {
	t.Parallel()
	var servers sync.Map
	syncertest.Run(t, syncertest.Suite{
		New: func(t testing.TB) string {
			m := &memories{}
			address := serve(t, m.open, nil)
			servers.Store(address, m)
			return address
		},
		Open: open,
		Lapse: func(_ testing.TB, address string) {
			m, _ := servers.Load(address)
			m.(*memories).lapse()
		},
	})
}

func TestConformanceOverFiles(t *testing.T) {
	t.Parallel()
	var dirs sync.Map
	syncertest.Run(t, syncertest.Suite{
		New: func(t testing.TB) string {
			dir := t.TempDir()
			address := serve(t, func(_ context.Context, scope state.Scope) (tusync.Backend, error) {
				return filesyncer.New(dir+"/"+strings.NewReplacer("/", "_", "\x00", "_").Replace(scope.String()), scope, nil)
			}, nil)
			dirs.Store(address, dir)
			return address
		},
		Open: open,
		Lapse: func(t testing.TB, address string) {
			t.Skip()
		},
	})
}
