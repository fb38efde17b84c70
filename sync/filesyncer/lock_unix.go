//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package filesyncer

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// checkSystem tells whether this system has what the lease needs.
func checkSystem() error { return nil }

// lock takes the kernel's lock on the file, which the kernel gives back when the
// process dies. It tells whether the file system has such locks.
func lock(f file) bool {
	for range 1000 { // whoever looks at the lock has it for a moment
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err == nil
		}
		runtime.Gosched()
	}
	return false
}

// isLocked tells whether a process holds the kernel's lock on the file; if that
// can't be told, it may. The look itself takes a shared lock for a moment, so
// that two who look don't see each other.
func isLocked(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil
}
