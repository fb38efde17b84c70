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
// stores itself. A Handler acts for a kind in the outside world, and the engine
// runs it over any backend. All planning, ordering, recording, retrying and error
// handling is in the engine: a backend stores what it is told, a handler does what
// it is told, and syncertest holds both to that.
//
// What more they can do they say with small interfaces. A Handler may be a Finder
// (looks things up by their own names), an Observer (reads the live thing),
// Idempotent (the ID that is proposed is a key) and a Deployer (brings things to
// run), which may be a Preparer (says what else they are made of). A Backend may be a Historian (keeps earlier States), a DigestKeeper (a key
// for the digests of sensitive values), an Unlocker (ends somebody's lease), an
// Observer of what it stores, and Atomic. A wrapper with a method Unwrap keeps
// what it wraps able.
//
// # How an act is carried out
//
//	intent committed ─▶ Handler.Apply ─▶ outcome committed
//
// The intent is a state.Pending on the record, with the checksum of what was to
// be. Intents and outcomes of all acts that are under way go into commits
// together, an append each. Whatever instant the process dies at, the next plan
// finds the intent and settles it: an update or delete is done again; a create is
// looked up (Finder) or done again with the same key (Idempotent), and where a
// handler is neither it is an UncertainError, which adopting or forgetting
// resolves.
//
// Where it is all or nothing, acts and the backend take turns: a commit takes
// everything that is staged with it, so no act begins while something is staged,
// and nothing is staged while acts are under way. The other way would have been a
// second kind of commit, which leaves staged work staged; no database can do that
// in one transaction.
//
// # What a change holds
//
// A diff.Change can be printed, stored and sent: the declarations in it are
// concealed, that is, a keyed digest stands in the place of every sensitive value.
// What is to be acted on comes in Config, which is nil in a plan and in a result:
// there the values are in the clear and IDs stand in place of references. So no
// rendering can leak what it doesn't have.
//
// The two seams were tried against five hosts before they were fixed, and each
// changed them:
//
//   - A run that is carried out on the other side of a wire, in one request. A
//     Plan has to be complete data: what each change waits for is in it as
//     indices (PlannedChange.After), with what is unchanged in between contracted
//     away, so that whoever executes it needs neither the declaration nor the
//     records.
//   - A container whose deploy fails. Kinds with a Handler never pass Tx.Apply,
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
// # Secrets
//
// A sensitive value is in the clear in the Desired that a host declares, in the
// Config of the change that a Handler, a Deployer or Tx.Apply is given, and where
// those put it. Everywhere else is a digest: an HMAC-SHA256 over the kind, the path
// of the field and the value, under a key of the scope. Kind and path keep the same
// password in two sorts of fields apart; the resource's name is not in it, so that
// what moves keeps its digest.
//
// What one who has the State and the plans, but not the key, learns from it: which
// fields have a value, when one changed, that an earlier one came back, and which
// resources of a kind have the same value in the same field. He can't try a
// dictionary, however short a secret is; that is what the key is for. One who has
// the key can. So a backend gives its key (DigestKeeper) to those who may write only:
// the plans of others don't compare what is sensitive, and say so. A host that doesn't want
// the key beside the State keeps one itself (Options.DigestKey). A first plan is made before there is a key: the word
// "(sensitive)" stands in it for every value. Apply makes the key.
//
// With another key, whatever has a sensitive value differs and is updated once. That
// is how a key is rotated. Earlier States have the digests of the old one: a rollback
// to them finds no secrets (ErrSecretUnavailable).
//
// What others say (errors, panics, Health.Message) is searched for all declared
// values in the forms in which programs quote them, before it is shown or recorded.
// Not found in it are values of less than 4 bytes without quotes around them, and
// values that are no longer declared: a handler that is told of a new password should
// not tell of the old one. Whoever asks an error for a type of his own (errors.As)
// gets it as it is.
//
// A field that becomes sensitive is concealed from then on. The States before have
// what they had, for as long as the backend keeps them.
//
// # What the engine promises
//
// The numbers are those that tests name.
//
//  1. Plan has no side effects, and Apply does the plan: the same input makes the
//     same plan, byte by byte. If the State moved in between, the engine plans
//     again under the lease: the same changes go ahead, anything else is ErrStale
//     that says what moved, and nothing was touched. So it is with a plan that was
//     saved (Plan.Encode, Engine.LoadPlan).
//  2. No change, no work: one Head, no lease, no write, no new serial. Identical
//     declarations give identical records, whatever the order of files, map keys
//     or goroutines. Fields at their default don't count; a default that changes
//     raises the Kind's Version, and an older program gets ErrKindVersion.
//  3. A change runs after all it depends on, as soon as it is ready, in a batch
//     with whatever else is. IDs take the place of references; a new ID reaches
//     every referrer. "Too many requests" slows down and fails nothing. Deletes run
//     in reverse. Unknown names and cycles are errors of the plan, with the place
//     of each member.
//  4. A failure is contained, and every change has exactly one end: done, failed,
//     blocked, not attempted. The error is a *multierror.Error that errors.As
//     reaches through. What the backend itself stores can be all or nothing, and is
//     where no kind has a Handler; acts are recorded as they happen.
//  5. A crash loses nothing and doubles nothing: see above.
//  6. One writer: a lease with owner, since, expiry and token, renewed, checked in
//     every commit. Who lost it can't commit, and its context is cancelled.
//  7. Orphans stay on the books until they are pruned, forgotten or declared
//     again. Nothing is deleted unless it is asked for; not more than a limit,
//     never what is protected, and never towards an empty declaration. A rename is
//     a Move.
//  8. What is ours is what was recorded. A thing that exists unrecorded is an
//     error, adopted or replaced, as asked.
//  9. A partial run (Selection) leaves everything else as it is, adds what it
//     needs, and never claims the whole declaration.
//  10. A sensitive value is in no plan, diff, event, error, log or State: a keyed
//     digest is, enough to see that it changed. The value of an unmanaged field is
//     somebody else's: used by a create, never compared, never recorded.
//  11. Every step is an Event, in order, to one callback that nobody has to drain.
//     Results are return values. When the context is cancelled nothing new starts,
//     what is under way gets a grace period, and what was done is recorded.
//  12. With an Observer a plan compares three ways, and tells an edit of the
//     declaration from an edit behind our back and from a default of the server's.
//  13. Earlier States can be listed, compared and returned to. What came later
//     becomes orphans; sensitive values come from the source, or the error names
//     the fields.
//  14. What has no edges streams: Execute takes any number of changes in constant
//     memory.
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
