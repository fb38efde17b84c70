package synccli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/synccli"
)

// The whole of a program but its main function, which passes os.Args[1:] and
// synccli.OS(os.Stdin, os.Stdout, os.Stderr, os.Getenv), and ends with the exit
// code.
func Example() {
	type Server struct {
		Address string `toml:"address" sync:"required"`
		Region  string `toml:"region" sync:"default=eu-west"`
	}
	kinds := sync.Kinds(sync.Define[Server]("server"))

	run := func(ctx context.Context, args []string, stdio synccli.Stdio) int {
		return synccli.New(synccli.Host{
			Name:  "shop",
			Kinds: kinds,
			Load: func(_ context.Context, call *synccli.Call) (*synccli.Declaration, error) {
				desired, err := manifest.Load(os.DirFS(call.Dir()), kinds, nil)
				return &synccli.Declaration{Desired: desired}, err
			},
			Backends: []synccli.Backend{{
				Scheme: "file", Form: "file:DIR",
				Open: func(_ context.Context, at string, scope state.Scope) (sync.Backend, error) {
					return filesyncer.New(strings.TrimPrefix(at, "file:"), scope, nil)
				},
			}},
		}).Run(ctx, args, stdio)
	}

	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "servers.toml"), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}
	shop := func(command string) {
		code := run(context.Background(), []string{command, dir, "--app", "shop"}, synccli.Stdio{Out: os.Stdout, Err: os.Stdout})
		fmt.Println("exit code", code)
	}

	write("[[server]]\nname = \"web\"\nconfig.address = \"10.0.0.1\"\n")
	shop("sync")
	shop("plan")
	write("[[server]]\nname = \"web\"\nconfig.address = \"10.0.0.2\"\n")
	shop("plan")
	// Output:
	// + server/web
	//     address: "10.0.0.1"
	// Plan: 1 to create, 0 unchanged.
	// created server/web
	// Done: 1 created, 0 unchanged; recorded as serial 1 of default/shop.
	// exit code 0
	// No changes: 1 as declared.
	// exit code 0
	// ~ server/web
	//     address: "10.0.0.1" → "10.0.0.2"
	// Plan: 1 to update, 0 unchanged.
	// exit code 2
}

// A program of an altogether different sort still has use for the commands, the
// flags in any order, the help and the exit codes.
func ExampleProgram_Run() {
	program := synccli.New(synccli.Host{
		Name: "objects",
		Commands: []synccli.Command{{
			Name: "app deploy", Args: []string{"DOMAIN"}, Short: "deploy an app",
			Run: func(_ context.Context, call *synccli.Call) error {
				fmt.Fprintln(call.Out, "deploying", call.Args[0])
				return &synccli.ExitError{Code: 3}
			},
		}},
	})
	stdio := synccli.Stdio{Out: os.Stdout, Err: os.Stdout}
	fmt.Println("exit code", program.Run(context.Background(), []string{"app", "deploy", "shop.example.com"}, stdio))
	program.Run(context.Background(), []string{"help"}, stdio)
	// Output:
	// deploying shop.example.com
	// exit code 3
	// Usage: objects COMMAND [flags]
	//
	// Commands:
	//   app deploy DOMAIN   deploy an app
	//
	// "objects COMMAND --help" shows the flags of a command.
}
