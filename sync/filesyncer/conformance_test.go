package filesyncer_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	syncertest.Run(t, syncertest.Suite{
		New: func(t testing.TB) string { return t.TempDir() },
		Open: func(address string, scope state.Scope) (tusync.Backend, error) {
			return filesyncer.New(filepath.Join(address, scope.Org, scope.App), scope, nil)
		},
		Lapse: func(t testing.TB, address string) {
			leases, err := filepath.Glob(filepath.Join(address, "*/*/lease-*/lease.jsonl"))
			require.NoError(t, err)
			for _, lease := range leases {
				lapsed := time.Now().Add(-tusync.LeaseTTL)
				require.NoError(t, os.Chtimes(lease, lapsed, lapsed))
			}
		},
	})
}
