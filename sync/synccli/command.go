package synccli

import (
	"context"
	"flag"
)

// Command is one thing that a program can be told to do.
type Command struct {
	// Name is what is typed. It may be several words: "app deploy".
	Name string
	// Args are the names of the positional arguments that must be given, as usage
	// shows them. With TakesPaths, the host's paths may follow.
	Args []string
	// Short says what it does in a few words, for the list of commands.
	Short string
	// Long says more, in whole sentences, for its own help. May be empty.
	Long string
	// Takes are the standard flags and arguments that it takes.
	Takes Takes
	// Flags adds flags of its own. May be nil.
	Flags func(flags *flag.FlagSet)
	// Run does it. The error is shown, and it decides the exit code.
	Run func(ctx context.Context, call *Call) error
}

// Takes is a set of standard flags and arguments.
type Takes uint8

// What a command may take.
const (
	// TakesPaths: the host's paths.
	TakesPaths Takes = 1 << iota
	// TakesScope: --backend, --org, --account and the host's AppFlag.
	TakesScope
	// TakesPrune: --prune-limit and --allow-empty.
	TakesPrune
	// TakesPlan: --prune; implies TakesPrune.
	TakesPlan
	// TakesYes: --yes.
	TakesYes
	// TakesJSON: --json.
	TakesJSON
)

func (t Takes) has(what Takes) bool { return t&what != 0 }

// standard returns the commands of a host that has backends.
func standard() []Command {
	const all = TakesPaths | TakesScope | TakesJSON
	return []Command{
		{Name: "plan", Takes: all | TakesPlan, Run: plan,
			Short: "show what sync would do",
			Long:  "Shows what sync would do, field by field, and changes nothing. The exit code is 0 if\neverything is as declared, 2 if there are changes, 1 after an error."},
		{Name: "sync", Takes: all | TakesPlan | TakesYes, Run: syncs,
			Short: "make it so, and record it",
			Long:  "Shows the plan, asks at a terminal, carries the plan out and records the result. Where\nnobody can be asked it goes ahead, unless something would be deleted: that needs --yes."},
		{Name: "state", Takes: all, Run: showState,
			Short: "show what is recorded"},
		{Name: "orphans", Takes: all, Run: orphans,
			Short: "list what is recorded and no longer declared"},
		{Name: "prune", Takes: all | TakesPrune | TakesYes, Run: prune,
			Short: "delete the orphans",
			Long:  "Deletes what sync has reported as no longer declared, and nothing else. If one of the\norphans is declared again, nothing is deleted: sync first. Where nobody can be asked it\nneeds --yes."},
		{Name: "forget", Takes: all | TakesYes, Run: forget, Args: []string{"KIND/NAME"},
			Short: "drop a record and leave the thing alone",
			Long:  "Drops a record from the books; what it is a record of stays as it is. What is still\ndeclared can't be forgotten, since the next sync would create it a second time."},
		{Name: "validate", Takes: all, Run: validate,
			Short: "check the declaration and nothing else",
			Long:  "Reads the declaration and shows every mistake in it. No backend is opened."},
	}
}
