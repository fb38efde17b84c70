package sync_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// crowded is a Handler and Deployer whose other side gives some of the answers at a
// time, and refuses the rest as fails says.
type crowded struct {
	tusync.Handler
	most  int
	fails error
	mu    *sync.Mutex
	asked *[]int
}

func (c crowded) Find(_ context.Context, creates []*diff.Create) []tusync.Live {
	lives := make([]tusync.Live, len(creates))
	for i := range c.refused(len(creates)) {
		lives[len(lives)-1-i].Err = c.fails
	}
	return lives
}

func (c crowded) Observe(_ context.Context, records []state.Record) []tusync.Live {
	lives := make([]tusync.Live, len(records))
	for i := range records {
		lives[i].ID = records[i].ID
	}
	for i := range c.refused(len(records)) {
		lives[len(lives)-1-i].Err = c.fails
	}
	return lives
}

func (c crowded) Deploy(context.Context, *diff.Deploy) error { return nil }

func (c crowded) Health(_ context.Context, records []state.Record) []tusync.Health {
	healths := make([]tusync.Health, len(records))
	for i := range records {
		healths[i].Phase = tusync.Healthy
	}
	for i := range c.refused(len(records)) {
		healths[len(healths)-1-i].Err = c.fails
	}
	return healths
}

func (c crowded) refused(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.asked = append(*c.asked, n)
	return max(0, n-c.most)
}

// crowd plans 5 things twice: new ones, and those that are there.
func crowd(t *testing.T, c crowded, opts *tusync.Options) (errs [2]error) {
	t.Helper()
	c.mu = &sync.Mutex{}
	c.Handler = syncertest.NewWorld(t.TempDir()).Idempotent()
	kinds := tusync.Kinds(tusync.Define[thing]("thing", tusync.Handle(c), tusync.Deploys(c)))
	engine, err := tusync.New(newSpy(), kinds, opts)
	require.NoError(t, err)
	desired := desire(t, "a", "b", "c", "d", "e")
	for i := range desired.Resources {
		desired.Resources[i].Deploy = true
	}
	p, err := engine.Plan(t.Context(), desired, nil)
	if err != nil {
		errs[0] = err
		return errs
	}
	_, err = engine.Apply(t.Context(), p)
	require.NoError(t, err)
	*c.asked = append(*c.asked, -1)
	_, errs[1] = engine.Plan(t.Context(), desired, &tusync.PlanOptions{Observe: true})
	return errs
}

// A plan that asks what there is slows down as acts do, and fails nothing.
func TestPromise3_APlanSlowsDown(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]error{
		"too many requests": tusync.ErrTooManyRequests, "asked to wait": &tusync.ThrottledError{After: time.Hour}, "a broken connection": errRetryable{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked []int
				start := time.Now()
				require.Equal(t, [2]error{}, crowd(t, crowded{most: 2, fails: fails, asked: &asked}, nil))
				require.Equal(t, []int{5, 3, 1}, asked[:3], "found: who has answered isn't asked again")
				require.Equal(t, []int{-1, 5, 3, 1, 5, 3, 1}, asked[len(asked)-7:], "observed, and how they are doing")
				require.NotZero(t, time.Since(start))
				if name == "asked to wait" {
					require.Greater(t, time.Since(start), 6*time.Hour)
				}
			})
		})
	}
}

func TestAPlanGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []int
		errs := crowd(t, crowded{fails: errRetryable{}, asked: &asked}, &tusync.Options{Retries: 2})
		require.ErrorIs(t, errs[0], errRetryable{})
		require.Equal(t, []int{5, 5, 5}, asked)
	})
}

type errRetryable struct{}

func (errRetryable) Error() string   { return "the connection broke" }
func (errRetryable) Retryable() bool { return true }
