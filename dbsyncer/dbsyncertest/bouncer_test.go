package dbsyncertest

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestBehindABouncerASessionLastsATransaction(t *testing.T) {
	t.Parallel()
	address := Bouncer(t, URL(t))
	ada, bob := connect(t, address), connect(t, address)
	const session = "select pg_backend_pid()::text"
	first := value(t, ada, session)

	execute(t, bob, "begin")
	require.Equal(t, first, value(t, bob, session), "the session that ada used is free")
	require.NotEqual(t, first, value(t, ada, session))
	execute(t, bob, "commit")

	direct := connect(t, URL(t))
	require.Equal(t, value(t, direct, "select current_user::text"), value(t, ada, "select current_user::text"))
	require.Equal(t, value(t, direct, "select current_database()::text"), value(t, ada, "select current_database()::text"))
}

func TestABouncerInFrontOfAServerThatRestarts(t *testing.T) {
	t.Parallel()
	server := Start(t, nil)
	address := Bouncer(t, server.URL())
	require.NoError(t, server.Kill())
	require.NoError(t, server.Restart())
	require.Eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			return false
		}
		_, err = conn.Exec(t.Context(), "select 1")
		return conn.Close(t.Context()) == nil && err == nil
	}, patience, tick)
}

func TestABouncerInFrontOfAServerWithoutPasswords(t *testing.T) {
	t.Parallel()
	server := Start(t, nil)
	require.NoError(t, os.WriteFile(filepath.Join(server.data(), "pg_hba.conf"), []byte("host all all 127.0.0.1/32 trust\n"), 0o600))
	require.NoError(t, server.Restart())
	address, err := url.Parse(server.URL())
	require.NoError(t, err)
	address.User = url.User("postgres")
	require.Equal(t, "1", value(t, connect(t, Bouncer(t, address.String())), "select '1'"))
}
