package apisyncer_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// forgetful is a backend, and its Tx, that keeps nothing of what it records.
type forgetful struct{ tusync.Backend }

// Begin implements sync.Backend.
func (f forgetful) Begin(ctx context.Context, _ string) (tusync.Tx, state.Head, error) {
	head, err := f.Head(ctx)
	return f, head, err
}

// Apply implements sync.Tx.
func (forgetful) Apply(context.Context, []diff.Change) ([]tusync.Outcome, error) { return nil, nil }

// Commit implements sync.Tx.
func (forgetful) Commit(_ context.Context, delta state.Delta) (state.Head, error) {
	return delta.Head, nil
}

// Renew implements sync.Tx.
func (forgetful) Renew(context.Context) (time.Time, error) {
	return time.Now().Add(tusync.LeaseTTL), nil
}

// Close implements sync.Tx.
func (forgetful) Close(context.Context) error { return nil }

// Batches leave nothing behind in the server. What grows is the client's: a result for
// each change, a third of a KiB.
func TestBatchesLeaveNoMemoryBehind(t *testing.T) {
	m := &memories{}
	address := serve(t, func(ctx context.Context, scope state.Scope) (tusync.Backend, error) {
		backend, err := m.open(ctx, scope)
		return forgetful{backend}, err
	}, nil)
	backend, err := open(address, state.Scope{Org: "acme", App: "shop"})
	require.NoError(t, err)
	kinds := tusync.Kinds(
		tusync.Define[component]("component", tusync.Handle(nothing{}), tusync.Batch(100)),
		tusync.Define[action]("action", tusync.Handle(nothing{}), tusync.Batch(100)),
	)
	heap, commits := map[int]uint64{}, 0
	engine, err := tusync.New(backend, kinds, &tusync.Options{BatchSize: 100, Parallel: 1, DigestKey: []byte("a key of sixteen bytes"), OnEvent: func(e tusync.Event) {
		if e.Type != tusync.EventCommit {
			return
		}
		if commits++; commits == 20 || commits == 100 {
			var stats runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&stats)
			heap[commits] = stats.HeapAlloc
		}
	}})
	require.NoError(t, err)
	plan, err := engine.Plan(t.Context(), app(t, 6_667, 1), nil)
	require.NoError(t, err)
	_, err = engine.Apply(t.Context(), plan)
	require.NoError(t, err)
	t.Logf("%d commits; after 20 %d KiB, after 100 %d KiB", commits, heap[20]>>10, heap[100]>>10)
	require.NotZero(t, heap[100])
	require.Less(t, heap[100], heap[20]+80*100<<9)
}
