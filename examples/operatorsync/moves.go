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
		Long:  "Newer than the one that is recorded or, with sync off or if none is, than the one that runs. Without a version it is the newest one.",
	}, func(ctx context.Context, c *change, asked string) (apps.App, error) {
		from, err := c.start(asked)
		if err != nil {
			return apps.App{}, err
		}
		target, err := c.choose(ctx, asked, func(versions []recipe.Version) (recipe.Version, error) {
			if newest := len(versions) - 1; newest >= 0 && versions[newest].Compare(from.version) > 0 {
				return versions[newest], nil
			}
			c.warn(from.version.String())
			fmt.Fprintf(c.call.Out, "Nothing to do: there is nothing newer than %s, which is %s.\n", from.version, from.which)
			return recipe.Version{}, errNothing
		})
		return target, c.refuse(err, from, target, +1, "newer", "app rollback goes back")
	})
}

const rollbackName = "app rollback"

func (p *program) rollbackCommand() synccli.Command {
	return p.changeCommand(synccli.Command{
		Name: rollbackName, Optional: "[VERSION]",
		Short: "deploy an older version",
		Long:  "Older than the one that is recorded or, with sync off or if none is, than the one that runs. Without a version it is the one before.",
	}, func(ctx context.Context, c *change, asked string) (apps.App, error) {
		from, err := c.start(asked)
		if err != nil {
			return apps.App{}, err
		}
		target, err := c.choose(ctx, asked, func(versions []recipe.Version) (recipe.Version, error) {
			for _, v := range slices.Backward(versions) {
				if v.Compare(from.version) < 0 {
					return v, nil
				}
			}
			return recipe.Version{}, fmt.Errorf("there is nothing older than %s, which is %s", from.version, from.which)
		})
		return target, c.refuse(err, from, target, -1, "older", "app upgrade goes on")
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
	versions, err := c.recipe.Versions(ctx)
	if err != nil {
		return apps.App{}, err
	}
	if asked == "" {
		v, err := pick(versions)
		return c.at(v.String()), err
	}
	v, err := recipe.ParseVersion(asked)
	if err == nil && !slices.Contains(versions, v) {
		err = fmt.Errorf("the recipe %s has no version %s: operatorsync recipe versions %s lists them", c.app.file.Recipe(), asked, c.app.file.Recipe())
	}
	return c.at(asked), err
}

// start is where an upgrade or a rollback starts.
type start struct {
	version recipe.Version
	which   string // "recorded" or "running"
	unknown bool   // it is no version of the recipe, but a commit
}

func (c *change) start(asked string) (start, error) {
	from, which := c.from()
	if from == "" {
		return start{}, fmt.Errorf("nothing of %s runs or is recorded: app deploy deploys it", c.app.domain)
	}
	version, err := recipe.ParseVersion(from)
	if err != nil && asked == "" && !c.flags.chaos {
		return start{}, fmt.Errorf("%s is %s, which is no version of the recipe %s: say which version it is to be", from, which, c.app.file.Recipe())
	}
	return start{version: version, which: which, unknown: err != nil}, nil
}

// refuse returns an error for a version that was asked for and leads the other way.
func (c *change) refuse(err error, from start, target apps.App, way int, want, instead string) error {
	if err != nil || from.unknown || c.flags.chaos {
		return err
	}
	to, err := recipe.ParseVersion(target.Version)
	if err == nil && to.Compare(from.version)*way <= 0 {
		err = fmt.Errorf("%s is not %s than %s, which is %s: %s", to, want, from.version, from.which, instead)
	}
	return err
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
