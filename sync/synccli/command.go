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
	// Optional is how usage shows the arguments that may follow Args: "[ID]". Empty
	// means that none may.
	Optional string
	// Split tells how many of the positional arguments are the command's own, Args
	// included; those that follow are the host's paths. It is called with at least
	// as many as Args. Nil means those of Args alone.
	Split func(args []string) (own int, err error)
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
type Takes uint16

// What a command may take.
const (
	// TakesPaths: the host's paths.
	TakesPaths Takes = 1 << iota
	// TakesScope: --backend, --org, --account and the host's AppFlag.
	TakesScope
	// TakesPrune: --prune-limit and --allow-empty.
	TakesPrune
	// TakesPlan: --prune, --target, --atomic and, if a kind has a Deployer, --no-deploy;
	// implies TakesPrune.
	TakesPlan
	// TakesPlanFile: --plan-file.
	TakesPlanFile
	// TakesWait: --wait.
	TakesWait
	// TakesYes: --yes.
	TakesYes
	// TakesJSON: --json.
	TakesJSON

	takesLimit // --limit
	takesPage  // --html
)

func (t Takes) has(what Takes) bool { return t&what != 0 }
