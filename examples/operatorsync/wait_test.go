//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/synccli"
)

// Who waits while somebody else deploys the same app looks at it again then.
func TestWait(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	require.NoError(t, world(work))
	gate, config := filepath.Join(work, "gate"), filepath.Join(work, "abra", "config.yml")
	require.NoError(t, syscall.Mkfifo(gate, 0o600))
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	slow := strings.Replace(string(text), "test ! -e fail", "cat '"+gate+"' >at; test ! -e fail", 1)
	require.NoError(t, os.WriteFile(config, []byte(slow), 0o600))
	start := func(errs io.Writer, args ...string) (lines *bufio.Scanner, ended chan int) {
		out, in := io.Pipe()
		ended = make(chan int, 1)
		go func() {
			code := run(t.Context(), append([]string{"app", "deploy", "--no-input", "matrix.example.com", "2.0.0+v1.95.1"}, args...), synccli.Stdio{
				Out: in, Err: errs, Getenv: func(name string) string { return map[string]string{"ABRA_DIR": filepath.Join(work, "abra")}[name] },
			})
			_ = in.Close() // the reader sees the end
			ended <- code
		}()
		return bufio.NewScanner(out), ended
	}
	until := func(lines *bufio.Scanner, prefix string) {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), prefix) {
				return
			}
		}
		require.Fail(t, "it never said "+prefix)
	}

	first, firstEnds := start(io.Discard)
	until(first, "Plan: ")
	door, err := os.OpenFile(gate, os.O_WRONLY, 0) // opens once the first one is in the middle of its deploy
	require.NoError(t, err)
	var refused bytes.Buffer
	lines, ends := start(&refused)
	until(lines, "Plan: ")
	require.Equal(t, 1, <-ends)
	require.Contains(t, refused.String(), "Nothing was done. --wait waits for it.\n")

	var said bytes.Buffer
	second, secondEnds := start(&said, "--wait")
	until(second, "Plan: ")
	require.NoError(t, door.Close())
	until(first, "matrix.example.com runs 2.0.0+v1.95.1.")
	require.Zero(t, <-firstEnds)
	until(second, "Nothing to do: matrix.example.com runs 2.0.0+v1.95.1.")
	require.Zero(t, <-secondEnds)
	require.Contains(t, said.String(), "What is recorded has changed while this waited: it plans again.\n")
}
