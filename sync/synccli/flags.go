package synccli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/trueup-go/trueup/sync"
)

// bind adds a command's flags: the standard ones that it takes, the host's, its
// own.
func (c *Call) bind(command *Command) {
	c.flags = flag.NewFlagSet(command.Name, flag.ContinueOnError)
	c.flags.SetOutput(io.Discard)
	takes := command.Takes
	if takes.has(TakesScope) {
		c.bindScope()
	}
	if takes.has(TakesPlan) {
		c.flags.BoolVar(&c.Options.Prune, "prune", false, "delete what is no longer declared")
	}
	if takes.has(TakesPlan | TakesPrune) {
		c.flags.Func("prune-limit", "how many records may be deleted, `N|N%` of them (default: the larger of 10 and 25%)", func(text string) (err error) {
			if c.Options.PruneLimit, err = sync.ParseLimit(text); err != nil {
				return errors.New("want a number, or a percentage from 0% to 100%")
			}
			return nil
		})
		c.flags.BoolVar(&c.Options.AllowEmpty, "allow-empty", false, "delete even if nothing at all is declared")
	}
	if takes.has(TakesYes) {
		c.flags.BoolVar(&c.Yes, "yes", false, "don't ask, and delete what is to be deleted")
	}
	if takes.has(TakesJSON) {
		c.flags.BoolVar(&c.JSON, "json", false, "write JSON, for programs")
	}
	if c.host.Flags != nil {
		c.host.Flags(command.Name, c.flags)
	}
	if command.Flags != nil {
		command.Flags(c.flags)
	}
}

func (c *Call) bindScope() {
	app := c.host.App
	usage := "the `NAME` of what is synced"
	if app.Default == "" {
		usage += " (default: the directory's name)"
	}
	c.flags.StringVar(&c.Scope.App, app.Name, app.Default, usage)
	c.flags.StringVar(&c.Scope.Org, "org", "default", "the `NAME` of the organisation that it belongs to")
	c.flags.StringVar(&c.Account, "account", c.User, "the `NAME` of who does it, as recorded")
	var forms []string
	for _, backend := range c.host.Backends {
		forms = append(forms, backend.Form)
	}
	usage = fmt.Sprintf("where it is recorded, `%s`", strings.Join(forms, "|"))
	if c.host.Backends[0].Scheme == "file" {
		usage += fmt.Sprintf(" (default: file:%s)", c.host.inDir(stateDir))
	}
	c.flags.StringVar(&c.Location, "backend", "", usage)
}

// read takes what the command line says.
func (c *Call) read(command *Command, args []string) error {
	positional, err := parse(c.flags, args)
	if err != nil {
		return err
	}
	if len(positional) < len(command.Args) {
		return &UsageError{Problem: fmt.Sprintf("%s is missing", command.Args[len(positional)])}
	}
	c.Args = positional
	if command.Takes.has(TakesPaths) {
		c.Args, c.Paths = positional[:len(command.Args)], positional[len(command.Args):]
		if len(c.Paths) > 1 && !c.host.manyPaths() {
			return &UsageError{Problem: fmt.Sprintf("too many arguments: %q", c.Paths[1:])}
		}
	} else if command.Args != nil && len(positional) > len(command.Args) {
		return &UsageError{Problem: fmt.Sprintf("too many arguments: %q", positional[len(command.Args):])}
	}
	if !command.Takes.has(TakesScope) {
		return nil
	}
	if c.Scope.App == "" {
		if c.Scope.App, err = c.defaultApp(); err != nil {
			return err
		}
	}
	if err := c.Scope.Validate(); err != nil {
		return &UsageError{Problem: err.Error(), Hint: fmt.Sprintf("give --%s NAME and --org NAME", c.host.App.Name)}
	}
	c.Options.By = c.Account
	if c.host.PlanOptions != nil {
		c.host.PlanOptions(c, &c.Options)
	}
	return nil
}

// validate says what the host forgot.
func (h *Host) validate() error {
	var errs []error
	if h.Name == "" {
		errs = append(errs, errors.New("synccli: Host.Name is empty"))
	}
	if len(h.Backends) > 0 && h.Load == nil {
		errs = append(errs, errors.New("synccli: Host.Load is nil"))
	}
	return errors.Join(append(errs, h.Kinds.Err())...)
}
