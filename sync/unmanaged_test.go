package sync_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// scaled has a field that is somebody else's for every resource of the kind.
type scaled struct {
	Image    string
	Replicas int `sync:"unmanaged"`
	Limits   limits
}

type limits struct {
	CPU    int
	Memory int
}

// shared is a world in which others have a say.
type shared struct {
	*syncertest.World
	backend *syncertest.Memory
	kinds   *sync.KindSet
	engine  *sync.Engine

	called []string // "op config" of every call of the Handler
}

func newShared(t *testing.T) *shared {
	t.Helper()
	s := &shared{World: syncertest.NewWorld(t.TempDir()), backend: syncertest.NewMemory(scope())}
	s.Hook = func(change diff.Change, done bool) error {
		if done {
			return nil
		}
		switch c := change.(type) {
		case *diff.Create:
			s.called = append(s.called, "create "+string(c.Config))
		case *diff.Update:
			s.called = append(s.called, "update "+string(c.Config))
		}
		return nil
	}
	s.kinds = sync.Kinds(
		sync.Define[scaled]("service", sync.Handle(s.Finding())),
		sync.Define[scaled]("stored"),
		sync.Kind{Name: "any", Handler: s.Finding()})
	var err error
	s.engine, err = sync.New(s.backend, s.kinds, nil)
	require.NoError(t, err)
	return s
}

// declare returns a resource with its Config and its unmanaged paths.
func declare(kind, config string, unmanaged ...string) *sync.Desired {
	return &sync.Desired{Resources: []state.Resource{{
		Key: state.Key{Kind: kind, Name: "web"}, Config: json.RawMessage(config), Unmanaged: unmanaged,
	}}}
}

// sync trues up and returns what was planned and what the Handler was called for.
func (s *shared) sync(t *testing.T, desired *sync.Desired, opts *sync.PlanOptions) (*sync.Plan, []string) {
	t.Helper()
	s.called = nil
	plan, err := s.engine.Plan(t.Context(), desired, opts)
	require.NoError(t, err)
	_, err = s.engine.Apply(t.Context(), plan)
	require.NoError(t, err)
	return plan, s.called
}

// live returns what there is.
func (s *shared) live(t *testing.T) syncertest.WorldThing {
	t.Helper()
	things, err := s.Things()
	require.NoError(t, err)
	require.Len(t, things, 1)
	return things[0]
}

// recorded returns the Configs that are recorded.
func (s *shared) recorded(t *testing.T) []string {
	t.Helper()
	var sums []state.Checksum
	for record, err := range s.backend.Records(t.Context()) {
		require.NoError(t, err)
		sums = append(sums, record.Checksum)
	}
	declared, err := s.backend.Declared(t.Context(), sums)
	require.NoError(t, err)
	var configs []string
	for _, sum := range sums {
		config := declared[sum].Config
		if config == nil {
			config = json.RawMessage("{}")
		}
		configs = append(configs, string(config))
	}
	return configs
}

// What is declared of an unmanaged field is for the create alone, whether the
// kind says so of all its resources or a resource of itself.
func TestPromise10_AnUnmanagedValueIsForTheCreateAlone(t *testing.T) {
	t.Parallel()
	type edit struct{ config, update string } // and what the Handler is to be called with
	for name, c := range map[string]struct {
		kind      string
		unmanaged []string
		config    string
		recorded  string
		other     string // with another value
		theirs    string // what somebody else makes of the thing
		edit      edit
	}{
		"by the schema": {
			kind: "service", config: `{"image":"web:1","replicas":3}`, recorded: `{"image":"web:1"}`,
			other: `{"image":"web:1","replicas":5}`, theirs: `{"image":"web:1","replicas":9}`,
			edit: edit{`{"image":"web:2","replicas":5}`, `{"image":"web:2"}`},
		},
		"by the schema, and left out": {
			kind: "service", config: `{"image":"web:1"}`, recorded: `{"image":"web:1"}`,
			other: `{"image":"web:1","replicas":5}`, theirs: `{"image":"web:1","replicas":9}`,
			edit: edit{`{"image":"web:2"}`, `{"image":"web:2"}`},
		},
		"by a path": {
			kind: "service", unmanaged: []string{"image"}, config: `{"image":"web:1","limits":{"cpu":1}}`, recorded: `{"limits":{"cpu":1}}`,
			other: `{"image":"web:9","limits":{"cpu":1}}`, theirs: `{"image":"web:8","limits":{"cpu":1}}`,
			edit: edit{`{"image":"web:9","limits":{"cpu":2}}`, `{"limits":{"cpu":2}}`},
		},
		"by a path into an object": {
			kind: "service", unmanaged: []string{"limits.cpu"}, config: `{"image":"web:1","limits":{"cpu":1,"memory":2}}`,
			recorded: `{"image":"web:1","limits":{"memory":2}}`,
			other:    `{"image":"web:1","limits":{"memory":2}}`, theirs: `{"image":"web:1","limits":{"cpu":7,"memory":2}}`,
			edit: edit{`{"image":"web:1","limits":{"cpu":1,"memory":3}}`, `{"image":"web:1","limits":{"memory":3}}`},
		},
		"by a path, without a schema": {
			kind: "any", unmanaged: []string{`labels."a b"`, "list[1].n"},
			config:   `{"labels":{"a b":"x","c":"y"},"list":[{"n":1},{"m":2,"n":2}]}`,
			recorded: `{"labels":{"c":"y"},"list":[{"n":1},{"m":2}]}`,
			other:    `{"labels":{"a b":"z","c":"y"},"list":[{"n":1},{"m":2,"n":3}]}`,
			theirs:   `{"labels":{"a b":"theirs","c":"y"},"list":[{"n":1},{"m":2,"n":4}]}`,
			edit:     edit{`{"labels":{"a b":"z"},"list":[{"n":1},{"m":2,"n":3}]}`, `{"labels":{},"list":[{"n":1},{"m":2}]}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShared(t)
			plan, called := s.sync(t, declare(c.kind, c.config, c.unmanaged...), nil)
			require.Equal(t, []string{"create " + c.config}, called)
			require.Equal(t, []string{c.recorded}, s.recorded(t), "its value is not recorded")
			require.NotContains(t, plan.String(), "theirs")

			plan, called = s.sync(t, declare(c.kind, c.other, c.unmanaged...), nil)
			require.Empty(t, plan.Changes, "another value is no change: %s", plan)
			require.Empty(t, called)

			thing := s.live(t)
			thing.Config = json.RawMessage(c.theirs)
			require.NoError(t, s.Put(thing))
			plan, called = s.sync(t, declare(c.kind, c.config, c.unmanaged...), &sync.PlanOptions{Observe: true})
			require.Empty(t, plan.Changes, "what others make of it is no drift: %s", plan)
			require.Empty(t, called)
			drift, err := s.engine.Drift(t.Context())
			require.NoError(t, err)
			require.Empty(t, drift)
			require.JSONEq(t, c.theirs, string(s.live(t).Config))

			_, called = s.sync(t, declare(c.kind, c.edit.config, c.unmanaged...), nil)
			require.Equal(t, []string{"update " + c.edit.update}, called, "an update doesn't have it")
		})
	}
}

// To leave a field to others from now on changes nothing in the thing.
func TestPromise10_ToLeaveAFieldToOthersTouchesNothing(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	s.sync(t, declare("service", `{"image":"web:1"}`), nil)
	before := s.live(t)
	plan, called := s.sync(t, declare("service", `{"image":"web:1"}`, "image"), nil)
	require.Equal(t, map[diff.Op]int{diff.OpUpdate: 1}, plan.Counts())
	require.Contains(t, plan.String(), "image", "the plan says which")
	require.Empty(t, called)
	require.Equal(t, before, s.live(t))
	require.Equal(t, []string{`{}`}, s.recorded(t))
	plan, _ = s.sync(t, declare("service", `{"image":"web:9"}`, "image"), nil)
	require.Empty(t, plan.Changes)

	// With an edit of something else it is an update like any other.
	_, called = s.sync(t, declare("service", `{"image":"web:9","limits":{"cpu":1}}`, "image", "limits.memory"), nil)
	require.Equal(t, []string{`update {"limits":{"cpu":1}}`}, called)
}

// What becomes ours again has a value that the thing may not have: it is made so.
func TestPromise10_ToManageAFieldAgainMakesItWhatIsDeclared(t *testing.T) {
	t.Parallel()
	for _, config := range []string{`{"image":"web:1"}`, `{}`} {
		s := newShared(t)
		s.sync(t, declare("service", config, "image"), nil)
		_, called := s.sync(t, declare("service", config), nil)
		require.Equal(t, []string{"update " + config}, called)
		require.Equal(t, []string{config}, s.recorded(t))
	}
}

// Nor is there a call when the kind leaves a field of all its resources to others.
func TestPromise10_TheMarkInTheSchemaTouchesNothing(t *testing.T) {
	t.Parallel()
	type before struct {
		Image    string
		Replicas int
	}
	s := newShared(t)
	kinds := sync.Kinds(sync.Define[before]("service", sync.Handle(s.Finding())))
	engine, err := sync.New(s.backend, kinds, nil)
	require.NoError(t, err)
	desired := declare("service", `{"image":"web:1","replicas":3}`)
	syncAll(t, engine, desired, nil)
	live := s.live(t)
	plan, called := s.sync(t, desired, nil)
	require.Len(t, plan.Changes, 1)
	require.Empty(t, called)
	require.Equal(t, live, s.live(t))
	require.Equal(t, []string{`{"image":"web:1"}`}, s.recorded(t))
}

// A create that was cut off has made the thing: what carries it on is an update.
func TestPromise10_ACreateThatIsCarriedOnLeavesItToOthers(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	hook := s.Hook
	s.Hook = func(change diff.Change, done bool) error {
		if _, creates := change.(*diff.Create); creates && done {
			return errors.Join(sync.ErrUncertain, errors.New("the line is dead"))
		}
		return hook(change, done)
	}
	plan, err := s.engine.Plan(t.Context(), declare("service", `{"image":"web:1","replicas":3}`), nil)
	require.NoError(t, err)
	_, err = s.engine.Apply(t.Context(), plan)
	require.NoError(t, err, "it was found and updated at once")
	require.Equal(t, []string{`create {"image":"web:1","replicas":3}`, `update {"image":"web:1"}`}, s.called)
}

// What the backend itself stores is no exception.
func TestPromise10_TheBackendIsNotGivenItInAnUpdate(t *testing.T) {
	t.Parallel()
	var given []string
	b := &listening{Backend: syncertest.NewMemory(scope()), hear: func(change diff.Change) {
		switch c := change.(type) {
		case *diff.Create:
			given = append(given, "create "+string(c.Config))
		case *diff.Update:
			given = append(given, "update "+string(c.Config))
		}
	}}
	engine, err := sync.New(b, newShared(t).kinds, nil)
	require.NoError(t, err)
	syncAll(t, engine, declare("stored", `{"image":"web:1","replicas":3}`), nil)
	syncAll(t, engine, declare("stored", `{"image":"web:2","replicas":3}`), nil)
	require.Equal(t, []string{`create {"image":"web:1","replicas":3}`, `update {"image":"web:2"}`}, given)
}

// listening is a backend that tells what it is given to apply.
type listening struct {
	sync.Backend
	hear func(diff.Change)
}

func (l *listening) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	tx, head, err := l.Backend.Begin(ctx, owner)
	return &listeningTx{tx, l.hear}, head, err
}

type listeningTx struct {
	sync.Tx
	hear func(diff.Change)
}

func (tx *listeningTx) Apply(ctx context.Context, changes []diff.Change) ([]sync.Outcome, error) {
	for _, change := range changes {
		tx.hear(change)
	}
	return tx.Tx.Apply(ctx, changes)
}

// A path that leads nowhere is a slip, and a reference can't be somebody else's.
func TestPromise10_WhatCantBeUnmanagedIsNamed(t *testing.T) {
	t.Parallel()
	type member struct {
		Team  string `sync:"ref=service"`
		Alias string `sync:"unmanaged,ref=service"`
	}
	s := newShared(t)
	kinds := sync.Kinds(sync.Define[scaled]("service"), sync.Define[member]("member"), sync.Kind{Name: "any"})
	engine, err := sync.New(s.backend, kinds, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		kind, config string
		unmanaged    []string
		want         string
	}{
		{"service", `{"image":"web:1"}`, []string{"imag"}, `"imag"`},
		{"service", `{"image":"web:1"}`, []string{"image", "limits.disk"}, `"limits.disk"`},
		{"service", `{"image":"web:1"}`, []string{"image["}, `"image["`},
		{"any", `{"list":[1]}`, []string{"list[1]"}, `"list[1]"`},
		{"any", `{}`, []string{"config.value"}, `"config.value"`},
		{"member", `{"team":"web"}`, []string{"team"}, `"team"`},
		{"member", `{"alias":"web"}`, nil, `"alias"`},
	} {
		desired := declare(c.kind, c.config, c.unmanaged...)
		desired.Positions = map[state.Key]sync.Position{desired.Resources[0].Key: {File: "web.toml", Line: 7, Col: 1}}
		_, err := engine.Plan(t.Context(), desired, nil)
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, "web.toml:7:1: "+c.kind+"/web")
		require.ErrorContains(t, err, "unmanaged")
		var mistake sync.SyncErr
		require.ErrorAs(t, err, &mistake)
	}
}

// The set of the paths is one: neither order nor repetition means anything.
func TestUnmanagedPathsAreASet(t *testing.T) {
	t.Parallel()
	s := newShared(t)
	paths := []string{"image", "limits.cpu", "replicas"}
	s.sync(t, declare("service", `{"image":"web:1"}`, paths...), nil)
	slices.Reverse(paths)
	plan, _ := s.sync(t, declare("service", `{"image":"web:1"}`, append(paths, "image")...), nil)
	require.Empty(t, plan.Changes)
}
