// Command app is what runs in the containers of tests. There is nothing else in
// its image: no shell, no other file.
//
//	app serve         runs until it is told to end, with code 0
//	app stubborn      doesn't end when it is told to
//	app exit N        ends at once, with code N
//	app same FILE X   ends with code 0 if the file holds X
//	app healthy       makes the health check of this container succeed
//	app unhealthy     makes it fail
//	app check         is the health check: starting until one of the two
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

const verdict = "/verdict"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		args = []string{"serve"}
	}
	switch args[0] {
	case "serve":
		end := make(chan os.Signal, 1)
		signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
		<-end
		return nil
	case "stubborn":
		end := make(chan os.Signal, 1)
		signal.Notify(end, syscall.SIGTERM)
		for {
			<-end
		}
	case "exit":
		code, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		os.Exit(code)
	case "same":
		text, err := os.ReadFile(args[1])
		if err == nil && string(text) != args[2] {
			err = errors.New("it holds something else")
		}
		return err
	case "healthy", "unhealthy":
		return os.WriteFile(verdict, []byte(args[0]), 0o600)
	case "check":
		text, err := os.ReadFile(verdict)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if string(text) != "healthy" {
			return fmt.Errorf("not healthy: %s", text)
		}
		return nil
	}
	return fmt.Errorf("app: unknown command %q", args[0])
}
