package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
)

// Step is an execution of a procedure that has begun or ended.
type Step struct {
	// Procedure is the name of the procedure, which may be one that another runs.
	Procedure string
	// Stage is the stage's name, or its number from 1 on where it has none.
	Stage string
	// Execution says what is done: "Deploy test-logger-01".
	Execution string
	// Done says that it has ended, Err how: nil if it succeeded.
	Done bool
	Err  error
}

// RunProcedure runs a declared procedure: its stages one after the other, the
// executions of a stage at once. A stage of which an execution fails is the last
// one; its others are waited for. The error joins theirs.
//
// What is declared with Deploy is deployed by Options.Redeploy, all of a stage in one
// call. All else is deployed directly: it is on no books, its health isn't waited
// for, and a next sync leaves it alone.
//
// onStep is told of every step, one call at a time; it may be nil.
func (d *Deployer) RunProcedure(ctx context.Context, name string, onStep func(Step)) error {
	r := &run{d: d, known: d.known(), onStep: onStep}
	return r.known.redact(r.procedure(ctx, name, nil))
}

// A run is one of a procedure, and of those that it runs.
type run struct {
	d     *Deployer
	known *declared

	syncing sync.Mutex

	mu     sync.Mutex
	onStep func(Step)
}

// tell tells of a step, and of no secret in its error.
func (r *run) tell(step Step) {
	if r.onStep == nil {
		return
	}
	step.Err = r.known.redact(step.Err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onStep(step)
}

// procedure runs a procedure that the procedures above run.
func (r *run) procedure(ctx context.Context, name string, above []string) error {
	p, err := get[kinds.Procedure](r.known, kinds.KindProcedure, name)
	if err != nil {
		return err
	}
	path := append(slices.Clone(above), name)
	if slices.Contains(above, name) {
		return fmt.Errorf("procedures run each other in a circle: %s", strings.Join(path, " → "))
	}
	for i, stage := range p.Stages {
		if !stage.Enabled {
			continue
		}
		s := &stageRun{run: r, path: path, name: stage.Name}
		if s.name == "" {
			s.name = strconv.Itoa(i + 1)
		}
		if err := s.stage(ctx, &stage); err != nil {
			return fmt.Errorf("procedure/%s: stage %s: %w", name, s.name, err)
		}
	}
	return nil
}

// A stageRun is a stage of a run.
type stageRun struct {
	*run
	path []string // of procedures, the stage's own last
	name string
}

// An act is one thing that a stage does.
type act struct {
	text string
	// redeploy is what a sync has to deploy, in place of do.
	redeploy state.Key
	do       func(ctx context.Context) error
}

func (s *stageRun) stage(ctx context.Context, stage *kinds.Stage) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var acts []act
	for _, e := range stage.Executions {
		if !e.Enabled {
			continue
		}
		some, err := s.acts(&e.Execution)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Execution.Type, err)
		}
		acts = append(acts, some...)
	}
	errs := make([]error, len(acts))
	var group sync.WaitGroup
	for i := range acts {
		if acts[i].do != nil {
			group.Go(func() {
				s.begin(&acts[i])
				errs[i] = s.end(&acts[i], acts[i].do(ctx))
			})
		}
	}
	group.Go(func() { s.redeploy(ctx, acts, errs) })
	group.Wait()
	return errors.Join(errs...)
}

// redeploy does all that a sync has to do, in one: two would wait for each other.
func (s *stageRun) redeploy(ctx context.Context, acts []act, errs []error) {
	var keys []state.Key
	for i := range acts {
		if acts[i].do == nil {
			s.begin(&acts[i])
			if !slices.Contains(keys, acts[i].redeploy) {
				keys = append(keys, acts[i].redeploy)
			}
		}
	}
	if len(keys) == 0 {
		return
	}
	err := errors.New("it is declared with deploy = true, and there is nobody here who syncs")
	if s.d.options.Redeploy != nil {
		s.syncing.Lock() // a procedure that this stage runs may be at it, too
		err = s.d.options.Redeploy(ctx, keys)
		s.syncing.Unlock()
	}
	for i := range acts {
		if acts[i].do == nil {
			errs[i] = s.end(&acts[i], err)
		}
	}
}

func (s *stageRun) begin(a *act) {
	s.tell(Step{Procedure: s.path[len(s.path)-1], Stage: s.name, Execution: a.text})
}

func (s *stageRun) end(a *act, err error) error {
	s.tell(Step{Procedure: s.path[len(s.path)-1], Stage: s.name, Execution: a.text, Done: true, Err: err})
	if err != nil {
		return fmt.Errorf("%s: %w", a.text, err)
	}
	return nil
}
