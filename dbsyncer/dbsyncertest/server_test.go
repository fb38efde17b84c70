package dbsyncertest

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

func TestACommitSurvivesAKill(t *testing.T) {
	t.Parallel()
	for name, fsync := range map[string]bool{"fsync": true, "no fsync": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := Start(t, &Options{Fsync: fsync})
			before := server.URL()
			schema := Schema(t, before)
			conn := connect(t, before)
			execute(t, conn, "create table "+schema+".things (name text)")
			for range 3 {
				// Somebody is in a transaction, and somebody's backend is too busy to
				// see that the server is gone.
				execute(t, conn, "insert into "+schema+".things values ('committed')")
				execute(t, conn, "begin")
				execute(t, conn, "insert into "+schema+".things values ('not committed')")
				busy := connect(t, before)
				spin(t, busy)

				require.NoError(t, server.Kill())
				require.ErrorContains(t, server.Kill(), "doesn't run")
				_, err := pgx.Connect(t.Context(), before)
				require.Error(t, err)
				require.Error(t, conn.Ping(t.Context()))

				require.NoError(t, server.Restart())
				require.Equal(t, before, server.URL())
				conn = connect(t, before)
			}
			require.Equal(t, "3", value(t, conn, "select count(*)::text from "+schema+".things"))
		})
	}
}

func TestStopAndRestart(t *testing.T) {
	t.Parallel()
	server := Start(t, nil)
	schema := Schema(t, server.URL())
	conn := connect(t, server.URL())
	execute(t, conn, "create table "+schema+".things (name text)")

	require.NoError(t, server.Stop())
	require.NoError(t, server.Stop(), "a server that is stopped")
	_, err := pgx.Connect(t.Context(), server.URL())
	require.Error(t, err)
	require.NoError(t, server.Restart())
	require.NoError(t, server.Restart(), "a server that runs")
	conn = connect(t, server.URL())
	require.Equal(t, "0", value(t, conn, "select count(*)::text from "+schema+".things"))
}

func TestConfigTakesPrecedence(t *testing.T) {
	t.Parallel()
	server := Start(t, &Options{Config: []string{"max_connections = 20", "work_mem = '1MB'"}})
	conn := connect(t, server.URL())
	for setting, want := range map[string]string{
		"max_connections": "20", "work_mem": "1MB", "fsync": "off", "synchronous_commit": "on",
		"server_encoding": "UTF8", "lc_messages": "C",
	} {
		require.Equal(t, want, value(t, conn, "show "+setting), setting)
	}
	conn = connect(t, Start(t, &Options{Fsync: true}).URL())
	require.Equal(t, "on", value(t, conn, "show fsync"))
}

func TestEveryInstalledVersionStarts(t *testing.T) {
	t.Parallel()
	for _, v := range Versions(t) {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			conn := connect(t, Start(t, &Options{Version: v}).URL())
			require.Equal(t, v.String(), value(t, conn, "select (current_setting('server_version_num')::int / 10000)::text"))
		})
	}
}

func TestThePasswordIsAskedFor(t *testing.T) {
	t.Parallel()
	server := Start(t, nil)
	for name, address := range map[string]string{"server": server.URL(), "pgbouncer": Bouncer(t, server.URL())} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(address)
			require.NoError(t, err)
			u.User = url.UserPassword(u.User.Username(), "wrong")
			_, err = pgx.Connect(t.Context(), u.String())
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused)
		})
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := newServer(Options{Config: []string{"no_such_setting = 1"}})
	require.ErrorContains(t, err, `unrecognized configuration parameter "no_such_setting"`)
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.PgConn().Conn().Close() }) // whatever became of it
	return conn
}

// spin has a backend compute without end, and returns once it does.
func spin(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	frontend := conn.PgConn().Frontend()
	frontend.SendQuery(&pgproto3.Query{String: "do $$ begin raise notice 'it spins'; loop end loop; end $$"})
	require.NoError(t, frontend.Flush())
	message, err := frontend.Receive()
	require.NoError(t, err)
	require.IsType(t, &pgproto3.NoticeResponse{}, message)
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

func value(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	var v string
	require.NoError(t, conn.QueryRow(t.Context(), sql, pgx.QueryExecModeExec).Scan(&v))
	return v
}
