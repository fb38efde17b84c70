package apiserver

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
)

// FuzzServer asks a server for anything, in the middle of a session and after a run:
// it answers soon, and never that the failure is its own.
func FuzzServer(f *testing.F) {
	calls := conversation(f)
	for _, c := range calls {
		f.Add(c.method(), c.target(shop()), "", c.body, false)
		f.Add(c.method(), c.target(shop()), "Accept-Encoding: gzip", c.body, true)
	}
	f.Add("POST", "/v1/runs/OTHER-0123456789?org=acme&app=shop", "Content-Type: "+wire.PartsType, []byte(`{"parts":[""]}`), false)
	f.Add("POST", "/v1/sessions/"+sessionID+"/commits?org=acme&app=shop", "", bytes.ReplaceAll(calls[7].body, []byte(`"count":1`), []byte(`"count":2`)), false)
	f.Add("POST", "/v1/runs/OTHER-0123456789?org=acme&app=shop", "", bytes.ReplaceAll(calls[16].body, []byte(`"records":true`), []byte(`"batch_size":-1`)), false)
	f.Add("PUT", "/v1/digest-key?org=acme&app=shop", "", []byte(`{"key":""}`), false)
	f.Add("GET", "/v1/head?org=../..&app=%00", "X-Request-Id: a\x01b", []byte(nil), false)
	f.Add("OPTIONS", "*", "Content-Encoding: gzip", []byte("\x1f\x8b"), false)
	f.Fuzz(func(t *testing.T, method, target, headers string, body []byte, compress bool) {
		where, err := url.ParseRequestURI(target)
		if err != nil || method == "" {
			return // no server would hand it on
		}
		h := serve(t, nil, Options{MaxBody: 1 << 20})
		for _, c := range calls[1:5] {
			require.Less(t, h.answer(c.request("writer", shop())).Code, 300)
		}
		if compress {
			body = zipped(t, body)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // a client that doesn't wait for its run
		defer cancel()
		r := httptest.NewRequest(http.MethodGet, "/", bytes.NewReader(body)).WithContext(ctx)
		r.Method, r.URL, r.RequestURI = method, where, target
		header, _ := textproto.NewReader(bufio.NewReader(strings.NewReader(headers + "\r\n\r\n"))).ReadMIMEHeader()
		for name, values := range header {
			r.Header[name] = values
		}
		r.Header.Set("Authorization", "Bearer writer")
		if compress {
			r.Header.Set("Content-Encoding", "gzip")
		}
		began := time.Now()
		answer := h.answer(r)
		require.True(t, answer.Code < 500 || answer.Code == http.StatusNotImplemented || answer.Code == http.StatusServiceUnavailable,
			"%d %s", answer.Code, answer.Body)
		require.NotContains(t, h.log.String(), "msg=panic")
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, h.Close(soon))
		require.NotContains(t, h.log.String(), "msg=panic")
		require.Less(t, time.Since(began), 10*time.Second)
		require.False(t, h.isLocked(t))
	})
}
