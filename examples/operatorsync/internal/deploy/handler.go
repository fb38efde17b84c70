package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envfile"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/recipe"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Handler deploys the apps of one server. It is safe for concurrent use.
type Handler struct {
	// Deployer runs them.
	Deployer Deployer
	// Apps is the directory of the .env files, Recipes that of the recipes' checkouts, and
	// Releases one for the files of what is deployed.
	Apps, Recipes, Releases string
	// Timeout is how long an app may take until it is healthy.
	Timeout time.Duration
	// RecordOnly says that nothing is deployed: what is declared has to run already,
	// however well.
	RecordOnly bool

	deployed atomic.Bool
}

// Deployed tells whether the Deployer was asked to deploy anything.
func (h *Handler) Deployed() bool { return h.deployed.Load() }

// The handler's abilities.
var (
	_ sync.Handler  = (*Handler)(nil)
	_ sync.Observer = (*Handler)(nil)
	_ sync.Finder   = (*Handler)(nil)
)

const stackName = "STACK_NAME="

// What stands in the place of a version.
const (
	Unknown = "unknown" // something runs, without a note
	Nothing = "nothing" // nothing runs
)

// Running is what runs of an app.
type Running struct {
	// Is is false if nothing runs.
	Is bool
	// App is what it is. Its Version may be Unknown; its Recipe and Environment are
	// empty where the deployer doesn't keep them.
	App apps.App
	// Phase is in one word what App.Health says in more.
	Phase sync.HealthPhase
	// Err is why it isn't known.
	Err error
}

// Running tells what runs of apps, in their order.
func (h *Handler) Running(ctx context.Context, domains ...string) ([]Running, error) {
	if len(domains) == 0 {
		return nil, nil
	}
	all, err := h.Deployer.Status(ctx, domains)
	if err != nil {
		return nil, err
	}
	found := make([]Running, len(domains))
	for i, s := range all {
		if s.Health.Err != nil {
			found[i].Err = fmt.Errorf("ask how %s is doing: %w", domains[i], s.Health.Err)
			continue
		}
		if s.Health.Phase == sync.Missing {
			continue
		}
		found[i] = Running{Is: true, App: appOf(s.Note), Phase: s.Health.Phase}
		if s.Health.Phase != sync.Healthy {
			found[i].App.Health = string(s.Health.Phase)
			if s.Health.Message != "" {
				found[i].App.Health += ": " + s.Health.Message
			}
		}
	}
	return found, nil
}

// RunningOne tells what runs of one app.
func (h *Handler) RunningOne(ctx context.Context, domain string) (Running, error) {
	found, err := h.Running(ctx, domain)
	if err != nil {
		return Running{}, err
	}
	return found[0], found[0].Err
}

// appOf returns what a note tells. What it doesn't tell is empty.
func appOf(text string) apps.App {
	var n note
	switch {
	case text == "":
		n.Version = Unknown
	case json.Unmarshal([]byte(text), &n) != nil:
		n = note{Version: text}
	}
	return apps.App{Recipe: n.Recipe, Version: n.Version, Environment: n.Environment}
}

func (h *Handler) path(domain string) string { return filepath.Join(h.Apps, domain+".env") }

// Observe implements sync.Observer. An app that is recorded is there, whatever runs of
// it: so one of which nothing runs is brought back by an update, and what is recorded of
// it stays if that fails.
func (h *Handler) Observe(ctx context.Context, records []state.Record) []sync.Live {
	domains := make([]string, len(records))
	for i := range records {
		domains[i] = records[i].Name
	}
	return h.lives(ctx, domains, func(domain string) sync.Live {
		return h.live(domain, apps.App{Version: Nothing, Health: string(sync.Missing)})
	})
}

// Find implements sync.Finder: an app is found by the name of its stack.
func (h *Handler) Find(ctx context.Context, creates []*diff.Create) []sync.Live {
	domains := make([]string, len(creates))
	for i, c := range creates {
		domains[i] = c.Desired.Name
	}
	return h.lives(ctx, domains, func(string) sync.Live { return sync.Live{} })
}

// lives returns what runs of apps; missing stands for one of which nothing does.
func (h *Handler) lives(ctx context.Context, domains []string, missing func(domain string) sync.Live) []sync.Live {
	lives := make([]sync.Live, len(domains))
	found, err := h.Running(ctx, domains...)
	for i, domain := range domains {
		switch {
		case err != nil:
			lives[i].Err = err
		case found[i].Err != nil:
			lives[i].Err = found[i].Err
		case found[i].Is:
			lives[i] = h.live(domain, found[i].App)
		default:
			lives[i] = missing(domain)
		}
	}
	return lives
}

// live is what runs of an app. What isn't known of it is as the app's file has it: where
// that is another than before, what is recorded still differs.
func (h *Handler) live(domain string, app apps.App) sync.Live {
	if file, err := envfile.Read(h.path(domain)); err == nil && app.Recipe == "" {
		app.Recipe, app.Environment = file.Recipe(), file.Digest()
	}
	if h.RecordOnly {
		app.Health = ""
	}
	resource, err := apps.Define(nil).Resource(apps.Kind, domain, app)
	return sync.Live{ID: apps.Stack(domain), Config: resource.Config, Err: err}
}

// Apply implements sync.Handler. An app is done when it is healthy, and what runs is what
// was to run: a swarm that goes back to what ran before says so to nobody who doesn't ask.
func (h *Handler) Apply(ctx context.Context, changes []diff.Change) []sync.Outcome {
	outcomes := make([]sync.Outcome, len(changes))
	for i, change := range changes {
		outcomes[i] = h.apply(ctx, change)
	}
	return outcomes
}

func (h *Handler) apply(ctx context.Context, change diff.Change) sync.Outcome {
	var target *diff.Target
	switch c := change.(type) {
	case *diff.Create:
		target = &c.Target
	case *diff.Update:
		target = &c.Target
	default:
		return sync.Outcome{Err: fmt.Errorf("%s: nothing is taken off a server by this program: %w", change.Key(), errors.ErrUnsupported)}
	}
	domain := change.Key().Name
	app, err := apps.Of(target.Config)
	if err == nil {
		err = h.bring(ctx, domain, app)
	}
	outcome := sync.Outcome{ID: apps.Stack(domain), Err: err}
	if err != nil {
		if found, ferr := h.RunningOne(context.WithoutCancel(ctx), domain); ferr == nil && !found.Is {
			outcome.ID = ""
		}
	}
	return outcome
}

// bring makes an app what is declared, if it isn't that already.
func (h *Handler) bring(ctx context.Context, domain string, app apps.App) error {
	found, err := h.RunningOne(ctx, domain)
	if err != nil {
		return err
	}
	runs := found.Is && same(found.App, app)
	known := runs && found.App.Recipe != "" // or its variables may be others
	switch {
	case h.RecordOnly && !runs:
		return fmt.Errorf("%s runs something else by now", domain)
	case h.RecordOnly, known && found.Phase == sync.Healthy:
		return nil
	case known && found.Phase == sync.Progressing && h.await(ctx, domain) == nil:
		return nil
	}
	release, err := h.release(ctx, domain, app)
	if err != nil {
		return err
	}
	h.deployed.Store(true)
	if err := h.Deployer.Deploy(ctx, release); err != nil {
		return err
	}
	if err := h.await(ctx, domain); err != nil {
		return err
	}
	if found, err = h.RunningOne(ctx, domain); err != nil {
		return fmt.Errorf("read back what runs: %w", err)
	}
	switch {
	case !found.Is:
		return fmt.Errorf("nothing runs of %s, though it was deployed", domain)
	case !same(found.App, app):
		return fmt.Errorf("%s was deployed, and %s runs: it was reverted", app.Version, found.App.Version)
	}
	return nil
}

// same tells whether what runs is an app, however well, as far as the deployer knows.
func same(runs, app apps.App) bool {
	return runs.Version == app.Version && (runs.Recipe == "" || runs.Recipe == app.Recipe && runs.Environment == app.Environment)
}

func (h *Handler) await(ctx context.Context, domain string) error {
	return sync.AwaitHealth(ctx, h.Timeout, func(ctx context.Context) sync.Health {
		all, err := h.Deployer.Status(ctx, []string{domain})
		if err != nil {
			return sync.Health{Err: err}
		}
		return all[0].Health
	})
}

// release puts the files of an app's version where the deployer finds them.
func (h *Handler) release(ctx context.Context, domain string, app apps.App) (*Release, error) {
	file, err := envfile.Read(h.path(domain))
	if err != nil {
		return nil, err
	}
	if file.Digest() != app.Environment || file.Recipe() != app.Recipe {
		return nil, fmt.Errorf("%s was changed meanwhile: look at it again", h.path(domain))
	}
	release := &Release{Domain: domain, App: app, Dir: filepath.Join(h.Releases, domain), EnvFile: h.path(domain)}
	// Another name than that of the stack would be of no use to the recipe.
	release.Entries = append(slices.DeleteFunc(file.Entries(), func(e string) bool { return strings.HasPrefix(e, stackName) }), stackName+apps.Stack(domain))
	if release.Note, err = noteOf(app); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(h.Releases, 0o700); err != nil {
		return nil, err
	}
	return release, h.export(ctx, app, release.Dir)
}

// Exists returns an error if the recipe has no such version, or isn't at that commit.
func (h *Handler) Exists(ctx context.Context, app apps.App) error {
	_, _, err := h.source(ctx, app)
	return err
}

func (h *Handler) export(ctx context.Context, app apps.App, dir string) error {
	r, version, err := h.source(ctx, app)
	if err != nil {
		return err
	}
	return r.Export(ctx, version, dir)
}

// source returns the recipe of an app and the version to export: none for the commit that
// is checked out.
func (h *Handler) source(ctx context.Context, app apps.App) (r *recipe.Recipe, version string, err error) {
	if r, err = recipe.Open(filepath.Join(h.Recipes, app.Recipe)); err != nil {
		return nil, "", err
	}
	if v, err := recipe.ParseVersion(app.Version); err == nil {
		return r, app.Version, r.Has(ctx, v)
	}
	commit, err := r.Chaos(ctx)
	if err == nil && commit != app.Version {
		err = fmt.Errorf("%s is no version of the recipe %s but a commit, and its checkout is at %s: check that commit out, or name a version",
			app.Version, app.Recipe, commit)
	}
	return r, "", err
}
