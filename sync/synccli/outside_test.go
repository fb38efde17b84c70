package synccli_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/synccli"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// The kinds of what is outside.
type (
	lan struct {
		Range string `toml:"range" sync:"required,immutable"`
	}
	machine struct {
		Lan   string `toml:"lan" sync:"ref=lan"`
		Size  int    `toml:"size"`
		Token string `toml:"token" sync:"sensitive"`
	}
)

// outside is a bench whose kinds have Handlers: what they make are files.
type outside struct {
	*bench
	*syncertest.World
	runs *runs
}

// newOutside is a bench over a world, with a lan and a machine declared on it.
func newOutside(t *testing.T, handler func(*syncertest.World) tusync.Handler) *outside {
	t.Helper()
	o := &outside{bench: newBench(t), World: syncertest.NewWorld(t.TempDir()), runs: &runs{}}
	kinds := tusync.Kinds(
		tusync.Define[lan]("lan", tusync.Handle(handler(o.World))),
		tusync.Define[machine]("machine", tusync.Handle(handler(o.World)), tusync.Deploys(o.runs)))
	o.host.Kinds = kinds
	o.host.Load = func(_ context.Context, call *synccli.Call) (*synccli.Declaration, error) {
		if found, err := filepath.Glob(filepath.Join(call.Dir(), "*.toml")); err != nil || len(found) == 0 {
			return nil, synccli.ErrNoDeclaration
		}
		desired, err := manifest.Load(os.DirFS(call.Dir()), kinds, &manifest.Options{Dir: call.Dir(), AllowEmpty: true})
		return &synccli.Declaration{Desired: desired}, err
	}
	o.write("lan.toml", oneLan)
	o.write("machine.toml", oneMachine)
	return o
}

const (
	oneLan     = "[[lan]]\nname = \"home\"\nconfig.range = \"10.0.0.0/8\"\n"
	oneMachine = "[[machine]]\nname = \"web\"\nconfig = { lan = \"home\", size = 1, token = \"hunter2hunter2\" }\n"
)

// edit replaces a part of a file.
func (b *bench) edit(name, old, text string) {
	b.Helper()
	before, err := os.ReadFile(filepath.Join(b.dir, name))
	require.NoError(b, err)
	require.Equal(b, 1, strings.Count(string(before), old))
	b.write(name, strings.Replace(string(before), old, text, 1))
}

// thing returns the only thing of that key.
func (o *outside) thing(key string) syncertest.WorldThing {
	o.Helper()
	things, err := o.Things()
	require.NoError(o, err)
	var found []syncertest.WorldThing
	for _, thing := range things {
		if thing.Key == key {
			found = append(found, thing)
		}
	}
	require.Len(o, found, 1, "%s: %v", key, things)
	return found[0]
}

// runs is a Deployer: what it has deployed runs.
type runs struct {
	mu      sync.Mutex
	running map[string]state.Checksum // by key
	broken  error                     // of every deploy
}

func (r *runs) Deploy(_ context.Context, deploy *diff.Deploy) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return r.broken
	}
	if r.running == nil {
		r.running = map[string]state.Checksum{}
	}
	r.running[deploy.Key().String()] = deploy.Running
	return nil
}

// forget ends all that runs and returns what that was, in order.
func (r *runs) forget() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	were := slices.Sorted(maps.Keys(r.running))
	r.running = nil
	return were
}

func (r *runs) Health(_ context.Context, records []state.Record) []tusync.Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	healths := make([]tusync.Health, len(records))
	for i := range records {
		healths[i].Phase = tusync.Missing
		if sum, ok := r.running[records[i].Key.String()]; ok {
			healths[i] = tusync.Health{Phase: tusync.Healthy, Running: sum}
		}
	}
	return healths
}

func TestReplaceIsShownAskedForAndCountedOnce(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	o.must("sync")
	o.edit("lan.toml", "10.0.0.0/8", "10.0.0.0/16")
	got := o.run("sync")
	require.Equal(t, 1, got.code)
	require.Equal(t, "shop: 1 resource would be replaced, and nobody is here to be asked: give --yes if that is meant\n", got.err)

	o.atTerminal("n\n")
	got = o.run("sync")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "Carry out 2 changes, with 1 resource to be replaced? [y/N] ")

	o.stdio.InTerminal = false
	out := o.must("sync", "--yes")
	require.Contains(t, out, "deleted the old lan/home\n")
	require.Contains(t, out, "replaced lan/home\n")
	require.Contains(t, out, "Done: 1 updated, 1 replaced, 0 unchanged;")
	o.must("plan")
}

func TestReplaceForPrograms(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	o.must("sync")
	o.edit("lan.toml", "10.0.0.0/8", "10.0.0.0/16")
	require.Contains(t, o.run("sync", "--json").out, "would be replaced")
	out := o.must("sync", "--json", "--yes")
	require.Regexp(t, `(?m)^{"seq":\d+,"event":"end","op":"delete","replaced":true,"id":"thing-\w+","status":"done",.*"key":"lan/home"}$`, out)
	require.Regexp(t, `{"op":"delete","key":"lan/home","id":"thing-\w+","replaced":true,"status":"done"}`, out)
	require.Regexp(t, `{"op":"replace","key":"lan/home","id":"thing-\w+","status":"done"}`, out)
}

// What was deleted is said to be, if what takes its place couldn't be created.
func TestHalfAReplace(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	o.remove("machine.toml")
	o.must("sync")
	o.edit("lan.toml", "10.0.0.0/8", "10.0.0.0/16")
	o.Hook = func(change diff.Change, done bool) error {
		if change.Op() == diff.OpReplace && !done {
			return errors.New("no range is free")
		}
		return nil
	}
	got := o.run("sync", "--yes")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "deleted the old lan/home\nfailed to replace lan/home\n")
	require.Contains(t, got.out, "Not finished: 1 deleted, 1 failed, 0 unchanged;")
	o.Hook = nil
	o.must("sync", "--yes")
	o.must("plan")
}

func TestDeploysAreShown(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	o.edit("machine.toml", "name =", "deploy = true\nname =")
	got := o.run("plan")
	require.Equal(t, 2, got.code)
	require.Contains(t, got.out, "» machine/web is deployed: it is new\n")
	o.runs.broken = errors.New("no such image")
	got = o.run("sync")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "failed to deploy machine/web\n")
	require.Contains(t, got.out, "Not finished: 2 created, 1 failed,")
	require.Regexp(t, `(?m)^machine/web .* deploy pending$`, o.must("state"))
	require.Regexp(t, `(?m)^pending: deploy of machine/web, since serial \d+, tried 1 time: no such image$`, o.must("state"))

	o.runs.broken = nil
	require.Contains(t, o.must("sync"), "deployed machine/web\nDone: 1 deployed, 2 unchanged;")
	o.must("plan")
	require.NotContains(t, o.must("state"), "pending:")
}

func TestAdoptWhatIsFound(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "lan-1", Key: "lan/home", Config: json.RawMessage(`{"range":"10.0.0.0/8"}`)}))
	got := o.run("sync")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "lan/home: exists already, as lan-1, and is not recorded")
	require.Contains(t, got.err, "\"shop adopt lan/home - $DIR\" takes it over.\n")

	// Of a directory that might be an ID, it doesn't guess.
	require.Contains(t, o.run("adopt", "lan/home").err, "may be an ID")
	out := o.must("adopt", "lan/home", "-")
	require.Contains(t, out, "> lan/home [lan-1] exists and is adopted\n")
	require.Contains(t, out, "adopted lan/home\nDone: 1 adopted, 0 unchanged;")
	require.NotContains(t, out, "machine/web", "it is not asked for")
	require.Contains(t, o.must("sync"), "Done: 1 created, 1 unchanged;")
	require.Equal(t, "lan-1", o.thing("lan/home").ID)
}

// What it needs isn't taken over with it: that has to be said, too.
func TestAdoptOneThingAtATime(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "m-1", Key: "machine/web", Config: json.RawMessage(`{}`)}))
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "lan-1", Key: "lan/home", Config: json.RawMessage(`{"range":"10.0.0.0/16"}`)}))
	require.Contains(t, o.run("plan").err, "\"shop adopt KIND/NAME - $DIR\" takes it over.\n")
	got := o.run("adopt", "machine/web", "-")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "lan/home: exists already, as lan-1, and is not recorded")
	require.NotContains(t, got.err, "machine/web: exists")
	require.Contains(t, got.err, "\"shop adopt lan/home - $DIR\" takes it over.\n")
	got = o.run("adopt", "lan/home", "-")
	require.Contains(t, got.err, "range can't be changed in what exists")
	require.NotContains(t, got.err, "takes it over", "that is what was tried")
	o.edit("lan.toml", "10.0.0.0/8", "10.0.0.0/16")
	o.must("adopt", "lan/home", "-")
	o.must("adopt", "machine/web", "-")
	o.must("plan")
}

func TestAdoptByID(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Idempotent)
	require.NoError(t, o.Put(syncertest.WorldThing{ID: "m-1", Key: "?", Config: json.RawMessage(`{"size":9}`)}))
	got := o.run("adopt", "machine/web", "m-2")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "machine/web: can't be adopted: there is no such thing\n")
	require.Contains(t, o.run("adopt", "machine/db", "m-1").err, "machine/db: can't be adopted: it isn't declared")

	o.atTerminal("y\n")
	got = o.run("adopt", "machine/web", "m-1")
	require.Zero(t, got.code, got.err)
	require.Contains(t, got.err, "Carry out 2 changes? [y/N] ")
	require.Contains(t, got.out, "size: 9 → 1\n")
	require.Contains(t, got.out, "created lan/home\nadopted machine/web\n", "what it needs comes with it")
	require.NotContains(t, got.out+got.err, "hunter2")
	o.must("plan")
}

func TestUncertainNamesTheCommands(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Handler)
	o.remove("machine.toml")
	o.Hook = func(_ diff.Change, done bool) error {
		if done {
			return context.DeadlineExceeded
		}
		return nil
	}
	require.Equal(t, 1, o.run("sync").code)
	o.Hook = nil
	got := o.run("sync", "--org", "default")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "nobody knows whether it exists")
	require.Contains(t, got.err, "If it exists: \"shop adopt --org default lan/home ID $DIR\". If not: \"shop forget --org default lan/home $DIR\".\n")

	lost := o.thing("lan/home").ID
	require.Contains(t, o.must("adopt", "lan/home", lost), "adopted lan/home\n")
	require.Equal(t, lost, o.thing("lan/home").ID)
	o.must("plan")
}

// Somebody who knows that it isn't there says so.
func TestForgetAnInterruptedCreate(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Handler)
	o.remove("machine.toml")
	o.Hook = func(_ diff.Change, done bool) error {
		if done {
			return context.DeadlineExceeded
		}
		return nil
	}
	require.Equal(t, 1, o.run("sync").code)
	o.Hook = nil
	require.NoError(t, o.Remove(o.thing("lan/home").ID))
	require.Contains(t, o.must("forget", "lan/home"), "forgotten lan/home\n")
	require.Contains(t, o.must("sync"), "created lan/home\n")
	require.Contains(t, o.run("forget", "lan/home").err, "can't be forgotten: it is declared")
}

func TestDrift(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	o.must("sync")
	require.Equal(t, "No drift in default/app.\n", o.must("drift"))
	require.JSONEq(t, `{"drift":[]}`, o.must("drift", "--json"))

	web := o.thing("machine/web")
	home := o.thing("lan/home")
	web.Config = json.RawMessage(strings.Replace(string(web.Config), `"size":1`, `"size":4`, 1))
	require.NoError(t, o.Put(web))
	require.NoError(t, o.Remove(home.ID))
	got := o.run("drift")
	require.Equal(t, outcome{1, "- lan/home [" + home.ID + "] is gone\n" +
		"~ machine/web\n    size: 4 (changed behind our back; recorded 1) → 1\n" +
		"Drift in default/app: 1 changed behind our back, 1 gone.\n", ""}, got)
	got = o.run("drift", "--json")
	require.Equal(t, 1, got.code)
	var found struct {
		Drift []struct {
			Key, ID string
			Gone    bool
			Fields  []struct{ Path string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got.out), &found))
	require.Equal(t, "lan/home", found.Drift[0].Key)
	require.True(t, found.Drift[0].Gone)
	require.Equal(t, web.ID, found.Drift[1].ID)
	require.Equal(t, "config.size", found.Drift[1].Fields[0].Path)
}

func TestDriftWithoutAnObserver(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Handler)
	require.Equal(t, outcome{1, "", "shop: nothing can be observed: no kind has an Observer\n"}, o.run("drift"))
}

// A secret is nowhere but in the world.
func TestSecretsAreNotShown(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	file := filepath.Join(t.TempDir(), "plan")
	var all strings.Builder
	for _, step := range []struct {
		code int
		args []string
	}{
		{0, []string{"validate"}},
		{2, []string{"plan", "--plan-file", file}},
		{2, []string{"plan", "--json"}},
		{0, []string{"sync", "--json", "--plan-file", file}},
		{0, []string{"state"}},
		{0, []string{"state", "--json"}},
	} {
		got := o.run(step.args...)
		require.Equal(t, step.code, got.code, got.err)
		all.WriteString(got.out + got.err)
	}
	saved, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, all.String()+string(saved), "hunter2")
	require.Contains(t, string(o.thing("machine/web").Config), "hunter2hunter2")
}
