package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// goCommand runs the go command in the tree and returns what it prints.
func (c *checker) goCommand(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = c.tree, c.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s%s", args[0], err, stderr.Bytes(), out)
	}
	return string(out), nil
}

// overlay writes what the go command reads for -overlay: that a file of the tree
// has this text. See go help build.
func (c *checker) overlay(name, file, text string) (string, error) {
	instead := filepath.Join(c.dir, name+path.Ext(file))
	if err := os.WriteFile(instead, []byte(text), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(c.tree, filepath.FromSlash(file)): instead},
	})
	if err != nil {
		return "", err
	}
	list := filepath.Join(c.dir, name+".json")
	return list, os.WriteFile(list, overlay, 0o600)
}

// buildTests builds the tests of a package and returns the binary's path. The
// overlay may be empty.
func (c *checker) buildTests(ctx context.Context, pkg, name, overlay string) (string, error) {
	binary := filepath.Join(c.dir, name+".test")
	// Without the path of this copy in it, what is built is in the build cache for
	// the next one.
	_, err := c.goCommand(ctx, "test", "-c", "-trimpath", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, pkg)
	return binary, err
}

// run runs tests, and returns whether they passed and what they printed.
func (c *checker) run(ctx context.Context, binary string, test testRun) (passed bool, out string, err error) {
	// A file: a pipe would be held open by a process that a test has left behind.
	f, err := os.CreateTemp(c.dir, "*.out")
	if err != nil {
		return false, "", err
	}
	cmd := exec.CommandContext(ctx, binary, "-test.run="+test.pattern, "-test.v", "-test.failfast", "-test.timeout="+c.timeout.String())
	cmd.Dir, cmd.Env = filepath.Join(c.tree, filepath.FromSlash(test.pkg)), c.env
	cmd.Stdout, cmd.Stderr = f, f
	err = cmd.Run()
	text, rerr := os.ReadFile(f.Name())
	rerr = errors.Join(rerr, f.Close())
	var exit *exec.ExitError
	switch {
	case rerr != nil:
		return false, "", rerr
	case ctx.Err() != nil:
		return false, "", context.Cause(ctx)
	case errors.As(err, &exit):
		return false, string(text), nil
	}
	return err == nil, string(text), err
}
