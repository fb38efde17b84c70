// Package dbsyncertest gives tests a Postgres server: for tests of package
// dbsyncer, and for your own of what you build on it.
//
//	func TestMine(t *testing.T) {
//		t.Parallel()
//		url := dbsyncertest.URL(t)
//		schema := dbsyncertest.Schema(t, url)  // the test's own, gone when it ends
//		pool := dbsyncertest.Pool(t, url, nil) // closed when it ends
//		…
//	}
//
// # The server
//
// URL names a server that all tests of a test binary share. It is the one that the
// environment variable TRUEUP_TEST_POSTGRES names, or else one that the package
// starts, once, from what is installed. Start starts one for a single test, to be
// killed, restarted and configured. Bouncer puts a pgbouncer in front of either.
//
// What is missing fails the test, which then says what to install or to set:
// nothing is skipped.
//
// # What the package starts
//
// A server takes a second or two to start. It has a temporary directory and a free
// port of 127.0.0.1, which asks for a password, as others can reach it who use the
// machine: the password is random and stands in the URL. The user in the URL is a
// superuser, so row-level security doesn't apply to it. When root runs the tests,
// the server runs as user postgres, or nobody if there is none, for Postgres
// refuses root.
//
// It is set up for tests: UTF-8, the C locale, little memory, 200 connections, an
// empty search_path (what a statement doesn't say the schema of isn't found), and
// no fsync, so that a commit costs little. All else is as Postgres has it. A
// commit survives Server.Kill even so: only a crash of the machine loses it.
//
// However a test binary ends, by SIGKILL too, a small process that watches it
// stops what it started and removes the directories. Schemas on a server that you
// named are the exception: those of a test binary that was killed stay there.
// Their names begin with trueup_test_.
//
// All this is for systems that have processes and signals as Unix has them.
// Elsewhere, set TRUEUP_TEST_POSTGRES; Start and Bouncer fail.
package dbsyncertest
