//go:build unix

package syncertest

import (
	"os"
	"syscall"
)

// stop stops a process, as Ctrl-Z does, and returns what makes it go on.
func stop(p *os.Process) (goOn func() error, err error) {
	return func() error { return p.Signal(syscall.SIGCONT) }, p.Signal(syscall.SIGSTOP)
}
