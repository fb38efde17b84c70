//go:build !unix

package syncertest

import "os"

// stop does nothing: on this system no process can be stopped. The lease lapses
// all the same.
func stop(*os.Process) (goOn func() error, err error) {
	return func() error { return nil }, nil
}
