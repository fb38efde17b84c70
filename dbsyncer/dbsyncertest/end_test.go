package dbsyncertest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const tick = 10 * time.Millisecond

// A running is what a test binary has started.
type running struct {
	Dirs []string // of the servers
	Pids []int
}

func TestNothingOutlivesAKilledTestBinary(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestStartsAndWaits$")
	child.Env = append(os.Environ(), waits+"=1", variable+"=")
	_, err = child.StdinPipe() // it waits for the end of it
	require.NoError(t, err)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())

	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	var r running
	require.NoError(t, json.Unmarshal([]byte(line), &r), line)
	require.Len(t, r.Pids, 4)
	for _, pid := range r.Pids {
		require.False(t, gone(t, pid))
	}

	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())
	for _, pid := range r.Pids {
		require.Eventually(t, func() bool { return gone(t, pid) }, patience, tick)
	}
	for _, dir := range r.Dirs {
		require.Eventually(t, func() bool { return !exists(dir) }, patience, tick)
	}
}

// waits names the variable that has TestStartsAndWaits wait to be killed.
const waits = "DBSYNCERTEST_WAITS"

// TestStartsAndWaits starts one of everything. Where it is the test binary to be
// killed, it says what it has started, and waits.
func TestStartsAndWaits(t *testing.T) {
	t.Parallel()
	first, err := newServer(Options{})
	require.NoError(t, err)
	bouncer, err := newBouncer(first.URL())
	require.NoError(t, err)
	require.NoError(t, first.Restart())
	if os.Getenv(waits) == "" {
		require.NoError(t, bouncer.watcher.end())
		require.NoError(t, first.remove())
		require.True(t, gone(t, bouncer.process.cmd.Process.Pid))
		require.True(t, first.process.cmd.ProcessState.Exited(), "it was stopped before its files were removed, and didn't abort over that")
		require.True(t, gone(t, first.process.cmd.Process.Pid))
		require.False(t, exists(first.dir))
		require.False(t, exists(bouncer.process.cmd.Dir))
		return
	}
	URL(t)
	shared, err := shared()
	require.NoError(t, err)
	killed := Start(t, nil)
	require.NoError(t, killed.Kill())
	r := running{Dirs: []string{first.dir, shared.dir, bouncer.process.cmd.Dir, killed.dir}}
	for _, p := range []*process{first.process, shared.process, bouncer.process} {
		r.Pids = append(r.Pids, p.cmd.Process.Pid)
	}
	// A client that is in a transaction doesn't hold it up.
	conn, err := pgx.Connect(t.Context(), shared.URL())
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "begin")
	require.NoError(t, err)
	r.Pids = append(r.Pids, int(conn.PgConn().PID()))
	text, err := json.Marshal(r)
	require.NoError(t, err)
	fmt.Println(string(text))
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// gone tells whether a process has ended, even if its parent hasn't asked yet.
func gone(t *testing.T, pid int) bool {
	t.Helper()
	state, err := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output()
	return err != nil || strings.HasPrefix(string(state), "Z")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
