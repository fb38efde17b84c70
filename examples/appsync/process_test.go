package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/appsync"
)

// TestProcess runs the program as it is shipped.
func TestProcess(t *testing.T) {
	t.Parallel()
	program := build(t)
	t.Run("from end to end", func(t *testing.T) {
		t.Parallel()
		program.endToEnd(t)
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		program.killed(t)
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		program.interrupted(t)
	})
	t.Run("unlocked", func(t *testing.T) {
		t.Parallel()
		program.unlocked(t)
	})
	t.Run("waiting", func(t *testing.T) {
		t.Parallel()
		program.waiting(t)
	})
}

// binary is the path of the program.
type binary string

func build(t testing.TB) binary { return buildOf(t, ".") }

func buildOf(t testing.TB, source string) binary {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary(path)
}

// command is the program in a directory.
func (b binary) command(t testing.TB, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), string(b), args...)
	cmd.Dir = dir
	return cmd
}

// run runs it to its end.
func (b binary) run(t testing.TB, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := b.command(t, dir, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// The directory is the working directory by default, and so is what is
// recorded in it.
func (b binary) endToEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	copyApp(t, "demo", dir)
	for _, step := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"help"}, 0, "Usage: appsync COMMAND"},
		{[]string{"validate"}, 0, "17 resources, all valid."},
		{[]string{"plan"}, 2, "Plan: 17 to create"},
		{[]string{"sync"}, 0, "Done: 17 created"},
		{[]string{"plan"}, 0, "No changes: 17 as declared."},
		{[]string{"state"}, 0, "default/shop, serial 1, by "},
		{[]string{"frobnicate"}, 1, ""},
		{[]string{"plan", "nowhere"}, 1, ""},
	} {
		code, out, errs := b.run(t, dir, step.args...)
		require.Equal(t, step.code, code, "%q: %s", step.args, errs)
		require.Contains(t, out, step.out)
		require.Equal(t, code == 1, errs != "", errs)
	}
	require.FileExists(t, filepath.Join(dir, ".trueup", "state.json"))
}

// manyComponents are enough that what is said about them doesn't fit into a
// pipe: the program waits in the middle of a sync until somebody reads on.
const manyComponents = 6000

// start begins a sync and returns when it has written a line with that
// beginning. What is left of its output is unread.
func (b binary) start(t *testing.T, dir, prefix string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := b.command(t, dir, "sync", ".")
	return cmd, startUntil(t, cmd, prefix)
}

func startUntil(t *testing.T, cmd *exec.Cmd, prefix string) *bufio.Reader {
	t.Helper()
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	out := bufio.NewReader(pipe)
	for {
		line, err := out.ReadString('\n')
		require.NoError(t, err)
		if strings.HasPrefix(line, prefix) {
			return out
		}
	}
}

// A killed sync leaves a State that can be read, and the next one goes on from
// it: nothing is lost and nothing is there twice.
func (b binary) killed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	generateApp(t, dir, manyComponents)
	for _, when := range []string{"+ component/", "Plan: ", "created component/"} {
		cmd, out := b.start(t, dir, when)
		require.NoError(t, cmd.Process.Kill())
		_, err := io.Copy(io.Discard, out)
		require.NoError(t, err)
		require.Error(t, cmd.Wait())
		code, _, errs := b.run(t, dir, "state")
		require.Zero(t, code, "%s: %s", when, errs)
	}
	recorded := len(b.components(t, dir))
	require.Positive(t, recorded, "killed before anything was recorded")
	require.Less(t, recorded, manyComponents, "killed after everything was recorded")

	code, _, errs := b.run(t, dir, "sync")
	require.Zero(t, code, errs)
	require.Len(t, b.components(t, dir), manyComponents)
	code, out, _ := b.run(t, dir, "plan")
	require.Zero(t, code, out)
}

// An interrupted sync says what it has done, and has recorded that.
func (b binary) interrupted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	generateApp(t, dir, manyComponents)
	cmd, out := b.start(t, dir, "created component/")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(out)
	require.NoError(t, err)
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, 1, exit.ExitCode())
	require.Regexp(t, `(?m)^Interrupted: \d+ created, \d+ not attempted, 0 unchanged; what was done is recorded as serial \d+ of default/shop, and the next sync goes on from there.$`, string(rest))
	created := strings.Count(string(rest), "created component/") + 1
	require.Len(t, b.components(t, dir), created)
}

// A sync whose lease is taken from it records nothing from then on; one that was
// killed needs nobody to unlock anything.
func (b binary) unlocked(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	generateApp(t, dir, manyComponents)
	cmd, out := b.start(t, dir, "created component/")
	code, _, errs := b.run(t, dir, "sync")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "--wait waits for it; \"appsync unlock\" ends it.\n")
	code, stdout, _ := b.run(t, dir, "unlock")
	require.Equal(t, 1, code, "nobody was asked")
	require.Contains(t, stdout, "default/shop is locked by ")
	code, stdout, _ = b.run(t, dir, "unlock", "--yes")
	require.Zero(t, code)
	require.Contains(t, stdout, "default/shop is unlocked;")
	recorded := len(b.components(t, dir))
	require.Less(t, recorded, manyComponents)

	_, err := io.Copy(io.Discard, out)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	require.Equal(t, 1, cmd.ProcessState.ExitCode())
	require.Len(t, b.components(t, dir), recorded)

	dir = filepath.Join(t.TempDir(), "shop") // what was left to do might fit into the pipe
	generateApp(t, dir, manyComponents)
	cmd, out = b.start(t, dir, "created component/")
	require.NoError(t, cmd.Process.Kill())
	_, err = io.Copy(io.Discard, out)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	code, stdout, _ = b.run(t, dir, "unlock")
	require.Zero(t, code)
	require.Equal(t, "default/shop is not locked.\n", stdout)
	code, _, errs = b.run(t, dir, "sync")
	require.Zero(t, code, errs)
	require.Len(t, b.components(t, dir), manyComponents)
}

// One sync waits for another, and does what that has left to do.
func (b binary) waiting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	generateApp(t, dir, manyComponents)
	cmd, out := b.start(t, dir, "created component/")
	second := b.command(t, dir, "sync", "--wait")
	var stderr bytes.Buffer
	second.Stderr = &stderr
	waits := startUntil(t, second, "Plan: ") // of what the first one has not done yet
	_, err := io.Copy(io.Discard, out)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	rest, err := io.ReadAll(waits)
	require.NoError(t, err)
	require.NoError(t, second.Wait(), "%s", &stderr)
	require.Equal(t, "What is recorded has changed while this waited: it plans again.\n", stderr.String())
	require.Contains(t, string(rest), "No changes: ")
	require.Len(t, b.components(t, dir), manyComponents)
}

// components returns the ids of the recorded components, by name.
func (b binary) components(t *testing.T, dir string) map[string]string {
	t.Helper()
	code, out, errs := b.run(t, dir, "state", "--json")
	require.Zero(t, code, errs)
	var recorded appsync.State
	require.NoError(t, json.Unmarshal([]byte(out), &recorded))
	byName, names := map[string]string{}, map[string]string{}
	for _, c := range recorded.Components {
		require.NotEmpty(t, c.ID)
		require.Empty(t, names[c.ID], "an id that two components have")
		byName[c.Name], names[c.ID] = c.ID, c.Name
	}
	require.Len(t, recorded.Components, len(byName), "a component that is there twice")
	return byName
}
