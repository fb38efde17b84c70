package syncertest

import (
	"context"
	"os"
	"path/filepath"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// program is a process that syncs pieces: an engine, and what befalls it.
type program struct {
	*outside
	fate    *fate
	trace   *trace
	backend *mortal
	kinds   *tusync.KindSet
	engine  *tusync.Engine
	events  []tusync.Event
}

// program starts a process on a handle of its own. The options may be nil.
func (o *outside) program(opts *tusync.Options) (*program, error) {
	inner, err := o.Open(o.address, o.scope)
	if err != nil {
		return nil, err
	}
	return o.programOn(inner, &fate{}, opts)
}

// programOn starts a process on a handle.
func (o *outside) programOn(inner tusync.Backend, f *fate, opts *tusync.Options) (*program, error) {
	p := &program{outside: o, fate: f, trace: newTrace()}
	p.backend = &mortal{Backend: inner, of: p, open: map[*mortalTx]bool{}}
	own := tusync.Options{}
	if opts != nil {
		own = *opts
	}
	own.DigestKey = o.digestKey
	own.OnEvent = func(e tusync.Event) { p.events = append(p.events, e) }
	world := NewWorld(o.things())
	world.Hook = p.hook
	p.kinds = p.makeKinds(world, own.BatchSize)
	var err error
	p.engine, err = tusync.New(p.backend, p.kinds, &own)
	return p, err
}

// reset gives the process another fate, and forgets what it did.
func (p *program) reset() {
	p.fate, p.trace, p.events = &fate{}, newTrace(), nil
}

// hook is the World's: the fate is asked, and it is checked that nothing begins
// that isn't on the books.
func (p *program) hook(change diff.Change, done bool) error {
	if !done {
		p.trace.begin(change)
	}
	if err := p.fate.acts(change, done); err != nil {
		return err
	}
	if done {
		p.trace.end(change)
	} else if err := p.isIntended(context.Background(), change); err != nil {
		p.trace.complain("%v", err)
	}
	return nil
}

// halfway is a Handler some of whose creates end halfway: the thing is there, and
// so is an error.
type halfway struct {
	tusync.Handler
	of *program
}

// Unwrap gives the engine what else the Handler can do.
func (h *halfway) Unwrap() tusync.Handler { return h.Handler }

// Apply implements tusync.Handler.
func (h *halfway) Apply(ctx context.Context, changes []diff.Change) []tusync.Outcome {
	outcomes := h.Handler.Apply(ctx, changes)
	half := h.of.fate.half
	for i, change := range changes {
		if _, creates := change.(*diff.Create); creates && outcomes[i].Err == nil && half != nil {
			outcomes[i].Err = half(change)
		}
	}
	return outcomes
}

// deployer deploys into a directory: a file for each thing that runs, and in it the
// checksum of what runs.
type deployer struct{ *program }

// Deploy implements tusync.Deployer.
func (d *deployer) Deploy(_ context.Context, deploy *diff.Deploy) error {
	if err := d.hook(deploy, false); err != nil {
		return err
	}
	if err := writeWhole(d.running(), deploy.Recorded.ID, []byte(deploy.Running.String())); err != nil {
		return err
	}
	return d.hook(deploy, true)
}

// Health implements tusync.Deployer.
func (d *deployer) Health(_ context.Context, records []state.Record) []tusync.Health {
	all := make([]tusync.Health, len(records))
	for i := range records {
		all[i] = d.health(records[i].ID)
	}
	return all
}

func (o *outside) health(id string) tusync.Health {
	text, err := os.ReadFile(filepath.Join(o.running(), id))
	if os.IsNotExist(err) {
		return tusync.Health{Phase: tusync.Missing}
	}
	if err != nil {
		return tusync.Health{Err: err}
	}
	sum, err := state.ParseChecksum(string(text))
	return tusync.Health{Phase: tusync.Healthy, Running: sum, Err: err}
}
