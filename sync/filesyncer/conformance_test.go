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
	syncertest.Run(t, suite(nil))
}

// Folded into state.json after every commit, the State is as safe.
func TestConformanceWithATinyJournal(t *testing.T) {
	t.Parallel()
	syncertest.Run(t, suite(&filesyncer.Options{CompactBytes: 1}))
}

func suite(opts *filesyncer.Options) syncertest.Suite {
	return syncertest.Suite{
		New: func(t testing.TB) string { return t.TempDir() },
		Open: func(address string, scope state.Scope) (tusync.Backend, error) {
			return filesyncer.New(dirOf(address, scope), scope, opts)
		},
		Lapse:  lapse,
		Stored: syncertest.Files,
		Crash: &syncertest.Crash{
			Steps: func(address string, scope state.Scope, step func()) (tusync.Backend, error) {
				return filesyncer.NewStepping(dirOf(address, scope), scope, opts, func(string, string) error { step(); return nil })
			},
			DeathShows: true,
			Leftovers:  leftovers(),
		},
	}
}

func dirOf(address string, scope state.Scope) string {
	return filepath.Join(address, scope.Org, scope.App)
}

func lapse(t testing.TB, address string) {
	leases, err := filepath.Glob(filepath.Join(address, "*/*/lease-*/lease.jsonl"))
	require.NoError(t, err)
	for _, lease := range leases {
		lapsed := time.Now().Add(-tusync.LeaseTTL)
		require.NoError(t, os.Chtimes(lease, lapsed, lapsed))
	}
}
