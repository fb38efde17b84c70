package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/deploy"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/recipe"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// The states of an app.
const (
	inLine      = "in line"      // what is recorded runs, and there is nothing newer
	behind      = "behind"       // what is recorded runs, and there is something newer
	drifted     = "drifted"      // something else runs than what is recorded
	unhealthy   = "unhealthy"    // what is recorded runs, but not as it should
	notRecorded = "not recorded" // something runs, and nothing is recorded
	notDeployed = "not deployed" // nothing runs, and nothing is recorded
	notKnown    = "not known"    // the file, the recipe or the server can't be asked
)

// row is an app as ls and status show it.
type row struct {
	Server   string `json:"server"`
	App      string `json:"app"`
	Recipe   string `json:"recipe,omitempty"`
	Recorded string `json:"recorded,omitempty"`
	Running  string `json:"running,omitempty"`
	Health   string `json:"health,omitempty"` // of what runs
	Latest   string `json:"latest,omitempty"`
	State    string `json:"state"`
	// Edited says that the variables in the .env file are others than what runs has.
	Edited bool   `json:"edited,omitempty"`
	Failed string `json:"failed,omitempty"` // the last deploy, and why
	Error  string `json:"error,omitempty"`  // why the state isn't known
}

func (p *program) listCommand() synccli.Command {
	return synccli.Command{
		Name: "app ls", Short: "list the apps: what is recorded, what runs, and what is the latest",
		Takes: synccli.TakesJSON,
		Flags: func(set *flag.FlagSet) {
			set.StringVar(&p.server, "server", "", "only the apps of the server of that `NAME`")
		},
		Run: func(ctx context.Context, call *synccli.Call) error {
			all := p.findAll(p.server)
			if len(all) == 0 {
				return fmt.Errorf("there are no apps: no %s", p.path("servers", cmp.Or(p.server, "*"), "*.env"))
			}
			rows, err := p.rows(ctx, call, all)
			if err != nil {
				return err
			}
			if call.JSON {
				return errors.Join(writeJSON(call, rows), trouble(rows))
			}
			table := tabwriter.NewWriter(call.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "SERVER\tAPP\tRECIPE\tRECORDED\tRUNNING\tLATEST\tSTATE")
			for i := range rows {
				r := &rows[i]
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Server, r.App, dash(r.Recipe), dash(r.Recorded), dash(r.Running), dash(r.Latest), r.State)
				if r.Error != "" {
					fmt.Fprintf(call.Err, "warning: %s: %s\n", r.App, r.Error)
				}
			}
			return errors.Join(table.Flush(), trouble(rows))
		},
	}
}

func (p *program) statusCommand() synccli.Command {
	return synccli.Command{
		Name: "app status", Args: []string{"DOMAIN"},
		Short: "show an app: what is recorded, what runs, and what can be done",
		Takes: synccli.TakesJSON,
		Flags: p.serverFlag,
		Run: func(ctx context.Context, call *synccli.Call) error {
			app, err := p.find(call.Args[0])
			if err != nil {
				return err
			}
			rows, err := p.rows(ctx, call, []found{*app})
			if err != nil {
				return err
			}
			if call.JSON {
				return errors.Join(writeJSON(call, rows[0]), trouble(rows))
			}
			return errors.Join(rows[0].show(call), trouble(rows))
		},
	}
}

// trouble makes the exit code 1 if an app's state isn't known. It was said why.
func trouble(rows []row) error {
	for i := range rows {
		if rows[i].State == notKnown {
			return &synccli.ExitError{Code: 1}
		}
	}
	return nil
}

func (r *row) show(call *synccli.Call) error {
	table := tabwriter.NewWriter(call.Out, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, strings.ReplaceAll(value, "\n", "\n\t"))
		}
	}
	line("app", r.App)
	line("server", r.Server)
	line("recipe", r.Recipe)
	line("recorded", dash(r.Recorded))
	line("running", dash(r.Running))
	line("health", r.Health)
	line("latest", dash(r.Latest))
	line("state", r.State)
	line("last deploy", r.Failed)
	line("error", r.Error)
	if r.Edited {
		line("variables", "not those that what runs was deployed with: app deploy brings them there")
	}
	switch r.State {
	case behind:
		line("next", "operatorsync app upgrade "+r.App)
	case drifted:
		line("next", "if the .env file is the latest: operatorsync app sync "+r.App+", or app sync --record "+r.App)
	case notRecorded:
		line("next", "operatorsync app sync --record "+r.App)
	case notDeployed, unhealthy:
		line("next", "operatorsync app deploy "+r.App)
	}
	return table.Flush()
}

// rows asks each server for what runs of its apps.
func (p *program) rows(ctx context.Context, call *synccli.Call, all []found) ([]row, error) {
	config, err := p.readConfig()
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(all))
	for first := 0; first < len(all); {
		last := first
		for last < len(all) && all[last].server == all[first].server {
			last++
		}
		p.serverRows(ctx, call, config, all[first:last], rows[first:last])
		first = last
	}
	return rows, nil
}

func (p *program) serverRows(ctx context.Context, call *synccli.Call, config *config, all []found, rows []row) {
	var domains []string
	var asked []int
	for i := range all {
		f, r := &all[i], &rows[i]
		*r = row{Server: f.server, App: f.domain, State: notKnown}
		err := f.err
		if err == nil {
			if r.Recipe = f.file.Recipe(); config.Sync {
				r.Recorded = f.file.Version()
			}
			r.Latest, err = p.latest(ctx, r.Recipe)
		}
		if err != nil {
			r.Error = err.Error()
			continue
		}
		domains, asked = append(domains, f.domain), append(asked, i)
	}
	if len(asked) == 0 {
		return
	}
	running, failed, err := p.ask(ctx, call, config, all[0].server, domains)
	for at, i := range asked {
		r := &rows[i]
		switch {
		case err != nil:
			r.Error = err.Error()
		case running[at].Err != nil:
			r.Error = running[at].Err.Error()
		default:
			r.Failed = failed[r.App]
			r.tell(&running[at], all[i].app(), config.Sync)
		}
	}
}

// ask asks a server what runs, and its records what of it isn't finished, by app.
func (p *program) ask(ctx context.Context, call *synccli.Call, config *config, server string, domains []string) ([]deploy.Running, map[string]string, error) {
	s, err := p.open(call, config, server)
	if err != nil {
		return nil, nil, err
	}
	defer s.close()
	running, err := s.handler.Running(ctx, domains...)
	if err != nil {
		return nil, nil, err
	}
	holder, err := s.engine.Holder(ctx)
	if err != nil {
		return nil, nil, err
	}
	failed := map[string]string{}
	for r, err := range s.engine.Backend().Records(ctx) {
		if err != nil {
			return nil, nil, err
		}
		for _, pending := range r.Pending {
			switch {
			case pending.Error != "":
				failed[r.Name] = "failed: " + pending.Error
			case holder != nil:
				failed[r.Name] = "is under way, since " + holder.Since.Format(time.TimeOnly)
			default:
				failed[r.Name] = "did not finish"
			}
		}
	}
	return running, failed, nil
}

func (p *program) latest(ctx context.Context, name string) (string, error) {
	r, err := recipe.Open(p.recipe(name))
	if err != nil {
		return "", err
	}
	versions, err := r.Versions(ctx)
	if err != nil || len(versions) == 0 {
		return "", err
	}
	return versions[len(versions)-1].String(), nil
}

// tell says what an app's state is.
func (r *row) tell(running *deploy.Running, file apps.App, isRecorded bool) {
	if running.Is {
		r.Running, r.Health = running.App.Version, cmp.Or(running.App.Health, "healthy")
		r.Edited = running.App.Environment != "" && running.App.Environment != file.Environment
	}
	latest, lerr := recipe.ParseVersion(r.Latest)
	is, err := recipe.ParseVersion(r.Running)
	switch {
	case r.Recorded == "" && r.Running == "":
		r.State = notDeployed
	case isRecorded && r.Recorded == "":
		r.State = notRecorded
	case isRecorded && r.Recorded != r.Running:
		r.State = drifted
	case running.Phase != sync.Healthy:
		r.State = unhealthy
	case lerr == nil && err == nil && is.Compare(latest) < 0:
		r.State = behind
	default:
		r.State = inLine
	}
}

func dash(text string) string { return cmp.Or(text, "-") }

func writeJSON(call *synccli.Call, value any) error {
	encoder := json.NewEncoder(call.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
