package appsync

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// AppSyncer is a Syncer over any backend. It is safe for concurrent use; one
// Sync runs at a time.
type AppSyncer struct {
	syncer tusync.Syncer
	cfg    *Config

	running sync.Mutex // held by a Sync
	mu      sync.Mutex // guards what follows
	result  *tusync.Result
	builds  []ComponentState
}

var _ Syncer = (*AppSyncer)(nil)

// New returns a Syncer that makes an app what cfg declares. The syncer is
// usually a *sync.Engine with the kinds of Kinds: its scope is the org and the
// app.
func New(syncer tusync.Syncer, cfg *Config) *AppSyncer {
	return &AppSyncer{syncer: syncer, cfg: cfg}
}

// Sync implements Syncer. Without an org and an account in the context, or with
// an org that is not the scope's, it returns a sync.SyncInternalErr and touches
// nothing. What fails leaves the rest in place, unless Config.Options says
// otherwise; the next Sync finishes only what is missing.
func (s *AppSyncer) Sync(ctx context.Context) error {
	s.running.Lock()
	defer s.running.Unlock()
	account, err := s.authorize(ctx)
	if err != nil {
		return err
	}
	var failed []string
	if s.cfg.Builds != nil {
		if failed, err = s.cfg.Builds.Failed(ctx); err != nil {
			return tusync.SyncInternalErr{Description: "ask which builds failed", Err: err}
		}
	}
	plan, err := s.syncer.Plan(ctx, s.cfg.Desired, s.options(account))
	if err != nil {
		return err
	}
	if err := sameOrg(ctx, plan.Base.Scope); err != nil {
		return err
	}
	result, err := s.syncer.Apply(ctx, plan)
	if result != nil {
		s.mu.Lock()
		s.result, s.builds = result, scheduled(result, s.cfg.Desired.Resources, failed)
		s.mu.Unlock()
	}
	return err
}

// authorize checks on whose behalf the sync is and returns the account.
func (s *AppSyncer) authorize(ctx context.Context) (account string, err error) {
	org, _ := ctx.Value(orgKey{}).(string)
	account, _ = ctx.Value(accountKey{}).(string)
	switch {
	case s.syncer == nil:
		return "", tusync.SyncInternalErr{Description: "the syncer is nil"}
	case s.cfg == nil || s.cfg.Desired == nil:
		return "", tusync.SyncInternalErr{Description: "there is no config to sync"}
	case org == "":
		return "", tusync.SyncInternalErr{Description: "the context carries no org: see SetOrgContext"}
	case account == "":
		return "", tusync.SyncInternalErr{Description: "the context carries no account: see SetAccountContext"}
	}
	if scoped, ok := s.syncer.(interface{ Scope() state.Scope }); ok {
		return account, sameOrg(ctx, scoped.Scope())
	}
	return account, nil
}

func sameOrg(ctx context.Context, scope state.Scope) error {
	if org := ctx.Value(orgKey{}); org != scope.Org {
		return tusync.SyncInternalErr{Description: fmt.Sprintf("the context is that of org %q, and %s is another's", org, scope)}
	}
	return nil
}

func (s *AppSyncer) options(account string) *tusync.PlanOptions {
	var opts tusync.PlanOptions
	if s.cfg.Options != nil {
		opts = *s.cfg.Options
	}
	opts.By, opts.Records = account, true
	if opts.OnFailure == "" {
		opts.OnFailure = tusync.KeepGoing
	}
	return &opts
}

// scheduled returns the components to be built after a sync.
func scheduled(result *tusync.Result, desired []state.Resource, failed []string) []ComponentState {
	due := make(map[string]bool, len(failed))
	for _, name := range failed {
		due[name] = true
	}
	for i := range desired {
		if desired[i].Kind == KindComponent && builtAlways(desired[i].Config) {
			due[desired[i].Name] = true
		}
	}
	for _, c := range result.Changes {
		if key := c.Change.Key(); key.Kind == KindComponent && isBuilt(c.Change.Op()) {
			due[key.Name] = c.Status == tusync.Done
		}
	}
	var states []ComponentState
	for _, r := range current(result, KindComponent) {
		if due[r.Name] {
			states = append(states, componentState(&r))
		}
	}
	return states
}

// isBuilt tells whether a component is to be built after such a change.
func isBuilt(op diff.Op) bool {
	switch op {
	case diff.OpCreate, diff.OpUpdate, diff.OpReplace, diff.OpMove, diff.OpAdopt:
		return true
	}
	return false
}

// builtAlways tells whether a component is built on every sync: it says so, or
// it is an image whose tag is looked up by an update policy.
func builtAlways(config []byte) bool {
	for name, value := range state.Members(config) {
		if string(name) == "build" && string(value) == `"`+buildAlways+`"` {
			return true
		}
		for inner := range state.Members(value) {
			if string(inner) == "update_policy" {
				return true
			}
		}
	}
	return false
}

// current returns the records of what is declared of a kind and exists.
func current(result *tusync.Result, kind string) []state.Record {
	if result == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(result.Records()), func(r state.Record) bool {
		return r.Kind != kind || r.Orphaned || r.ID == ""
	})
}
