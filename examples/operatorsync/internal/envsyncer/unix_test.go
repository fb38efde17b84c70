//go:build unix

package envsyncer_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }

// Root writes the files of others, who still have to read them.
func TestTheOwnerIsKept(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"a": typed("")})
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 4711, 4712
		require.NoError(t, os.Chown(s.path("a"), uid, gid))
	}
	s.record(t, map[string]string{"a": "1.0.0+1"})
	require.Equal(t, typed("1.0.0+1"), s.text(t, "a"))
	info, err := os.Stat(s.path("a"))
	require.NoError(t, err)
	stat, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	require.Equal(t, []int{uid, gid}, []int{int(stat.Uid), int(stat.Gid)})
}
