package synccli

import (
	"context"
	"errors"
	"flag"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Host is what a program says of itself. Name, and Load and Backends where it
// has the standard commands, must be given; everything else may be left out.
//
// Its functions are called after the flags were parsed, so flags that Flags
// bound to variables have their values.
type Host struct {
	// Name is the program's, as it is typed.
	Name string
	// About says in a sentence what the program does.
	About string
	// Kinds are the kinds that can be declared.
	Kinds *sync.KindSet
	// KindsFor returns the kinds of one call, whose Handlers and Deployers are what
	// its flags and environment say. They have the names of Kinds, and Deployers where
	// those have some. Nil: Kinds.
	KindsFor func(call *Call) (*sync.KindSet, error)
	// Load reads the declaration that the call's Paths name. It is called only
	// by commands that need it. It returns every mistake at once, as a
	// *multierror.Error or errors.Join, each with its place; and an error that
	// wraps ErrNoDeclaration if nothing is there that could be a declaration.
	Load func(ctx context.Context, call *Call) (*Declaration, error)
	// Backends are the ways to record, the default first. Without any, the
	// program has no standard commands, only its own.
	Backends []Backend
	// Paths is how usage calls what comes after the flags and says where the
	// declaration is. Defaults to "DIR", of which there is at most one; a name
	// that ends in "…" may stand several times.
	Paths string
	// App is the flag that, beside --org, says whose State it is.
	App AppFlag
	// Flags adds the program's own flags to a command's. May be nil.
	Flags func(command string, flags *flag.FlagSet)
	// PlanOptions changes the options that the flags made for a plan. May be nil.
	PlanOptions func(call *Call, opts *sync.PlanOptions)
	// State returns what "state --json" prints as JSON. Defaults to the State as
	// package state encodes it. The records are in key order.
	State func(head state.Head, records []state.Record) (any, error)
	// Commands are the program's own. One with the name of a standard command
	// takes its place.
	Commands []Command
	// ExitCode returns the exit code for an error, which is neither nil nor an
	// *ExitError. Defaults to 1 for all.
	ExitCode func(err error) int
}

// Declaration is what a host loaded.
type Declaration struct {
	// Desired is what is declared. Its Warnings are shown, a line each.
	Desired *sync.Desired
	// Sync runs a sync or a rollback, for a host that has something to do before or
	// after it: it plans and applies with the syncer, which shows the plan, asks, and
	// shows the progress, and returns what went wrong in all. How it ended is told
	// after that. The plan is the one that was asked for: it may be a saved one, or
	// lead to an earlier State. If nothing was begun and another plan is due, it may be
	// called again. Nil plans towards Desired with the call's Options, and applies that.
	Sync func(ctx context.Context, syncer sync.Syncer) error
}

// Backend is one way to record.
type Backend struct {
	// Scheme is what the value of --backend begins with: "file".
	Scheme string
	// Form is how usage shows the value: "file:DIR". Empty: it isn't shown.
	Form string
	// Open opens the backend for a scope. The location is the whole value of
	// --backend. What it returns is closed at the end of the command if it is an
	// io.Closer.
	Open func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error)
}

// AppFlag is the flag that names the scope's app.
type AppFlag struct {
	// Name is the flag's. Defaults to "app".
	Name string
	// Default is its value if it isn't given. Defaults to the name of the
	// directory that the declaration is in.
	Default string
}

// ErrNoDeclaration says that a place holds nothing that could be a declaration:
// no file of the host's. Commands that can do without one go on.
var ErrNoDeclaration = errors.New("nothing is declared there")
