package dbsyncer_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/state"
)

func TestWhatNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		db    dbsyncer.DB
		scope state.Scope
		opts  dbsyncer.Options
		want  string
	}{
		{&pgx.Conn{}, shop(), dbsyncer.Options{}, "a *pgx.Conn does one thing at a time"},
		{&pgxpool.Conn{}, shop(), dbsyncer.Options{}, "a *pgxpool.Conn does one thing at a time"},
		{&pgxpool.Pool{}, state.Scope{Org: "acme"}, dbsyncer.Options{}, "app"},
		{&pgxpool.Pool{}, shop(), dbsyncer.Options{History: -1}, "Options.History is -1"},
		{&pgxpool.Pool{}, shop(), dbsyncer.Options{Schema: strings.Repeat("x", 64)}, "at most 63 bytes"},
		{&pgxpool.Pool{}, shop(), dbsyncer.Options{Schema: "a\x00"}, "none of them 0"},
	} {
		_, err := dbsyncer.New(c.db, c.scope, &c.opts)
		require.ErrorContains(t, err, c.want)
	}
	_, err := dbsyncer.New(&pgxpool.Pool{}, shop(), nil)
	require.NoError(t, err)
}
