package sync

import (
	"context"
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
	asked := setOf(p.plan.opts.Redeploy)
	for _, i := range p.graph.Order() {
		resource := p.declaration.declared[i].Resource
		if !resource.Deploy {
			continue
		}
		running, err := runningSum(resource)
		if err != nil {
			return SyncInternalErr{Description: "plan the deploy of " + resource.String(), Err: err}
		}
		d := &p.drafts[i]
		d.why = whyDeploy(d, health[int(i)], running)
		if len(d.why) == 0 && asked[resource.Key] {
			d.why = []string{"it was asked for"}
		}
		isDeployed := func(below int32) bool { return p.drafts[below].deploy != nil }
		if reasons := p.deployReasons(i, isDeployed); len(reasons) > 0 {
			d.deploy = &diff.Deploy{Target: p.target(int(i)), Running: running, Recorded: d.record, Reasons: reasons}
		}
	}
	return nil
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
func whyDeploy(d *draft, health Health, running state.Checksum) []string {
	switch change := d.change.(type) {
	case *diff.Create:
		if change.Replaces {
			return []string{"it is replaced"}
		}
		return []string{"it is new"}
	case *diff.Adopt:
		return []string{"it is adopted"}
	case *diff.Update:
		if matters(change) {
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
	case !health.Running.IsZero() && health.Running != running:
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

// runningSum returns the checksum of what of a declaration matters to what runs; see
// matters.
func runningSum(r *state.Resource) (state.Checksum, error) {
	matter := state.Resource{Type: r.Type, Refs: r.Refs, Config: r.Config}
	return matter.Checksum()
}

// matters tells whether an update changes what runs. If its fields are unknown it
// may.
func matters(update *diff.Update) bool {
	if update.Prior == nil || len(update.Reasons) > 0 {
		return true
	}
	return slices.ContainsFunc(update.Fields, func(f diff.Field) bool {
		of, _, _ := strings.Cut(f.Path, ".")
		return of == "config" || of == "refs" || of == "type" || of == "deploy"
	})
}
