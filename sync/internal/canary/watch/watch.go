package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/sync/internal/canary"
)

// watch runs tests and looks for the canary.
type watch struct {
	root      string // of the repository
	out, errs io.Writer

	secrets *canary.Set
	found   []string
}

// run runs a command that begins with go test. The error says that a test failed or
// that the canary was found.
func (w *watch) run(ctx context.Context, command []string) error {
	if len(command) < 2 || command[1] != "test" {
		return errors.New("usage: watch go test ARG…")
	}
	value := "canary" + rand.Text()
	w.secrets = canary.New(value)
	work, err := os.MkdirTemp("", "tu") // a short name: there will be sockets below it
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	temporary, kept := filepath.Join(work, "t"), filepath.Join(work, "k")
	for _, dir := range []string{temporary, kept} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, command[0], slices.Concat([]string{"test", "-json"}, command[2:])...)
	cmd.Env = append(os.Environ(), canary.Env+"="+value, canary.KeptEnv+"="+kept, "TMPDIR="+temporary)
	failed := w.test(cmd, slices.Contains(command, "-v"))
	for _, dir := range []string{temporary, kept, w.root} {
		found, err := w.secrets.FindInFiles(dir)
		if err != nil {
			return err
		}
		w.found = append(w.found, found...)
	}
	if len(w.found) > 0 {
		return fmt.Errorf("secrets came out of the tests (the canary is %s):\n%s", value, strings.Join(w.found, "\n"))
	}
	return failed
}

// test runs the tests and shows what go test shows, with -v or without.
func (w *watch) test(cmd *exec.Cmd, verbose bool) error {
	cmd.Stderr = w
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p := printer{out: w.out, verbose: verbose, tests: map[string][]string{}}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		w.search("what the tests print", line)
		p.line(line)
		if err != nil {
			break
		}
	}
	return cmd.Wait()
}

// Write implements io.Writer, for what go itself has to say.
func (w *watch) Write(text []byte) (int, error) {
	w.search("what go prints", string(text))
	return w.errs.Write(text)
}

func (w *watch) search(where, text string) {
	for _, found := range w.secrets.Find([]byte(text)) {
		w.found = append(w.found, where+": "+found)
	}
}

// printer shows of the events of go test -json what go test shows: the output of
// what failed, and a line for each package.
type printer struct {
	out     io.Writer
	verbose bool                // show the output of what passes too
	tests   map[string][]string // the output of tests that have not ended, by package and name
}

// event is one line of go test -json; see go doc test2json.
type event struct{ Action, Package, ImportPath, Test, Output string }

func (p *printer) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		_, _ = io.WriteString(p.out, line) // not from a test
		return
	}
	id := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output":
		_, _ = io.WriteString(p.out, e.Output)
	case e.Action == "output" && (p.verbose || e.Test == "" && isSummary(e.Output)):
		_, _ = io.WriteString(p.out, e.Output)
	case e.Action == "output" && strings.HasPrefix(e.Output, "=== "):
	case e.Action == "output":
		p.tests[id] = append(p.tests[id], e.Output)
	case e.Action == "fail":
		_, _ = io.WriteString(p.out, strings.Join(p.tests[id], ""))
		delete(p.tests, id)
	case e.Action == "pass" || e.Action == "skip":
		delete(p.tests, id)
	}
}

// isSummary tells whether a line is the one that tells how a package ended.
func isSummary(line string) bool {
	for _, prefix := range []string{"ok  \t", "FAIL\t", "?   \t", "\t"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}
