package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/synccli"
)

// tokens are what the servers of the tests know.
const tokens = `
# who may do what
ada-0123456789    ada    acme,umbrella   # both of hers
reader-0123456789 reader acme ro

eve-0123456789    eve    evil
`

// TestScriptsOverAServer plays the scripts whose programs record on a server, over each
// backend that is served.
func TestScriptsOverAServer(t *testing.T) {
	t.Parallel()
	for name, backend := range served() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			location := backend(t)
			dir := t.TempDir()
			known, cert, key := filepath.Join(dir, "tokens"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			require.NoError(t, os.WriteFile(known, []byte(tokens), 0o600))
			certify(t, cert, key)
			other := filepath.Join(dir, "other.pem")
			certify(t, other, filepath.Join(dir, "otherkey.pem"))
			play(t, "server", map[string]string{
				"OPEN":   serving(t, "--backend", location),
				"SERVER": serving(t, "--backend", location, "--token-file", known),
				"SECURE": serving(t, "--backend", location, "--token-file", known, "--tls-cert", cert, "--tls-key", key),
				"CA":     cert,
				"OTHER":  other,
			})
		})
	}
}

// served are the places that are served, by what they are.
func served() map[string]func(t *testing.T) string {
	return map[string]func(t *testing.T) string{
		"files":    func(t *testing.T) string { t.Helper(); return "file:" + t.TempDir() },
		"postgres": func(t *testing.T) string { t.Helper(); return dbsyncertest.Start(t, nil).URL() },
	}
}

// serving runs appsync serve until the test and those in it have ended, and returns
// where. What it wrote is looked at then.
func serving(t *testing.T, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	out, write := io.Pipe()
	var log bytes.Buffer
	ended := make(chan int)
	go func() {
		code := run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), synccli.Stdio{Out: write, Err: &log})
		_ = write.Close() // of a pipe it never fails
		ended <- code
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	t.Cleanup(func() {
		stop()
		require.Zero(t, <-ended, &log)
		require.NotContains(t, log.String(), "0123456789", "a token, or a part of one")
		for line := range strings.Lines(log.String()) {
			require.Regexp(t, `^time=\S+ level=\w+ msg=`, line)
		}
	})
	require.NoError(t, err)
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	require.True(t, ok, line)
	return address
}

// certify writes a certificate for this machine, which signs itself, and its key.
func certify(t *testing.T, cert, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "a test"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, own.Public(), own)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

// A lease that somebody holds on the server is taken from them.
func TestUnlockOverAServer(t *testing.T) {
	t.Parallel()
	for name, backend := range served() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serving(t, "--backend", backend(t))
			other, err := apisyncer.New(server, state.Scope{Org: "acme", App: "held"}, nil)
			require.NoError(t, err)
			tx, _, err := other.Begin(t.Context(), "somebody else")
			require.NoError(t, err)
			var out bytes.Buffer
			require.Zero(t, run(t.Context(), []string{"unlock", "--yes", "--backend", server, "--org", "acme", "--app", "held"}, synccli.Stdio{Out: &out}))
			require.Contains(t, out.String(), "acme/held is locked by somebody else")
			require.Contains(t, out.String(), "acme/held is unlocked;")
			_, err = tx.Renew(t.Context())
			require.Error(t, err)
			require.NoError(t, tx.Close(t.Context()))
		})
	}
}

// The leases that a server holds for its clients end with it.
func TestServeEndsLeases(t *testing.T) {
	t.Parallel()
	for name, backend := range served() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			location := backend(t)
			for _, client := range []string{"the first", "the second"} {
				t.Run(client, func(t *testing.T) { //nolint:paralleltest // one after the other
					own, err := apisyncer.New(serving(t, "--backend", location), state.Scope{Org: "acme", App: "left"}, nil)
					require.NoError(t, err)
					_, _, err = own.Begin(t.Context(), client+", which never comes back")
					require.NoError(t, err)
				})
			}
		})
	}
}

// The program as it is shipped ends when it is told to.
func TestServeEnds(t *testing.T) {
	t.Parallel()
	program := build(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := program.command(t, t.TempDir(), "serve", "--listen", "127.0.0.1:0", "--backend", "file:books")
		var log bytes.Buffer
		cmd.Stderr = &log
		startUntil(t, cmd, "listening on http://127.0.0.1:")
		require.NoError(t, cmd.Process.Signal(signal))
		require.NoError(t, cmd.Wait(), &log)
		require.Empty(t, log.String())
	}
}

// A page in a browser on this machine is not somebody on this machine.
func TestServeRefusesPages(t *testing.T) {
	t.Parallel()
	server := serving(t, "--backend", "file:"+t.TempDir())
	for _, test := range []struct {
		host, origin string
		status       int
	}{
		{"", "", http.StatusOK},
		{"localhost:80", "", http.StatusOK},
		{"[::1]", "", http.StatusOK},
		{"rebound.example.com:80", "", http.StatusUnauthorized},
		{"", "https://example.com", http.StatusUnauthorized},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/v1/head?org=acme&app=shop", nil)
		require.NoError(t, err)
		r.Host = test.host
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, test.status, answer.StatusCode, test)
	}
}
