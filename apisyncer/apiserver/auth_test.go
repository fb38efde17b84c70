package apiserver

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// Another org's scope is answered as one that doesn't exist, and the host isn't asked
// for it.
func TestAnotherOrgIsNotThere(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	for _, c := range conversation(t)[1:] {
		for _, key := range []string{"?key=1", ""} {
			c.path += key
			there := h.answer(c.request("stranger", shop()))
			nowhere := h.answer(c.request("stranger", state.Scope{Org: "nowhere", App: "none"}))
			require.Equal(t, http.StatusNotFound, there.Code, c.pattern)
			require.Equal(t, nowhere.Code, there.Code, c.pattern)
			require.Equal(t, nowhere.Header(), there.Header(), c.pattern)
			require.Equal(t, nowhere.Body.String(), there.Body.String(), c.pattern)
		}
	}
	require.Zero(t, h.opened)
	require.False(t, h.isLocked(t))

	head := call{"GET /v1/head", "/v1/head", nil}
	missing := h.answer(head.request("writer", state.Scope{Org: shop().Org, App: "none"})) // that the host says is not there
	require.Equal(t, h.answer(head.request("stranger", shop())).Body.String(), missing.Body.String())
}

// So it is in the middle of somebody's session and run, whose ids are known.
func TestAnothersSessionsAndRunsAreNotThere(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	for _, c := range conversation(t) {
		if c.pattern == "DELETE /v1/sessions/{id}" {
			break
		}
		require.Less(t, h.answer(c.request("writer", shop())).Code, 300, c.pattern)
	}
	for who, status := range map[string]int{"stranger": http.StatusNotFound, "other": http.StatusPreconditionFailed} {
		for _, c := range conversation(t) {
			switch c.pattern {
			case "POST /v1/sessions/{id}/commits", "POST /v1/sessions/{id}/renewal":
				require.Equal(t, status, h.answer(c.request(who, shop())).Code, "%s: %s", who, c.pattern)
			case "DELETE /v1/sessions/{id}", "GET /v1/runs/{id}":
				h.answer(c.request(who, shop()))
			}
		}
	}
	require.True(t, h.isLocked(t), "a stranger's Close has closed it")
	require.Equal(t, http.StatusOK, h.ask("writer", "POST /v1/sessions/{id}/renewal", "/v1/sessions/"+sessionID+"/renewal", nil).Code)
	for _, c := range conversation(t)[9:] {
		require.Less(t, h.answer(c.request("writer", shop())).Code, 300, c.pattern)
	}
	require.Equal(t, http.StatusPreconditionFailed, h.ask("other", "GET /v1/runs/{id}", "/v1/runs/"+runID, nil).Code)
	require.Equal(t, http.StatusNotFound, h.ask("stranger", "GET /v1/runs/{id}", "/v1/runs/"+runID, nil).Code)
}

// A reader reads everything but the digest key, and writes nothing.
func TestReadersDontWrite(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	endpoints := h.endpoints()
	key := "c2l4dGVlbiBieXRlcyBrZXk=" // that of the conversation
	for _, c := range conversation(t) {
		opened := h.opened
		answer := h.answer(c.request("reader", shop()))
		if endpoints[c.pattern].write {
			require.Equal(t, http.StatusForbidden, answer.Code, c.pattern)
			require.Equal(t, opened, h.opened, c.pattern)
		}
		require.Less(t, h.answer(c.request("writer", shop())).Code, 300, c.pattern)
	}
	for _, c := range conversation(t)[1:] {
		answer := h.answer(c.request("reader", shop()))
		if !endpoints[c.pattern].write {
			require.Equal(t, http.StatusOK, answer.Code, c.pattern)
		}
		require.NotContains(t, answer.Body.String(), key, c.pattern)
		require.NotContains(t, answer.Body.String(), "digest_key", c.pattern)
	}
	require.Contains(t, h.ask("writer", "GET /v1/head", "/v1/head?key=1", nil).Body.String(), key)
	writes := []string{}
	for pattern, e := range endpoints {
		if e.write {
			writes = append(writes, pattern)
		}
	}
	require.Len(t, writes, 11, "what writes, or tells the key, takes the right to write")
}

// Nobody gets anything but the description of the API.
func TestNobodyGetsIn(t *testing.T) {
	t.Parallel()
	h := serve(t, nil, Options{})
	for _, c := range conversation(t) {
		for _, header := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Basic d3JpdGVyOg==", "writer:"} {
			r := c.request("", shop())
			r.Header.Set("Authorization", header)
			answer := h.answer(r)
			if c.pattern == "GET /v1/openapi.json" {
				require.Equal(t, http.StatusOK, answer.Code)
				continue
			}
			require.Equal(t, http.StatusUnauthorized, answer.Code, "%s: %q", c.pattern, header)
			require.NotEmpty(t, answer.Header().Get("WWW-Authenticate"))
		}
	}
	require.Zero(t, h.opened)
}
