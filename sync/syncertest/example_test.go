package syncertest_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// A program's test syncs to memory, and looks at what is recorded.
func ExampleNewMemory() {
	ctx := context.Background()
	memory := syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"})
	kinds := syncertest.DefaultKinds()
	engine, err := sync.New(memory, kinds, nil)
	if err != nil {
		log.Fatal(err)
	}
	thing, err := kinds.Resource("thing", "one", syncertest.Thing{Size: 1})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := engine.Plan(ctx, &sync.Desired{Resources: []state.Resource{thing}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := engine.Apply(ctx, plan); err != nil {
		log.Fatal(err)
	}
	for record, err := range memory.Reopen().Records(ctx) {
		fmt.Println(record.Key, err)
	}
	// Output: thing/one <nil>
}

// Another process, as it were, that doesn't renew its lease.
func ExampleMemory_Lapse() {
	ctx := context.Background()
	memory := syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"})
	if _, _, err := memory.Begin(ctx, "ada"); err != nil {
		log.Fatal(err)
	}
	other := memory.Reopen()
	_, _, err := other.Begin(ctx, "bob")
	fmt.Println(sync.Retryable(err))
	memory.Lapse()
	_, _, err = other.Begin(ctx, "bob")
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

// The glue of a backend: here, one store in memory for each address.
func ExampleRun() {
	conformance := func(t *testing.T) {
		syncertest.Run(t, syncertest.Suite{
			New:   func(t testing.TB) string { return t.TempDir() },
			Open:  func(address string, scope state.Scope) (sync.Backend, error) { return openStore(address, scope) },
			Lapse: func(t testing.TB, address string) { letLeasesLapse(t, address) },
			Lacks: []syncertest.Ability{syncertest.Declarations},
		})
	}
	_ = conformance // func TestConformance(t *testing.T)
}

func openStore(string, state.Scope) (sync.Backend, error) { return nil, nil }

func letLeasesLapse(testing.TB, string) {}

// However small the soak, a loop turns once.
func ExampleSoak() {
	fmt.Println(syncertest.Soak(1))
	// Output: 1
}
