package synccli

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// parse sets the flags among args and returns the other arguments. Package
// flag's own Parse stops at the first of those; people write flags anywhere. A
// "--" ends the flags. The error is a *UsageError, or flag.ErrHelp.
func parse(flags *flag.FlagSet, args []string) (positional []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			return append(positional, args...), nil
		case len(arg) < 2 || arg[0] != '-':
			positional = append(positional, arg)
			continue
		}
		name, value, given := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		f := flags.Lookup(name)
		switch {
		case f == nil && (name == "help" || name == "h"):
			return nil, flag.ErrHelp
		case f == nil:
			return nil, unknownFlag(flags, name)
		case given:
		case isSwitch(f):
			value = "true"
		case len(args) == 0:
			return nil, &UsageError{Problem: fmt.Sprintf("--%s needs a value", name)}
		default:
			value, args = args[0], args[1:]
		}
		if err := flags.Set(name, value); err != nil {
			return nil, &UsageError{Problem: fmt.Sprintf("--%s %q: %v", name, value, err)}
		}
	}
	return positional, nil
}

// isSwitch tells whether a flag stands without a value.
func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

func unknownFlag(flags *flag.FlagSet, name string) error {
	var known []string
	flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
	e := &UsageError{Problem: fmt.Sprintf("unknown flag --%s", name)}
	if near := diff.Nearest(name, known); near != "" {
		e.Hint = fmt.Sprintf("did you mean --%s?", near)
	}
	return e
}

// find returns the command that args begin with and the arguments that follow
// its name, of which the longest counts.
func find(commands []Command, args []string) (*Command, []string) {
	var found *Command
	words := 0
	for i := range commands {
		name := strings.Fields(commands[i].Name)
		if len(name) > words && len(name) <= len(args) && slices.Equal(name, args[:len(name)]) {
			found, words = &commands[i], len(name)
		}
	}
	return found, args[words:]
}

// unknownCommand tells of as many words as a command that begins like that has.
func unknownCommand(commands []Command, args []string) error {
	var known []string
	words := 1
	for i := range commands {
		known = append(known, commands[i].Name)
		if name := strings.Fields(commands[i].Name); name[0] == args[0] {
			words = max(words, min(len(name), len(args)))
		}
	}
	typed := strings.Join(args[:words], " ")
	e := &UsageError{Problem: fmt.Sprintf("unknown command %q", typed)}
	if near := diff.Nearest(typed, known); near != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return e
}
