package syncertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// What is sensitive is nowhere to be found, whatever becomes of a resource.
func secretsStaySecret(t *testing.T, s *Suite) {
	c := newSecrecy(t, s)
	all := []string{"vault/a", "gate/b", "door/c"}
	require.Equal(t, map[diff.Op]int{diff.OpCreate: 3, diff.OpDeploy: 1}, opsIn(c.sync(c.desire(0, all...), nil)))
	require.Empty(t, c.sync(c.desire(0, all...), nil).Changes)
	require.Equal(t, map[diff.Op]int{diff.OpUpdate: 3, diff.OpDeploy: 1}, opsIn(c.sync(c.desire(1, all...), nil)))

	elsewhere := c.desire(1, all...)
	for i := range elsewhere.Resources {
		r := &elsewhere.Resources[i]
		r.Config = diff.Substitute(r.Config, map[string]json.RawMessage{"region": json.RawMessage(`"there"`)})
	}
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 3, diff.OpDelete: 3, diff.OpDeploy: 1}, opsIn(c.sync(elsewhere, nil)))

	moved := c.desire(2, "vault/x", "gate/y", "door/z")
	for i, r := range elsewhere.Resources {
		moved.Moves = append(moved.Moves, tusync.Move{From: r.Key, To: moved.Resources[i].Key})
	}
	c.sync(moved, nil)
	require.Equal(t, map[diff.Op]int{diff.OpOrphan: 2}, opsIn(c.sync(c.desire(2, "vault/x"), nil)))
	c.sync(c.desire(0, "vault/x", "door/z"), nil)
	require.Equal(t, map[diff.Op]int{diff.OpDelete: 2}, opsIn(c.sync(c.desire(0, "vault/x"), &tusync.PlanOptions{Prune: true})))
	c.past(3)
}

// What is live has secrets of its own, which nobody here has declared.
func liveSecretsStaySecret(t *testing.T, s *Suite) {
	c := newSecrecy(t, s)
	foreign := c.desire(2, "gate/b").Resources[0].Config
	require.NoError(t, c.world.Put(WorldThing{ID: "found", Key: "gate/b", Config: foreign}))
	_, err := c.apply(c.desire(0, "gate/b"), nil)
	require.ErrorIs(t, err, tusync.ErrExists)
	require.Equal(t, map[diff.Op]int{diff.OpAdopt: 1}, opsIn(c.sync(c.desire(0, "gate/b"), &tusync.PlanOptions{Existing: tusync.ExistingAdopt})))
	require.Empty(t, c.sync(c.desire(0, "gate/b"), &tusync.PlanOptions{Observe: true}).Changes)

	require.NoError(t, c.world.Put(WorldThing{ID: "found", Key: "gate/b", Config: foreign}))
	drift, err := c.engine().Drift(t.Context())
	require.NoError(t, err)
	require.Len(t, drift, 1)
	c.secrets.NotIn(t, "the drift", drift)
	c.secrets.NotIn(t, "the drift in JSON", diff.JSONOf(drift[0], c.kinds.Schema))
	require.Equal(t, map[diff.Op]int{diff.OpUpdate: 1}, opsIn(c.sync(c.desire(0, "gate/b"), &tusync.PlanOptions{Observe: true})))

	for _, broken := range []string{`{"text":"` + secret(2, 0) + `"`, `["` + secret(2, 0) + `"]`, `{"pin":"` + secret(2, 0) + `"}`, `{"map":{"` + secret(2, 0) + `":1,"` + secret(2, 0) + `":2}}`} {
		require.NoError(t, c.world.Put(WorldThing{ID: "found", Key: "gate/b", Config: foreign}))
		c.live = json.RawMessage(broken)
		_, _ = c.apply(c.desire(0, "gate/b"), &tusync.PlanOptions{Observe: true}) // an error or not: what counts is what it says
	}
}

// A mistake in a declaration is told of without the value, where that is sensitive.
func mistakesDontShowSecrets(t *testing.T, s *Suite) {
	c := newSecrecy(t, s)
	hidden, err := json.Marshal(quotedSecret(0))
	require.NoError(t, err)
	for _, config := range []string{
		`{"pin":%s}`, `{"pin":{"a":%s}}`, `{"list":%s}`, `{"list":[{"a":%s}]}`, `{"list":[1,%s]}`, `{"map":[%s]}`, `{"map":{%s:1}}`, `{"map":{%[1]s:"a",%[1]s:"b"}}`,
		`{"login":%s}`, `{"login":{"name":%s}}`, `{"login":{%s:1}}`, `{"users":[{"password":[%s]}]}`, `{"teams":{"red":[{"recovery":%s}]}}`, `{"optional":[%s]}`,
		`{"text":%s`, `{"text":%s}}`, `{"text":%s "a"}`, `{"quoted":"\ud800 %s"}`, `{"any":{"a":%[1]s,"a":%[1]s}}`, `{"pin":918273645.5}`, `{"pin":"9182736450000"}`, `{"text":9182736450000}`, `{"pin":9182736450000e999999999999}`,
	} {
		if bytes.Contains([]byte(config), []byte("%")) {
			config = fmt.Sprintf(config, hidden)
		}
		r := state.Resource{Key: state.Key{Kind: "gate", Name: "b"}, Config: json.RawMessage(config)}
		_, _, err := c.plan(&tusync.Desired{Resources: []state.Resource{r}}, nil)
		require.Error(t, err, config)
		_, err = c.kinds.Resource("gate", "b", json.RawMessage(config))
		require.Error(t, err, config)
		c.secrets.NotIn(t, "a mistake", err)
	}
	for _, value := range []any{
		vault{Text: secret(0, 1) + "\xff"}, vault{Quoted: tusync.Secret(secret(0, 1) + "\xff")}, vault{List: []string{secret(0, 1) + "\xff"}},
		vault{Map: map[string]string{secret(0, 1): "\xff"}}, vault{Any: map[string]any{secret(0, 1): func() {}}}, vault{Any: json.Number(secret(0, 1))},
		map[string]any{"text": secret(0, 1) + "\xff"}, map[string]any{"map": map[string]string{secret(0, 1): "\xff"}}, map[string]any{"pin": json.Number(secret(0, 1))},
	} {
		_, err := c.kinds.Resource("gate", "b", value)
		require.Error(t, err)
		c.secrets.NotIn(t, "a mistake in Go", err)
	}
}

// Whoever was given a Config may quote it in his error, in every way there is.
func secretsStaySecretHoweverQuoted(t *testing.T, s *Suite) {
	c := newSecrecy(t, s)
	quotations := quotations()
	var keys []string
	for how := range quotations {
		keys = append(keys, "gate/"+how)
	}
	declared := func(version int) *tusync.Desired {
		desired := c.desire(version, keys...)
		for i := range desired.Resources {
			desired.Resources[i].After = nil // all fail
		}
		return desired
	}
	c.sync(declared(0), nil)
	var said atomic.Int32
	c.says = func(who string, key state.Key, config json.RawMessage) error {
		if who != "apply" || key.Name == "throttled" && said.Load() > 0 {
			return nil
		}
		said.Add(1)
		return quotations[key.Name](config)
	}
	result, err := c.apply(declared(1), nil)
	require.Error(t, err)
	require.Equal(t, len(quotations)-1, result.Count(tusync.Failed), "all but what is throttled")
	c.says = nil
	require.Len(t, c.sync(declared(1), nil).Changes, len(quotations)-1)
}

// Everybody who has seen a Config may quote it, whatever he is asked for.
func secretsStaySecretWhoeverFails(t *testing.T, s *Suite) {
	c := newSecrecy(t, s)
	quotations := quotations()
	all := []string{"vault/a", "gate/b", "door/c"}
	c.sync(c.desire(0, all...), nil)
	version := 0
	fails := func(who, how string) {
		c.t = t
		said := false
		c.says = func(speaker string, _ state.Key, config json.RawMessage) error {
			if speaker != who {
				return nil
			}
			said = true
			return quotations[how](config)
		}
		opts := &tusync.PlanOptions{OnFailure: tusync.KeepGoing, Observe: true}
		c.seen = c.desire(version, all...).Resources[0].Config
		_, _ = c.apply(c.desire(version, all...), opts) // some have a say when nothing changes
		version = 1 - version
		after := c.desire(version, append(all, "gate/"+who+" "+how)...)
		c.seen = after.Resources[0].Config
		_, err := c.apply(after, opts)
		require.Error(t, err, "%s %s", who, how)
		require.True(t, said, "%s %s %v", who, how, err)
		c.says = nil
		c.sync(after, nil)
	}
	for _, who := range []string{"apply", "applied", "find", "observe", "normalize", "deploy", "health", "unhealthy", "commit", "backend"} {
		if who != "backend" || !s.onlyOwnKinds {
			fails(who, "as JSON")
		}
	}
	for _, who := range []string{"apply", "find", "observe", "normalize", "deploy", "health"} {
		fails(who, "in a panic")
	}
}
