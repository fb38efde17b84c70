package apiserver

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func zipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	require.NoError(t, err)
	_, err = zip.Write(text)
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	return out.Bytes()
}

// Whatever is wrong with a body is said, wherever it is read, and nothing is done.
func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	const most = 64 << 10
	space := bytes.Repeat([]byte(" "), 1<<20)
	for name, bad := range map[string]struct {
		body     []byte
		encoding string
		status   int
	}{
		"too large":              {space, "", http.StatusRequestEntityTooLarge},
		"too large, compressed":  {zipped(t, space), "gzip", http.StatusRequestEntityTooLarge},
		"a bomb":                 {zipped(t, bytes.Repeat(space, 10)), "gzip", http.StatusRequestEntityTooLarge},
		"not compressed":         {[]byte(`{}`), "gzip", http.StatusBadRequest},
		"cut off, compressed":    {zipped(t, space[:1000])[:20], "gzip", http.StatusBadRequest},
		"damaged":                {append(zipped(t, []byte(`{"owner":"me"}`))[:20], make([]byte, 20)...), "gzip", http.StatusBadRequest},
		"compressed some way":    {[]byte(`{}`), "br", http.StatusUnsupportedMediaType},
		"compressed twice":       {[]byte(`{}`), "gzip, gzip", http.StatusUnsupportedMediaType},
		"nothing":                {nil, "", http.StatusBadRequest},
		"no JSON":                {[]byte(`owner=me`), "", http.StatusBadRequest},
		"a list":                 {[]byte(`[]`), "", http.StatusBadRequest},
		"cut off":                {[]byte(`{"owner":`), "", http.StatusBadRequest},
		"an unknown member":      {[]byte(`{"unknown":1}`), "", http.StatusBadRequest},
		"a number":               {[]byte(`{"owner":1,"key":1,"holder":1,"concluded":1,"checksums":1,"records":1,"changes":1,"plan":{},"desired":1}`), "", http.StatusBadRequest},
		"deep":                   {bytes.Repeat([]byte(`[`), 50_000), "", http.StatusBadRequest},
		"one and another behind": {[]byte(`{} {}`), "", http.StatusBadRequest},
		"one and another below":  {[]byte("{}\n{}"), "", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := serve(t, nil, Options{MaxBody: most})
			for _, c := range conversation(t) {
				if c.body == nil || c.pattern == "PUT /v1/parts/{sum}" {
					continue
				}
				c.body = bad.body
				r := c.request("writer", shop())
				r.Header.Set("Content-Encoding", bad.encoding)
				answer := h.answer(r)
				require.Equal(t, bad.status, answer.Code, "%s: %s", c.pattern, answer.Body)
			}
			require.False(t, h.isLocked(t))
			head, err := h.stores[shop()].Head(t.Context())
			require.NoError(t, err)
			require.Zero(t, head.Serial)
		})
	}
}

// Names that a backend could take for a path are refused; others arrive as they are.
func TestNamesOfScopes(t *testing.T) {
	t.Parallel()
	got := ""
	everybody := func(*http.Request) (*Caller, error) {
		return &Caller{Name: "anybody", May: func(string, bool) bool { return true }}, nil
	}
	h, err := New(func(_ context.Context, scope state.Scope) (sync.Backend, error) {
		got = scope.App
		return syncertest.NewMemory(scope), nil
	}, everybody, nil)
	require.NoError(t, err)
	ask := func(query string) int {
		got = ""
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/head?"+query, nil))
		return w.Code
	}
	for _, bad := range []string{
		"", ".", "..", "../..", "../../etc/passwd", "/", "/etc", "a/b", "a/../b", `..\..`, `a\b`, "a\x00", "\x00", "a\nb", "\x7f", "\u0085", "\xff", "\xc0\xae\xc0\xae",
		strings.Repeat("a", 256), strings.Repeat("a", 1<<20),
	} {
		for _, query := range []url.Values{{"org": {"acme"}, "app": {bad}}, {"org": {bad}, "app": {"shop"}}} {
			require.Equal(t, http.StatusBadRequest, ask(query.Encode()), "%.40q", bad)
		}
	}
	for _, query := range []string{
		"", "org=acme", "app=shop", "org=acme&app=shop&app=blog", "org=acme&org=other&app=shop", "org=acme;app=shop", "org=acme&app=%zz",
		"org=acme&app=%2e%2e", "org=%2E%2E&app=shop", "org=acme&app=%2f", "org=acme&app=..%2f..", "org=acme&app=a%00",
	} {
		require.Equal(t, http.StatusBadRequest, ask(query), query)
	}
	require.Empty(t, got)
	for _, good := range []string{"shop", "%2e%2e", "...", "a..b", "Ä ö", "%00", "a&app=b", strings.Repeat("a", 255)} {
		require.Equal(t, http.StatusOK, ask(url.Values{"org": {"acme"}, "app": {good}}.Encode()), good)
		require.Equal(t, good, got)
	}
}

func TestNamesOfSessionsAndRuns(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	for _, id := range []string{"short", strings.Repeat("a", 65), "..%2f..%2f..%2fetc%2fpasswd", "0123456789abcdef%00", "0123456789abcde%C3%A4", "0123456789abcdef."} {
		require.Equal(t, http.StatusBadRequest, h.begin(id).Code, id)
		require.Equal(t, http.StatusBadRequest, h.ask("writer", "POST /v1/runs/{id}", "/v1/runs/"+id, oneRun(t)).Code, id)
	}
	for _, serial := range []string{"x", "1.5", "99999999999999999999"} {
		require.Equal(t, http.StatusBadRequest, h.ask("writer", "GET /v1/states/{serial}", "/v1/states/"+serial, nil).Code)
	}
	for _, serial := range []string{"0", "-1", "2"} {
		require.Equal(t, http.StatusNotFound, h.ask("writer", "GET /v1/states/{serial}", "/v1/states/"+serial, nil).Code)
	}
	for _, owner := range []string{strings.Repeat("a", 1<<14)} {
		require.Equal(t, http.StatusBadRequest, h.ask("writer", "POST /v1/sessions/{id}", "/v1/sessions/"+sessionID, wire.Begin{Owner: owner}).Code)
	}
	require.False(t, h.isLocked(t))
}

func TestParts(t *testing.T) {
	t.Parallel()
	const most = 2 << 10
	h := serve(t, nil, Options{MaxBody: most})
	put := func(who string, data []byte) int {
		return h.ask(who, "PUT /v1/parts/{sum}", "/v1/parts/"+state.Sum(data).String(), data).Code
	}
	require.Equal(t, http.StatusRequestEntityTooLarge, put("writer", make([]byte, most+1)))
	require.Equal(t, http.StatusBadRequest, h.ask("writer", "PUT /v1/parts/{sum}", "/v1/parts/"+state.Sum(nil).String(), []byte("other")).Code)
	require.Equal(t, http.StatusBadRequest, h.ask("writer", "PUT /v1/parts/{sum}", "/v1/parts/sha256:00", nil).Code)
	n := 0
	for ; ; n++ {
		require.Less(t, n, 100)
		answer := put("writer", fmt.Append(nil, n))
		if answer == http.StatusTooManyRequests {
			break
		}
		require.Equal(t, http.StatusNoContent, answer)
	}
	require.GreaterOrEqual(t, n, maxParts)
	require.Equal(t, http.StatusNoContent, put("writer", []byte("0")), "it is there")
	require.Equal(t, http.StatusNoContent, put("other", []byte("0")), "another's are others")

	run := func(who string, parts ...string) *httptest.ResponseRecorder {
		list := wire.Parts{Sums: []state.Checksum{}}
		for _, part := range parts {
			list.Sums = append(list.Sums, state.Sum([]byte(part)))
		}
		c := call{"POST /v1/runs/{id}", "/v1/runs/" + runID, encode(list)}
		r := c.request(who, shop())
		r.Header.Set("Content-Type", wire.PartsType)
		return h.answer(r)
	}
	require.Equal(t, http.StatusBadRequest, run("writer").Code)
	require.Equal(t, http.StatusBadRequest, run("writer", strings.Split(strings.Repeat("0 ", maxParts), " ")...).Code)
	require.Equal(t, http.StatusNotFound, run("other", "1").Code, "another's part")
	require.Equal(t, http.StatusNotFound, run("writer", "0", "unknown").Code)
	require.Equal(t, http.StatusBadRequest, run("writer", "0", "1").Code, "not compressed")
}

// A run in parts is carried out, and what is in them is forgotten.
func TestPartsAreForgottenWithTheRun(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	whole := zipped(t, encode(oneRun(t)))
	list := wire.Parts{}
	for _, part := range [][]byte{whole[:100], whole[100:]} {
		list.Sums = append(list.Sums, state.Sum(part))
		require.Equal(t, http.StatusNoContent, h.ask("writer", "PUT /v1/parts/{sum}", "/v1/parts/"+state.Sum(part).String(), part).Code)
	}
	c := call{"POST /v1/runs/{id}", "/v1/runs/" + runID, encode(list)}
	r := c.request("writer", shop())
	r.Header.Set("Content-Type", wire.PartsType)
	answer := h.answer(r)
	require.Equal(t, http.StatusOK, answer.Code)
	require.NotContains(t, answer.Body.String(), "unexpected")
	require.Empty(t, h.parts.all)
	require.Empty(t, h.parts.size)
}

// A client whose body trickles holds neither the lease nor anybody's session.
func TestSlowClientsHoldNothing(t *testing.T) {
	t.Parallel()
	for i, c := range conversation(t) {
		if c.body == nil {
			continue
		}
		t.Run(c.pattern, func(t *testing.T) {
			t.Parallel()
			h := serve(t, nil, Options{})
			for _, before := range conversation(t)[:i] {
				require.Less(t, h.answer(before.request("writer", shop())).Code, 300)
			}
			body, slow := io.Pipe()
			r := c.request("writer", shop())
			r.Body = body
			done := make(chan int)
			go func() { done <- h.answer(r).Code }()
			_, err := slow.Write(c.body[:1]) // it returns when that was read
			require.NoError(t, err)

			if c.pattern != "POST /v1/sessions/{id}" {
				h.end(sessionID) // the session of the slow one
			}
			require.Equal(t, http.StatusOK, h.begin("ANOTHER-0123456789").Code)
			require.Equal(t, http.StatusNoContent, h.end("ANOTHER-0123456789").Code)
			require.NoError(t, slow.CloseWithError(io.ErrUnexpectedEOF))
			require.NotEqual(t, http.StatusOK, <-done)
			require.False(t, h.isLocked(t))
		})
	}
}

// A run has as many resources as it says: one that was cut off, or put together of
// two, isn't begun.
func TestRunsAreWhole(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	whole := encode(oneRun(t))
	lines := bytes.SplitAfter(bytes.TrimSuffix(whole, []byte("\n")), []byte("\n"))
	require.Len(t, lines, 2)
	for _, bad := range [][]byte{lines[0], whole[:len(whole)-2], append(append([]byte{}, whole...), lines[1]...)} {
		require.Equal(t, http.StatusBadRequest, h.ask("writer", "POST /v1/runs/{id}", "/v1/runs/"+runID, bad).Code)
	}
	require.Zero(t, h.runs.known())
}
