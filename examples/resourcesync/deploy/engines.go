package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// atOnce is how many deploys are prepared at the same time.
const atOnce = 8

// server returns the engine of a server.
func (d *Deployer) server(k *declared, name string) (*docker.Engine, error) {
	if name == "" {
		return nil, errors.New("it names no server")
	}
	server, err := get[kinds.Server](k, kinds.KindServer, name)
	if err != nil {
		return nil, err
	}
	if !server.Enabled {
		return nil, fmt.Errorf("server/%s is not enabled: give it enabled = true", name)
	}
	engine, err := d.engine(name, server.Address)
	if err != nil {
		return nil, fmt.Errorf("server/%s: %w", name, err)
	}
	return engine, nil
}

// builder returns the engine of a builder: of one that is servers, that of the first.
func (d *Deployer) builder(k *declared, name string) (*docker.Engine, error) {
	if name == "" {
		return nil, errors.New("it names no builder")
	}
	builder, err := get[kinds.Builder](k, kinds.KindBuilder, name)
	if err != nil {
		return nil, err
	}
	_, mapped := d.options.Engines[name]
	switch {
	case mapped:
		engine, err := d.engine(name, "")
		if err != nil {
			return nil, fmt.Errorf("builder/%s: %w", name, err)
		}
		return engine, nil
	case builder.Type != "Server":
		return nil, fmt.Errorf("builder/%s is of type %s, which is not built on: %s", name, builder.Type, hint(name))
	case len(builder.Params.ServerIDs) == 0:
		return nil, fmt.Errorf("builder/%s has no servers", name)
	}
	engine, err := d.server(k, builder.Params.ServerIDs[0])
	if err != nil {
		return nil, fmt.Errorf("builder/%s: %w", name, err)
	}
	return engine, nil
}

// engine returns the engine at the address that the options have for a name, else at
// the declared one.
func (d *Deployer) engine(name, address string) (*docker.Engine, error) {
	if mapped, ok := d.options.Engines[name]; ok {
		address = mapped
	}
	switch {
	case address == "":
		return nil, fmt.Errorf("it has no address: %s", hint(name))
	case strings.HasPrefix(address, "http://"), strings.HasPrefix(address, "https://"), strings.HasPrefix(address, "ws"):
		return nil, fmt.Errorf("its address %q is that of Komodo's agent: %s", address, hint(name))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if engine, ok := d.engines[address]; ok {
		return engine, nil
	}
	options := d.options.Docker
	if !strings.HasPrefix(address, "tcp://") {
		options.CertDir = ""
	}
	engine, err := docker.Open(address, &options)
	if err != nil {
		return nil, err
	}
	d.engines[address] = engine
	return engine, nil
}

func hint(name string) string {
	return fmt.Sprintf("say where its container engine is, with --engine %s=unix:///var/run/docker.sock, tcp://HOST:PORT or ssh://USER@HOST", name)
}

// prepare asks for each of the deploys, some at once.
func (d *Deployer) prepare(ctx context.Context, deploys []*diff.Deploy, one func(context.Context, *declared, *diff.Deploy) (state.Checksum, error)) []sync.Prepared {
	known := d.known()
	prepared := make([]sync.Prepared, len(deploys))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, deploy := range deploys {
		group.Go(func() error {
			sum, err := one(ctx, known, deploy)
			err = known.redact(err)
			var mistake manifest.Mistake
			prepared[i] = sync.Prepared{Sum: sum, Err: err, Wrong: errors.As(err, &mistake)}
			return nil
		})
	}
	_ = group.Wait() // the errors are in the answers
	return prepared
}

// health asks each engine once about all that is on it. What is on an engine that
// isn't known is left alone: Prepare says why it could not be deployed.
func (d *Deployer) health(ctx context.Context, records []state.Record, on func(*declared, names) (*docker.Engine, error),
	ask func(*docker.Engine, context.Context, state.Scope, []state.Key) []sync.Health,
) []sync.Health {
	known := d.known()
	healths := make([]sync.Health, len(records))
	places := map[*docker.Engine][]int{}
	for i := range records {
		r, ok := known.resources[records[i].Key]
		if !ok {
			healths[i].Err = fmt.Errorf("%s is not declared to the deployer", records[i].Key)
			continue
		}
		n, err := namesOf(r)
		if err != nil {
			healths[i].Err = err
			continue
		}
		engine, err := on(known, n)
		if err != nil {
			healths[i] = sync.Health{Phase: sync.Progressing, Message: "it is not known how it is doing: " + err.Error()}
			continue
		}
		places[engine] = append(places[engine], i)
	}
	var group errgroup.Group
	for engine, indices := range places {
		group.Go(func() error {
			keys := make([]state.Key, len(indices))
			for at, i := range indices {
				keys[at] = records[i].Key
			}
			for at, health := range ask(engine, ctx, known.scope, keys) {
				healths[indices[at]] = health
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in the answers
	return healths
}
