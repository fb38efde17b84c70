package syncertest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Ability is something that a backend may lack. What it lacks must return an
// error for which errors.Is(err, errors.ErrUnsupported), or have no such methods.
type Ability string

// The abilities.
const (
	// Declarations: Declared returns the declarations that records name.
	Declarations Ability = "declarations"
	// AllOrNothing: a Tx stages everything until its one Commit. A backend that
	// lacks it has a method Atomic that returns false.
	AllOrNothing Ability = "all-or-nothing"
	// DigestKeys: a key for digests is kept (sync.DigestKeeper).
	DigestKeys Ability = "digest keys"
	// History: the last 30 States are kept, if not more (sync.Historian).
	History Ability = "history"
	// Unlocking: the lease can be taken from its holder (sync.Unlocker).
	Unlocking Ability = "unlocking"
)

// Suite is what a backend tells of itself; Run does the rest.
type Suite struct {
	// New makes a fresh, empty store and returns its address: whatever Open finds
	// it by, in this process and in another. What it makes, it removes in
	// t.Cleanup.
	New func(t testing.TB) (address string)
	// Open returns a handle on a scope of the store, as another process would
	// have it: handles share nothing but the store. It is not closed.
	Open func(address string, scope state.Scope) (tusync.Backend, error)
	// Lapse makes every lease on the store look as if its holder had not renewed
	// it for sync.LeaseTTL.
	Lapse func(t testing.TB, address string)
	// Lacks lists what the backend can't do.
	Lacks []Ability
	// Crash makes Run kill processes that write to the store. Nil for a store
	// that ends with its process.
	Crash *Crash

	// Stored returns everything that the store holds, by the names of files or rows,
	// to be searched for secrets. Nil if there is no way to see it.
	Stored func(t testing.TB, address string) map[string][]byte

	// Kinds and Resource are what is declared in the tests: Resource returns the
	// nth resource in one of its versions; the key is the same in each version,
	// and the checksum is not. Both default to a kind "thing" with fields of every
	// sort; a backend that stores only certain kinds brings its own.
	Kinds    *tusync.KindSet
	Resource func(n, version int) state.Resource

	test         string // the name of the test that called Run
	onlyOwnKinds bool   // the backend stores no other kinds than Kinds
}

// Run tests a backend: that it keeps the contract of sync.Backend, and that an
// Engine keeps its promises on top of it.
//
//	func TestConformance(t *testing.T) {
//		t.Parallel()
//		syncertest.Run(t, syncertest.Suite{New: …, Open: …, Lapse: …})
//	}
//
// For the tests of Crash, Run starts the test binary again, with the name of the
// test that called it; in that process Run doesn't return.
func Run(t *testing.T, suite Suite) {
	t.Helper()
	require.NotNil(t, suite.New, "Suite.New")
	require.NotNil(t, suite.Open, "Suite.Open")
	require.NotNil(t, suite.Lapse, "Suite.Lapse")
	suite.onlyOwnKinds = suite.Resource != nil
	if suite.Resource == nil {
		suite.Kinds, suite.Resource = DefaultKinds(), DefaultResource
	}
	if job, ok := jobOfProcess(t); ok {
		job.run(&suite)
	}
	suite.test = t.Name()
	groups := []group{
		{"Head", headTests()},
		{"Records", recordsTests()},
		{"Declared", declaredTests()},
		{"Commit", commitTests()},
		{"Pending", pendingTests()},
		{"Lease", leaseTests()},
		{"Unlock", unlockTests()},
		{"DigestKey", keyTests()},
		{"History", historyTests()},
		{"Limits", limitTests()},
		{"Promises", promiseTests()},
		{"Model", modelTests()},
	}
	if suite.Crash != nil {
		groups = append(groups, group{"Crash", crashTests()})
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for _, test := range group.tests {
				if test.needs == "" || !suite.lacks(test.needs) {
					t.Run(test.name, func(t *testing.T) {
						t.Parallel()
						test.run(t, &suite)
					})
				}
			}
		})
	}
}

type group struct {
	name  string
	tests []test
}

// test is one sentence of the contract, or one side of a promise.
type test struct {
	name  string
	run   func(t *testing.T, s *Suite)
	needs Ability // empty if every backend can do it
}

func (s *Suite) lacks(a Ability) bool { return slices.Contains(s.Lacks, a) }

// scope is whose State most tests are about.
func scope() state.Scope { return state.Scope{Org: "acme", App: "shop"} }

// store is one store under test.
type store struct {
	*Suite
	address string
	scope   state.Scope
}

// fresh makes an empty store.
func (s *Suite) fresh(t *testing.T) *store {
	t.Helper()
	return &store{Suite: s, address: s.New(t), scope: scope()}
}

// open returns a new handle on the store.
func (s *store) open(t *testing.T) tusync.Backend {
	t.Helper()
	b, err := s.Open(s.address, s.scope)
	require.NoError(t, err)
	return b
}

// begin takes the lease through a handle, and gives it back when the test ends.
func (s *store) begin(t *testing.T, b tusync.Backend) (tusync.Tx, state.Head) {
	t.Helper()
	tx, head, err := b.Begin(t.Context(), "the "+t.Name())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Close(outlive(t)) }) // the test has closed it, or has failed
	return tx, head
}
