package dbsyncertest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Options say what a server of Start is like. The zero value will do.
type Options struct {
	// Version is one of Versions. The zero value stands for the first.
	Version Version
	// Fsync has the server wait for the disk, as it does by default outside of
	// tests: for measurements. Server.Kill loses no commit without it.
	Fsync bool
	// Config are lines of postgresql.conf, as "max_connections = 20". They come
	// after those of this package, and take precedence.
	Config []string
}

// A Server is a Postgres server of a test's own. Its methods are safe for
// concurrent use.
type Server struct {
	dir      string
	version  Version
	account  *account
	password string
	port     int // always the same, once it has started
	watcher  *watcher

	mu      sync.Mutex
	process *process // nil before the first start
}

// Start starts a server for this test. When the test ends it is stopped and
// removed; if the test failed, the end of its log is printed. opts may be nil.
func Start(t testing.TB, opts *Options) *Server {
	t.Helper()
	if opts == nil {
		opts = &Options{}
	}
	s, err := newServer(*opts)
	if err != nil {
		t.Fatal(fmt.Errorf("dbsyncertest: %w", err))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", s.log())
		}
		if err := s.remove(); err != nil {
			t.Error(fmt.Errorf("dbsyncertest: %w", err))
		}
	})
	return s
}

// URL returns the URL of the server's database postgres, with user and password.
// It stays the same over restarts.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/postgres?sslmode=disable", s.password, s.port)
}

// Kill kills all processes of the server at once (SIGKILL), as in a crash of the
// machine with a disk that lost nothing, and returns when they hold nothing any
// more: neither connections, nor the port, nor memory. It fails if the server
// doesn't run.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running() {
		return errors.New("to kill the server: it doesn't run")
	}
	if err := crash(s.process.cmd.Process); err != nil {
		return fmt.Errorf("to kill the server: %w", err)
	}
	return s.process.wait()
}

// Stop shuts the server down: transactions are rolled back, clients disconnected,
// everything is written. It does nothing if the server doesn't run.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop()
}

// Restart starts the server again after Kill or Stop, or stops and starts it if it
// runs, and returns when it takes connections: after a Kill it has recovered by
// then.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.stop(); err != nil {
		return err
	}
	return s.start()
}

// newServer makes a server and starts it.
func newServer(opts Options) (*Server, error) {
	a, err := unprivileged()
	if err != nil {
		return nil, err
	}
	if opts.Version == (Version{}) {
		versions, err := installed(places())
		if err != nil {
			return nil, err
		}
		opts.Version = versions[0]
	}
	dir, err := tempDir(a)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, version: opts.Version, account: a, password: random()}
	s.watcher, err = watch(dir, a, "/bin/sh", "-c", stopping, s.program("pg_ctl"), s.data())
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	if err := s.initialize(opts); err != nil {
		return nil, errors.Join(err, s.watcher.end())
	}
	err = onFreePort(func(port int) error {
		s.port = port
		return s.start()
	})
	if err != nil {
		return nil, errors.Join(err, s.watcher.end())
	}
	return s, nil
}

// stopping stops a server. Its arguments are pg_ctl and the data directory. One
// that was killed has left its directory's lock file, and has left allocated the
// shared memory whose id ends the seventh line there.
const stopping = `"$0" -D "$1" -m immediate stop
ipcrm -m "$(sed -n '7s/.* //p' "$1/postmaster.pid")"`

// tempDir makes a directory for a server that runs as the account.
func tempDir(a *account) (string, error) {
	dir, err := os.MkdirTemp("", "dbsyncertest-")
	if err != nil {
		return "", err
	}
	if err := a.own(dir); err != nil {
		return "", errors.Join(err, os.Remove(dir))
	}
	return dir, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) program(name string) string { return filepath.Join(s.version.Bin, name) }

// initialize makes the data directory. (Keeping one to copy would save half a
// second of a processor, once for each server. That isn't worth a cache.)
func (s *Server) initialize(opts Options) error {
	password := filepath.Join(s.dir, "password")
	if err := s.account.write(password, s.password); err != nil {
		return err
	}
	initdb := command(s.dir, s.account, s.program("initdb"), "-D", s.data(), "-U", "postgres",
		"--auth=scram-sha-256", "--pwfile="+password, "--encoding=UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	lines := append([]string{
		"listen_addresses = '127.0.0.1'",
		"unix_socket_directories = ''",
		"max_connections = 200",
		"shared_buffers = 32MB",
		"search_path = ''",
		// In files of the data directory, so that a killed server leaves none.
		"dynamic_shared_memory_type = mmap",
	}, opts.Config...)
	if !opts.Fsync {
		lines = append([]string{"fsync = off", "full_page_writes = off"}, lines...)
	}
	conf, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = conf.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	return errors.Join(err, conf.Close())
}

func (s *Server) start() error {
	p, err := run(s.dir, s.account, s.program("postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port))
	if err != nil {
		return fmt.Errorf("to start the server: %w", err)
	}
	s.process = p
	if err := p.ready(s.URL()); err != nil {
		return fmt.Errorf("to start the server: %w", err)
	}
	return nil
}

func (s *Server) stop() error {
	if !s.running() {
		return nil
	}
	if err := s.process.cmd.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("to stop the server: %w", err)
	}
	if err := s.process.wait(); err != nil {
		return err
	}
	if s.process.err != nil {
		return fmt.Errorf("to stop the server: %w; it says:\n%s", s.process.err, s.process.tail())
	}
	return nil
}

func (s *Server) log() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process.tail()
}

func (s *Server) running() bool {
	if s.process == nil {
		return false
	}
	select {
	case <-s.process.ended:
		return false
	default:
		return true
	}
}

// remove ends the server and removes what it has on the disk.
func (s *Server) remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.watcher.end(); err != nil {
		return fmt.Errorf("to remove the server: %w", err)
	}
	return s.process.wait()
}
