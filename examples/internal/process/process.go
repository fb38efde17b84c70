// Package process runs other programs such that nothing of them is left when the
// context is done.
package process

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

const (
	// killAfter is how long a program that was asked to end may take for it.
	killAfter = 5 * time.Second
	// lastWords is how much of what a program says is kept: the end.
	lastWords = 4 << 10
)

// Run runs a command that was made with the same context. Once that is done, the
// program and those that it has started are asked to end, killed after a while, and
// the error is the context's. What the program said is the end of its standard
// error; of its standard output too if the command has no place for it.
func Run(ctx context.Context, cmd *exec.Cmd) (said string, err error) {
	var last tail
	cmd.Stderr = &last
	if cmd.Stdout == nil {
		cmd.Stdout = &last
	}
	cmd.WaitDelay = killAfter
	inGroup(cmd)
	err = cmd.Run()
	if err != nil && ctx.Err() != nil {
		endGroup(cmd)
		err = context.Cause(ctx)
	}
	return strings.TrimSpace(string(last.text)), err
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - lastWords; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}
