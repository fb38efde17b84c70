// Package backends is what the host programs record in, as --backend names it.
package backends

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/trueup-go/trueup/dbsyncer"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/synccli"
)

// All returns all backends; the first is the default. How a server is asked, server
// says.
func All(server *Server) []synccli.Backend {
	return []synccli.Backend{
		{Scheme: "file", Form: "file:DIR", Open: openDirectory},
		{Scheme: "postgres", Form: "postgres://USER@HOST/DATABASE", Open: openPostgres},
		{Scheme: "postgresql", Open: openPostgres}, // as libpq calls it too
		{Scheme: "https", Form: "https://HOST/PATH", Open: server.open},
		{Scheme: "http", Open: server.open}, // to this machine only
	}
}

// PerScope returns the backends of All, for a program that syncs many scopes at one
// place: file:DIR has DIR/ORG/APP for each, as it has for a server.
func PerScope(server *Server) []synccli.Backend {
	all := All(server)
	all[0].Open = func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		scopes, err := OpenScopes(ctx, location)
		if err != nil {
			return nil, err
		}
		return scopes.Open(ctx, scope)
	}
	return all
}

func openDirectory(_ context.Context, location string, scope state.Scope) (sync.Backend, error) {
	return filesyncer.New(strings.TrimPrefix(location, "file:"), scope, nil)
}

// pooled is a backend that closes its connections.
type pooled struct {
	*dbsyncer.Backend

	pool *pgxpool.Pool
}

// Close implements io.Closer.
func (p pooled) Close() error {
	p.pool.Close()
	return nil
}

func openPostgres(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
	pool, err := connect(ctx, location)
	if err != nil {
		return nil, err
	}
	backend, err := dbsyncer.New(pool, scope, nil)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return pooled{backend, pool}, nil
}

// connect makes the tables where they are not there yet, or brings them up to date.
// What libpq reads of the environment (PGPASSWORD, PGSSLMODE, …) counts too.
func connect(ctx context.Context, location string) (*pgxpool.Pool, error) {
	pool, err := pgxpool.New(ctx, location)
	if err != nil {
		return nil, err
	}
	if err := dbsyncer.Migrate(ctx, pool, ""); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}
