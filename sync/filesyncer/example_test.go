package filesyncer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// A scope is recorded in a directory, and read by somebody else.
func Example() {
	type Server struct{ Address string }
	ctx := context.Background()
	temp, remove := tempDir()
	defer remove()
	dir := filepath.Join(temp, ".trueup")

	shop := state.Scope{Org: "acme", App: "shop"}
	backend, err := filesyncer.New(dir, shop, nil)
	if err != nil {
		log.Fatal(err)
	}
	kinds := sync.Kinds(sync.Define[Server]("server"))
	engine, err := sync.New(backend, kinds, nil)
	if err != nil {
		log.Fatal(err)
	}
	web, err := kinds.Resource("server", "web", Server{Address: "10.0.0.1"})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := engine.Plan(ctx, &sync.Desired{Resources: []state.Resource{web}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := engine.Apply(ctx, plan); err != nil {
		log.Fatal(err)
	}

	other, err := filesyncer.New(dir, shop, nil)
	if err != nil {
		log.Fatal(err)
	}
	for record, err := range other.Records(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		declared, err := other.Declared(ctx, []state.Checksum{record.Checksum})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(record.Key, string(declared[record.Checksum].Config))
	}
	// Output: server/web {"address":"10.0.0.1"}
}

// A directory holds one scope.
func ExampleNew() {
	_, err := filesyncer.New(".trueup", state.Scope{Org: "acme", App: "a/b"}, nil)
	fmt.Println(err)
	_, err = filesyncer.New(".trueup", state.Scope{Org: "acme", App: "shop"}, &filesyncer.Options{CompactBytes: -1})
	fmt.Println(err)
	// Output:
	// scope "acme/a/b": the app holds a slash, a control character or invalid UTF-8
	// Options.CompactBytes is -1: want 1 or more, or 0 for the default
}

// While somebody holds the lease, others are told who.
func ExampleBackend_Begin() {
	ctx := context.Background()
	temp, remove := tempDir()
	defer remove()
	backend, err := filesyncer.New(temp, state.Scope{Org: "acme", App: "shop"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	tx, head, err := backend.Begin(ctx, "ada")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("serial", head.Serial)

	_, _, err = backend.Begin(ctx, "bob")
	var locked *sync.LockedError
	if errors.As(err, &locked) {
		fmt.Println("locked by", locked.Owner)
	}
	if err := tx.Close(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// serial 0
	// locked by ada
}

// An error of the disk's says which file it is about and what to do.
func ExampleDiskError() {
	err := &filesyncer.DiskError{Doing: "write", File: "journal.jsonl", Err: os.ErrPermission}
	fmt.Println(err)
	// Output: write journal.jsonl: permission denied: let this user write to the directory, or use another one; what was recorded before is safe
}

func tempDir() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "trueup")
	if err != nil {
		log.Fatal(err)
	}
	return dir, func() {
		if err := os.RemoveAll(dir); err != nil {
			log.Fatal(err)
		}
	}
}

// Earlier States are kept, and can be read.
func ExampleBackend_History() {
	ctx := context.Background()
	temp, remove := tempDir()
	defer remove()
	backend, err := filesyncer.New(temp, state.Scope{Org: "acme", App: "shop"}, &filesyncer.Options{History: 2})
	if err != nil {
		log.Fatal(err)
	}
	tx, head, err := backend.Begin(ctx, "ada")
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c", "d"} {
		records := []state.Record{{Key: state.Key{Kind: "server", Name: "web"}, ID: id}}
		head.Serial++
		if head, err = state.Seal(head, records); err != nil {
			log.Fatal(err)
		}
		if head, err = tx.Commit(ctx, state.Delta{Head: head, Records: records}); err != nil {
			log.Fatal(err)
		}
	}
	if err := tx.Close(ctx); err != nil {
		log.Fatal(err)
	}

	for head, err := range backend.History(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		_, records, err := backend.StateAt(ctx, head.Serial)
		if err != nil {
			log.Fatal(err)
		}
		for record, err := range records {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println("serial", head.Serial, record.Key, record.ID)
		}
	}
	_, _, err = backend.StateAt(ctx, 1)
	fmt.Println(err)
	// Output:
	// serial 4 server/web d
	// serial 3 server/web c
	// serial 2 server/web b
	// serial 1 of acme/shop: that State is not kept
}

// Whoever hangs with the lease can be unlocked.
func ExampleBackend_Unlock() {
	ctx := context.Background()
	temp, remove := tempDir()
	defer remove()
	backend, err := filesyncer.New(temp, state.Scope{Org: "acme", App: "shop"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	hanging, _, err := backend.Begin(ctx, "ada")
	if err != nil {
		log.Fatal(err)
	}
	holder, err := backend.Holder(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("held by", holder.Owner)
	if err := backend.Unlock(ctx, holder); err != nil {
		log.Fatal(err)
	}
	_, err = hanging.Renew(ctx)
	fmt.Println(err)
	// Output:
	// held by ada
	// the lease on the scope was lost
}

// Of several that keep a digest key one does, and the others get that one.
func ExampleBackend_KeepDigestKey() {
	ctx := context.Background()
	temp, remove := tempDir()
	defer remove()
	for _, key := range []string{"the first key", "another one"} {
		backend, err := filesyncer.New(temp, state.Scope{Org: "acme", App: "shop"}, nil)
		if err != nil {
			log.Fatal(err)
		}
		kept, err := backend.KeepDigestKey(ctx, []byte(key))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(kept))
	}
	// Output:
	// the first key
	// the first key
}
