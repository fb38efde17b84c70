package dbsyncer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// TestConformance runs on the first of the installed versions; this on the others.
// Crash isn't run on them: where a client dies is not a matter of the server's
// version, and it is most of the time that the suite takes.
func TestConformanceOnOtherVersions(t *testing.T) {
	t.Parallel()
	for _, v := range dbsyncertest.Versions(t)[1:] {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			server := dbsyncertest.Start(t, &dbsyncertest.Options{Version: v})
			if dbsyncer.CheckServer(v.Major*10000) != nil {
				requireTooOld(t, server.URL())
				return
			}
			syncertest.Run(t, suite(t, func(testing.TB) string { return server.URL() }, ""))
		})
	}
}

// requireTooOld checks that nothing is made on a server that is too old.
func requireTooOld(t *testing.T, url string) {
	t.Helper()
	pool := dbsyncertest.Pool(t, url, nil)
	require.ErrorContains(t, dbsyncer.Migrate(t.Context(), pool, ""), "upgrade the server")
	var there bool
	require.NoError(t, pool.QueryRow(t.Context(), "select to_regnamespace('trueup') is not null").Scan(&there))
	require.False(t, there)
}

func TestAServerThatIsTooOldIsRefused(t *testing.T) {
	t.Parallel()
	for number, want := range map[int]string{
		90624:  "dbsyncer needs Postgres 15 or later, and the server is Postgres 9.6: upgrade the server",
		140011: "dbsyncer needs Postgres 15 or later, and the server is Postgres 14: upgrade the server",
		150000: "",
		150018: "",
		180001: "",
	} {
		if want == "" {
			require.NoError(t, dbsyncer.CheckServer(number))
		} else {
			require.EqualError(t, dbsyncer.CheckServer(number), want)
		}
	}
}
