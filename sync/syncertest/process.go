package syncertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// process is another process that does a job.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	noise  bytes.Buffer // what it says beside its answers
	stderr bytes.Buffer
	settle func() // waits until what it asked for is over, if it was killed
}

// start starts a process for a job: this test binary, once more.
func (s *store) start(t *testing.T, j job) *process {
	t.Helper()
	j.Test = s.test
	j.Address, j.Scope = s.address, s.scope
	text, err := json.Marshal(j)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	var pattern []string
	for _, part := range strings.Split(j.Test, "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(part)+"$")
	}
	p := &process{cmd: exec.CommandContext(t.Context(), self, "-test.run="+strings.Join(pattern, "/"))}
	p.cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	p.cmd.Stderr = &p.stderr
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewScanner(out)
	require.NoError(t, p.cmd.Start())
	p.settle = func() {
		if s.Crash.Settle != nil {
			s.Crash.Settle(t, s.address, p.cmd.Process.Pid)
		}
	}
	t.Cleanup(func() { _ = p.kill() })
	return p
}

// hear returns the process's next answer, empty if it ended.
func (p *process) hear() string {
	for p.out.Scan() {
		if text, ok := strings.CutPrefix(p.out.Text(), answerMark); ok {
			return text
		}
		p.noise.WriteString(p.out.Text() + "\n")
	}
	return ""
}

// say sends the process a line.
func (p *process) say(t *testing.T, text string) {
	t.Helper()
	_, err := io.WriteString(p.in, text+"\n")
	require.NoError(t, err)
}

// end waits for the end of the process and tells whether it was killed. That it
// failed fails the test.
func (p *process) end(t *testing.T) (killed bool) {
	t.Helper()
	_ = p.in.Close() // it may have ended already
	for p.hear() != "" {
	}
	err := p.cmd.Wait()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.False(t, exit.Exited(), "the process failed: %s\n%s%s", err, p.stderr.String(), p.noise.String())
	p.settle()
	return true
}

// kill kills the process, and tells whether it still ran.
func (p *process) kill() bool {
	if err := p.cmd.Process.Kill(); errors.Is(err, os.ErrProcessDone) {
		return false
	}
	_ = p.cmd.Wait() // it was killed
	return true
}
