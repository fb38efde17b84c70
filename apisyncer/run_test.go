package apisyncer_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer/apiserver"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// gated is a backend whose Begin says that it was reached, and waits, and so does the
// first Commit after it.
type gated struct {
	tusync.Backend
	reached chan<- struct{}
	open    <-chan struct{}
}

func (g gated) wait(ctx context.Context) error {
	g.reached <- struct{}{}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Begin implements sync.Backend.
func (g gated) Begin(ctx context.Context, owner string) (tusync.Tx, state.Head, error) {
	if err := g.wait(ctx); err != nil {
		return nil, state.Head{}, err
	}
	tx, head, err := g.Backend.Begin(ctx, owner)
	return &gatedTx{Tx: tx, gated: g}, head, err
}

type gatedTx struct {
	tusync.Tx
	gated
	through bool
}

// Commit implements sync.Tx.
func (tx *gatedTx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	if !tx.through {
		if err := tx.wait(ctx); err != nil {
			return state.Head{}, err
		}
		tx.through = true
	}
	return tx.Tx.Commit(ctx, delta)
}

// Unwrap says what else the backend can do.
func (g gated) Unwrap() tusync.Backend { return g.Backend }

// gate serves memories behind a gate.
func gate(t *testing.T) (server *httptest.Server, m *memories, reached <-chan struct{}, open chan<- struct{}) {
	t.Helper()
	m = &memories{}
	at, through := make(chan struct{}), make(chan struct{})
	handler, err := apiserver.New(func(ctx context.Context, scope state.Scope) (tusync.Backend, error) {
		backend, err := m.open(ctx, scope)
		return gated{backend, at, through}, err
	}, anybody, nil)
	require.NoError(t, err)
	server = httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		require.NoError(t, handler.Close(context.WithoutCancel(t.Context())))
	})
	return server, m, at, through
}

// A run goes on without its client, which follows it again when it is back: each event
// comes once, and the result is that of the one run.
func TestARunGoesOnWithoutItsClient(t *testing.T) {
	t.Parallel()
	server, m, reached, pass := gate(t)
	scope := state.Scope{Org: "acme", App: "shop"}
	backend, err := open(server.URL, scope)
	require.NoError(t, err)
	var events []tusync.Event
	heard := make(chan struct{})
	engine, err := tusync.New(backend, appKinds(), &tusync.Options{BatchSize: 5, OnEvent: func(e tusync.Event) {
		if events = append(events, e); len(events) == 1 {
			close(heard)
		}
	}})
	require.NoError(t, err)
	plan, err := engine.Plan(t.Context(), app(t, 20, 1), &tusync.PlanOptions{OnFailure: tusync.KeepGoing})
	require.NoError(t, err)
	ended := make(chan error, 1)
	var result *tusync.Result
	go func() {
		var err error
		result, err = engine.Apply(t.Context(), plan)
		ended <- err
	}()
	for range 2 { // before it has heard of anything, and after
		select {
		case <-reached:
		case err := <-ended:
			require.FailNow(t, "it has ended", "%v", err)
		}
		server.CloseClientConnections()
		pass <- struct{}{}
		<-heard
	}
	require.NoError(t, <-ended)
	require.Equal(t, 30, result.Count(tusync.Done))
	for i, event := range events {
		require.Equal(t, i+1, event.Seq)
	}
	require.Equal(t, tusync.EventFinish, events[len(events)-1].Type)
	straight, err := m.open(t.Context(), scope)
	require.NoError(t, err)
	head, err := straight.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, result.Head, head)
}

// When its context is over a run is cancelled on the server, too.
func TestARunIsCancelled(t *testing.T) {
	t.Parallel()
	server, m, reached, _ := gate(t)
	scope := state.Scope{Org: "acme", App: "shop"}
	backend, err := open(server.URL, scope)
	require.NoError(t, err)
	engine, err := tusync.New(backend, appKinds(), nil)
	require.NoError(t, err)
	plan, err := engine.Plan(t.Context(), app(t, 20, 1), nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go func() {
		select {
		case <-reached:
			cancel(enough)
		case <-ctx.Done():
		}
	}()
	_, err = engine.Apply(ctx, plan)
	cancel(nil)
	require.ErrorIs(t, err, enough)
	straight, err := m.open(t.Context(), scope)
	require.NoError(t, err)
	head, err := straight.Head(t.Context())
	require.NoError(t, err)
	require.Zero(t, head.Serial)
}

// A plan goes over as a checksum of its changes. If what it was made against has moved,
// it is asked again with them, and the error says what moved; and where something else
// moved it goes ahead.
func TestAStalePlanSaysWhatMoved(t *testing.T) {
	t.Parallel()
	address := serve(t, (&memories{}).open, nil)
	backend, err := open(address, state.Scope{Org: "acme", App: "shop"})
	require.NoError(t, err)
	engine, err := tusync.New(backend, appKinds(), nil)
	require.NoError(t, err)
	apply := func(desired *tusync.Desired, opts *tusync.PlanOptions) {
		plan, err := engine.Plan(t.Context(), desired, opts)
		require.NoError(t, err)
		_, err = engine.Apply(t.Context(), plan)
		require.NoError(t, err)
	}
	only := func(name string) *tusync.PlanOptions {
		return &tusync.PlanOptions{Selection: &tusync.Selection{Keys: []state.Key{{Kind: "component", Name: name}}}}
	}
	apply(app(t, 21, 1), nil)
	stale, err := engine.Plan(t.Context(), app(t, 21, 2), nil)
	require.NoError(t, err)
	one, err := engine.Plan(t.Context(), app(t, 21, 2), only("c00020"))
	require.NoError(t, err)
	apply(app(t, 21, 2), only("c00000"))
	_, err = engine.Apply(t.Context(), stale)
	var moved *tusync.StaleError
	require.ErrorAs(t, err, &moved)
	require.Equal(t, []string{"component/c00000: update is no longer due"}, moved.Moved)
	stale, err = engine.Plan(t.Context(), app(t, 21, 3), nil)
	require.NoError(t, err)
	apply(app(t, 21, 4), only("c00000"))
	_, err = engine.Apply(t.Context(), stale)
	require.ErrorAs(t, err, &moved)
	require.Equal(t, []string{"component/c00000 was changed"}, moved.Moved)
	result, err := engine.Apply(t.Context(), one)
	require.NoError(t, err)
	require.Equal(t, 1, result.Count(tusync.Done))
}

// What is no server of this protocol is told from one that fails.
func TestAnotherServer(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		http.StatusOK:                 "unexpected EOF",
		http.StatusNotFound:           "check the address, or upgrade",
		http.StatusBadGateway:         "502 Bad Gateway",
		http.StatusServiceUnavailable: "503 Service Unavailable",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		backend, err := open(server.URL, state.Scope{Org: "acme", App: "shop"})
		require.NoError(t, err)
		_, err = backend.Head(t.Context())
		require.ErrorContains(t, err, want)
		require.Equal(t, status != http.StatusNotFound, tusync.Retryable(err))
		server.Close()
		_, err = backend.Head(t.Context())
		require.True(t, tusync.Retryable(err))
	}
}
