package apiserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// secret is a sensitive value of what is declared.
const secret = "hunter2hunter2"

func shop() state.Scope { return state.Scope{Org: "acme", App: "shop"} }

// host is a program that serves stores in memory.
type host struct {
	*Server
	log    bytes.Buffer
	mu     sync.Mutex
	stores map[state.Scope]tusync.Backend
	opened int
}

// store is a Memory that can be observed.
type store struct{ *syncertest.Memory }

// Observe implements sync.Observer.
func (s store) Observe(_ context.Context, records []state.Record) []tusync.Live {
	lives := make([]tusync.Live, len(records))
	for i := range records {
		lives[i] = tusync.Live{ID: records[i].ID, Config: json.RawMessage(`{}`)}
	}
	return lives
}

// serve returns a host of one scope, acme/shop. The tokens writer and other may do
// everything with it, reader may read it, and stranger may do everything elsewhere.
func serve(t testing.TB, backend tusync.Backend, opts Options) *host {
	t.Helper()
	if backend == nil {
		backend = store{syncertest.NewMemory(shop())}
	}
	h := &host{stores: map[state.Scope]tusync.Backend{shop(): backend}}
	opts.Log = slog.New(slog.NewTextHandler(&locked{mu: &h.mu, to: &h.log}, nil))
	server, err := New(h.open, authenticate, &opts)
	require.NoError(t, err)
	h.Server = server
	return h
}

func (h *host) open(_ context.Context, scope state.Scope) (tusync.Backend, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.opened++
	backend := h.stores[scope]
	if backend == nil {
		return nil, fmt.Errorf("open %s: %w", scope, fs.ErrNotExist)
	}
	return backend, nil
}

func authenticate(r *http.Request) (*Caller, error) {
	who, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	may := map[string]func(org string, write bool) bool{
		"writer":   func(org string, _ bool) bool { return org == shop().Org },
		"other":    func(org string, _ bool) bool { return org == shop().Org },
		"reader":   func(org string, write bool) bool { return org == shop().Org && !write },
		"stranger": func(org string, _ bool) bool { return org == "elsewhere" },
	}[who]
	if may == nil {
		return nil, errors.New("an unknown token")
	}
	return &Caller{Name: who, May: may}, nil
}

// locked is a writer of which several goroutines write one line each.
type locked struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

// Write implements io.Writer.
func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

// call is a request.
type call struct {
	pattern string // of the endpoint
	path    string // with parameters, but for the scope
	body    []byte
}

func (c *call) method() string {
	method, _, _ := strings.Cut(c.pattern, " ")
	return method
}

// target returns the path with the scope.
func (c *call) target(scope state.Scope) string {
	mark := "?"
	if strings.Contains(c.path, "?") {
		mark = "&"
	}
	return c.path + mark + url.Values{"org": {scope.Org}, "app": {scope.App}}.Encode()
}

func (c *call) request(who string, scope state.Scope) *http.Request {
	r := httptest.NewRequest(c.method(), c.target(scope), bytes.NewReader(c.body))
	r.Header.Set("Authorization", "Bearer "+who)
	r.Header.Set("X-Request-Id", "one")
	return r
}

func (h *host) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// ask sends a request of somebody's about acme/shop.
func (h *host) ask(who, pattern, path string, body any) *httptest.ResponseRecorder {
	c := call{pattern: pattern, path: path, body: encode(body)}
	return h.answer(c.request(who, shop()))
}

func encode(value any) []byte {
	if value == nil {
		return nil
	}
	if raw, ok := value.([]byte); ok {
		return raw
	}
	if run, ok := value.(*wire.Run); ok {
		var lines bytes.Buffer
		if err := run.Encode(&lines); err != nil {
			panic(err)
		}
		return lines.Bytes()
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

func (h *host) begin(id string) *httptest.ResponseRecorder {
	return h.ask("writer", "POST /v1/sessions/{id}", "/v1/sessions/"+id, wire.Begin{Owner: "me"})
}

func (h *host) end(id string) *httptest.ResponseRecorder {
	return h.ask("writer", "DELETE /v1/sessions/{id}", "/v1/sessions/"+id, wire.Conclusion{Concluded: true})
}

// holder returns whether anybody holds the lease.
func (h *host) isLocked(t testing.TB) bool {
	t.Helper()
	held, err := h.stores[shop()].(tusync.Unlocker).Holder(t.Context())
	require.NoError(t, err)
	return held != nil
}

type component struct {
	Image string `json:"image"`
	Token string `json:"token" sync:"sensitive"`
}

// firstCommit is the first commit of a scope.
func firstCommit(t testing.TB) (state.Resource, state.Delta) {
	t.Helper()
	key := state.Key{Kind: "component", Name: "web"}
	web := state.Resource{Key: key, Tags: []string{"front"}, Config: json.RawMessage(`{"image":"shop/web:1"}`)}
	sum, err := web.Checksum()
	require.NoError(t, err)
	delta := state.Delta{
		Records:  []state.Record{{Key: key, ID: "web-1", ConfigID: "c-1", Checksum: sum}},
		Declared: []state.Resource{web},
	}
	delta.Head, err = state.Seal(state.Head{Scope: shop(), Serial: 1, ConfigID: "s-1"}, delta.Records)
	require.NoError(t, err)
	return web, delta
}

// oneRun is a run that changes what the first commit recorded.
func oneRun(t testing.TB) *wire.Run {
	t.Helper()
	memory := syncertest.NewMemory(shop())
	tx, _, err := memory.Begin(t.Context(), "me")
	require.NoError(t, err)
	_, delta := firstCommit(t)
	_, err = tx.Commit(t.Context(), delta)
	require.NoError(t, err)
	require.NoError(t, tx.Close(t.Context()))
	kinds := tusync.Kinds(tusync.Define[component]("component"))
	engine, err := tusync.New(memory, kinds, &tusync.Options{DigestKey: []byte("a key of sixteen bytes")})
	require.NoError(t, err)
	web, err := kinds.Resource("component", "web", component{Image: "shop/web:2", Token: secret})
	require.NoError(t, err)
	desired := &tusync.Desired{Resources: []state.Resource{web}, Revision: "r2"}
	plan, err := engine.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, plan.Encode(&text))
	schema := kinds.Schema("component")
	return wire.RunOf(&tusync.Run{
		Plan: text.Bytes(), Desired: desired, Kinds: []tusync.Kind{{Name: "component", Schema: schema}},
		DigestKey: []byte("a key of sixteen bytes"), Owner: "me", Records: true, Events: true,
	})
}

const (
	sessionID = "SESSION-0123456789"
	runID     = "RUN-0123456789ABCDEF"
)

// conversation is one call of every endpoint, in an order in which all of them succeed.
func conversation(t testing.TB) []call {
	t.Helper()
	web, delta := firstCommit(t)
	sum, err := web.Checksum()
	require.NoError(t, err)
	part := []byte("a part")
	session, run := "/v1/sessions/"+sessionID, "/v1/runs/"+runID
	return []call{
		{"GET /v1/openapi.json", "/v1/openapi.json", nil},
		{"PUT /v1/digest-key", "/v1/digest-key", encode(wire.DigestKey{Key: []byte("sixteen bytes key")})},
		{"GET /v1/digest-key", "/v1/digest-key", nil},
		{"GET /v1/head", "/v1/head?key=1", nil},
		{"POST /v1/sessions/{id}", session, encode(wire.Begin{Owner: "me"})},
		{"GET /v1/lease", "/v1/lease", nil},
		{"DELETE /v1/lease", "/v1/lease", encode(wire.Lease{})},
		{"POST /v1/sessions/{id}/commits", session + "/commits", encode(wire.Commit{
			Changes: []wire.Change{{Op: "create", Desired: &web, Checksum: sum, Config: web.Config, ID: "web-1"}}, Delta: delta,
		})},
		{"POST /v1/sessions/{id}/renewal", session + "/renewal", nil},
		{"DELETE /v1/sessions/{id}", session, encode(wire.Conclusion{Concluded: true})},
		{"GET /v1/records", "/v1/records", nil},
		{"POST /v1/declared", "/v1/declared", encode(wire.Declared{Checksums: []state.Checksum{sum}})},
		{"GET /v1/history", "/v1/history", nil},
		{"GET /v1/states/{serial}", "/v1/states/1", nil},
		{"POST /v1/observations", "/v1/observations", encode(wire.Observe{Records: delta.Records})},
		{"PUT /v1/parts/{sum}", "/v1/parts/" + state.Sum(part).String(), part},
		{"POST /v1/runs/{id}", run, encode(oneRun(t))},
		{"GET /v1/runs/{id}", run, nil},
		{"DELETE /v1/runs/{id}", run, nil},
	}
}

// A conversation is what the tests below vary: it has every endpoint, and succeeds.
func TestConversation(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	said := map[string]bool{}
	for _, c := range conversation(t) {
		answer := h.answer(c.request("writer", shop()))
		require.Contains(t, []int{http.StatusOK, http.StatusNoContent}, answer.Code, "%s: %s", c.pattern, answer.Body)
		require.NotContains(t, answer.Body.String(), `"problem":{"type"`, c.pattern)
		require.NotContains(t, answer.Body.String(), secret, c.pattern)
		said[c.pattern] = true
	}
	for pattern := range h.endpoints() {
		require.True(t, said[pattern], pattern)
	}
	head, err := h.stores[shop()].Head(t.Context())
	require.NoError(t, err)
	require.Greater(t, head.Serial, int64(1), "the run has committed")
	require.NotContains(t, h.log.String(), secret)
	require.NoError(t, h.Close(t.Context()))
}
