package sync_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/internal/canary"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// account has a secret; site has none.
type (
	account struct {
		Name  string
		Token sync.Secret
		Other string `sync:"sensitive"`
		Keys  []sync.Secret
	}
	site struct{ Name string }
)

func accountKinds(options ...sync.KindOption) *sync.KindSet {
	return sync.Kinds(sync.Define[account]("account", options...), sync.Define[account]("robot"), sync.Define[site]("site"))
}

// accounts declares accounts with these tokens, by name, and a site.
func accounts(t testing.TB, tokens map[string]string) *sync.Desired {
	t.Helper()
	kinds := accountKinds()
	page, err := kinds.Resource("site", "page", site{Name: "page"})
	require.NoError(t, err)
	desired := &sync.Desired{Resources: []state.Resource{page}}
	for name, token := range tokens {
		r, err := kinds.Resource("account", name, account{Name: name, Token: sync.Secret(token)})
		require.NoError(t, err)
		desired.Resources = append(desired.Resources, r)
	}
	return desired
}

func accountEngine(t testing.TB, b sync.Backend, opts *sync.Options) *sync.Engine {
	t.Helper()
	engine, err := sync.New(b, accountKinds(), opts)
	require.NoError(t, err)
	return engine
}

// token is what nothing else has.
func token(n int) string { return fmt.Sprintf("token-%s-%d", canary.Value(), n) }

// recordedConfig returns the Config that is recorded of a resource.
func recordedConfig(t testing.TB, b sync.Backend, name string) map[string]any {
	t.Helper()
	record := recordsIn(t, b)[name]
	declared, err := b.Declared(t.Context(), []state.Checksum{record.Checksum})
	require.NoError(t, err)
	var config map[string]any
	require.NoError(t, json.Unmarshal(declared[record.Checksum].Config, &config))
	return config
}

func TestPromise10_AFirstPlanNeedsNoKeyAndMakesNone(t *testing.T) {
	t.Parallel()
	b := syncertest.NewMemory(scope())
	desired := accounts(t, map[string]string{"ada": token(1)})
	first := plan(t, accountEngine(t, b, nil), desired, nil)
	key, err := b.DigestKey(t.Context())
	require.NoError(t, err)
	require.Nil(t, key, "a plan has no side effects")
	second := plan(t, accountEngine(t, b.Reopen(), nil), desired, nil)
	other := plan(t, accountEngine(t, b, nil), accounts(t, map[string]string{"ada": token(2)}), nil)
	var digests []state.Checksum
	for _, p := range []*sync.Plan{first, second, other} {
		digest, err := p.Digest()
		require.NoError(t, err)
		digests = append(digests, digest)
	}
	require.Equal(t, digests[0], digests[1], "another process plans the same")
	require.Equal(t, digests[0], digests[2], "there is nothing in it to try a dictionary on")

	engine := accountEngine(t, b, nil)
	_, err = engine.Apply(t.Context(), second)
	require.NoError(t, err)
	key, err = b.DigestKey(t.Context())
	require.NoError(t, err)
	require.Len(t, key, 32)
	require.True(t, plan(t, engine, desired, nil).IsEmpty())
	require.True(t, plan(t, accountEngine(t, b.Reopen(), nil), desired, nil).IsEmpty())
}

// A plan that was saved before there was a key is one to be applied, whoever made
// the key meanwhile.
func TestPromise10_APlanSavedWithoutAKeyStillHolds(t *testing.T) {
	t.Parallel()
	b := syncertest.NewMemory(scope())
	desired := accounts(t, map[string]string{"ada": token(1)})
	var file bytes.Buffer
	require.NoError(t, plan(t, accountEngine(t, b, nil), desired, nil).Encode(&file))
	_, err := b.KeepDigestKey(t.Context(), bytes.Repeat([]byte("k"), 32))
	require.NoError(t, err)
	engine := accountEngine(t, b, nil)
	loaded, err := engine.LoadPlan(t.Context(), bytes.NewReader(file.Bytes()), desired)
	require.NoError(t, err)
	_, err = engine.Apply(t.Context(), loaded)
	require.NoError(t, err)
	require.True(t, plan(t, engine, desired, nil).IsEmpty())

	_, err = engine.LoadPlan(t.Context(), &file, accounts(t, map[string]string{"ada": token(2)}))
	require.ErrorIs(t, err, sync.ErrStale)
}

// However many are the first, all digests are made with one key.
func TestPromise10_RacingFirstAppliesAgreeOnTheKey(t *testing.T) {
	t.Parallel()
	b := syncertest.NewMemory(scope())
	tokens := map[string]string{}
	for n := range 8 {
		tokens[fmt.Sprint("n", n)] = token(n)
	}
	desired := accounts(t, tokens)
	errs := make(chan error)
	for name := range tokens {
		engine := accountEngine(t, b.Reopen(), nil)
		p := plan(t, engine, desired, &sync.PlanOptions{Wait: true, Selection: &sync.Selection{Keys: []state.Key{{Kind: "account", Name: name}}}})
		require.Len(t, p.Changes, 1)
		go func() {
			_, err := engine.Apply(t.Context(), p)
			errs <- err
		}()
	}
	for range tokens {
		require.NoError(t, <-errs)
	}
	left := plan(t, accountEngine(t, b, nil), desired, nil)
	require.Equal(t, []string{"create page"}, planned(left), "%s", left)
}

// With another key everything differs that has a secret, and nothing else; and
// nothing of the secrets is to be seen.
func TestPromise10_AnotherKeyMakesWhatIsSensitiveDiffer(t *testing.T) {
	t.Parallel()
	b := syncertest.NewMemory(scope())
	desired := accounts(t, map[string]string{"ada": token(1), "bob": token(2), "nobody": ""})
	keys := [][]byte{[]byte("a key of sixteen bytes"), []byte("another one of sixteen")}
	syncAll(t, accountEngine(t, b, &sync.Options{DigestKey: keys[0]}), desired, nil)
	before := recordedConfig(t, b, "ada")["token"]
	kept, err := b.DigestKey(t.Context())
	require.NoError(t, err)
	require.Nil(t, kept, "the host's key is the host's to keep")

	other := accountEngine(t, b, &sync.Options{DigestKey: keys[1]})
	p := plan(t, other, desired, nil)
	require.Equal(t, []string{"update ada", "update bob"}, planned(p))
	canary.New(canary.Value(), string(keys[0]), string(keys[1])).NotIn(t, "the plan", p)
	_, err = other.Apply(t.Context(), p)
	require.NoError(t, err)
	require.True(t, plan(t, other, desired, nil).IsEmpty())
	require.NotEqual(t, before, recordedConfig(t, b, "ada")["token"])

	syncAll(t, accountEngine(t, b, &sync.Options{DigestKey: keys[0]}), desired, nil)
	require.Equal(t, before, recordedConfig(t, b, "ada")["token"], "the same key makes the same digests")
}

func TestPromise10_AKeyHasToComeFromSomewhere(t *testing.T) {
	t.Parallel()
	keyless := struct{ sync.Backend }{syncertest.NewMemory(scope())} // keeps none
	desired := accounts(t, map[string]string{"ada": token(1)})
	engine := accountEngine(t, keyless, nil)
	_, err := engine.Plan(t.Context(), desired, nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "Options.DigestKey")
	syncAll(t, accountEngine(t, keyless, &sync.Options{DigestKey: bytes.Repeat([]byte("k"), 16)}), desired, nil)
	syncAll(t, newEngine(t, struct{ sync.Backend }{syncertest.NewMemory(scope())}, nil), desire(t, "a"), nil) // nothing is sensitive

	_, err = sync.New(keyless, accountKinds(), &sync.Options{DigestKey: bytes.Repeat([]byte("k"), 15)})
	require.ErrorContains(t, err, "15 bytes: want at least 16")
}

// brokenKeeper can't read or keep a key.
type brokenKeeper struct {
	*syncertest.Memory
	read, keep error
}

func (b *brokenKeeper) DigestKey(ctx context.Context) ([]byte, error) {
	if b.read != nil {
		return nil, b.read
	}
	return b.Memory.DigestKey(ctx)
}

func (b *brokenKeeper) KeepDigestKey(context.Context, []byte) ([]byte, error) { return nil, b.keep }

func TestPromise10_WithoutAKeyNothingIsRecorded(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	desired := accounts(t, map[string]string{"ada": token(1)})
	_, err := accountEngine(t, &brokenKeeper{Memory: syncertest.NewMemory(scope()), read: refused}, nil).Plan(t.Context(), desired, nil)
	require.ErrorIs(t, err, refused)

	b := &brokenKeeper{Memory: syncertest.NewMemory(scope()), keep: refused}
	engine := accountEngine(t, b, nil)
	_, err = engine.Apply(t.Context(), plan(t, engine, desired, nil))
	require.ErrorIs(t, err, refused)
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	require.Zero(t, head.Serial)
	holder, err := b.Holder(t.Context())
	require.NoError(t, err)
	require.Nil(t, holder, "the lease was given back")
}

// A new secret is an update of the one resource that has it, without the values.
func TestPromise10_ARotatedSecretIsOneUpdate(t *testing.T) {
	t.Parallel()
	b := syncertest.NewMemory(scope())
	engine := accountEngine(t, b, nil)
	syncAll(t, engine, accounts(t, map[string]string{"ada": token(1), "bob": token(2)}), nil)
	p := plan(t, engine, accounts(t, map[string]string{"ada": token(1), "bob": token(3)}), nil)
	require.Equal(t, "~ account/bob\n    token: (sensitive) → (sensitive)\nPlan: 1 to update, 2 unchanged.\n", p.String())
	require.Equal(t, []diff.Field{{Path: "config.token", Sensitive: true}}, p.Changes[0].Change.(*diff.Update).Fields)
	var shown struct {
		Changes []struct{ Fields json.RawMessage }
	}
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &shown))
	require.JSONEq(t, `[{"path":"config.token","sensitive":true}]`, string(shown.Changes[0].Fields))
	_, err = engine.Apply(t.Context(), p)
	require.NoError(t, err)
	require.True(t, plan(t, engine, accounts(t, map[string]string{"ada": token(1), "bob": token(3)}), nil).IsEmpty())
}

// What the digests tell to one without the key: where the same value stands in the
// same field of the same kind, and nothing else.
func TestPromise10_WhatADigestTells(t *testing.T) {
	t.Parallel()
	b := syncertest.NewMemory(scope())
	kinds := accountKinds()
	var desired sync.Desired
	declare := func(kind, name string, a account) {
		r, err := kinds.Resource(kind, name, a)
		require.NoError(t, err)
		desired.Resources = append(desired.Resources, r)
	}
	declare("account", "one", account{Token: "same", Other: "same", Keys: []sync.Secret{"same"}})
	declare("account", "two", account{Token: "same", Other: "else"})
	declare("robot", "three", account{Token: "same"})
	engine := accountEngine(t, b, nil)
	syncAll(t, engine, &desired, nil)

	one, two, three := recordedConfig(t, b, "one"), recordedConfig(t, b, "two"), recordedConfig(t, b, "three")
	require.Regexp(t, "^hmac-sha256:[0-9a-f]{64}$", one["token"])
	require.Equal(t, one["token"], two["token"], "the same field of the same kind")
	for _, other := range []any{one["other"], one["keys"], two["other"], three["token"]} {
		require.NotEqual(t, one["token"], other)
	}

	moved := desired
	moved.Moves = []sync.Move{{From: state.Key{Kind: "account", Name: "two"}, To: state.Key{Kind: "account", Name: "zwei"}}}
	moved.Resources = append([]state.Resource(nil), desired.Resources...)
	moved.Resources[1].Name = "zwei"
	p := plan(t, engine, &moved, nil)
	require.Equal(t, map[diff.Op]int{diff.OpMove: 1}, p.Counts())
	require.Empty(t, p.Changes[0].Change.(*diff.Update).Fields, "who only moves keeps his digest")
}

// A field that becomes sensitive isn't shown any more, what it was included.
func TestPromise10_WhatBecomesSensitiveIsNoLongerShown(t *testing.T) {
	t.Parallel()
	type open struct{ Token string }
	type closed struct{ Token sync.Secret }
	b := syncertest.NewMemory(scope())
	engineOf := func(kinds *sync.KindSet) *sync.Engine {
		engine, err := sync.New(b, kinds, nil)
		require.NoError(t, err)
		return engine
	}
	before := sync.Kinds(sync.Define[open]("account"))
	r, err := before.Resource("account", "ada", open{Token: token(1)})
	require.NoError(t, err)
	desired := &sync.Desired{Resources: []state.Resource{r}}
	syncAll(t, engineOf(before), desired, nil)
	after := engineOf(sync.Kinds(sync.Define[closed]("account")))
	p := plan(t, after, desired, nil)
	require.Equal(t, map[diff.Op]int{diff.OpUpdate: 1}, p.Counts())
	require.NotContains(t, p.String(), token(1))
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	require.NotContains(t, string(raw), token(1))
	syncAll(t, after, desired, nil)
	require.NotContains(t, fmt.Sprint(recordedConfig(t, b, "ada")), token(1))
}

// Config is in a change for as long as it is carried out, and in nothing that
// anybody is left with.
func TestPromise10_NothingKeepsAConfig(t *testing.T) {
	t.Parallel()
	world := syncertest.NewWorld(t.TempDir())
	var given atomic.Int32
	world.Hook = func(change diff.Change, _ bool) error {
		switch c := change.(type) {
		case *diff.Create:
			require.Contains(t, string(c.Config), canary.Value())
		case *diff.Update:
			require.Contains(t, string(c.Config), canary.Value())
		}
		given.Add(1)
		return nil
	}
	engine, err := sync.New(syncertest.NewMemory(scope()), accountKinds(sync.Handle(world.Finding())), nil)
	require.NoError(t, err)
	secrets := canary.New(canary.Value())
	for n := range 2 {
		p := plan(t, engine, accounts(t, map[string]string{"ada": token(n), "bob": token(7)}), nil)
		result, err := engine.Apply(t.Context(), p)
		require.NoError(t, err)
		secrets.NotIn(t, "the plan", p)
		secrets.NotIn(t, "the plan by value", *p)
		secrets.NotIn(t, "the result", result)
		for _, change := range result.Changes {
			switch c := change.Change.(type) {
			case *diff.Create:
				require.Nil(t, c.Config)
			case *diff.Update:
				require.Nil(t, c.Config)
			}
		}
	}
	require.EqualValues(t, 6, given.Load())
}

// Whoever prints an engine doesn't print its key.
func TestPromise10_TheKeyDoesNotPrint(t *testing.T) {
	t.Parallel()
	key := "a key that nobody is to see"
	engine := accountEngine(t, syncertest.NewMemory(scope()), &sync.Options{DigestKey: []byte(key)})
	canary.New(key).NotIn(t, "the engine", engine)
}

// A file with a mistake in it is told of without the secrets in it.
func TestPromise10_MistakesInFilesDontShowSecrets(t *testing.T) {
	t.Parallel()
	secrets := canary.New(canary.Value(), "9182736450000")
	for _, body := range []string{
		"config.token = [%q]", "config.token = {a = %q}", "config.token = 9182736450000", "config.token = 9182736450000.5", "config.keys = %q", "config.keys = [[%q]]",
		"config.keys = [%q, 9182736450000]", "token = %q", "tokn = %q", "config.tokn = %q", "config.token = %q x", "config.token = %q\nconfig.token = %[1]q",
		"config.token = '%s", "config.token = \"%s\\q\"", "config.token = %s", "config.token = \"%s\x00\"", "config.token = \"%s\xff\"", "config.token = %q, after = 1",
		"config.other = [{%s = 1}]", "config = %q", "tags = %q\nconfig.token = 9182736450000", "after = [%q]\nconfig.token = 1",
	} {
		if strings.Contains(body, "%") {
			body = fmt.Sprintf(body, token(1))
		}
		if strings.HasPrefix(body, "tags") || strings.HasPrefix(body, "after") {
			body = strings.ReplaceAll(body, token(1), "public") // what is not sensitive may be shown
		}
		files := fstest.MapFS{"a.toml": {Data: []byte("[[account]]\nname = \"ada\"\n" + body + "\n")}}
		_, err := manifest.Load(files, accountKinds(), nil)
		require.Error(t, err, body)
		secrets.NotIn(t, body, err)
	}
}
