package sync

import (
	"context"
	"fmt"
	"os"

	"github.com/trueup-go/trueup/state"
)

// Syncer is what a host program holds: one scope, ready to be synced. *Engine is
// one.
type Syncer interface {
	// Plan compares what is desired with what is recorded. It has no side
	// effects. See Engine.Plan.
	Plan(ctx context.Context, desired *Desired, opts *PlanOptions) (*Plan, error)
	// Apply carries out the plan. See Engine.Apply.
	Apply(ctx context.Context, plan *Plan) (*Result, error)
}

// Engine syncs one scope: it plans, orders, applies, records. It is safe for
// concurrent use; of several Applies one goes on, the others get ErrLocked or
// wait.
type Engine struct {
	backend patient
	kinds   *KindSet
	opts    Options
	keys    *keyring
}

var _ Syncer = (*Engine)(nil)

// New returns an engine that records in backend what is declared of kinds. It
// reports every mistake in the kinds' definitions. The options may be nil.
func New(backend Backend, kinds *KindSet, opts *Options) (*Engine, error) {
	filled, err := opts.withDefaults()
	switch {
	case err != nil:
		return nil, SyncInternalErr{Description: "make an engine", Err: err}
	case backend == nil:
		return nil, SyncInternalErr{Description: "make an engine: the backend is nil"}
	case kinds.Err() != nil:
		return nil, SyncInternalErr{Description: "make an engine", Err: kinds.Err()}
	}
	if err := backend.Scope().Validate(); err != nil {
		return nil, SyncInternalErr{Description: "make an engine", Err: err}
	}
	e := &Engine{backend: patient{backend, filled.Retries}, kinds: kinds, opts: filled, keys: &keyring{key: filled.DigestKey, own: filled.DigestKey != nil}}
	e.opts.DigestKey = nil // whoever prints an engine doesn't print its key
	return e, nil
}

// Scope returns whose State the engine works on.
func (e *Engine) Scope() state.Scope { return e.backend.Scope() }

// String names the engine by its scope.
func (e *Engine) String() string { return "the engine of " + e.Scope().String() }

// Backend returns the backend that the engine was made with, to read from.
func (e *Engine) Backend() Backend { return e.backend.Backend }

// Kinds returns the kinds that the engine was made with.
func (e *Engine) Kinds() *KindSet { return e.kinds }

func thisProcess() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}
