package dbsyncertest

import (
	"io"
	"os/exec"
)

// A watcher is a process that ends what this process started, and removes its
// directory, as soon as this process ends, however it does, or when it is told to.
// It knows by a pipe that only this process holds the other end of.
type watcher struct {
	cmd  *exec.Cmd
	pipe io.Closer
}

// watching is the watcher's script. Its arguments are the directory, and the
// command that ends what uses it. While a server starts, the directory may get a
// file even as it is removed; that server ends by itself then.
const watching = `read -r _
"$@"
rm -rf "$0" || { sleep 1; rm -rf "$0"; }`

func watch(dir string, a *account, stop ...string) (*watcher, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", watching, dir}, stop...)...)
	cmd.Dir = "/"
	apart(cmd, a)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &watcher{cmd, pipe}, nil
}

// end has the watcher do its work, and waits until it is done.
func (w *watcher) end() error {
	_ = w.pipe.Close() // an end of a pipe, of which nothing was written
	return w.cmd.Wait()
}
