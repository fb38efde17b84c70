package apisyncer_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/apisyncer"
	"github.com/trueup-go/trueup/apisyncer/apiserver"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

const victimVariable = "TRUEUP_SERVE"

// The server is killed in the middle of a run, or of a session: what it has recorded is
// whole, and the next sync makes it what is declared.
func TestTheServerIsKilled(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(victimVariable); dir != "" {
		beKilled(t, dir)
		return
	}
	calm := &memories{}
	typical := 40 * time.Millisecond
	killed := 0
	for turn := range syncertest.Soak(60) {
		handles := turn%2 == 1
		v := &victim{dir: t.TempDir()}
		v.start(t)
		scope := state.Scope{Org: "acme", App: fmt.Sprint("app-", turn)}
		require.NoError(t, through(t, v.backend(t, scope), app(t, 20, 1), handles, 6))
		after := rand.N(typical)
		ended := make(chan struct{})
		time.AfterFunc(after, func() {
			defer close(ended)
			_ = v.cmd.Process.Kill()
		})
		began := time.Now()
		err := through(t, v.backend(t, scope), app(t, 24, 2), handles, -1)
		if err == nil {
			typical = (typical + time.Since(began)) / 2
		} else {
			killed++
		}
		<-ended
		_ = v.cmd.Wait() // it was killed

		requireWhole(t, v.dir, scope)
		v.start(t)
		require.NoError(t, through(t, v.backend(t, scope), app(t, 24, 2), handles, 6), "killed after %s: %v", after, err)
		straight, err := calm.open(t.Context(), scope)
		require.NoError(t, err)
		require.NoError(t, through(t, straight, app(t, 20, 1), handles, 6))
		require.NoError(t, through(t, straight, app(t, 24, 2), handles, 6))
		require.Equal(t, recorded(t, straight), recorded(t, v.backend(t, scope)))
		_ = v.cmd.Process.Kill()
		_ = v.cmd.Wait() // it was killed
	}
	t.Logf("%d syncs failed as their server was killed", killed)
}

// requireWhole checks that what is recorded fits its head.
func requireWhole(t *testing.T, dir string, scope state.Scope) {
	t.Helper()
	backend, err := filesyncer.New(filepath.Join(dir, scope.App), scope, nil)
	require.NoError(t, err)
	head, err := backend.Head(t.Context())
	require.NoError(t, err)
	var records []state.Record
	for r, err := range backend.Records(t.Context()) {
		require.NoError(t, err)
		records = append(records, r)
	}
	sealed, err := state.Seal(head, records)
	require.NoError(t, err)
	require.Equal(t, head.Root, sealed.Root)
}

// victim is a process that serves a directory.
type victim struct {
	dir, address string
	cmd          *exec.Cmd
}

func (v *victim) start(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	v.cmd = exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
	v.cmd.Env = append(os.Environ(), victimVariable+"="+v.dir)
	out, err := v.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, v.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	v.address = "http://" + line[:len(line)-1]
}

func (v *victim) backend(t *testing.T, scope state.Scope) tusync.Backend {
	t.Helper()
	backend, err := apisyncer.New(v.address, scope, &apisyncer.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)
	return backend
}

// beKilled serves a directory until the process is killed.
func beKilled(t *testing.T, dir string) {
	handler, err := apiserver.New(func(_ context.Context, scope state.Scope) (tusync.Backend, error) {
		return filesyncer.New(filepath.Join(dir, scope.App), scope, nil)
	}, anybody, nil)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fmt.Println(listener.Addr())
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	require.NoError(t, server.Serve(listener))
}
