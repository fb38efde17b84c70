//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package filesyncer

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// checkSystem tells whether this system has what the lease needs.
func checkSystem() error {
	return fmt.Errorf("filesyncer needs file locks that end with their process, which %s doesn't offer: use another backend there: %w", runtime.GOOS, errors.ErrUnsupported)
}

func lock(file) bool { return false }

func isLocked(*os.File) bool { return false }
