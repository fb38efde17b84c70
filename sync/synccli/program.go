package synccli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
)

// Program is a host's commands, ready to run. It holds nothing of a run, but a
// host's Flags usually bind to variables: make one Program per run then.
type Program struct {
	host     *Host
	commands []Command
	err      error // what is wrong with the host
}

// New returns the program of a host: the standard commands, if it has Backends,
// and its own. What is wrong with the host is an error of every Run.
func New(host Host) *Program {
	p := &Program{host: host.withDefaults(), err: host.validate()}
	if len(host.Backends) > 0 {
		p.commands = standard()
		if host.deploys() {
			p.commands = slices.Insert(p.commands, 2, deployCommand())
		}
	}
	for _, own := range host.Commands {
		at := slices.IndexFunc(p.commands, func(c Command) bool { return c.Name == own.Name })
		if at < 0 {
			p.commands = append(p.commands, own)
		} else {
			p.commands[at] = own
		}
	}
	return p
}

// Run does what args say, which don't include the program's name, and returns
// the exit code. When ctx is cancelled it stops as soon as what it has done is
// recorded, and says so.
func (p *Program) Run(ctx context.Context, args []string, stdio Stdio) int {
	stdio = stdio.withDefaults()
	call := &Call{Stdio: stdio, host: p.host, kinds: p.host.Kinds}
	err := p.run(ctx, call, args)
	if err == nil {
		return 0
	}
	p.report(call, err)
	return p.host.exitCode(err)
}

func (p *Program) run(ctx context.Context, call *Call, args []string) error {
	if p.err != nil {
		return p.err
	}
	if len(args) == 0 {
		return &UsageError{Problem: "which command?"}
	}
	if args[0] == "help" || args[0] == "--help" || args[0] == "-help" || args[0] == "-h" {
		return p.help(call, args[1:])
	}
	command, rest := find(p.commands, args)
	switch {
	case command == nil && strings.HasPrefix(args[0], "-"):
		return &UsageError{Problem: fmt.Sprintf("no command before %s", args[0])}
	case command == nil:
		return unknownCommand(p.commands, args)
	}
	call.Command = command.Name
	call.bind(command)
	err := call.read(command, rest)
	if errors.Is(err, flag.ErrHelp) {
		return p.commandHelp(call, command)
	}
	if err == nil {
		err = call.start()
	}
	if err == nil {
		err = command.Run(ctx, call)
		err = errors.Join(err, call.close())
	}
	var usage *UsageError
	if errors.As(err, &usage) && usage.command == nil {
		usage.command = command
	}
	return err
}
