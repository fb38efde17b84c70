package syncertest_test

import (
	"sync"
	"testing"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// The glue is a little longer than that of a store which has an address of its
// own: a Memory has none, and is of one scope.
func TestMemory(t *testing.T) {
	t.Parallel()
	type place struct {
		address string
		scope   state.Scope
	}
	var mu sync.Mutex
	stores := map[place]*syncertest.Memory{}
	syncertest.Run(t, syncertest.Suite{
		New: func(t testing.TB) string { return t.Name() },
		Open: func(address string, scope state.Scope) (tusync.Backend, error) {
			mu.Lock()
			defer mu.Unlock()
			at := place{address, scope}
			if stores[at] == nil {
				stores[at] = syncertest.NewMemory(scope)
			}
			return stores[at].Reopen(), nil
		},
		Lapse: func(_ testing.TB, address string) {
			mu.Lock()
			defer mu.Unlock()
			for at, store := range stores {
				if at.address == address {
					store.Lapse()
				}
			}
		},
	})
}
