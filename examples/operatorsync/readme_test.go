package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/synccli"
)

// The parts of the README's session: the blocks, the lines in them that are typed, by ada
// or by bob, and the answers.
var (
	blocks  = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
	typed   = regexp.MustCompile(`(?m)^(bob)?\$ (.*)\n`)
	answers = regexp.MustCompile(`(?m)\[y/N\] (.+)$`)
)

// TestTheREADMEsSession types what stands in the README's console blocks, from the first
// to the last, and compares what a terminal would show.
func TestTheREADMEsSession(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	said, err := exec.Command("demo/world", dir).CombinedOutput()
	require.NoError(t, err, "%s", said)

	got := blocks.ReplaceAllStringFunc(string(readme), func(block string) string {
		return "```console\n" + replay(t.Context(), dir, blocks.FindStringSubmatch(block)[1]) + "```"
	})
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(got), 0o600))
		return
	}
	require.Equal(t, string(readme), got, "go test -update writes it as it came out")
}

// replay types the lines of a block, and returns the block as it came out.
func replay(ctx context.Context, dir, block string) string {
	var screen bytes.Buffer
	lines := typed.FindAllStringSubmatchIndex(block, -1)
	for i, at := range lines {
		end := len(block)
		if i+1 < len(lines) {
			end = lines[i+1][0]
		}
		screen.WriteString(block[at[0]:at[1]])
		home := filepath.Join(dir, "ada")
		if at[2] >= 0 {
			home = filepath.Join(dir, "bob")
		}
		answer := ""
		if said := answers.FindStringSubmatch(block[at[1]:end]); said != nil {
			answer = said[1]
		}
		enter(ctx, &screen, home, block[at[4]:at[5]], answer)
	}
	return strings.NewReplacer(filepath.Join(dir, "ada"), "~", filepath.Join(dir, "bob"), "~").Replace(screen.String())
}

// enter types one line: for the program or, if it is none, for a shell.
func enter(ctx context.Context, screen io.Writer, home, line, answer string) {
	if args := strings.Fields(line); args[0] == "operatorsync" {
		run(ctx, args[1:], synccli.Stdio{
			In:  io.TeeReader(strings.NewReader(answer+"\n"), screen), // a terminal shows what is typed
			Out: screen, Err: screen, InTerminal: true, User: filepath.Base(home),
			Getenv: func(name string) string { return map[string]string{"HOME": home}[name] },
		})
		return
	}
	shell := exec.CommandContext(ctx, "sh", "-c", line)
	shell.Dir, shell.Stdout, shell.Stderr = home, screen, screen
	shell.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1"}
	_ = shell.Run() // what it says is compared
}
