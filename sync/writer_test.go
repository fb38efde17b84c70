package sync_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func TestPromise6_OneWriter(t *testing.T) {
	t.Parallel()
	store := syncertest.NewMemory(scope())
	var inside atomic.Int32
	spies := make([]*spy, 8)
	for i := range spies {
		spies[i] = newSpy()
		spies[i].Backend = store
		spies[i].onApply = func(context.Context) {
			if inside.Add(1) != 1 {
				t.Error("two were inside at once")
			}
			runtime.Gosched()
			inside.Add(-1)
		}
	}
	var group sync.WaitGroup
	for i, spy := range spies {
		e := newEngine(t, spy, nil)
		group.Go(func() {
			for round := range 20 {
				p, err := e.Plan(t.Context(), desire(t, fmt.Sprintf("n%d=%d", i, round)), &tusync.PlanOptions{Wait: true})
				if err == nil {
					_, err = e.Apply(t.Context(), p)
				}
				if err != nil && !errors.Is(err, tusync.ErrStale) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	head, err := store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, int(head.Serial), commits(spies))
}

func commits(spies []*spy) int {
	n := 0
	for _, spy := range spies {
		n += int(spy.commits.Load())
	}
	return n
}
