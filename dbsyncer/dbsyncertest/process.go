package dbsyncertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long the package waits for what should take a moment: a machine
// may be busy, and a server may have much to recover.
const patience = 2 * time.Minute

// A process is a server that runs.
type process struct {
	cmd   *exec.Cmd
	log   string        // the file that it writes to
	ended chan struct{} // closed when it has ended, and whatever it started too
	err   error         // of its end, once it has ended
}

// run starts a server in dir, logging to the file log there.
func run(dir string, a *account, name string, args ...string) (*process, error) {
	p := &process{log: filepath.Join(dir, "log"), ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the process has its own handle
	p.cmd = command(dir, a, name, args...)
	p.cmd.Stderr = log
	// Nothing is written to it, but every process of the server has it: Wait waits
	// until none is left.
	p.cmd.Stdout = new(bytes.Buffer)
	p.cmd.WaitDelay = patience / 2
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// command prepares a program that runs in dir, as the account.
func command(dir string, a *account, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C") // messages in English, and a locale that exists
	apart(cmd, a)
	return cmd
}

// ready waits until the server answers at url.
func (p *process) ready(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %w; it says:\n%s", p.cmd.Path, errors.Join(p.err, err), p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s doesn't answer: %w; it says:\n%s", p.cmd.Path, err, p.tail())
		case <-again.C:
		}
	}
}

// wait waits for the end of the process, whatever it is.
func (p *process) wait() error {
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s doesn't end; it says:\n%s", p.cmd.Path, p.tail())
	}
}

// tail returns the end of what the process has logged.
func (p *process) tail() []byte {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return []byte(err.Error())
	}
	return log[max(0, len(log)-4096):]
}

// write makes a file that the account can read, and nobody else.
func (a *account) write(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return a.own(path)
}
