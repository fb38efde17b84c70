package dbsyncertest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// variable names the server that tests share, as a URL.
const variable = "TRUEUP_TEST_POSTGRES"

// shared is the server of this test binary. It has to be held on to: when its
// pipe to the watcher is collected as garbage, the watcher stops it.
//
//nolint:gochecknoglobals // one server for all tests of a test binary, which share nothing else
var shared = sync.OnceValues(func() (*Server, error) { return newServer(Options{}) })

// URL returns the URL of the Postgres server that the tests of this test binary
// share: the one that TRUEUP_TEST_POSTGRES names, else one that the first call
// starts, of the newest version that is installed, unless PATH or pg_config lead
// to another one. It is safe for concurrent use.
//
// The test fails if there is no server.
func URL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(variable); url != "" {
		return url
	}
	s, err := shared()
	if err != nil {
		t.Fatal(fmt.Errorf("dbsyncertest: %w", err))
	}
	return s.URL()
}
