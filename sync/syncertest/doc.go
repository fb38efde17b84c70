// Package syncertest tests backends. A backend of one's own passes the suite that
// every backend of this module passes, for a few lines of glue:
//
//	func TestConformance(t *testing.T) {
//		t.Parallel()
//		syncertest.Run(t, syncertest.Suite{
//			New: func(t testing.TB) string { return t.TempDir() },
//			Open: func(address string, scope state.Scope) (sync.Backend, error) {
//				return mystore.Open(filepath.Join(address, scope.Org, scope.App), scope)
//			},
//			Lapse: func(t testing.TB, address string) { … },
//			Crash: &syncertest.Crash{DeathShows: true},
//		})
//	}
//
// # What is tested
//
// Head, Records, Declared, Commit, Pending, Lease and Limits hold the contract of
// sync.Backend and sync.Tx, sentence by sentence; Unlock, DigestKey and History
// that of sync.Unlocker, sync.DigestKeeper and sync.Historian, which are found as
// the engine finds them, through Unwrap. Promises holds what an Engine promises,
// on top of the backend; the number in a test's name is that of the promise. What
// a backend lacks (Suite.Lacks) must not be there or return
// errors.ErrUnsupported, and that is tested too.
//
// Crash is about processes. Run starts the test binary again, as a process that
// does one sync and is killed in it, as kill -9 does: before and after each call
// of the backend, at each step that Crash.Steps tells of, and at random instants.
// The syncs create, update, orphan, prune and forget, all or nothing and batch by
// batch. After each kill
//
//   - the State can be read at once, and fits together: records and roots,
//     declarations and records;
//   - it holds, for each resource, what was before or what was to be; all of it
//     one or the other if it was to be all or nothing;
//   - no earlier State is missing;
//   - what Crash.Leftovers plant changes nothing of that;
//   - the next sync converges by itself, with the declaration as it was or
//     edited: nothing exists twice, no orphan is lost, what was there is the same
//     thing still, no serial is left out;
//   - and then there is nothing left to do.
//
// Other processes sync one scope at once, die with the lease, or are stopped with
// it and go on when it is somebody else's. Some are killed while they keep a
// digest key, or unlock another one.
//
// # How much
//
// The loops of the suite turn as often as Soak says: TRUEUP_SOAK is a percentage,
// 5 if it isn't set. At 100, every step of every sync is killed at, and there are
// 500 kills at least.
//
// # Memory
//
// NewMemory returns a backend that records in memory. It is the contract in a
// page of code, to be read before writing a backend, and is useful in the tests of
// programs.
package syncertest
