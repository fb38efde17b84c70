//go:build unix

package syncertest

import (
	"errors"
	"os"
	"syscall"
)

// stop stops a process, as Ctrl-Z does, and returns what makes it go on.
func stop(p *os.Process) (goOn func() error, err error) {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return nil, err
	}
	// The signal takes a moment.
	for {
		var status syscall.WaitStatus
		_, err = syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	return func() error { return p.Signal(syscall.SIGCONT) }, err
}
