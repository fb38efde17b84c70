package synccli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"os/user"
	"syscall"
)

// Stdio is what a program talks to. Nothing in this package looks at the
// process's own files, arguments or environment: what is not in here it does not
// know. The zero Stdio reads nothing and writes nowhere.
type Stdio struct {
	// In is read when somebody is to be asked. Nil is empty.
	In io.Reader
	// Out takes what was asked for, Err warnings, errors and questions. Nil
	// discards.
	Out, Err io.Writer
	// InTerminal and OutTerminal say that a person is at In, or at Out. Who isn't
	// there isn't asked, and sees no progress that is drawn over.
	InTerminal, OutTerminal bool
	// Color says that Out takes ANSI colours.
	Color bool
	// User is the name of whoever runs the program: the default of --account.
	User string
	// Getenv returns a variable of the environment, as os.Getenv does, for hosts: no
	// standard command asks for one. Nil: none is set.
	Getenv func(name string) string
}

// OS returns a Stdio over three files, usually os.Stdin, os.Stdout and
// os.Stderr. It finds out which are terminals and who the user is. getenv is
// usually os.Getenv: a NO_COLOR that isn't empty or a TERM that is "dumb" turn
// the colours off.
func OS(in, out, err *os.File, getenv func(string) string) Stdio {
	stdio := Stdio{In: in, Out: out, Err: err, InTerminal: isTerminal(in), OutTerminal: isTerminal(out), Getenv: getenv}
	dumb := getenv("TERM") == "dumb"
	stdio.Color = stdio.OutTerminal && !dumb && getenv("NO_COLOR") == ""
	stdio.OutTerminal = stdio.OutTerminal && !dumb
	stdio.User = "unknown"
	if u, err := user.Current(); err == nil {
		stdio.User = u.Username
	}
	return stdio
}

// Main runs a program that has the process to itself, and ends that with the program's
// exit code. The first interrupt or SIGTERM cancels the context, so that what is done is
// still recorded; a second one ends the process at once.
//
//	func main() { synccli.Main(run) }
func Main(run func(ctx context.Context, args []string, stdio Stdio) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], OS(os.Stdin, os.Stdout, os.Stderr, os.Getenv)))
}

// isTerminal tells whether a person is at the file: whether it is a character
// device, but for the one that swallows everything.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// withDefaults returns the Stdio without nils.
func (s Stdio) withDefaults() Stdio {
	if s.Out == nil {
		s.Out = io.Discard
	}
	if s.Err == nil {
		s.Err = io.Discard
	}
	if s.In == nil {
		s.In = empty{}
	}
	if s.Getenv == nil {
		s.Getenv = func(string) string { return "" }
	}
	return s
}

type empty struct{}

func (empty) Read([]byte) (int, error) { return 0, io.EOF }
