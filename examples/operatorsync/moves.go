package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/deploy"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/recipe"
	"github.com/trueup-go/trueup/sync/synccli"
)

func (p *program) deployCommand() synccli.Command {
	return p.changeCommand(synccli.Command{
		Name: "app deploy", Optional: "[VERSION]",
		Short: "deploy an app",
		Long: "Without a version it is the one that is recorded or, with sync off or if none is, the newest one. " +
			"If that runs as it should, nothing is done.",
	}, func(ctx context.Context, c *change, asked string) (apps.App, error) {
		if asked == "" && c.recorded != "" && !c.flags.chaos {
			return c.at(c.recorded), nil
		}
		return c.choose(ctx, asked, func(versions []recipe.Version) (recipe.Version, error) {
			if len(versions) == 0 {
				return recipe.Version{}, fmt.Errorf("the recipe %s has no versions: --chaos deploys what is checked out", c.app.file.Recipe())
			}
			return versions[len(versions)-1], nil
		})
	})
}

func (p *program) upgradeCommand() synccli.Command {
	return p.changeCommand(synccli.Command{
		Name: "app upgrade", Optional: "[VERSION]",
		Short: "deploy a newer version",
		Long: "Newer than the one that is recorded, and not older than the one that runs; with sync off or if none is recorded, newer than the one that runs. " +
			"Without a version it is the newest one.",
	}, func(ctx context.Context, c *change, asked string) (apps.App, error) {
		from, err := c.bounds(asked)
		if err != nil {
			return apps.App{}, err
		}
		target, err := c.choose(ctx, asked, func(versions []recipe.Version) (recipe.Version, error) {
			newest := from[0].version
			if len(versions) > 0 {
				newest = versions[len(versions)-1]
			}
			if b := from.against(newest, up); b != nil {
				c.warn(newest.String())
				fmt.Fprintf(c.call.Out, "Nothing to do: there is nothing newer than %s, which is %s.\n", b.version, b.which)
				return recipe.Version{}, errNothing
			}
			return newest, nil
		})
		return target, c.refuse(err, from, target, up)
	})
}

const rollbackName = "app rollback"

func (p *program) rollbackCommand() synccli.Command {
	return p.changeCommand(synccli.Command{
		Name: rollbackName, Optional: "[VERSION]",
		Short: "deploy an older version",
		Long: "Older than the one that runs, and not newer than the one that is recorded; if nothing runs, older than the one that is recorded. " +
			"Without a version it is the newest of these.",
	}, func(ctx context.Context, c *change, asked string) (apps.App, error) {
		from, err := c.bounds(asked)
		if err != nil {
			return apps.App{}, err
		}
		target, err := c.choose(ctx, asked, func(versions []recipe.Version) (recipe.Version, error) {
			for _, v := range slices.Backward(versions) {
				if from.against(v, down) == nil {
					return v, nil
				}
			}
			c.warn("")
			last := from[len(from)-1]
			return recipe.Version{}, fmt.Errorf("there is nothing older than %s, which is %s", last.version, last.which)
		})
		return target, c.refuse(err, from, target, down)
	})
}

const syncName = "app sync"

func (p *program) syncCommand() synccli.Command {
	var record bool
	return p.changeCommand(synccli.Command{
		Name:  syncName,
		Short: "bring an app to the version that is recorded, or record the one that runs",
		Flags: func(set *flag.FlagSet) { set.BoolVar(&record, "record", false, "deploy nothing, and record what runs") },
	}, func(_ context.Context, c *change, _ string) (apps.App, error) {
		switch {
		case record && !c.running.Is:
			return apps.App{}, fmt.Errorf("nothing runs of %s, so there is nothing to record", c.app.domain)
		case record && c.running.App.Version == deploy.Unknown:
			return apps.App{}, fmt.Errorf("it isn't known which version of %s runs: deploy one", c.app.domain)
		case record:
			c.handler.RecordOnly = true
			runs := c.running.App
			if runs.Health = ""; runs.Recipe == "" {
				runs = c.at(runs.Version)
			}
			return runs, nil
		case c.recorded == "":
			return apps.App{}, fmt.Errorf("no version of %s is recorded in %s: app deploy deploys one, app sync --record records the one that runs",
				c.app.domain, c.app.path)
		}
		return c.at(c.recorded), nil
	})
}

// at is the app at a version.
func (c *change) at(version string) apps.App {
	app := c.app.app()
	app.Version = version
	return app
}

// choose returns the app at the version that was asked for, at the commit that is checked
// out with --chaos, or at the one that pick takes of all versions, the oldest first.
func (c *change) choose(ctx context.Context, asked string, pick func([]recipe.Version) (recipe.Version, error)) (apps.App, error) {
	if c.flags.chaos {
		commit, err := c.recipe.Chaos(ctx)
		return c.at(commit), err
	}
	if asked == "" {
		versions, err := c.recipe.Versions(ctx)
		if err != nil {
			return apps.App{}, err
		}
		v, err := pick(versions)
		return c.at(v.String()), err
	}
	_, err := recipe.ParseVersion(asked) // whether the recipe has it, carry sees
	return c.at(asked), err
}

// The ways that versions go.
const (
	up   = 1
	down = -1
)

// bound is a version that an upgrade or a rollback starts from.
type bound struct {
	version recipe.Version
	which   string // "recorded" or "running"
}

// bounds are the recorded version and the running one, in this order, as far as there are
// such: a commit is none.
type bounds []bound

func (c *change) bounds(asked string) (bounds, error) {
	if c.recorded == "" && !c.running.Is {
		return nil, fmt.Errorf("nothing of %s runs or is recorded: app deploy deploys it", c.app.domain)
	}
	var all bounds
	if v, err := recipe.ParseVersion(c.recorded); err == nil {
		all = append(all, bound{v, "recorded"})
	}
	if v, err := recipe.ParseVersion(c.running.App.Version); err == nil && c.running.Is {
		all = append(all, bound{v, "running"})
	}
	commit, which := c.recorded, "recorded"
	if commit == "" {
		commit, which = c.running.App.Version, "running"
	}
	if _, err := recipe.ParseVersion(commit); err != nil && asked == "" && !c.flags.chaos {
		return nil, fmt.Errorf("%s is %s, which is no version of the recipe %s: say which version it is to be", commit, which, c.app.file.Recipe())
	}
	return all, nil
}

// against returns what stands against a version, nil if nothing does: an upgrade leads
// beyond what is recorded, and not back from what runs; a rollback leads back from what
// runs, and not beyond what is recorded.
func (b bounds) against(to recipe.Version, way int) *bound {
	for i := range b {
		leads := to.Compare(b[i].version) * way
		beyond := len(b) == 1 || (b[i].which == "recorded") == (way == up)
		if leads < 0 || leads == 0 && beyond {
			return &b[i]
		}
	}
	return nil
}

// refuse returns an error for a version that was asked for and leads the other way.
func (c *change) refuse(err error, from bounds, target apps.App, way int) error {
	to, perr := recipe.ParseVersion(target.Version)
	if err != nil || perr != nil || c.flags.chaos {
		return err
	}
	b := from.against(to, way)
	switch {
	case b == nil:
		return nil
	case way == down:
		return fmt.Errorf("%s is not older than %s, which is %s: app upgrade goes on", to, b.version, b.which)
	case b.which == "running" && len(from) > 1:
		return fmt.Errorf("%s is older than %s, which is running: app sync --record records that, app deploy goes back", to, b.version)
	}
	return fmt.Errorf("%s is not newer than %s, which is %s: app rollback goes back", to, b.version, b.which)
}

func (p *program) versionsCommand() synccli.Command {
	return synccli.Command{
		Name: "recipe versions", Args: []string{"RECIPE"},
		Short: "list the versions of a recipe, the newest first",
		Takes: synccli.TakesJSON,
		Run: func(ctx context.Context, call *synccli.Call) error {
			r, err := recipe.Open(p.recipe(call.Args[0]))
			if err != nil {
				return err
			}
			versions, err := r.Versions(ctx)
			if err != nil {
				return err
			}
			names := make([]string, 0, len(versions))
			for _, v := range slices.Backward(versions) {
				names = append(names, v.String())
			}
			if call.JSON {
				return writeJSON(call, names)
			}
			_, err = fmt.Fprint(call.Out, strings.Join(append(names, ""), "\n"))
			return err
		},
	}
}
