package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// deploys finds what is to be deployed, and why: what isn't deployed yet or whose
// last deploy didn't succeed, what changes, what doesn't run or runs something
// else, and everything that comes after something that is deployed.
func (p *planner) deploys(ctx context.Context) error {
	if p.declaration == nil || !p.declaration.deploys || p.plan.opts.NoDeploy {
		return nil
	}
	health, err := p.health(ctx)
	if err != nil {
		return err
	}
	prepared, err := p.prepared(ctx)
	if err != nil {
		return err
	}
	asked := setOf(p.plan.opts.Redeploy)
	isDeployed := func(below int32) bool { return p.drafts[below].deploy != nil }
	for _, i := range p.graph.Order() {
		resource := p.declaration.declared[i].Resource
		if !resource.Deploy {
			continue
		}
		d, kind := &p.drafts[i], p.engine.kinds.kind(resource.Kind)
		made := prepared[i]
		if !made.Wrong && slices.ContainsFunc(p.graph.After(i), isDeployed) {
			made = Prepared{Err: errNotYet}
		}
		var running state.Checksum // zero: not known
		if made.Err == nil {
			if running, err = runningSum(kind, resource, made.Sum); err != nil {
				return SyncInternalErr{Description: "plan the deploy of " + resource.String(), Err: err}
			}
		}
		d.why = whyDeploy(kind, d, health[int(i)], running)
		if len(d.why) == 0 && asked[resource.Key] {
			d.why = []string{"it was asked for"}
		}
		if reasons := p.deployReasons(i, isDeployed); len(reasons) > 0 {
			d.deploy = &diff.Deploy{Target: p.target(int(i)), Running: running, Recorded: d.record, Reasons: reasons}
		}
		p.cantDeploy(int(i), made.Err)
	}
	return nil
}

// errNotYet says that what a deploy is made of isn't there yet.
var errNotYet = errors.New("something that it comes after is deployed first")

// cantDeploy says that something could not be deployed as things are: an error of the
// plan if it is to be.
func (p *planner) cantDeploy(i int, err error) {
	if err == nil || errors.Is(err, errNotYet) {
		return
	}
	key := p.declaration.declared[i].Resource.Key
	if err = p.redacted(err); p.drafts[i].deploy != nil {
		p.refuse(i, p.declaration.wrong(key, "can't be deployed: "+err.Error(), err))
		return
	}
	p.plan.Warnings = append(p.plan.Warnings, Warning{Position: p.declaration.Positions[key], Text: fmt.Sprintf("%s could not be deployed: %v", key, err)})
}

// prepared asks what everything that is declared with Deploy would be made of, and
// returns the answers by the index in the declaration.
func (p *planner) prepared(ctx context.Context) ([]Prepared, error) {
	byKind := map[string][]int{}
	for i := range p.drafts {
		if r := p.declaration.declared[i].Resource; r.Deploy {
			if _, ok := p.engine.kinds.kind(r.Kind).Deployer.(Preparer); ok {
				byKind[r.Kind] = append(byKind[r.Kind], i)
			}
		}
	}
	prepared := make([]Prepared, len(p.drafts)) // each worker writes its own
	err := p.perKind(ctx, byKind, func(kind *Kind, indices []int) []error {
		deploys := make([]*diff.Deploy, len(indices))
		for at, i := range indices {
			deploys[at] = &diff.Deploy{Target: p.target(i), Recorded: p.drafts[i].record}
			deploys[at].Config = p.declaration.resolve(p.engine.kinds, i, p.idOf)
		}
		answers, err := ask(ctx, p.performer, kind, len(deploys), func(which []int) ([]Prepared, error) {
			return prepare(ctx, kind, pick(deploys, which))
		})
		if err != nil {
			return []error{SyncInternalErr{Description: fmt.Sprintf("ask what deploys of the kind %q are made of", kind.Name), Err: p.redacted(err)}}
		}
		for at, i := range indices {
			prepared[i] = answers[at]
		}
		return nil
	})
	return prepared, err
}

// deployReasons returns why a declared resource is deployed, if what is below it is
// or isn't.
func (p *planner) deployReasons(i int32, isDeployed func(below int32) bool) []string {
	reasons := slices.Clone(p.drafts[i].why)
	for _, below := range p.graph.After(i) {
		if isDeployed(below) {
			reasons = append(reasons, fmt.Sprintf("%s is deployed", p.declaration.declared[below].Resource.Key))
		}
	}
	return reasons
}

// health asks how everything is doing that is recorded and declared with Deploy.
func (p *planner) health(ctx context.Context) (map[int]Health, error) {
	byKind := map[string][]int{}
	for i := range p.drafts {
		d := &p.drafts[i]
		if r := p.declaration.declared[i].Resource; r.Deploy && d.record != nil && d.record.ID != "" {
			byKind[r.Kind] = append(byKind[r.Kind], i)
		}
	}
	health := make([]Health, len(p.drafts)) // each worker writes its own
	err := p.perKind(ctx, byKind, func(kind *Kind, indices []int) []error {
		records := make([]state.Record, len(indices))
		for at, i := range indices {
			records[at] = *p.drafts[i].record
			records[at].Key = p.declaration.declared[i].Resource.Key // after a rename, as after a deploy
		}
		answers, err := ask(ctx, p.performer, kind, len(records), func(which []int) ([]Health, error) {
			return healthOf(ctx, kind, pick(records, which))
		})
		if err != nil {
			return []error{SyncInternalErr{Description: fmt.Sprintf("ask for the health of the kind %q", kind.Name), Err: p.redacted(err)}}
		}
		var errs []error
		for at, i := range indices {
			health[i] = answers[at]
			if health[i].Message != "" {
				health[i].Message = p.declaration.redactor(p.engine.kinds).text(health[i].Message)
			}
			if err := answers[at].Err; err != nil {
				errs = append(errs, SyncAPIErr{Resource: records[at].String(), Err: p.redacted(err)})
			}
		}
		return errs
	})
	known := map[int]Health{}
	for _, indices := range byKind {
		for _, i := range indices {
			known[i] = health[i]
		}
	}
	return known, err
}

// whyDeploy returns the reasons to deploy a resource that are its own.
// Running is the checksum of what would run, zero if that isn't known.
func whyDeploy(kind *Kind, d *draft, health Health, running state.Checksum) []string {
	switch change := d.change.(type) {
	case *diff.Create:
		if change.Replaces {
			return []string{"it is replaced"}
		}
		return []string{"it is new"}
	case *diff.Adopt:
		return []string{"it is adopted"}
	case *diff.Update:
		if matters(kind, change) {
			return []string{"it changes"}
		}
	}
	if pending := pendingDeploy(d.record); pending != nil {
		switch {
		case pending.Error != "":
			return []string{"its last deploy failed: " + pending.Error}
		case pending.Attempts > 0:
			return []string{"its last deploy did not finish"}
		}
		return []string{"it is not deployed yet"}
	}
	switch {
	case health.Phase == Missing:
		return []string{"nothing runs" + detail(health.Message)}
	case health.Phase == Degraded:
		return []string{"it doesn't run as it should" + detail(health.Message)}
	case !running.IsZero() && !health.Running.IsZero() && health.Running != running:
		return []string{"something else runs than what is declared" + detail(health.Message)}
	}
	return nil
}

func detail(message string) string {
	if message == "" {
		return ""
	}
	return ": " + message
}

// runningSum returns the checksum of what of a declaration matters to what runs (see
// matters), and of what else goes into that, if anything does.
func runningSum(kind *Kind, r *state.Resource, made state.Checksum) (state.Checksum, error) {
	matter := state.Resource{Type: r.Type, Refs: r.Refs, Config: kind.Schema.Deployed(r.Config)}
	sum, err := matter.Checksum()
	if err != nil || made.IsZero() {
		return sum, err
	}
	return state.Sum([]byte(sum.String() + made.String())), nil
}

// matters tells whether an update changes what runs. If its fields are unknown it
// may.
func matters(kind *Kind, update *diff.Update) bool {
	if update.Prior == nil || len(update.Reasons) > 0 {
		return true
	}
	return slices.ContainsFunc(update.Fields, func(f diff.Field) bool {
		of, below, _ := strings.Cut(f.Path, ".")
		if of == "config" {
			end := strings.IndexAny(below+".", ".[")
			field := kind.Schema.Field(below[:end])
			return field == nil || !field.NoDeploy
		}
		return of == "refs" || of == "type" || of == "deploy"
	})
}
