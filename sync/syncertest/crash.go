package syncertest

import (
	"testing"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Crash is what a backend tells of itself so that processes which write to its
// store can be killed: at every step, at random instants, and with everything
// planted that a crash may leave.
type Crash struct {
	// Steps opens a handle, as Suite.Open does, that calls step before and after
	// whatever it does to the store, and in the middle of what can be done by
	// halves. The process may be killed in each of these calls. If Steps is nil,
	// it is killed before and after each of the backend's methods only.
	Steps func(address string, scope state.Scope, step func()) (tusync.Backend, error)
	// DeathShows says that the lease of a process that died is free at once. Else
	// it lapses, and the tests wait for that.
	DeathShows bool
	// Settle returns when nothing is under way any more of what a process had asked
	// of the store that was killed: a server may carry it out later. It gets the
	// process's id. Nil if all is over with the process.
	Settle func(t testing.TB, address string, pid int)
	// Leftovers plant in the store what a crash leaves, by name.
	Leftovers map[string]func(t testing.TB, address string, scope state.Scope)
	// Things lists the identities of what exists in the store under each key. Nil
	// if a resource is nothing but its record.
	Things func(t testing.TB, address string, scope state.Scope) map[state.Key][]string
}

func crashTests() []test {
	tests := []test{
		{name: "Promise6_TwoProcessesTakeTurns", run: twoProcesses},
		{name: "Promise6_AKilledHoldersLeaseLapses", run: killedHolder},
		{name: "Promise6_AStoppedHolderIsFencedOff", run: stoppedHolder},
		{name: "Promise6_AnUnlockThatIsKilled", run: killedUnlock, needs: Unlocking},
		{name: "Promise10_AKeyKeeperThatIsKilled", run: killedKeeper, needs: DigestKeys},
	}
	for _, s := range scenarios() {
		tests = append(tests,
			test{name: "Promise5_" + s.name + "AllOrNothing", run: s.crash(tusync.AllOrNothing), needs: AllOrNothing},
			test{name: "Promise5_" + s.name + "KeepGoing", run: s.crash(tusync.KeepGoing)},
			test{name: "Promise5_" + s.name + "WithLeftovers", run: s.leftovers})
	}
	return tests
}
