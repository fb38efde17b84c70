package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"text/tabwriter"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/deploy"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/recipe"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// change is one app that is about to change.
type change struct {
	*site

	call *synccli.Call
	app  *found
	// recorded is the version in the app's file; empty with sync off.
	recorded string
	running  deploy.Running
	recipe   *recipe.Recipe

	flags changeFlags
}

// changeFlags are what the commands that change an app have in common.
type changeFlags struct{ noInput, wait, chaos bool }

// errNothing says that there is nothing to do, and that somebody was told.
var errNothing = errors.New("nothing to do")

// choice decides which version an app is to have. It is told the version that was asked
// for, empty if none was.
type choice func(ctx context.Context, c *change, asked string) (apps.App, error)

// changeCommand makes a command of a choice.
func (p *program) changeCommand(c synccli.Command, target choice) synccli.Command {
	var flags changeFlags
	own := c.Flags
	c.Args = []string{"DOMAIN"}
	if c.Optional != "" {
		c.Split = func(args []string) (int, error) { return min(len(args), 2), nil }
	}
	c.Flags = func(set *flag.FlagSet) {
		p.serverFlag(set)
		set.BoolVar(&flags.noInput, "no-input", false, "ask nobody")
		set.BoolVar(&flags.wait, "wait", false, "wait while somebody else deploys to the same server from this machine")
		if own != nil {
			own(set)
		}
		if c.Optional != "" {
			set.BoolVar(&flags.chaos, "chaos", false, "what is checked out of the recipe, committed or not, in place of a version")
			set.BoolVar(&flags.chaos, "C", false, "the same")
		}
	}
	c.Run = func(ctx context.Context, call *synccli.Call) error {
		asked := ""
		if len(call.Args) > 1 {
			asked = call.Args[1]
		}
		if asked != "" && flags.chaos {
			return fmt.Errorf("either --chaos or %s", asked)
		}
		return call.PlanAgain(func() (bool, error) {
			err := p.change(ctx, call, flags, asked, target)
			return flags.wait && errors.Is(err, sync.ErrStale), err
		})
	}
	return c
}

// change does what a command is for, once.
func (p *program) change(ctx context.Context, call *synccli.Call, flags changeFlags, asked string, target choice) error {
	c, err := p.look(ctx, call)
	if err != nil {
		return err
	}
	defer c.close()
	c.flags = flags
	app, err := target(ctx, c, asked)
	if errors.Is(err, errNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.carry(ctx, app)
}

func (p *program) serverFlag(set *flag.FlagSet) {
	set.StringVar(&p.server, "server", "", "the `NAME` of the server, if several have the app (default: the one that has it)")
}

// look finds the app of a call, and what runs of it.
func (p *program) look(ctx context.Context, call *synccli.Call) (*change, error) {
	config, err := p.readConfig()
	if err != nil {
		return nil, err
	}
	if call.Command == syncName && !config.Sync {
		return nil, fmt.Errorf("sync is off, so no version is recorded: set sync: true in %s to turn it on "+
			"(operatorsync config generate writes that file)", p.path("config.yml"))
	}
	app, err := p.find(call.Args[0])
	if err != nil {
		return nil, err
	}
	c := &change{call: call, app: app}
	if config.Sync {
		c.recorded = app.file.Version()
	}
	if c.recipe, err = recipe.Open(p.recipe(app.file.Recipe())); err != nil {
		return nil, err
	}
	if c.site, err = p.open(call, config, app.server); err != nil {
		return nil, err
	}
	if c.running, err = c.handler.RunningOne(ctx, app.domain); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// carry shows what is to be done, asks, does it, and tells how it ended.
func (c *change) carry(ctx context.Context, target apps.App) error {
	c.warn(target.Version)
	plan, err := c.plan(ctx, target)
	if err != nil {
		return err
	}
	if plan.IsEmpty() {
		_, err := fmt.Fprintf(c.call.Out, "Nothing to do: %s runs %s.\n", c.app.domain, target.Version)
		return err
	}
	if !c.isAsItIs(target) {
		if err := c.handler.Exists(ctx, target); err != nil {
			return err
		}
	}
	if err := c.overview(target.Version, plan); err != nil {
		return err
	}
	if err := c.confirm(ctx); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() {
		fmt.Fprintln(c.call.Err, "Interrupted: what is under way gets a moment to end.")
	})()
	result, err := c.engine.Apply(ctx, plan)
	if result == nil && c.flags.wait && errors.Is(err, sync.ErrStale) {
		return err
	}
	if err != nil {
		c.call.ShowErrors(err)
		c.explain(ctx, err)
		return &synccli.ExitError{Code: 1}
	}
	_, err = fmt.Fprintf(c.call.Out, "%s runs %s.%s\n", c.app.domain, target.Version, c.remark())
	return err
}

// isAsItIs tells whether what is to run is what runs, so that nothing is deployed.
func (c *change) isAsItIs(target apps.App) bool {
	return c.handler.RecordOnly || c.running.Is && c.running.App.Version == target.Version && c.running.Phase == sync.Healthy
}

func (c *change) remark() string {
	if c.config.Sync {
		return " Recorded in " + c.app.path + "."
	}
	return ""
}

func (c *change) plan(ctx context.Context, target apps.App) (*sync.Plan, error) {
	resource, err := c.engine.Kinds().Resource(apps.Kind, c.app.domain, target)
	if err != nil {
		return nil, err
	}
	return c.engine.Plan(ctx, &sync.Desired{Resources: []state.Resource{resource}}, &sync.PlanOptions{
		By: c.call.User, Observe: true, Wait: c.flags.wait, Existing: sync.ExistingAdopt,
		Selection: &sync.Selection{Keys: []state.Key{resource.Key}}, // the others of the server aren't declared here
	})
}

// warn tells of what the operator can't know: that what runs isn't what is recorded, or
// that the version goes back, where nobody asked for that.
func (c *change) warn(target string) {
	if c.isAstray() {
		fmt.Fprintf(c.call.Err, "WARNING: %s runs %s, and %s records %s.\n", c.app.domain, c.runs(), c.app.path, c.recorded)
		fmt.Fprintf(c.call.Err, "Unless a deploy from here failed, somebody deployed it from elsewhere: is this copy of the file the latest one?\n")
	}
	if c.call.Command == rollbackName {
		return
	}
	if is, err := recipe.ParseVersion(c.running.App.Version); err == nil && c.running.Is {
		if to, err := recipe.ParseVersion(target); err == nil && to.Compare(is) < 0 {
			fmt.Fprintf(c.call.Err, "WARNING: this goes back from %s, which runs, to %s.\n", is, to)
		}
	}
}

// isAstray tells whether something else runs than what is recorded.
func (c *change) isAstray() bool {
	return c.recorded != "" && (!c.running.Is || c.running.App.Version != c.recorded)
}

// runs says what runs.
func (c *change) runs() string {
	switch {
	case !c.running.Is:
		return deploy.Nothing
	case c.running.Phase != sync.Healthy:
		return c.running.App.Version + " (" + c.running.App.Health + ")"
	}
	return c.running.App.Version
}

func (c *change) overview(target string, plan *sync.Plan) error {
	out := c.call.Out
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\n", c.app.domain)
	fmt.Fprintf(table, "  server\t%s (%s)\n", c.server, c.config.Deployer)
	fmt.Fprintf(table, "  recipe\t%s\n", c.app.file.Recipe())
	fmt.Fprintf(table, "  current\t%s\n", c.runs())
	if c.config.Sync {
		fmt.Fprintf(table, "  recorded\t%s\n", orNothing(c.recorded))
	}
	fmt.Fprintf(table, "  target\t%s\n", target)
	if err := table.Flush(); err != nil {
		return err
	}
	return plan.WriteText(out, &diff.TextOptions{Color: c.call.Color})
}

func (c *change) confirm(ctx context.Context) error {
	if c.flags.noInput {
		return nil
	}
	if !c.call.InTerminal {
		return errors.New("nobody is here to be asked: give --no-input if that is meant")
	}
	question := "Deploy it?"
	if c.handler.RecordOnly {
		question = "Record it?"
	}
	return c.call.Ask(ctx, question)
}

// explain tells, after a failure, what is known and what can be done.
func (c *change) explain(ctx context.Context, err error) {
	w := c.call.Err
	switch {
	case errors.Is(err, sync.ErrLocked):
		fmt.Fprintln(w, "Nothing was done. --wait waits for it.")
		return
	case !c.handler.Deployed():
		fmt.Fprintln(w, "Nothing was deployed.")
		return
	}
	now, rerr := c.handler.RunningOne(context.WithoutCancel(ctx), c.app.domain)
	if rerr == nil {
		c.running = now
		fmt.Fprintf(w, "What runs now: %s\n", c.runs())
	} else {
		fmt.Fprintf(w, "What runs now is not known: %v\n", rerr)
	}
	if !c.config.Sync {
		fmt.Fprintf(w, "Look into it, and deploy again, or another version.\n")
		return
	}
	file, ferr := readApp(c.app.path)
	if ferr != nil {
		fmt.Fprintf(w, "What is recorded is not known: %v\n", ferr)
		return
	}
	fmt.Fprintf(w, "Still recorded: %s\n", orNothing(file.Version()))
	fmt.Fprintf(w, "This has to be resolved by you:\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if file.Version() != "" {
		fmt.Fprintf(table, "  operatorsync app sync %s\tbrings back %s\n", c.app.domain, file.Version())
	}
	fmt.Fprintf(table, "  operatorsync app deploy %s VERSION\tdeploys another version, or this one again\n", c.app.domain)
	fmt.Fprintf(table, "  operatorsync app sync --record %s\trecords what runs, once that is as it should be\n", c.app.domain)
	_ = table.Flush() // nobody is left to be told
}
