package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/trueup-go/trueup/sync/synccli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal lets the deploy be recorded as what it is; a second one ends
	// the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], synccli.OS(os.Stdin, os.Stdout, os.Stderr, os.Getenv)))
}
