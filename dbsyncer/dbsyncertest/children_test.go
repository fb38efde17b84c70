//go:build unix

package dbsyncertest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKillLeavesNoProcess(t *testing.T) {
	t.Parallel()
	server := Start(t, nil)
	connect(t, server.URL())
	children, err := childrenOf(server.process.cmd.Process.Pid)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(children), 4, "the processes of a server")
	require.NoError(t, server.Kill())
	for _, pid := range children {
		// They have let go of everything; the system may still be at it.
		require.Eventually(t, func() bool { return gone(t, pid) }, patience, tick)
	}
}
