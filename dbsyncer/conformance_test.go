package dbsyncer_test

import (
	"strings"
	"testing"

	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	s := suite(t, dbsyncertest.URL, "")
	s.Crash = &syncertest.Crash{Steps: openStepping, Settle: settle}
	syncertest.Run(t, s)
}

// What pgx does with a statement is the host's choice, or its pooler's. (Mode exec is
// that of the tests behind a pooler and as a tenant.)
func TestConformanceInSimpleProtocol(t *testing.T) {
	t.Parallel()
	syncertest.Run(t, suite(t, dbsyncertest.URL, "default_query_exec_mode=simple_protocol"))
}

func TestConformanceBehindAPooler(t *testing.T) {
	t.Parallel()
	pooler := dbsyncertest.Bouncer(t, dbsyncertest.URL(t))
	syncertest.Run(t, suite(t, func(testing.TB) string { return pooler }, "default_query_exec_mode=exec"))
}

// suite is what there is to say of a server, and of how to connect to it. An address
// is its URL and a schema.
func suite(t *testing.T, server func(t testing.TB) string, parameter string) syncertest.Suite {
	schemas := &schemas{t: t}
	return syncertest.Suite{
		New: func(t testing.TB) string {
			url := with(server(t), parameter)
			return url + " " + schemas.lend(t, url)
		},
		Open: func(address string, scope state.Scope) (tusync.Backend, error) { return open(address, scope) },
		Lapse: func(t testing.TB, address string) {
			url, schema, _ := strings.Cut(address, " ")
			execute(t, pool(t, url), "update "+schema+".leases set expires = clock_timestamp() where expires > clock_timestamp()")
		},
		Stored: stored,
	}
}

func with(url, parameter string) string {
	if parameter == "" {
		return url
	}
	if strings.Contains(url, "?") {
		return url + "&" + parameter
	}
	return url + "?" + parameter
}
