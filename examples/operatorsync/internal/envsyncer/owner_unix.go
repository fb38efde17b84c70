//go:build unix

package envsyncer

import (
	"os"
	"syscall"
)

// keepOwner gives a new file the owner of the one that it replaces, where that can be
// done: root can, and others for their groups.
func keepOwner(fresh, old string) {
	info, err := os.Stat(old)
	if err != nil {
		return
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = os.Chown(fresh, int(s.Uid), int(s.Gid))
	}
}
