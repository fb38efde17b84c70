// Package sync makes a system match its declaration. It compares declared
// resources with what was recorded of them, shows a plan, applies it in
// dependency order through a pluggable backend, records the result, and keeps
// track of what is no longer declared.
//
//	Source ─ revision ─▶ Desired ─┐
//	                              ├─▶ diff ─▶ Plan ─ confirm ─▶ Engine.Apply
//	Backend.Head / Records ───────┘   (shown)                   └─▶ Tx.Apply, Tx.Commit(Delta)
//
// One direction, no way back up. Everything between two arrows is plain data
// that can be printed, stored, compared and replayed.
//
// A first program: define the kinds from Go structs, open a backend, plan, apply.
//
//	kinds := sync.Kinds(sync.Define[Network]("network"), sync.Define[Server]("server"))
//	backend, err := filesyncer.New(".trueup", state.Scope{Org: "acme", App: "shop"}, nil)
//	engine, err := sync.New(backend, kinds, nil)
//	desired, err := manifest.Load(os.DirFS("config"), kinds, nil)
//	plan, err := engine.Plan(ctx, desired, nil)
//	fmt.Print(plan)
//	result, err := engine.Apply(ctx, plan)
//
// # Where it is recorded, and where it acts
//
// These are two things, and two seams. A Backend records one scope: a directory
// (sync/filesyncer), a database, a service; it assigns identities to what it
// stores itself. A handler acts for a kind in the outside world, and the engine
// runs it over any backend; handlers come with the next release. All planning,
// ordering, recording and error handling is in the engine: a backend stores what
// it is told, and syncertest holds it to that.
//
// The two seams were tried against five hosts before they were fixed, and each
// changed them:
//
//   - A run that is carried out on the other side of a wire, in one request. A
//     Plan has to be complete data: what each change waits for is in it as
//     indices (PlannedChange.After), with what is unchanged in between contracted
//     away, so that whoever executes it needs neither the declaration nor the
//     records.
//   - A container whose deploy fails. Kinds with a handler never pass Tx.Apply,
//     yet their declarations must be kept. So Delta.Declared carries them to
//     Commit, and a commit is complete by itself: a journal, a database and a
//     wire need nothing else.
//   - A crash between act and record, followed by an edit. The intent must say
//     what was intended, not only that something was: state.Pending has the
//     checksum of the declaration that was to be, and the serial that, with
//     scope and key, is the idempotency key. The commit that records the intent
//     records that declaration too.
//   - A folder of .env files. Its precondition is a digest of what was read, so a
//     Token is opaque, and Commit returns the head as recorded instead of
//     leaving the engine to guess it. A file that was edited by hand makes a head
//     without a declared root, which no declaration equals.
//   - A stream of a million objects. A Change has to be small and to stand alone;
//     it points to its declaration and record and owns neither.
//
// The lease is renewed by the engine (Tx.Renew), not by each backend: three
// backends with a renewal loop each would be three ways to lose one.
//
// # What the engine promises
//
// The numbers are those that tests name.
//
//  1. Plan has no side effects, and Apply does the plan. If the State moved in
//     between, the engine plans again under the lease: the same changes go ahead,
//     anything else is ErrStale that says what moved, and nothing was touched.
//  2. No change, no work: one Head, no lease, no write, no new serial. Identical
//     declarations give identical records, whatever the order of files, map keys
//     or goroutines. Fields at their default don't count.
//  3. A change runs after all it depends on, as soon as it is ready, in a batch
//     with whatever else is. Deletes run in reverse. Unknown names and cycles are
//     errors of the plan, with the place of each member.
//  4. A failure is contained, and every change has exactly one end: done, failed,
//     blocked, not attempted. The error is a *multierror.Error that errors.As
//     reaches through. All or nothing is the default.
//  5. A crash loses nothing and doubles nothing.
//  6. One writer: a lease with owner, since, expiry and token, renewed, checked in
//     every commit. Who lost it can't commit, and its context is cancelled.
//  7. Orphans stay on the books until they are pruned, forgotten or declared
//     again. Nothing is deleted unless it is asked for; not more than a limit,
//     and never towards an empty declaration.
//  11. Every step is an Event, in order, to one callback that nobody has to drain.
//     Results are return values. When the context is cancelled nothing new starts,
//     what is under way gets a grace period, and what was done is recorded.
//
// # Errors
//
// SyncErr: the declaration is wrong. SyncAPIErr: the backend failed on a
// resource. SyncInternalErr: anything else failed. Sentinels (ErrStale,
// ErrLocked, …) are asked for with errors.Is; Retryable tells whether the same
// may succeed later.
//
// # The name
//
// The package shares its name with one of the standard library. A file that
// needs both imports this one as tusync.
package sync
