package envsyncer_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// From one disk to another nothing can be renamed.
func TestALinkToAnotherDisk(t *testing.T) {
	t.Parallel()
	memory, err := os.MkdirTemp("/dev/shm", "operatorsync-*")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(memory)) })
	target := filepath.Join(memory, "target")
	require.NoError(t, os.WriteFile(target, []byte(typed("")), 0o600))
	s := newServer(t, nil)
	require.NoError(t, os.Symlink(target, s.path("a")))
	s.record(t, map[string]string{"a": "1.0.0+1"})
	require.Equal(t, typed("1.0.0+1"), s.text(t, "a"))
	beside, err := os.ReadDir(memory)
	require.NoError(t, err)
	require.Len(t, beside, 1)
	left, err := os.ReadDir(filepath.Dir(s.note()))
	require.NoError(t, err)
	require.Len(t, left, 2)
}
