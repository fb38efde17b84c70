package apisyncer_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// chaos is a proxy that does to requests and answers whatever can befall them on their
// way, at random: it loses them, cuts them off, holds them up, sends them twice, and
// sends a copy of an old one late.
type chaos struct {
	to string

	mu     sync.Mutex
	random *rand.Rand
	old    []*copied
	late   sync.WaitGroup // copies that are under way
	did    map[string]int
}

// copied is a request that can be sent again.
type copied struct {
	method, url string
	header      http.Header
	body        []byte
}

func (c *chaos) roll(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func (c *chaos) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did[what]++
}

// ServeHTTP implements http.Handler.
func (c *chaos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	own := &copied{r.Method, c.to + r.URL.RequestURI(), r.Header.Clone(), body}
	switch c.roll(14) {
	case 0:
		c.note("lost request")
		panic(http.ErrAbortHandler)
	case 1:
		c.note("lost answer")
		c.send(context.WithoutCancel(r.Context()), own)
		panic(http.ErrAbortHandler)
	case 2:
		c.note("sent twice")
		c.send(context.WithoutCancel(r.Context()), own)
	case 3:
		c.note("sent twice at once")
		c.late.Go(func() { c.send(context.Background(), own) })
	case 4:
		c.note("old one late")
		c.mu.Lock()
		if len(c.old) > 0 {
			old := c.old[c.random.IntN(len(c.old))]
			c.late.Go(func() { c.send(context.Background(), old) })
		}
		c.mu.Unlock()
	case 5:
		c.note("held up")
		timer := time.NewTimer(time.Duration(c.roll(20)) * time.Millisecond)
		<-timer.C
	}
	c.mu.Lock()
	c.old = append(c.old, own)
	c.old = c.old[max(0, len(c.old)-20):]
	c.mu.Unlock()
	answer, err := c.do(r.Context(), own)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer answer.Body.Close() //nolint:errcheck // what was read of it is handed on
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(answer.StatusCode)
	var from io.Reader = answer.Body
	cut := c.roll(14) == 0
	if cut {
		c.note("cut off")
		from = io.LimitReader(answer.Body, int64(c.roll(400)))
	}
	_, err = io.Copy(w, from)
	if cut || err != nil {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func (c *chaos) do(ctx context.Context, q *copied) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, q.url, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	r.Header = q.header.Clone()
	return http.DefaultTransport.RoundTrip(r)
}

// send sends a request whose answer nobody gets.
func (c *chaos) send(ctx context.Context, q *copied) {
	if answer, err := c.do(ctx, q); err == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
}

// Whatever happens on the way, the State is in the end what it is without.
func TestSyncsThroughChaos(t *testing.T) {
	t.Parallel()
	syncs := syncertest.Soak(1000)
	seed := rand.Uint64()
	m, calm := &memories{}, &memories{}
	c := &chaos{to: serve(t, m.open, nil), random: rand.New(rand.NewPCG(seed, 1)), did: map[string]int{}}
	proxy := httptest.NewServer(c)
	proxy.Config.ErrorLog = nil
	defer proxy.Close()
	defer c.late.Wait()
	random := rand.New(rand.NewPCG(seed, 2))
	failed := 0
	for n := range syncs {
		scope := state.Scope{Org: "acme", App: fmt.Sprint("app-", n/10)}
		handles := n%20 >= 10 // a session, in place of a run
		desired := app(t, 4+random.IntN(8), random.IntN(3))
		again := 0
		for ; ; again++ {
			require.Less(t, again, 50, "seed %d, sync %d", seed, n)
			backend, err := apisyncer.New(proxy.URL, scope, &apisyncer.Options{Timeout: 5 * time.Second})
			require.NoError(t, err)
			if err = through(t, backend, desired, handles, 6); err == nil {
				break
			}
			failed++
		}
		straight, err := calm.open(t.Context(), scope)
		require.NoError(t, err)
		require.NoError(t, through(t, straight, desired, handles, 6))
		chaotic, err := m.open(t.Context(), scope)
		require.NoError(t, err)
		require.Equal(t, recorded(t, straight), recorded(t, chaotic), "seed %d, sync %d", seed, n)
	}
	t.Logf("seed %d: %d syncs, %d failed and were done again; %v", seed, syncs, failed, c.did)
}

// through syncs through a backend, with a kind of a Handler's or without.
func through(t *testing.T, backend tusync.Backend, desired *tusync.Desired, handles bool, retries int) error {
	t.Helper()
	kinds := appKinds()
	if handles {
		kinds = tusync.Kinds(tusync.Define[component]("component"), tusync.Define[action]("action", tusync.Handle(nothing{})))
	}
	engine, err := tusync.New(backend, kinds, &tusync.Options{Retries: retries, DigestKey: []byte("a key of sixteen bytes")})
	require.NoError(t, err)
	plan, err := engine.Plan(t.Context(), desired, &tusync.PlanOptions{Prune: true, PruneLimit: tusync.LimitPercent(100), Wait: true})
	if err != nil {
		return err
	}
	_, err = engine.Apply(t.Context(), plan)
	return err
}

// recorded is what is recorded, but for what differs with the number of attempts.
func recorded(t *testing.T, backend tusync.Backend) map[string]string {
	t.Helper()
	all := map[string]string{}
	for r, err := range backend.Records(t.Context()) {
		require.NoError(t, err)
		require.False(t, r.Unfinished())
		all[r.String()] = r.Checksum.String() + fmt.Sprint(r.After, r.Orphaned, r.Type)
	}
	return all
}
