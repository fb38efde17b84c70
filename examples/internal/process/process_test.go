package process_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/process"
)

func TestRun_WhatItSaid(t *testing.T) {
	t.Parallel()
	said, err := process.Run(t.Context(), exec.CommandContext(t.Context(), "sh", "-c", "echo out; echo err >&2; exit 3"))
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 3, exit.ExitCode())
	require.Equal(t, "out\nerr", said)

	var out strings.Builder
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "echo out; echo err >&2")
	cmd.Stdout = &out
	said, err = process.Run(t.Context(), cmd)
	require.NoError(t, err)
	require.Equal(t, "err", said)
	require.Equal(t, "out\n", out.String())

	said, err = process.Run(t.Context(), exec.CommandContext(t.Context(), "sh", "-c", "yes | head -c 100000; echo the end"))
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(said, "y\nthe end"))
	require.LessOrEqual(t, len(said), 4<<10)
}

// A program that was started by the program ends, too. It holds the write end of a
// pipe: the pipe ends with it.
func TestRun_Cancelled(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	cmd := exec.CommandContext(ctx, "sh", "-c", "(trap '' TERM; echo started >&3; sleep 1000) & wait")
	cmd.ExtraFiles = []*os.File{write}
	enough := errors.New("enough")
	done := make(chan error)
	go func() {
		_, err := process.Run(ctx, cmd)
		done <- err
	}()
	lines := bufio.NewReader(read)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "started\n", line)
	cancel(enough)
	require.ErrorIs(t, <-done, enough)
	require.NoError(t, write.Close()) // ours, which Start has used until then
	_, err = lines.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}
