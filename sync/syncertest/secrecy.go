package syncertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/internal/canary"
)

// secrecy is a test of promise 10: everything that comes out while it syncs is
// searched for everything that must not.
type secrecy struct {
	*store
	t       *testing.T
	secrets *canary.Set
	kinds   *tusync.KindSet
	key     []byte // Options.DigestKey
	world   *World
	looked  map[string]bool // what is stored and was looked at, with its name

	mu sync.Mutex
	// says is what somebody says who has seen a Config, of which there are: "apply"
	// and "applied", "find", "observe", "normalize", "deploy", "health", "unhealthy",
	// "backend", "commit". Nil: nobody says anything.
	says func(who string, key state.Key, config json.RawMessage) error
	live json.RawMessage // what is observed; nil for what is there
	seen json.RawMessage // what those remember who were given none
}

func newSecrecy(t *testing.T, s *Suite) *secrecy {
	t.Helper()
	c := &secrecy{store: s.fresh(t), t: t, secrets: secretsOf(3), world: NewWorld(t.TempDir()), looked: map[string]bool{}}
	found := tusync.Define[vault]("gate", tusync.Handle(witness{c.world.Finding(), c}))
	found.Normalize = func(live json.RawMessage) (json.RawMessage, error) {
		return live, c.say("normalize", state.Key{}, live)
	}
	stored := tusync.Define[vault]("vault")
	if s.onlyOwnKinds {
		stored.Handler = c.world.Idempotent()
	}
	c.kinds = tusync.Kinds(stored, found, tusync.Define[vault]("door", tusync.Handle(witness{c.world.Finding(), c})))
	if s.lacks(DigestKeys) {
		c.key = []byte("a key of sixteen bytes")
	}
	return c
}

// say lets somebody say something who has seen a Config, or who remembers the last
// one that was seen.
func (c *secrecy) say(who string, key state.Key, config json.RawMessage) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if config == nil {
		config = c.seen
	}
	if who == "apply" {
		c.seen = config
	}
	if c.says == nil {
		return nil
	}
	return c.says(who, key, config)
}

// engine returns one on a handle of its own.
func (c *secrecy) engine() *tusync.Engine {
	c.t.Helper()
	b := watch(c.open(c.t))
	b.outcome = func(change diff.Change) error { return c.say("backend", change.Key(), configOf(change)) }
	b.on = func(call string) error {
		if call == "Commit" {
			return c.say("commit", state.Key{}, nil)
		}
		return nil
	}
	e, err := tusync.New(b, c.kinds, &tusync.Options{DigestKey: c.key, Retries: -1, OnEvent: func(e tusync.Event) {
		c.secrets.NotIn(c.t, "an event", e)
	}})
	require.NoError(c.t, err)
	return e
}

// desire declares vaults of a version, by key, each after the one before.
func (c *secrecy) desire(version int, keys ...string) *tusync.Desired {
	c.t.Helper()
	desired := &tusync.Desired{Revision: fmt.Sprint("version ", version)}
	for i, text := range keys {
		key, err := state.ParseKey(text)
		require.NoError(c.t, err)
		r, err := c.kinds.Resource(key.Kind, key.Name, newVault(version))
		require.NoError(c.t, err)
		r.Deploy = key.Kind == "door"
		if i > 0 {
			r.After = []state.Key{desired.Resources[i-1].Key}
		}
		desired.Resources = append(desired.Resources, r)
	}
	return desired
}

// plan plans, twice: the second time through a file.
func (c *secrecy) plan(desired *tusync.Desired, opts *tusync.PlanOptions) (*tusync.Engine, *tusync.Plan, error) {
	c.t.Helper()
	e := c.engine()
	p, err := e.Plan(c.t.Context(), desired, opts)
	c.secrets.NotIn(c.t, "an error of a plan", err)
	if err != nil {
		return e, nil, err
	}
	c.see(p)
	var file bytes.Buffer
	require.NoError(c.t, p.Encode(&file))
	again, err := e.LoadPlan(c.t.Context(), &file, desired)
	require.NoError(c.t, err)
	require.Equal(c.t, p.String(), again.String())
	return e, again, nil
}

// see searches a plan.
func (c *secrecy) see(p *tusync.Plan) {
	c.t.Helper()
	c.secrets.NotIn(c.t, "a plan", p)
	var text bytes.Buffer
	require.NoError(c.t, p.WriteText(&text, &diff.TextOptions{Color: true, MaxWidth: 100_000}))
	c.secrets.NotIn(c.t, "a plan's text", text.String())
	raw, err := json.Marshal(p)
	require.NoError(c.t, err)
	require.True(c.t, json.Valid(raw))
}

// apply plans and applies, and searches what came of it and what is stored.
func (c *secrecy) apply(desired *tusync.Desired, opts *tusync.PlanOptions) (*tusync.Result, error) {
	c.t.Helper()
	e, p, err := c.plan(desired, opts)
	if err != nil {
		return nil, err
	}
	return c.carryOut(e, p)
}

func (c *secrecy) carryOut(e *tusync.Engine, p *tusync.Plan) (*tusync.Result, error) {
	c.t.Helper()
	result, err := e.Apply(c.t.Context(), p)
	c.secrets.NotIn(c.t, "the error of a run", err)
	c.secrets.NotIn(c.t, "a result", result)
	if result != nil {
		c.secrets.NotIn(c.t, "the records of a result", result.Records())
		c.secrets.NotIn(c.t, "the orphans of a result", result.Orphans())
		c.secrets.NotIn(c.t, "the error of a result", result.Err())
	}
	c.secrets.NotIn(c.t, "an engine", e)
	c.look()
	return result, err
}

// look searches everything that is recorded.
func (c *secrecy) look() {
	c.t.Helper()
	b := c.open(c.t)
	head, err := b.Head(c.t.Context())
	require.NoError(c.t, err)
	c.secrets.NotIn(c.t, "a head", head)
	var sums []state.Checksum
	for _, record := range collect(c.t, b) {
		c.secrets.NotIn(c.t, "a record", record)
		sums = append(sums, record.Checksum)
		for _, pending := range record.Pending {
			sums = append(sums, pending.Checksum)
		}
	}
	declared, err := b.Declared(c.t.Context(), sums)
	if !errors.Is(err, errors.ErrUnsupported) {
		require.NoError(c.t, err)
	}
	c.secrets.NotIn(c.t, "what is declared", declared)
	if c.Stored != nil {
		for name, text := range c.Stored(c.t, c.address) {
			if !c.looked[name+string(text)] {
				c.secrets.NotInText(c.t, "the stored "+name, []byte(name+"\n"+string(text)))
			}
			c.looked[name+string(text)] = true
		}
	}
}

// sync trues up without an error.
func (c *secrecy) sync(desired *tusync.Desired, opts *tusync.PlanOptions) *tusync.Result {
	c.t.Helper()
	result, err := c.apply(desired, opts)
	require.NoError(c.t, err)
	return result
}

// past searches the earlier States, what differs between them, and a way back to
// the first but n, where the backend keeps them.
func (c *secrecy) past(n int) {
	c.t.Helper()
	e := c.engine()
	var serials []int64
	for head, err := range e.History(c.t.Context()) {
		if errors.Is(err, errors.ErrUnsupported) {
			return
		}
		require.NoError(c.t, err)
		c.secrets.NotIn(c.t, "a head of the past", head)
		serials = append(serials, head.Serial)
	}
	slices.Sort(serials)
	for i, serial := range serials {
		then, err := e.StateAt(c.t.Context(), serial)
		require.NoError(c.t, err)
		c.secrets.NotIn(c.t, "a State of the past", then)
		changes, err := e.Compare(c.t.Context(), serials[max(0, i-1)], serial)
		require.NoError(c.t, err)
		c.secrets.NotIn(c.t, "what differs between two States", changes)
		for _, change := range changes {
			c.secrets.NotIn(c.t, "the JSON of what differs", diff.JSONOf(change, c.kinds.Schema))
		}
	}
	_, err := e.Rollback(c.t.Context(), serials[n], nil, nil)
	require.ErrorIs(c.t, err, tusync.ErrSecretUnavailable)
	c.secrets.NotIn(c.t, "an error of a rollback", err)
	p, err := e.Rollback(c.t.Context(), serials[n], c.desire(0, "vault/a", "gate/b", "door/c"), nil)
	require.NoError(c.t, err)
	c.see(p)
	_, err = c.carryOut(e, p)
	require.NoError(c.t, err)
}

// opsIn counts what was done.
func opsIn(result *tusync.Result) map[diff.Op]int {
	ops := map[diff.Op]int{}
	for _, change := range result.Changes {
		if change.Status == tusync.Done {
			ops[change.Change.Op()]++
		}
	}
	return ops
}

// configOf returns what a change is to act on.
func configOf(change diff.Change) json.RawMessage {
	switch c := change.(type) {
	case *diff.Create:
		return c.Config
	case *diff.Update:
		return c.Config
	case *diff.Adopt:
		return c.Config
	case *diff.Deploy:
		return c.Config
	}
	return nil
}
