package deploy

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// remover ends what runs of a deployment or stack where it is no longer declared to: it
// is deleted, or is another server's, or has another name, by which nobody would find
// it. It is a sync.Handler that keeps nothing. What was recorded without Deploy was not
// started by us, and its server isn't asked.
type remover struct{ d *Deployer }

// Idempotent implements sync.Idempotent: a create makes nothing.
func (remover) Idempotent() bool { return true }

// Apply implements sync.Handler.
func (h remover) Apply(ctx context.Context, changes []diff.Change) []sync.Outcome {
	known := h.d.known()
	outcomes := make([]sync.Outcome, len(changes))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, change := range changes {
		if create, ok := change.(*diff.Create); ok {
			outcomes[i].ID = create.ID
			continue
		}
		group.Go(func() error {
			outcomes[i].Err = known.redact(h.d.leave(ctx, known, change))
			return nil
		})
	}
	_ = group.Wait() // the errors are in the outcomes
	return outcomes
}

// leave ends what runs where a change leaves.
func (d *Deployer) leave(ctx context.Context, known *declared, change diff.Change) error {
	switch c := change.(type) {
	case *diff.Delete:
		if c.Prior == nil {
			return fmt.Errorf("where it runs is no longer recorded: end it there, and then \"resourcesync forget %s\"", c.Key())
		}
		was, err := namesOf(c.Prior)
		if err != nil || !c.Prior.Deploy {
			return err
		}
		return d.remove(ctx, known, c.Key(), was.Server, fmt.Sprintf("\"resourcesync forget %s\" drops the record", c.Key()))
	case *diff.Update:
		if c.Prior == nil || !c.Prior.Deploy {
			return nil
		}
		was, errWas := namesOf(c.Prior)
		is, errIs := namesOf(c.Desired)
		if err := errors.Join(errWas, errIs); err != nil || was.Server == is.Server && c.Recorded.Key == c.Key() {
			return err
		}
		return d.remove(ctx, known, c.Recorded.Key, was.Server, fmt.Sprintf("\"resourcesync sync --no-deploy --target %s\" leaves behind what ran there", c.Key()))
	}
	return nil
}

// remove ends what runs of a resource on a server, which may be one that is no longer
// declared. The error says what else can be done if the server is gone.
func (d *Deployer) remove(ctx context.Context, known *declared, key state.Key, server, otherwise string) error {
	if server == "" {
		return nil // it can't have been deployed
	}
	engine, err := d.former(ctx, known, server)
	if err == nil {
		err = engine.Remove(ctx, docker.Mark{Scope: known.scope, Key: key})
	}
	if err != nil {
		return fmt.Errorf("what runs of it on server/%s could not be ended: %w; make the server reachable, or say with --engine %s=ADDRESS where it is; if it is gone for good, %s", server, err, server, otherwise)
	}
	return nil
}

// former returns the engine of a server that something was deployed to: as it is
// declared, else as it is recorded.
func (d *Deployer) former(ctx context.Context, known *declared, name string) (*docker.Engine, error) {
	if _, mapped := d.options.Engines[name]; mapped {
		return d.engine(name, "")
	}
	key := state.Key{Kind: kinds.KindServer, Name: name}
	if known.resources[key] == nil {
		recorded, err := d.recorded(ctx)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read what is recorded of it: %w", err)
		case recorded.resources[key] == nil:
			return nil, errors.New("it is not declared, and nothing is recorded of it")
		}
		known = recorded
	}
	return d.server(known, name)
}

// recorded is what is recorded of servers. It is read once after each Declare.
func (d *Deployer) recorded(ctx context.Context) (*declared, error) {
	d.readMu.Lock()
	defer d.readMu.Unlock()
	if d.servers != nil {
		return d.servers, nil
	}
	servers := &declared{resources: map[state.Key]*state.Resource{}}
	if d.options.Backend != nil {
		backend, err := d.options.Backend(ctx)
		if err == nil {
			err = servers.read(ctx, backend, kinds.KindServer)
		}
		if err != nil {
			return nil, err
		}
	}
	d.servers = servers
	return servers, nil
}

// read adds what is recorded of a kind, orphans included.
func (k *declared) read(ctx context.Context, backend sync.Backend, kind string) error {
	var sums []state.Checksum
	for record, err := range backend.Records(ctx) {
		if err != nil {
			return err
		}
		if record.Kind == kind {
			sums = append(sums, record.Checksum)
		}
	}
	resources, err := backend.Declared(ctx, sums)
	for _, r := range resources {
		k.resources[r.Key] = &r
	}
	return err
}
