package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/script"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

// TestScripts plays the scripts in testdata. Those whose names begin with a number hold
// the line of seed 004 with that number in the specification.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			program := script.Program{Name: "operatorsync", Run: run, Update: *update, Setup: world}
			require.NoError(t, program.Play(t.Context(), file, t.TempDir()))
		})
	}
}

// The commands that the scripts deploy with: what runs is a line in a file. With a file
// called fail in that directory the deploy fails, with one called revert it goes back,
// and with one called sick what runs isn't well.
const engine = `sync: true
deployer: command
timeout: 1s
command:
  deploy: |
    cd '%[1]s/runs'
    test ! -e fail || { echo "no such image: $RECIPE:$VERSION, password is $PASSWORD" >&2; exit 1; }
    test -e revert || echo "$VERSION" >"$DOMAIN"
  status: |
    cd '%[1]s/runs'
    test ! -e "$DOMAIN" || cat "$DOMAIN"
    test ! -e sick || cat sick
`

// world makes the machines of two operators, who work on the same server.
func world(work string) error {
	if err := os.MkdirAll(filepath.Join(work, "runs"), 0o700); err != nil {
		return err
	}
	for _, name := range []string{"abra", "abroad"} {
		if err := equip(work, name); err != nil {
			return err
		}
		for recipe, versions := range map[string][]string{
			"matrix-synapse": {"1.0.0+v1.93.0", "2.0.0+v1.95.1", "2.1.0+v1.100.0"}, "wiki": {"0.9.0+1", "0.10.0+1"},
		} {
			if err := commits(filepath.Join(work, name, "recipes", recipe), versions, nothing); err != nil {
				return err
			}
		}
	}
	return nil
}

// equip makes the directory of an operator who works on the server.
func equip(work, name string) error {
	dir := filepath.Join(work, name)
	for file, text := range map[string]string{
		"config.yml": fmt.Sprintf(engine, work),
		"servers/example.com/matrix.example.com.env": "# the chat\nTYPE=matrix-synapse\nPASSWORD=hunter2\n" +
			"OPERATOR_SYNC_VERSION=1.0.0+v1.93.0 # managed by Abra\nDOMAIN='matrix.example.com'\n",
		"servers/example.com/wiki.example.com.env": "TYPE=wiki:0.9.0+1\nDOMAIN=wiki.example.com",
	} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// nothing is the compose file of a version of which nothing runs.
func nothing(version string) string { return "# " + version + "\nservices: {}\n" }

// commits makes a repository with a commit and a tag for each version of a compose file.
func commits(dir string, versions []string, file func(version string) string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := git(dir, "init", "--quiet", "--initial-branch=main"); err != nil {
		return err
	}
	for _, version := range versions {
		if err := os.WriteFile(filepath.Join(dir, "compose.yml"), []byte(file(version)), 0o600); err != nil {
			return err
		}
		for _, args := range [][]string{{"add", "."}, {"commit", "--quiet", "--message", version}, {"tag", version}} {
			if err := git(dir, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// git runs git, at a fixed time: commits have the same hash every time.
func git(dir string, args ...string) error {
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "commit.gpgsign=false", "-c", "core.hooksPath=" + os.DevNull}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=2024-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE=2024-01-01T00:00:00Z")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %v: %w: %s", args, err, out)
	}
	return nil
}
