//go:build !unix

package dbsyncertest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// An account is the user that servers run as. There is none on this system.
type account struct{}

// unprivileged fails: it is what is asked first for whatever is to be started.
func unprivileged() (*account, error) {
	return nil, fmt.Errorf("servers can't be started on %s: set %s to the URL of a server for tests: %w",
		runtime.GOOS, variable, errors.ErrUnsupported)
}

func (*account) own(string) error { return errors.ErrUnsupported }

func apart(*exec.Cmd, *account) {}

func crash(*os.Process) error { return errors.ErrUnsupported }
