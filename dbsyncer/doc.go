// Package dbsyncer records in Postgres: a sync.Backend for a control plane that
// keeps the States of many scopes, of many orgs, in one database.
//
//	err := dbsyncer.Migrate(ctx, pool, "")
//	backend, err := dbsyncer.New(pool, state.Scope{Org: "acme", App: "shop"}, nil)
//	engine, err := sync.New(backend, kinds, nil)
//
// It needs Postgres 15 or later, the first that has security_invoker for views, and
// is tested on each major version that is installed. It works behind a pooler in
// transaction mode, as no state of a connection outlasts a transaction; a pooler that
// doesn't know prepared statements (pgbouncer before 1.24, by default) needs pgx's
// default_query_exec_mode=exec. Every statement names its schema; search_path means
// nothing.
//
// # Tables
//
// A record is a row that holds from one serial to before another (table records), so
// that a commit writes what it changes, and an earlier State is a condition in a
// query. A declaration is stored once, by its checksum (declared). A row in commits
// is the head of a State; the newest one is found through the primary key, and an
// unchanged sync reads that row and nothing else. The view pending lists what is
// unfinished, and runs says who held the lease and what came of it: for people and
// their queries.
//
// # Locking
//
// The lease is a row with a token, an owner and a time at which it lapses by the
// server's clock. A commit locks the row and looks at the token: who lost the lease
// can't commit, and the lock orders a commit with whoever takes the lease. An
// advisory lock would do in one session; this holds across a pooler, is seen by
// others with owner and time, and is gone 15 s after its holder.
//
// # With rows of the host's own
//
// A Mapper stores a kind in tables of the host's, in the transaction of the commit.
// The other way round, New takes a pgx.Tx of the host's in place of a pool: what is
// recorded is then committed with it, or not at all. (Such a Backend is for one
// goroutine, and others who begin meanwhile are told that the scope is locked.)
//
// # Orgs
//
// Policies of row-level security on every table keep a role to the orgs that Grant
// gives it. They go by the role alone: there is no setting that a tenant could
// change. The tables' owner is not restricted.
package dbsyncer
