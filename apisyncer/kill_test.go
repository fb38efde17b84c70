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
	"strconv"
	"strings"
	"sync/atomic"
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

// The server is killed in the middle of a run, or of a session: before and after each
// request, and at random instants. What it has recorded is whole, and the next sync
// makes it what is declared.
func TestTheServerIsKilled(t *testing.T) {
	t.Parallel()
	if text := os.Getenv(victimVariable); text != "" {
		beKilled(t, text)
		return
	}
	calm := &memories{}
	typical := 40 * time.Millisecond
	killed := 0
	for turn := range syncertest.Soak(120) {
		handles := turn%2 == 1
		v := &victim{dir: t.TempDir()}
		v.start(t, 0)
		scope := state.Scope{Org: "acme", App: fmt.Sprint("app-", turn)}
		require.NoError(t, through(t, v.backend(t, scope), app(t, 20, 1), handles, 6))
		ended, how := make(chan struct{}), ""
		if turn%4 < 2 {
			v.stop()
			at := 1 + rand.IntN(4)
			if handles {
				at = 1 + rand.IntN(24)
			}
			how = fmt.Sprint("killed at step ", at)
			v.start(t, at)
			close(ended)
		} else {
			after := rand.N(typical)
			how = fmt.Sprint("killed after ", after)
			time.AfterFunc(after, func() {
				defer close(ended)
				_ = v.cmd.Process.Kill()
			})
		}
		began := time.Now()
		err := through(t, v.backend(t, scope), app(t, 24, 2), handles, -1)
		if err == nil {
			typical = (typical + time.Since(began)) / 2
		} else {
			killed++
		}
		<-ended
		v.stop()

		requireWhole(t, v.dir, scope)
		v.start(t, 0)
		require.NoError(t, through(t, v.backend(t, scope), app(t, 24, 2), handles, 6), "%s: %v", how, err)
		straight, err := calm.open(t.Context(), scope)
		require.NoError(t, err)
		require.NoError(t, through(t, straight, app(t, 20, 1), handles, 6))
		require.NoError(t, through(t, straight, app(t, 24, 2), handles, 6))
		require.Equal(t, recorded(t, straight), recorded(t, v.backend(t, scope)))
		v.stop()
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

// start starts the process, which kills itself at a step: before or after a request. 0:
// at none.
func (v *victim) start(t *testing.T, at int) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	v.cmd = exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
	v.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", victimVariable, at, v.dir))
	out, err := v.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, v.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	v.address = "http://" + line[:len(line)-1]
}

// stop kills the process, if it still runs.
func (v *victim) stop() {
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait() // it was killed
}

func (v *victim) backend(t *testing.T, scope state.Scope) tusync.Backend {
	t.Helper()
	backend, err := apisyncer.New(v.address, scope, &apisyncer.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)
	return backend
}

// beKilled serves a directory until the process is killed.
func beKilled(t *testing.T, text string) {
	number, dir, _ := strings.Cut(text, " ")
	at, err := strconv.ParseInt(number, 10, 64)
	require.NoError(t, err)
	var steps atomic.Int64
	step := func() {
		if steps.Add(1) == at {
			self, err := os.FindProcess(os.Getpid())
			require.NoError(t, err)
			require.NoError(t, self.Kill())
			select {}
		}
	}
	handler, err := apiserver.New(func(_ context.Context, scope state.Scope) (tusync.Backend, error) {
		return filesyncer.New(filepath.Join(dir, scope.App), scope, nil)
	}, anybody, nil)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fmt.Println(listener.Addr())
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		step()
		handler.ServeHTTP(w, r)
		step()
	})}
	require.NoError(t, server.Serve(listener))
}
