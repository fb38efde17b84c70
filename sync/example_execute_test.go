package sync_test

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// store acts on an object store: many objects a call.
type store struct{}

func (store) Apply(_ context.Context, changes []diff.Change) []sync.Outcome {
	outcomes := make([]sync.Outcome, len(changes))
	for i, change := range changes {
		if change.Key().Name == "b.csv" {
			outcomes[i].Err = errors.New("the quota is used up")
			continue
		}
		outcomes[i].ID = "etag-of-" + change.Key().Name
	}
	return outcomes
}

// Idempotent: an object that is written twice is there once.
func (store) Idempotent() bool { return true }

// listing is the objects of the source, in key order: a page at a time, if need be.
func listing(yield func(diff.Declared) bool) {
	for _, name := range []string{"a.csv", "b.csv", "c.csv"} {
		resource := &state.Resource{Key: state.Key{Kind: "object", Name: name}}
		sum, err := resource.Checksum()
		if err != nil || !yield(diff.Declared{Resource: resource, Checksum: sum}) {
			return
		}
	}
}

// Objects are no resources of a State: two listings are compared as streams, what
// differs is carried out as a stream, and what was done is for a ledger of the
// host's own. Nothing of it grows with the number of objects.
func ExampleExecute() {
	var ledger iter.Seq2[state.Record, error] = func(yield func(state.Record, error) bool) {
		yield(state.Record{Key: state.Key{Kind: "object", Name: "old.csv"}, ID: "etag-of-old.csv"}, nil)
	}
	changes := func(yield func(diff.Change, error) bool) {
		for change, err := range diff.Join(listing, ledger) {
			if orphan, ok := change.(*diff.Orphan); ok {
				change = &diff.Delete{Recorded: orphan.Recorded}
			}
			if !yield(change, err) {
				return
			}
		}
	}
	result, err := sync.Execute(context.Background(), changes, store{}, &sync.ExecuteOptions{
		OnEnd: func(ended []sync.ChangeResult) error {
			for _, r := range ended { // in one write to the ledger
				fmt.Printf("%s %s: %s %q\n", r.Change.Op(), r.Change.Key().Name, r.Status, r.ID)
			}
			return nil
		},
	})
	fmt.Println(result.Count(sync.Done), "done,", result.Count(sync.Failed), "failed")
	fmt.Println(err)
	// Output:
	// create a.csv: done "etag-of-a.csv"
	// create b.csv: failed ""
	// create c.csv: done "etag-of-c.csv"
	// delete old.csv: done "etag-of-old.csv"
	// 3 done, 1 failed
	// 1 error occurred:
	// 	* unable to sync object/b.csv - the quota is used up
}
