package sync_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// An engine in memory, with one kind and two resources of it.
func shop() (*sync.Engine, *sync.Desired) {
	kinds := sync.Kinds(sync.Define[Network]("network"), sync.Define[Server]("server"))
	engine, err := sync.New(syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"}), kinds, nil)
	if err != nil {
		panic(err)
	}
	desired := &sync.Desired{}
	for _, name := range []string{"db", "web"} {
		r, err := kinds.Resource("server", name, Server{Region: "us-east"})
		if err != nil {
			panic(err)
		}
		desired.Resources = append(desired.Resources, r)
	}
	return engine, desired
}

func mustApply(engine *sync.Engine, desired *sync.Desired, opts *sync.PlanOptions) *sync.Result {
	plan, err := engine.Plan(context.Background(), desired, opts)
	if err != nil {
		panic(err)
	}
	result, err := engine.Apply(context.Background(), plan)
	if err != nil {
		panic(err)
	}
	return result
}

// A kind is a Go struct. What its tags can't mean in this version is an error.
func ExampleDefine() {
	type Volume struct {
		Size int    `toml:"size" sync:"required"`
		Type string `toml:"type" sync:"default=ssd"`
	}
	kinds := sync.Kinds(sync.Define[Volume]("volume"))
	volume, err := kinds.Resource("volume", "data", Volume{Size: 10, Type: "ssd"})
	fmt.Println(volume.Key, string(volume.Config), err)
	_, err = kinds.Resource("volume", "data", map[string]any{"sise": 10})
	fmt.Println(err)
	type Bad struct {
		Size int `sync:"requierd"`
	}
	fmt.Println(sync.Kinds(sync.Define[Bad]("bad")).Err() != nil)
	// Output:
	// volume/data {"size":10} <nil>
	// unable to sync volume/data - 2 mistakes: sise: unknown field; did you mean "size"?; size: is required
	// true
}

// What leaves the declaration is kept as an orphan, until it is pruned,
// forgotten or declared again.
func ExampleResult_Orphans() {
	engine, desired := shop()
	mustApply(engine, desired, nil)
	desired.Resources = desired.Resources[:1]
	for range 2 {
		result := mustApply(engine, desired, nil)
		fmt.Println(len(result.Changes), "changed;", result.Orphans()[0].Key, "is an orphan")
	}
	result := mustApply(engine, desired, &sync.PlanOptions{Prune: true})
	fmt.Println(result.Changes[0].Change.Op(), result.Changes[0].Status, len(result.Orphans()))
	// Output:
	// 1 changed; server/web is an orphan
	// 0 changed; server/web is an orphan
	// delete done 0
}

// Forgetting drops a record and leaves the thing alone. It needs no declaration.
func ExamplePlanOptions_forget() {
	engine, desired := shop()
	mustApply(engine, desired, nil)
	result := mustApply(engine, nil, &sync.PlanOptions{Forget: []state.Key{{Kind: "server", Name: "db"}}})
	fmt.Println(result.Head.Records, "record left")
	// Output:
	// 1 record left
}

// Every step is an event; nobody has to drain anything.
func ExampleOptions_onEvent() {
	backend := syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"})
	kinds := sync.Kinds(sync.Define[Network]("network"), sync.Define[Server]("server"))
	engine, err := sync.New(backend, kinds, &sync.Options{OnEvent: func(e sync.Event) {
		fmt.Println(e.Seq, e.Type)
	}})
	if err != nil {
		panic(err)
	}
	_, desired := shop()
	desired.Resources = desired.Resources[:1]
	mustApply(engine, desired, nil)
	// Output:
	// 1 begin
	// 2 start
	// 3 commit
	// 4 end
	// 5 finish
}

// A plan is applied as it was shown, or not at all.
func ExampleStaleError() {
	engine, desired := shop()
	shown, err := engine.Plan(context.Background(), desired, nil)
	if err != nil {
		panic(err)
	}
	mustApply(engine, desired, nil) // a colleague was faster
	_, err = engine.Apply(context.Background(), shown)
	var stale *sync.StaleError
	fmt.Println(errors.As(err, &stale), errors.Is(err, sync.ErrStale))
	fmt.Println(stale.Moved[0])
	// Output:
	// true true
	// server/db: create is no longer due
}

// A limit keeps a slip in the declaration from deleting everything.
func ExampleParseLimit() {
	engine, desired := shop()
	mustApply(engine, desired, nil)
	limit, err := sync.ParseLimit("25%")
	if err != nil {
		panic(err)
	}
	_, err = engine.Plan(context.Background(), &sync.Desired{}, &sync.PlanOptions{Prune: true, AllowEmpty: true, PruneLimit: limit})
	fmt.Println(err)
	// Output:
	// pruning would delete 2 of 2 resources, more than 0: check the declaration, or set a higher prune limit
}

// What failed, and whether to try again.
func ExampleRetryable() {
	fmt.Println(sync.Retryable(&sync.LockedError{Owner: "ci", Since: time.Now()}))
	fmt.Println(sync.Retryable(sync.SyncErr{Resource: "server/web", Description: "size is too large"}))
	// Output:
	// true
	// false
}

// The plan as data: for each change what differs and what it waits for.
func ExamplePlan() {
	engine, desired := shop()
	desired.Resources[1].After = []state.Key{desired.Resources[0].Key}
	plan, err := engine.Plan(context.Background(), desired, nil)
	if err != nil {
		panic(err)
	}
	for _, change := range plan.Changes {
		fmt.Println(change.Op(), change.Key(), change.After)
	}
	fmt.Println(plan.Counts()[diff.OpCreate], "to create")
	// Output:
	// create server/db []
	// create server/web [0]
	// 2 to create
}
