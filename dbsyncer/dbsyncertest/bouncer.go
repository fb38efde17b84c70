package dbsyncertest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Bouncer starts a pgbouncer in transaction mode for this test, in front of the
// server at address, and returns the URL of the same database behind it. A connection
// to it has another session of the server in each transaction, so whoever counts
// on the state of a session fails: on advisory locks, LISTEN, SET, temporary
// tables. pgbouncer's settings are its defaults: prepared statements are known
// across sessions from version 1.24 on and not before, when pgx needs
// pgx.QueryExecModeExec or simpler.
//
// All that connect are, to the server, the user that address names. It is safe for
// concurrent use. The test fails if pgbouncer isn't installed.
func Bouncer(t testing.TB, address string) string {
	t.Helper()
	b, err := newBouncer(address)
	if err != nil {
		t.Fatal(fmt.Errorf("dbsyncertest: %w", err))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of pgbouncer's log:\n%s", b.process.tail())
		}
		if err := errors.Join(b.watcher.end(), b.process.wait()); err != nil {
			t.Error(fmt.Errorf("dbsyncertest: to remove pgbouncer: %w", err))
		}
	})
	return b.url
}

type bouncer struct {
	url     string
	watcher *watcher
	process *process
}

func newBouncer(address string) (*bouncer, error) {
	server, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, err
	}
	a, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// /usr/sbin is in the PATH of root only.
	program, err := findBouncer(append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin"))
	if err != nil {
		return nil, err
	}
	dir, err := tempDir(a)
	if err != nil {
		return nil, err
	}
	b := &bouncer{}
	b.watcher, err = watch(dir, a, "/bin/sh", "-c", killing, filepath.Join(dir, "pid"))
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	err = onFreePort(func(port int) error { return b.start(dir, a, program, server, port) })
	if err != nil {
		return nil, errors.Join(err, b.watcher.end())
	}
	return b, nil
}

// killing kills the process whose id is in a file. One that has just been started
// has yet to write it.
const killing = `for _ in 1 2 3; do kill -KILL "$(cat "$0")" && break; sleep 1; done`

// start starts pgbouncer, with a password of its own.
func (b *bouncer) start(dir string, a *account, program string, server *pgx.ConnConfig, port int) error {
	password := random()
	users, ini := filepath.Join(dir, "users"), filepath.Join(dir, "ini")
	lines := []string{
		"[databases]",
		"* = " + upstream(server),
		"[pgbouncer]",
		"pool_mode = transaction",
		"listen_addr = 127.0.0.1",
		fmt.Sprintf("listen_port = %d", port),
		"unix_socket_dir =",
		"auth_type = scram-sha-256",
		"auth_file = " + users,
		"pidfile = " + filepath.Join(dir, "pid"),
		"server_tls_sslmode = prefer",
		"max_client_conn = 500",
		// Pool sends it, and the server's sessions have it.
		"ignore_startup_parameters = search_path",
	}
	if err := a.write(users, fmt.Sprintf("%q %q\n", "postgres", password)); err != nil {
		return err
	}
	if err := a.write(ini, strings.Join(lines, "\n")+"\n"); err != nil {
		return err
	}
	p, err := run(dir, a, program, ini)
	if err != nil {
		return fmt.Errorf("to start pgbouncer: %w", err)
	}
	b.process = p
	b.url = (&url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("postgres", password),
		Host:     fmt.Sprintf("127.0.0.1:%d", port),
		Path:     "/" + server.Database,
		RawQuery: "sslmode=disable",
	}).String()
	if err := p.ready(b.url); err != nil {
		return fmt.Errorf("to start pgbouncer: %w", err)
	}
	return nil
}

// upstream tells pgbouncer how to reach the server.
func upstream(server *pgx.ConnConfig) string {
	s := fmt.Sprintf("host=%s port=%d user=%s connect_query=%s",
		quote(server.Host), server.Port, quote(server.User), quote("set search_path = ''"))
	if server.Password != "" { // an empty value is a syntax error
		s += " password=" + quote(server.Password)
	}
	return s
}

// quote writes a value for the [databases] section.
func quote(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }

// findBouncer finds pgbouncer in directories.
func findBouncer(dirs []string) (string, error) {
	for _, dir := range dirs {
		if path, err := exec.LookPath(filepath.Join(dir, "pgbouncer")); err == nil {
			return path, nil
		}
	}
	return "", errors.New("pgbouncer is not installed: install it (Debian: apt-get install pgbouncer; Homebrew: brew install pgbouncer)")
}
