package dbsyncer_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	s := suite(dbsyncertest.URL)
	s.Crash = &syncertest.Crash{Steps: openStepping, Settle: settle}
	syncertest.Run(t, s)
}

// What pgx does with a statement is the host's choice, or its pooler's. (Mode exec is
// that of the tests behind a pooler and as a tenant.)
func TestConformanceInSimpleProtocol(t *testing.T) {
	t.Parallel()
	syncertest.Run(t, suite(func(t testing.TB) string {
		return with(dbsyncertest.URL(t), "default_query_exec_mode=simple_protocol")
	}))
}

func TestConformanceBehindAPooler(t *testing.T) {
	t.Parallel()
	pooler := dbsyncertest.Bouncer(t, dbsyncertest.URL(t))
	syncertest.Run(t, suite(func(testing.TB) string { return with(pooler, "default_query_exec_mode=exec") }))
}

func with(url, parameter string) string {
	if strings.Contains(url, "?") {
		return url + "&" + parameter
	}
	return url + "?" + parameter
}

// suite is what there is to say of a server. An address is its URL and a schema.
func suite(url func(t testing.TB) string) syncertest.Suite {
	return syncertest.Suite{
		New: func(t testing.TB) string {
			url := url(t)
			schema := dbsyncertest.Schema(t, dbsyncertest.URL(t))
			require.NoError(t, dbsyncer.Migrate(t.Context(), pool(t, url), schema))
			return url + " " + schema
		},
		Open: func(address string, scope state.Scope) (tusync.Backend, error) { return open(address, scope) },
		Lapse: func(t testing.TB, address string) {
			url, schema, _ := strings.Cut(address, " ")
			_, err := pool(t, url).Exec(t.Context(), "update "+schema+".leases set expires = clock_timestamp() where expires > clock_timestamp()")
			require.NoError(t, err)
		},
		Stored: stored,
	}
}
