package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	j := job{
		root: ".", list: ".ci/breakages.txt", text: strings.Join(os.Args[1:], " "),
		percent: 5, timeout: time.Minute, out: os.Stdout,
	}
	if n, err := strconv.Atoi(os.Getenv("TRUEUP_SOAK")); err == nil && n > 0 {
		j.percent = n
	}
	if err := j.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
