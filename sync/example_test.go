package sync_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/manifest"
)

type Network struct {
	CIDR string `toml:"cidr" sync:"required"`
}

type Server struct {
	Network string `toml:"network" sync:"ref=network"` // a name; its ID when it is applied
	Region  string `toml:"region" sync:"immutable,default=eu-west"`
	Token   string `toml:"token" sync:"sensitive"`
}

func syncShop(ctx context.Context, config, records string) error {
	kinds := sync.Kinds(sync.Define[Network]("network"), sync.Define[Server]("server"))
	desired, err := manifest.Load(os.DirFS(config), kinds, nil)
	if err != nil {
		return err // every mistake in the files, with file:line:col
	}
	backend, err := filesyncer.New(records, state.Scope{Org: "acme", App: "shop"}, nil)
	if err != nil {
		return err
	}
	engine, err := sync.New(backend, kinds, nil)
	if err != nil {
		return err
	}
	plan, err := engine.Plan(ctx, desired, nil)
	if err != nil {
		return err
	}
	fmt.Print(plan)
	result, err := engine.Apply(ctx, plan)
	if err != nil {
		return err
	}
	for _, orphan := range result.Orphans() {
		fmt.Println("no longer declared:", orphan.Key, orphan.ID)
	}
	return nil
}

// A whole sync command.
func Example() {
	records, err := os.MkdirTemp("", "trueup")
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		if err := syncShop(context.Background(), "testdata/shop", records); err != nil {
			log.Print(err)
		}
	}
	if err := os.RemoveAll(records); err != nil {
		log.Print(err)
	}
	// Output:
	// + network/private
	//     cidr: "10.0.0.0/16"
	// + server/db
	//     network: "private"
	//     token: (sensitive)
	// + server/web
	//     after: "server/db"
	//     network: "private"
	//     region: "us-east"
	//     tags: "public"
	// Plan: 3 to create, 0 unchanged.
	// No changes: 3 as declared.
}
