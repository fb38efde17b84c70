package sync_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// app is what runs as a process.
type app struct {
	Version int
	// Start is how it starts: "healthy", which is the default, "slow", which is not
	// healthy until it is told, or "broken", which ends at once.
	Start string `sync:"default=healthy"`
	// Label says something of it that doesn't matter to what runs.
	Label string `sync:"nodeploy"`
}

// processes is a Deployer whose things are processes of this test binary. Each
// listens on a socket in a directory, by its name, and says how it is doing:
// another one on the same directory finds what runs.
type processes struct {
	dir    string
	ours   sync.WaitGroup // those that were started here and have not ended
	buried sync.Map       // of each name the last one's channel, closed once it is written how it ended
}

// served is what a process is started with.
type served struct {
	Dir, Name string
	Config    app
	Running   state.Checksum
}

// Deploy stops what runs and starts a process in its place. The process gets the
// socket from us, so that it can be asked from the first moment on.
func (p *processes) Deploy(_ context.Context, deploy *diff.Deploy) error {
	spec := served{Dir: p.dir, Name: deploy.Desired.Name, Running: deploy.Running}
	if err := json.Unmarshal(deploy.Config, &spec.Config); err != nil {
		return err
	}
	if err := p.stop(spec.Name); err != nil {
		return err
	}
	return p.start(spec)
}

func (p *processes) start(spec served) error {
	for _, path := range []string{p.socket(spec.Name), p.grave(spec.Name)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: p.socket(spec.Name), Net: "unix"})
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // the process has its own
	listener.SetUnlinkOnClose(false)
	file, err := listener.File()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	child, err := childProcess(job{Serve: &spec})
	if err != nil {
		return err
	}
	child.ExtraFiles = []*os.File{file}
	if err := child.Start(); err != nil {
		return err
	}
	buried := make(chan struct{})
	p.buried.Store(spec.Name, buried)
	p.ours.Go(func() {
		defer close(buried)
		_ = child.Wait() // how it ended is what is written
		_ = os.WriteFile(p.grave(spec.Name), []byte(child.ProcessState.String()), 0o600)
	})
	return nil
}

// stop stops what runs, and waits for the end of what was started here.
func (p *processes) stop(name string) error {
	_, err := p.tell(name, "stop")
	if err != nil && !errors.Is(err, errNotRunning) {
		return err
	}
	if buried, ok := p.buried.Load(name); ok {
		<-buried.(chan struct{})
	}
	return nil
}

// Health asks each process.
func (p *processes) Health(_ context.Context, records []state.Record) []tusync.Health {
	healths := make([]tusync.Health, len(records))
	for i := range records {
		healths[i] = p.health(records[i].Name)
	}
	return healths
}

func (p *processes) health(name string) (health tusync.Health) {
	answer, err := p.tell(name, "health")
	switch {
	case errors.Is(err, errNotRunning):
		if epitaph, err := os.ReadFile(p.grave(name)); err == nil {
			return tusync.Health{Phase: tusync.Degraded, Message: string(epitaph)}
		}
		return tusync.Health{Phase: tusync.Missing}
	case err != nil:
		return tusync.Health{Err: err}
	case answer == "":
		return tusync.Health{Phase: tusync.Progressing, Message: "it is about to end"}
	}
	health.Err = json.Unmarshal([]byte(answer), &health)
	return health
}

func (p *processes) socket(name string) string { return filepath.Join(p.dir, name+".sock") }

// grave is where it is written how a process has ended.
func (p *processes) grave(name string) string { return filepath.Join(p.dir, name+".ended") }

var errNotRunning = errors.New("nothing runs")

// tell sends a process a line and returns its answer, empty if it ends for it.
func (p *processes) tell(name, line string) (answer string, err error) {
	conn, err := net.Dial("unix", p.socket(name))
	if err != nil {
		return "", errNotRunning
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		return "", nil
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		return "", nil // reset: it has ended
	}
	return strings.TrimSuffix(string(text), "\n"), nil
}

// job is what a child process of a test does.
type job struct {
	Serve *served
	Sync  *syncJob
}

const jobVariable = "TRUEUP_SYNC_TEST_JOB"

// childProcess returns this test binary as a process with a job.
func childProcess(j job) (*exec.Cmd, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.Command(self, "-test.run=^TestChildProcess$") //nolint:noctx // it outlives who starts it
	child.Env = append(os.Environ(), jobVariable+"="+string(text))
	child.Stderr = os.Stderr
	return child, nil
}

// TestChildProcess is what child processes run; it is no test.
func TestChildProcess(t *testing.T) {
	text := os.Getenv(jobVariable)
	if text == "" {
		return
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	switch {
	case err != nil:
	case j.Serve != nil:
		err = j.Serve.serve()
	case j.Sync != nil:
		err = j.Sync.run(t)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve is a process that was deployed: it answers, until it is told to end or the
// test that it is a part of has ended.
func (s *served) serve() error {
	life, err := net.Dial("unix", filepath.Join(s.Dir, "life"))
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, life)
		os.Exit(0) // the test has ended
	}()
	if _, err := fmt.Fprintln(life, s.Name); err != nil {
		return err
	}
	health := tusync.Health{Phase: tusync.Healthy, Running: s.Running, Message: fmt.Sprintf("version %d", s.Config.Version)}
	switch s.Config.Start {
	case "broken":
		os.Exit(3)
	case "slow":
		health.Phase = tusync.Progressing
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	for asked := 0; ; {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		line, _ := bufio.NewReader(conn).ReadString('\n')
		switch command, argument, _ := strings.Cut(strings.TrimSpace(line), " "); command {
		case "health":
			asked++
			_ = json.NewEncoder(conn).Encode(health) // who asked may be gone
		case "become":
			health.Phase = tusync.HealthPhase(argument)
		case "asked":
			_, _ = fmt.Fprintln(conn, asked)
		case "pid":
			_, _ = fmt.Fprintln(conn, os.Getpid())
		case "stop":
			os.Exit(0)
		case "crash":
			os.Exit(7)
		}
		_ = conn.Close()
	}
}

// lifeline is what the processes of a test hold on to: they end with the test,
// however that ends.
type lifeline struct {
	started chan string // the names of processes, as they start

	listener *net.UnixListener
	accepted sync.WaitGroup
	conns    []*net.UnixConn
}

func newLifeline(t *testing.T, dir string) *lifeline {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "life"), Net: "unix"})
	require.NoError(t, err)
	l := &lifeline{started: make(chan string, 100), listener: listener}
	l.accepted.Go(l.accept)
	return l
}

func (l *lifeline) accept() {
	for {
		conn, err := l.listener.AcceptUnix()
		if err != nil {
			return
		}
		l.conns = append(l.conns, conn)
		if name, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
			l.started <- strings.TrimSpace(name)
		}
	}
}

// end ends all processes and waits until they have.
func (l *lifeline) end() {
	_ = l.listener.Close()
	l.accepted.Wait()
	for _, conn := range l.conns {
		_ = conn.CloseWrite()
	}
	for _, conn := range l.conns {
		_, _ = io.Copy(io.Discard, conn) // until it has ended
		_ = conn.Close()
	}
}
