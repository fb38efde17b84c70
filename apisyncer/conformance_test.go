package apisyncer_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

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
	server := httptest.NewUnstartedServer(handler)
	conns := &connections{}
	conns.changed.L = &conns.mu
	server.Config.ConnState = conns.note
	server.Start()
	settled.Store(server.URL, func() error {
		conns.wait()
		return handler.Wait(t.Context())
	})
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, handler.Close(context.WithoutCancel(t.Context())))
	})
	return server.URL
}

// connections counts those of a server.
type connections struct {
	mu      sync.Mutex
	changed sync.Cond
	n       int
}

func (c *connections) note(_ net.Conn, s http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s {
	case http.StateNew:
		c.n++
	case http.StateClosed, http.StateHijacked:
		c.n--
		c.changed.Broadcast()
	}
}

func (c *connections) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n > 0 {
		c.changed.Wait()
	}
}

// settled are functions that return when a server has no connection and no run, by its
// address.
//
//nolint:gochecknoglobals // what a suite gets is an address
var settled sync.Map

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
	syncertest.Run(t, suite(func(t testing.TB) (apiserver.Open, func(testing.TB)) {
		m := &memories{}
		return m.open, func(testing.TB) { m.lapse() }
	}))
}

// The client is killed, too.
func TestConformanceOverFiles(t *testing.T) {
	t.Parallel()
	s := suite(func(t testing.TB) (apiserver.Open, func(testing.TB)) {
		dir := t.TempDir()
		open := func(_ context.Context, scope state.Scope) (tusync.Backend, error) {
			return filesyncer.New(filepath.Join(dir, url.PathEscape(scope.Org), url.PathEscape(scope.App)), scope, nil)
		}
		return open, func(t testing.TB) {
			leases, err := filepath.Glob(filepath.Join(dir, "*/*/lease-*/lease.jsonl"))
			require.NoError(t, err)
			for _, lease := range leases {
				lapsed := time.Now().Add(-tusync.LeaseTTL)
				require.NoError(t, os.Chtimes(lease, lapsed, lapsed))
			}
		}
	})
	// A connection is for one request: when there is none left, what a dead client has
	// asked for is over, unless it is a run.
	once := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	s.Open = func(address string, scope state.Scope) (tusync.Backend, error) {
		return apisyncer.New(address, scope, &apisyncer.Options{Client: once})
	}
	s.Crash = &syncertest.Crash{Settle: func(t testing.TB, address string, _ int) {
		// Connections are accepted in their order: after this one there is none to come.
		answer, err := once.Get(address)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		settle, _ := settled.Load(address)
		require.NoError(t, settle.(func() error)())
	}}
	syncertest.Run(t, s)
}

// suite is of servers over stores that are made by store, which also returns what makes
// their leases lapse.
func suite(store func(t testing.TB) (apiserver.Open, func(testing.TB))) syncertest.Suite {
	var lapses sync.Map
	return syncertest.Suite{
		New: func(t testing.TB) string {
			open, lapse := store(t)
			address := serve(t, open, nil)
			lapses.Store(address, lapse)
			return address
		},
		Open: open,
		Lapse: func(t testing.TB, address string) {
			lapse, _ := lapses.Load(address)
			lapse.(func(testing.TB))(t)
		},
	}
}
