package syncertest_test

import (
	"context"
	"sync"
	"testing"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// A backend may forget each declaration that no record and no pending work names any
// more: whoever commits something that names it again brings it along.
func TestForgetful(t *testing.T) {
	t.Parallel()
	type place struct {
		address string
		scope   state.Scope
	}
	var mu sync.Mutex
	stores := map[place]*forgetful{}
	syncertest.Run(t, syncertest.Suite{
		New: func(t testing.TB) string { return t.Name() },
		Open: func(address string, scope state.Scope) (tusync.Backend, error) {
			mu.Lock()
			defer mu.Unlock()
			at := place{address, scope}
			if stores[at] == nil {
				m := syncertest.NewMemory(scope)
				stores[at] = &forgetful{Backend: m, DigestKeeper: m, Unlocker: m, memory: m, declared: map[state.Checksum]state.Resource{}}
			}
			return stores[at], nil
		},
		Lapse: func(_ testing.TB, address string) {
			mu.Lock()
			defer mu.Unlock()
			for at, store := range stores {
				if at.address == address {
					store.memory.Lapse()
				}
			}
		},
		Lacks: []syncertest.Ability{syncertest.History},
	})
}

// forgetful is a Memory that keeps the declarations that its State names, and no
// others.
type forgetful struct {
	tusync.Backend
	tusync.DigestKeeper
	tusync.Unlocker
	memory *syncertest.Memory

	mu       sync.Mutex
	declared map[state.Checksum]state.Resource
}

func (f *forgetful) Declared(ctx context.Context, sums []state.Checksum) (map[state.Checksum]state.Resource, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := map[state.Checksum]state.Resource{}
	for _, sum := range sums {
		if resource, ok := f.declared[sum]; ok {
			found[sum] = resource
		}
	}
	return found, ctx.Err()
}

func (f *forgetful) Begin(ctx context.Context, owner string) (tusync.Tx, state.Head, error) {
	tx, head, err := f.Backend.Begin(ctx, owner)
	if err != nil {
		return nil, head, err
	}
	return &forgetfulTx{Tx: tx, of: f}, head, nil
}

type forgetfulTx struct {
	tusync.Tx
	of *forgetful
}

func (tx *forgetfulTx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	tx.of.mu.Lock()
	defer tx.of.mu.Unlock()
	head, err := tx.Tx.Commit(ctx, delta)
	if err != nil {
		return head, err
	}
	for _, resource := range delta.Declared {
		sum, err := resource.Checksum()
		if err != nil {
			return head, err
		}
		tx.of.declared[sum] = resource
	}
	return head, tx.of.forget(ctx)
}

// forget drops what nothing names.
func (f *forgetful) forget(ctx context.Context) error {
	named := map[state.Checksum]bool{}
	for record, err := range f.Records(ctx) {
		if err != nil {
			return err
		}
		named[record.Checksum] = true
		for _, pending := range record.Pending {
			named[pending.Checksum] = true
		}
	}
	for sum := range f.declared {
		if !named[sum] {
			delete(f.declared, sum)
		}
	}
	return nil
}
