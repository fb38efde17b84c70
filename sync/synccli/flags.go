package synccli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/trueup-go/trueup/state"
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
	c.bindPlan(takes)
	if takes.has(TakesYes) {
		c.flags.BoolVar(&c.Yes, "yes", false, "don't ask, and delete and replace what the plan says")
	}
	if takes.has(TakesJSON) {
		c.flags.BoolVar(&c.JSON, "json", false, "write JSON, for programs")
	}
	if takes.has(takesLimit) {
		c.flags.IntVar(&c.limit, "limit", defaultLimit, "how many are listed, `N`; 0 lists all")
	}
	if c.host.Flags != nil {
		c.host.Flags(command.Name, c.flags)
	}
	if command.Flags != nil {
		command.Flags(c.flags)
	}
}

// bindPlan adds the flags that shape a plan and its apply.
func (c *Call) bindPlan(takes Takes) {
	if takes.has(TakesPlan) {
		c.flags.BoolVar(&c.Options.Prune, "prune", false, "delete what is no longer declared")
		c.flags.Func("target", "only this resource, `KIND/NAME`, and what it needs; may be given several times", c.target)
		if c.host.deploys() {
			c.flags.BoolVar(&c.Options.NoDeploy, "no-deploy", false, "leave what is to be deployed for another time; it stays pending, and is no change")
		}
		c.flags.BoolVar(&c.atomic, "atomic", false, "record all of it or, if something fails, nothing")
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
	if takes.has(TakesPlanFile) {
		c.flags.StringVar(&c.planFile, "plan-file", "", "the `FILE` that plan writes the plan to, and sync carries out")
	}
	if takes.has(takesPage) {
		c.flags.StringVar(&c.page, "html", "", "a `FILE` that the plan is written to as a page, for a browser")
	}
	if takes.has(TakesWait) {
		c.flags.BoolVar(&c.Options.Wait, "wait", false, "wait while somebody else syncs the same")
	}
}

// target adds a resource to those that the plan is limited to.
func (c *Call) target(text string) error {
	key, err := state.ParseKey(text)
	if err != nil {
		return errors.New("want KIND/NAME, as plan and state show it")
	}
	if c.Options.Selection == nil {
		c.Options.Selection = &sync.Selection{}
	}
	c.Options.Selection.Keys = append(c.Options.Selection.Keys, key)
	return nil
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
		if backend.Form != "" {
			forms = append(forms, backend.Form)
		}
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
	if err := c.split(command, positional); err != nil {
		return err
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
	if c.atomic { // whoever asks for it means it
		c.Options.OnFailure = sync.AllOrNothing
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
