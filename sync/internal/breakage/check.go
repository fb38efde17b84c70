package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// checker tries breakages on a copy of the tree. It never changes a file of it:
// the go command is told which one to read from elsewhere. So breakages can be
// tried at once, and what they leave alone is built once. It is safe for
// concurrent use.
type checker struct {
	tree    string // the copy's root, an absolute path
	dir     string // for what is built
	env     []string
	timeout time.Duration // of a test

	binaries memo[string, string]    // the tests of a package as it is
	sound    memo[testRun, struct{}] // whether a test passes as it is
}

// newChecker copies the tree at root into the directory scratch, and makes a
// checker of the copy that leaves nothing anywhere else.
func newChecker(root, scratch string, timeout time.Duration) (*checker, error) {
	c := &checker{tree: filepath.Join(scratch, "tree"), dir: filepath.Join(scratch, "build"), timeout: timeout}
	tmp := filepath.Join(scratch, "tmp")
	for _, dir := range []string{c.dir, tmp} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	// As any directory for temporary files: a server that a test starts may run as
	// another user, and removes what is its own.
	if err := os.Chmod(tmp, 0o777|os.ModeSticky); err != nil {
		return nil, err
	}
	if err := copyTree(root, c.tree); err != nil {
		return nil, err
	}
	workspace := filepath.Join(c.tree, "go.work")
	if _, err := os.Stat(workspace); err != nil {
		workspace = "off"
	}
	// The percentage is one of breakages, not one for the loops in tests: the
	// tests must notice as CI runs them.
	c.env = append(os.Environ(), "GOFLAGS=", "GOWORK="+workspace, "TRUEUP_SOAK=", "TMPDIR="+tmp)
	return c, nil
}

// broken returns the text of the breakage's file with the edit.
func (c *checker) broken(b *breakage) (string, error) {
	text, err := os.ReadFile(filepath.Join(c.tree, filepath.FromSlash(b.file)))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("stale: there is no file %s", b.file)
	}
	if err != nil {
		return "", err
	}
	return b.apply(string(text))
}

// noticed returns nil if the breakage's test passes without the edit and fails
// with it.
func (c *checker) noticed(ctx context.Context, b *breakage) error {
	text, err := c.broken(b)
	if err != nil {
		return err
	}
	if err := c.isSound(ctx, b.test); err != nil {
		return err
	}
	overlay, err := c.overlay(strconv.Itoa(b.line), b.file, text)
	if err != nil {
		return err
	}
	binary, err := c.buildTests(ctx, b.test.pkg, strconv.Itoa(b.line), overlay)
	if err != nil {
		return err
	}
	passed, out, err := c.run(ctx, binary, b.test)
	switch {
	case err != nil:
		return err
	case passed:
		return fmt.Errorf("nothing notices: %s passes", b.test)
	case strings.Contains(out, "panic: test timed out"):
		return fmt.Errorf("%s hangs instead of failing", b.test)
	}
	return os.Remove(binary)
}

// isSound returns nil if there is such a test, and it passes as long as nothing
// is broken.
func (c *checker) isSound(ctx context.Context, test testRun) error {
	_, err := c.sound.get(test, func() (none struct{}, err error) {
		binary, err := c.binaries.get(test.pkg, func() (string, error) {
			return c.buildTests(ctx, test.pkg, strings.ReplaceAll(test.pkg, "/", "-"), "")
		})
		if err != nil {
			return none, err
		}
		passed, out, err := c.run(ctx, binary, test)
		switch {
		case err != nil:
			return none, err
		case !passed:
			return none, fmt.Errorf("%s fails although nothing is broken:\n%s", test, failures(out))
		case !ran(out, test.pattern):
			return none, fmt.Errorf("there is no test for %s", test)
		}
		return none, nil
	})
	return err
}

// ran tells whether a test was run that all of the pattern names, not only its
// part before a slash.
func ran(out, pattern string) bool {
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(line, "=== RUN "); ok && strings.Count(name, "/") >= strings.Count(pattern, "/") {
			return true
		}
	}
	return false
}

// failures is what tests printed, without the names of those that passed.
func failures(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- PASS") {
			b.WriteString(line)
		}
	}
	return b.String()
}
