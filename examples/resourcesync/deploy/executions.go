package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// acts are what an execution does: one thing, or for a Batch form one for each
// resource that matches. Nothing has been done when there is an error.
func (s *stageRun) acts(e *kinds.Execution) ([]act, error) {
	switch e.Type {
	case "None":
		return nil, nil
	case "Sleep":
		return only(s.sleep(e))
	case "RunBuild":
		p, err := kinds.DecodeParams[kinds.RunBuild](*e)
		return s.each(err, e.Type, p.Build)
	case "Deploy":
		p, err := kinds.DecodeParams[kinds.Deploy](*e)
		if err == nil && (p.StopSignal != "" || p.StopTime != nil) {
			err = errors.New("stop_signal and stop_time: what runs ends as the deployment says, with termination_signal and termination_timeout")
		}
		return s.each(err, e.Type, p.Deployment)
	case "DeployStack":
		p, err := kinds.DecodeParams[kinds.DeployStack](*e)
		if err == nil && (len(p.Services) > 0 || p.StopTime != nil) {
			err = errors.New("services and stop_time: a stack is deployed as a whole, which leaves alone what hasn't changed")
		}
		return s.each(err, e.Type, p.Stack)
	case "PullRepo":
		p, err := kinds.DecodeParams[kinds.PullRepo](*e)
		return s.each(err, e.Type, p.Repo)
	case "RunProcedure":
		p, err := kinds.DecodeParams[kinds.RunProcedure](*e)
		return s.each(err, e.Type, p.Procedure)
	case "RunSync":
		return only(s.runSync(e))
	case "BatchDeploy", "BatchDeployStack", "BatchPullRepo", "BatchRunBuild", "BatchRunProcedure":
		p, err := kinds.DecodeParams[kinds.Batch](*e)
		if err != nil {
			return nil, err
		}
		of := strings.TrimPrefix(e.Type, "Batch")
		names, err := s.matching(kindOf(of), &p)
		return s.each(err, of, names...)
	}
	return nil, errors.New("it is not carried out")
}

func only(a act, err error) ([]act, error) {
	if err != nil {
		return nil, err
	}
	return []act{a}, nil
}

// kindOf is the kind that an execution is for.
func kindOf(execution string) string {
	switch execution {
	case "RunBuild":
		return kinds.KindBuild
	case "Deploy":
		return kinds.KindDeployment
	case "DeployStack":
		return kinds.KindStack
	case "PullRepo":
		return kinds.KindRepo
	}
	return kinds.KindProcedure
}

// matching are the names of the resources of a kind that a Batch form is for, in
// order.
func (s *stageRun) matching(kind string, batch *kinds.Batch) ([]string, error) {
	patterns, err := format.ParsePatterns(batch.Pattern)
	if err != nil {
		return nil, err
	}
	var names []string
	for key, r := range s.known.resources {
		hasTags := !slices.ContainsFunc(batch.Tags, func(tag string) bool { return !slices.Contains(r.Tags, tag) })
		if key.Kind == kind && hasTags && patterns.Match(key.Name) {
			names = append(names, key.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// each is an execution for each of the names.
func (s *stageRun) each(err error, execution string, names ...string) ([]act, error) {
	if err != nil {
		return nil, err
	}
	var acts []act
	for _, name := range names {
		a, err := s.act(execution, name)
		if err != nil {
			return nil, err
		}
		acts = append(acts, a)
	}
	return acts, nil
}

func (s *stageRun) act(execution, name string) (act, error) {
	a := act{text: execution + " " + name}
	key := state.Key{Kind: kindOf(execution), Name: name}
	resource, ok := s.known.resources[key]
	if !ok {
		return a, fmt.Errorf("%s is not declared", key)
	}
	deployers := s.d.Kinds()
	switch execution {
	case "RunProcedure":
		a.do = func(ctx context.Context) error { return s.procedure(ctx, name, s.path) }
	case "PullRepo":
		a.do = func(ctx context.Context) error { return s.d.pull(ctx, s.known, key) }
	case "RunBuild":
		a.deploys(deployers.Build, resource)
	case "Deploy":
		a.deploys(deployers.Deployment, resource)
	case "DeployStack":
		a.deploys(deployers.Stack, resource)
	}
	return a, nil
}

// deploys makes an act the deploy of a resource: a sync's, or our own of one that a
// sync doesn't deploy.
func (a *act) deploys(deployer sync.Deployer, resource *state.Resource) {
	if resource.Deploy {
		a.redeploy = resource.Key
		return
	}
	a.do = func(ctx context.Context) error {
		deploy := &diff.Deploy{Target: diff.Target{Desired: resource, Config: resource.Config}}
		if preparer, ok := deployer.(sync.Preparer); ok {
			if err := preparer.Prepare(ctx, []*diff.Deploy{deploy})[0].Err; err != nil {
				return err
			}
		}
		return deployer.Deploy(ctx, deploy)
	}
}

func (s *stageRun) sleep(e *kinds.Execution) (act, error) {
	p, err := kinds.DecodeParams[kinds.Sleep](*e)
	pause := time.Duration(p.DurationMS) * time.Millisecond
	return act{text: "Sleep " + pause.String(), do: func(ctx context.Context) error {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}, err
}

func (s *stageRun) runSync(e *kinds.Execution) (act, error) {
	p, err := kinds.DecodeParams[kinds.RunSync](*e)
	if err != nil {
		return act{}, err
	}
	if (p.ResourceType == "") != (len(p.Resources) == 0) {
		return act{}, errors.New("resource_type and resources: expected both, or neither for all")
	}
	var keys []state.Key
	for _, name := range p.Resources {
		key, _ := kinds.Target{Type: p.ResourceType, ID: name}.Key()
		keys = append(keys, key)
	}
	return act{text: "RunSync " + p.Sync, do: func(ctx context.Context) error {
		if s.d.options.RunSync == nil {
			return errors.New("there is nobody here who syncs")
		}
		return s.d.options.RunSync(ctx, p.Sync, keys)
	}}, nil
}

// pull updates the clone of a repo.
func (d *Deployer) pull(ctx context.Context, known *declared, key state.Key) error {
	from, err := d.repository(known, key.Name, kinds.Git{})
	if err != nil {
		return err
	}
	dir, err := d.files(known, key, from)
	if err != nil {
		return err
	}
	unlock, err := d.lock(ctx, known, key)
	if err != nil {
		return err
	}
	defer unlock()
	_, err = from.use(ctx, dir, "")
	return err
}
