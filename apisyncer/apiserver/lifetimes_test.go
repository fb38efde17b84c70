package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// after lets time pass, in a bubble.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (s *sessions) underWay() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *sessions) known() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

func (r *runs) underWay() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open
}

func (r *runs) known() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

func (h *host) renew(id string) int {
	return h.ask("writer", "POST /v1/sessions/{id}/renewal", "/v1/sessions/"+id+"/renewal", nil).Code
}

func requireBusy(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	require.Equal(t, http.StatusTooManyRequests, answer.Code, answer.Body)
	seconds, err := strconv.Atoi(answer.Header().Get("Retry-After"))
	require.NoError(t, err)
	require.Positive(t, seconds)
}

const (
	first  = "FIRST-0123456789"
	second = "SECOND-0123456789"
	third  = "THIRD-0123456789"
)

// A session that isn't heard of is closed, makes room for another, and doesn't come
// back when its Begin arrives once more.
func TestSessionsLapse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := serve(t, nil, Options{MaxSessions: 1})
		require.Equal(t, http.StatusOK, h.begin(first).Code)
		require.Equal(t, http.StatusOK, h.begin(first).Code, "the same one")
		requireBusy(t, h.begin(second))
		for range 5 {
			after(sync.LeaseTTL - time.Millisecond)
			require.Equal(t, http.StatusOK, h.renew(first))
		}
		require.Equal(t, 1, h.sessions.underWay())
		after(sync.LeaseTTL - time.Millisecond)
		require.Equal(t, 1, h.sessions.underWay())
		after(time.Millisecond)
		require.Equal(t, 0, h.sessions.underWay())
		require.False(t, h.isLocked(t))
		require.Equal(t, http.StatusPreconditionFailed, h.renew(first))
		require.Equal(t, http.StatusPreconditionFailed, h.begin(first).Code, "it came late")
		require.False(t, h.isLocked(t))
		require.Equal(t, http.StatusOK, h.begin(second).Code)
		require.Equal(t, http.StatusNoContent, h.end(first).Code, "it is closed")
		require.True(t, h.isLocked(t))
		require.Equal(t, http.StatusNoContent, h.end(second).Code)
		require.Equal(t, http.StatusNoContent, h.end(second).Code)
		require.Equal(t, http.StatusPreconditionFailed, h.begin(second).Code)
		require.Equal(t, 0, h.sessions.underWay())
		after(11 * time.Minute)
		require.Zero(t, h.sessions.known())
	})
}

// A Begin that failed fails again, and a Close that overtakes its Begin closes it.
func TestBeginsInDisorder(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{MaxSessions: 2})
	require.Equal(t, http.StatusOK, h.begin(first).Code)
	require.Equal(t, http.StatusLocked, h.begin(second).Code)
	require.Equal(t, 1, h.sessions.underWay())
	require.Equal(t, http.StatusNoContent, h.end(first).Code)
	require.Equal(t, http.StatusLocked, h.begin(second).Code, "its client has been told")
	require.Equal(t, http.StatusNoContent, h.end(third).Code)
	require.Equal(t, http.StatusPreconditionFailed, h.begin(third).Code)
	require.Equal(t, 0, h.sessions.underWay())
	require.False(t, h.isLocked(t))
}

// gate is a store whose commits wait.
type gate struct {
	store
	wait func()
}

// Begin implements sync.Backend.
func (g gate) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	tx, head, err := g.store.Begin(ctx, owner)
	return gatedTx{tx, g.wait}, head, err
}

type gatedTx struct {
	sync.Tx
	wait func()
}

// Commit implements sync.Tx.
func (tx gatedTx) Commit(ctx context.Context, delta state.Delta) (state.Head, error) {
	tx.wait()
	return tx.Tx.Commit(ctx, delta)
}

// A session whose commit takes long is heard of when it ends.
func TestLongCommitsAreHeardOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := serve(t, gate{store{syncertest.NewMemory(shop())}, func() { <-time.After(sync.LeaseTTL * 5 / 3) }}, Options{})
		require.Equal(t, http.StatusOK, h.begin(first).Code)
		_, delta := firstCommit(t)
		answer := h.ask("writer", "POST /v1/sessions/{id}/commits", "/v1/sessions/"+first+"/commits", wire.Commit{Delta: delta})
		require.Equal(t, http.StatusOK, answer.Code)
		after(sync.LeaseTTL - time.Millisecond)
		require.Equal(t, http.StatusOK, h.renew(first))
		require.NoError(t, h.Close(t.Context()))
	})
}

func (h *host) run(t *testing.T, id string) *httptest.ResponseRecorder {
	return h.ask("writer", "POST /v1/runs/{id}", "/v1/runs/"+id, oneRun(t))
}

func (h *host) runAgain(id string) *httptest.ResponseRecorder {
	return h.ask("writer", "GET /v1/runs/{id}", "/v1/runs/"+id, nil)
}

// seeded returns a store with the first commit.
func seeded(t *testing.T) store {
	t.Helper()
	memory := syncertest.NewMemory(shop())
	tx, _, err := memory.Begin(t.Context(), "me")
	require.NoError(t, err)
	_, delta := firstCommit(t)
	_, err = tx.Commit(t.Context(), delta)
	require.NoError(t, err)
	require.NoError(t, tx.Close(t.Context()))
	return store{memory}
}

// A result can be read again until Options.Keep is over.
func TestResultsAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := serve(t, seeded(t), Options{Keep: time.Minute, MaxSessions: 1})
		said := h.run(t, first).Body.String()
		require.Contains(t, said, `"event":"finish"`)
		require.Contains(t, said, `"result":{`)
		require.Equal(t, said, h.run(t, first).Body.String())
		require.Equal(t, said, h.runAgain(first).Body.String(), "with all events: the client may have heard of none")
		after(time.Minute - time.Millisecond)
		require.Equal(t, said, h.runAgain(first).Body.String())
		require.Equal(t, 0, h.runs.underWay())
		after(time.Millisecond)
		require.Equal(t, http.StatusPreconditionFailed, h.runAgain(first).Code)
		require.Zero(t, h.runs.known())
	})
}

// What ended runs have to tell takes so much memory and no more: the oldest are forgotten,
// and not the last.
func TestWhatIsKeptIsLimited(t *testing.T) {
	t.Parallel()
	h := serve(t, seeded(t), Options{})
	h.runs.most = 1
	require.Contains(t, h.run(t, first).Body.String(), `"result":{`)
	require.Equal(t, http.StatusOK, h.runAgain(first).Code)
	require.Contains(t, h.run(t, second).Body.String(), `"problem":{`, "it is stale")
	require.Equal(t, http.StatusPreconditionFailed, h.runAgain(first).Code)
	require.Equal(t, http.StatusOK, h.runAgain(second).Code)
	require.NoError(t, h.Close(t.Context()))
}

// Runs are limited in their number, and go on when the client is gone.
func TestTooManyRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		h := serve(t, gate{seeded(t), func() { <-open }}, Options{MaxSessions: 1})
		ctx, leave := context.WithCancel(t.Context())
		c := call{"POST /v1/runs/{id}", "/v1/runs/" + first, encode(oneRun(t))}
		gone := make(chan struct{})
		go func() {
			h.answer(c.request("writer", shop()).WithContext(ctx))
			close(gone)
		}()
		synctest.Wait()
		leave()
		<-gone
		requireBusy(t, h.run(t, second))
		close(open)
		require.Contains(t, h.runAgain(first).Body.String(), `"result":{`)
		synctest.Wait()
		require.Contains(t, h.run(t, second).Body.String(), `"problem":{`, "it is stale")
	})
}

// A run that panics ends, and nothing else does.
func TestAPanicEndsTheRun(t *testing.T) {
	t.Parallel()
	h := serve(t, gate{seeded(t), func() { panic(secret) }}, Options{})
	for n := range 3 {
		answer := h.run(t, fmt.Sprint(first, n))
		require.Equal(t, http.StatusOK, answer.Code)
		require.Contains(t, answer.Body.String(), "failed")
		require.NotContains(t, answer.Body.String(), secret)
	}
	require.NoError(t, h.Close(t.Context()))
	require.Equal(t, 0, h.runs.underWay())
}

// Close ends everything, and nothing begins after it.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		h := serve(t, gate{seeded(t), func() { <-open }}, Options{})
		ended := make(chan string)
		go func() { ended <- h.run(t, first).Body.String() }()
		synctest.Wait()

		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, h.Close(soon), context.DeadlineExceeded, "it waits for the run")
		close(open)
		require.Contains(t, <-ended, `"result":{`)
		require.NoError(t, h.Close(t.Context()))
		requireBusy(t, h.run(t, second))
		requireBusy(t, h.begin(second))
		require.False(t, h.isLocked(t))
		require.Equal(t, http.StatusOK, h.runAgain(first).Code)
	})
	h := serve(t, nil, Options{})
	require.Equal(t, http.StatusOK, h.begin(first).Code)
	require.NoError(t, h.Close(t.Context()))
	require.False(t, h.isLocked(t))
	require.Equal(t, http.StatusPreconditionFailed, h.begin(first).Code)
}
