package synccli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// The life of a declaration, as somebody sees it who pipes the output.
func TestTranscript(t *testing.T) {
	b := newShop(t)
	var transcript strings.Builder
	show := func(code int, args ...string) {
		t.Helper()
		got := b.run(args...)
		require.Equal(t, code, got.code, "%q: %+v", args, got)
		require.Empty(t, got.err)
		transcript.WriteString("$ shop " + strings.Join(args, " ") + " DIR\n" + got.out + "\n")
	}
	show(0, "validate")
	show(2, "plan")
	show(0, "state")
	show(0, "sync")
	show(0, "sync")
	b.write("server.toml", strings.Replace(oneServer, "10.0.0.1", "10.0.0.2", 1))
	show(2, "plan")
	show(0, "sync")
	b.remove("server.toml")
	show(2, "plan")
	show(0, "sync")
	show(0, "plan")
	show(0, "sync")
	show(0, "orphans")
	show(0, "prune", "--yes")
	show(0, "prune")
	show(0, "orphans")
	golden(t, "transcript.txt", transcript.String())
}

func TestUnchangedSyncRecordsNothing(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	serial := b.serial()
	require.Contains(t, b.must("sync"), "No changes: 2 as declared.\n")
	require.Equal(t, serial, b.serial())
}

func (b *bench) state() *state.State {
	b.Helper()
	s, err := state.Decode(strings.NewReader(b.must("state", "--json")))
	require.NoError(b, err)
	return s
}

func (b *bench) serial() int64 { b.Helper(); return b.state().Serial }

func TestStateShowsWhatIsRecorded(t *testing.T) {
	b := newShop(t)
	require.Equal(t, "Nothing is recorded of default/app.\n", b.must("state"))
	b.must("sync", "--account", "ada", "--org", "acme", "--app", "site")
	out := b.must("state", "--org", "acme", "--app", "site")
	require.Regexp(t, `^acme/site, serial \d+, by ada, \d{4}-`, out)
	require.Regexp(t, `(?m)^RESOURCE +TYPE +ID +CHECKSUM$`, out)
	require.Regexp(t, `(?m)^server/web +- +\w+ +[0-9a-f]{12}$`, out)
	require.Regexp(t, `(?m)^2 records, 0 orphans, 0 pending$`, out)
}

func TestStateInTheHostsForm(t *testing.T) {
	b := newShop(t)
	b.host.State = func(head state.Head, records []state.Record) (any, error) {
		return map[string]any{"serial": head.Serial, "names": len(records)}, nil
	}
	b.must("sync", "--yes")
	var got struct{ Names int }
	require.NoError(t, json.Unmarshal([]byte(b.must("state", "--json")), &got))
	require.Equal(t, 2, got.Names)
	require.Regexp(t, "^default/app, serial", b.must("state"), "only the JSON is the host's")
}

func TestMistakesAreReportedAtOnce(t *testing.T) {
	b := newBench(t,
		"a.toml", "[[network]]\nname = \"lan\"\nconfig.rang = \"10.0.0.0/8\"\n",
		"b.toml", "[[server]]\nname = \"web\"\n",
		"c.toml", "= 1\n")
	for _, command := range []string{"validate", "plan", "sync", "prune"} {
		got := b.run(command)
		require.Equal(t, 1, got.code)
		require.Empty(t, got.out)
		require.Regexp(t, `(?m)^\$DIR/a.toml:3:8: .*rang`, got.err)
		require.Regexp(t, `(?m)^\$DIR/b.toml:\d+:\d+: `, got.err)
		require.Regexp(t, `(?m)^\$DIR/c.toml:1:1: `, got.err)
		require.Regexp(t, `shop: \d mistakes, nothing was done\n$`, got.err)
	}
	require.NoDirExists(t, filepath.Join(b.dir, ".trueup"))
}

func TestValidateFindsWhatOnlyAPlanFinds(t *testing.T) {
	b := newBench(t,
		"a.toml", "[[server]]\nname = \"a\"\nafter = [\"server/b\"]\nconfig.address = \"1\"\n",
		"b.toml", "[[server]]\nname = \"b\"\nafter = [\"server/a\", \"network/wan\"]\nconfig.address = \"2\"\n")
	got := b.run("validate")
	require.Equal(t, 1, got.code)
	require.Regexp(t, `(?m)^\$DIR/b.toml:\d+:\d+: server/b: .*network/wan`, got.err)
	require.NoDirExists(t, filepath.Join(b.dir, ".trueup"))
}

func TestValidateJSON(t *testing.T) {
	b := newShop(t)
	require.JSONEq(t, `{"resources": 2}`, b.must("validate", "--json"))
	b.write("c.toml", "= 1\n")
	got := b.run("validate", "--json")
	require.Equal(t, 1, got.code)
	var answer struct{ Errors []string }
	require.NoError(t, json.Unmarshal([]byte(got.out), &answer))
	require.Len(t, answer.Errors, 1)
	require.Regexp(t, `c.toml:1:1: `, answer.Errors[0])
	require.Regexp(t, `c.toml:1:1: `, got.err)
}

func TestWarningsGoToErr(t *testing.T) {
	b := newShop(t)
	b.host.Load = func(ctx context.Context, call *synccli.Call) (*synccli.Declaration, error) {
		declaration, err := loadFiles(ctx, call)
		declaration.Desired.Warnings = []sync.Warning{{Position: sync.Position{File: "a.toml", Line: 1, Col: 1}, Text: "looks odd"}}
		return declaration, err
	}
	got := b.run("plan", "--json")
	require.Equal(t, 2, got.code)
	require.Equal(t, "warning: a.toml:1:1: looks odd\n", got.err)
	require.True(t, json.Valid([]byte(got.out)))
}

func TestPlanJSON(t *testing.T) {
	b := newShop(t)
	got := b.run("plan", "--json")
	require.Equal(t, 2, got.code)
	require.Equal(t, 1, strings.Count(got.out, "\n"))
	var plan struct {
		Scope   state.Scope
		Counts  map[string]int
		Changes []struct{ Op, Key string }
	}
	require.NoError(t, json.Unmarshal([]byte(got.out), &plan))
	require.Equal(t, state.Scope{Org: "default", App: "app"}, plan.Scope)
	require.Equal(t, map[string]int{"create": 2}, plan.Counts)
	require.Equal(t, "network/lan", plan.Changes[0].Key)
}

func TestSyncJSON(t *testing.T) {
	b := newShop(t)
	lines := strings.Split(strings.TrimSpace(b.must("sync", "--json")), "\n")
	var events []string
	for _, line := range lines {
		var event struct{ Event string }
		require.NoError(t, json.Unmarshal([]byte(line), &event), line)
		events = append(events, event.Event)
	}
	require.Equal(t, "begin", events[0])
	require.Equal(t, []string{"finish", "result"}, events[len(events)-2:])
	var result struct {
		Scope    string
		Serial   int64
		Recorded bool
		Counts   map[string]int
		Changes  []struct{ Op, Key, ID, Status string }
		Orphans  []any
		Errors   []string
	}
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &result))
	require.Equal(t, "default/app", result.Scope)
	require.Positive(t, result.Serial)
	require.True(t, result.Recorded)
	require.Equal(t, map[string]int{"done": 2}, result.Counts)
	require.NotEmpty(t, result.Changes[0].ID)
	require.NotNil(t, result.Orphans)
	require.NotNil(t, result.Errors)

	require.Equal(t, 1, strings.Count(b.must("sync", "--json"), "\n"), "nothing to do: no events, one result")
}

func TestAFailureIsContainedAndTold(t *testing.T) {
	b := newShop(t)
	b.write("other.toml", "[[server]]\nname = \"db\"\nconfig.address = \"10.0.0.9\"\n")
	fails := map[string]error{"network/lan": errors.New("no such range")}
	b.host.Backends[0].Open = func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return breaking{backend, fails}, err
	}
	got := b.run("sync")
	require.Equal(t, 1, got.code)
	require.Equal(t, "network/lan: no such range\n", strings.TrimPrefix(got.err, "shop: "))
	require.Contains(t, got.out, "failed to create network/lan\nblocked server/web\n")
	require.Contains(t, got.out, "created server/db\n")
	require.Regexp(t, `(?m)^Not finished: 1 created, 1 failed, 1 blocked, 0 unchanged; what was done is recorded as serial \d+ of default/app, and the next sync goes on from there.$`, got.out)

	got = b.run("sync", "--json")
	require.Equal(t, 1, got.code)
	last := got.out[strings.LastIndex(strings.TrimSpace(got.out), "\n")+1:]
	var result struct {
		Errors   []string
		Recorded bool
	}
	require.NoError(t, json.Unmarshal([]byte(last), &result))
	require.Equal(t, []string{"network/lan: no such range"}, result.Errors)
	require.False(t, result.Recorded)

	delete(fails, "network/lan")
	require.Contains(t, b.must("sync"), "Done: 2 created, 1 unchanged;")
}

func TestAllOrNothingLeavesNothing(t *testing.T) {
	b := newShop(t)
	b.host.PlanOptions = func(_ *synccli.Call, opts *sync.PlanOptions) { opts.OnFailure = sync.AllOrNothing }
	b.host.Backends[0].Open = func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return breaking{backend, map[string]error{"server/web": errors.New("no such address")}}, err
	}
	got := b.run("sync")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "Not finished: 1 failed, 1 not attempted, 0 unchanged; nothing of it is recorded in default/app.\n")
	require.Contains(t, b.must("state"), "Nothing is recorded")
}

// When the context ends, what was done is on the books and said to be.
func TestInterrupted(t *testing.T) {
	b := newShop(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.host.Backends[0].Open = func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return cancelling{backend, cancel}, err
	}
	got := b.runIn(ctx, "sync", b.dir)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "created network/lan\nInterrupted: 1 created, 1 not attempted, 0 unchanged; what was done is recorded as serial")
	require.Contains(t, got.err, "context canceled")
	b.host.Backends = shop().Backends
	require.Contains(t, b.must("sync"), "Done: 1 created, 1 unchanged;")
}

// cancelling cancels at the first thing that is done.
type cancelling struct {
	sync.Backend
	cancel func()
}

func (c cancelling) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	tx, head, err := c.Backend.Begin(ctx, owner)
	return cancellingTx{tx, c.cancel}, head, err
}

type cancellingTx struct {
	sync.Tx
	cancel func()
}

func (c cancellingTx) Apply(ctx context.Context, changes []diff.Change) ([]sync.Outcome, error) {
	c.cancel()
	return c.Tx.Apply(ctx, changes)
}

func TestPruneSparesWhatIsDeclaredAgain(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.remove("server.toml")
	b.must("sync")
	b.write("server.toml", oneServer)
	got := b.run("prune", "--yes")
	require.Equal(t, outcome{1, "", "shop: server/web: is declared again: sync before you prune\n"}, got)
	require.Contains(t, b.must("sync"), "updated server/web")
	require.Equal(t, "No orphans in default/app.\n", b.must("prune", "--yes"))
}

func TestPruneWithoutFiles(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.remove("server.toml")
	b.must("sync")
	b.remove("network.toml")
	require.Contains(t, b.must("prune", "--yes"), "deleted server/web\n")
	require.Len(t, b.state().Records, 1)
}

func TestPruneDeletesNothingElse(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.remove("server.toml") // and not synced since
	require.Equal(t, "No orphans in default/app.\n", b.must("prune", "--yes"))
	require.Len(t, b.state().Records, 2)
}

func TestPruneLimitIsExplained(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.remove("server.toml")
	got := b.run("sync", "--prune", "--yes", "--prune-limit", "0")
	require.Equal(t, 1, got.code)
	require.Equal(t, "shop: pruning would delete 1 of 2 resources, more than 0: check the declaration, or set a higher prune limit\nIf that is meant, give --prune-limit 1.\n", got.err)
	require.Contains(t, b.must("sync", "--prune", "--yes", "--prune-limit", "1"), "deleted server/web")
}

func TestAnEmptyDeclaration(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.remove("server.toml")
	b.write("network.toml", "# nothing any more\n")
	got := b.run("sync", "--prune", "--yes")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "If that is meant, give --allow-empty.\n")
	require.Contains(t, b.must("sync", "--prune", "--yes", "--allow-empty"), "Done: 2 deleted, 0 unchanged")
}

func TestForget(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	got := b.run("forget", "server/web")
	require.Equal(t, 1, got.code)
	require.Equal(t, "shop: server/web: can't be forgotten: it is declared; remove it from the declaration first\n", got.err)
	require.Equal(t, "shop: server/db: can't be forgotten: it isn't recorded\n", b.run("forget", "server/db").err)
	b.remove("server.toml")
	require.Contains(t, b.must("forget", "server/web"), "Done: 1 forgotten")
	require.Len(t, b.state().Records, 1)
}

func TestOrphansJSON(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	require.JSONEq(t, "[]", b.must("orphans", "--json"))
	b.remove("server.toml")
	b.must("sync")
	var orphans []struct{ Key, ID string }
	require.NoError(t, json.Unmarshal([]byte(b.must("orphans", "--json")), &orphans))
	require.Equal(t, "server/web", orphans[0].Key)
	require.NotEmpty(t, orphans[0].ID)
}

// The commands that are suggested work for the scope that they are suggested in.
func TestSuggestionsNameTheScope(t *testing.T) {
	b := newShop(t)
	books := "file:" + filepath.Join(b.dir, "my books")
	args := []string{"--backend", books, "--app", "site"}
	b.must(append([]string{"sync"}, args...)...)
	b.remove("server.toml")
	out := b.must(append([]string{"sync"}, args...)...)
	require.Contains(t, out, `"shop prune --app site --backend 'file:$DIR/my books' $DIR" deletes it;`)
	require.Contains(t, out, `"shop forget --app site --backend 'file:$DIR/my books' KIND/NAME $DIR" drops it`)
}

// A host that has something to do with what was synced, such as builds.
func TestTheHostRunsTheSync(t *testing.T) {
	b := newShop(t)
	var scopes []state.Scope
	var failed error
	b.host.Load = func(ctx context.Context, call *synccli.Call) (*synccli.Declaration, error) {
		declaration, err := loadFiles(ctx, call)
		declaration.Sync = func(ctx context.Context, syncer sync.Syncer) error {
			scopes = append(scopes, syncer.(interface{ Scope() state.Scope }).Scope())
			plan, err := syncer.Plan(ctx, declaration.Desired, &call.Options)
			if err != nil {
				return err
			}
			result, err := syncer.Apply(ctx, plan)
			if result != nil {
				fmt.Fprintf(call.Out, "building %d\n", result.Count(sync.Done))
				err = errors.Join(err, failed)
			}
			return err
		}
		return declaration, err
	}
	require.Contains(t, b.must("sync"), "created server/web\nbuilding 2\nDone: 2 created")
	require.Equal(t, []state.Scope{{Org: "default", App: "app"}}, scopes)

	failed = errors.New("the build failed")
	require.Equal(t, outcome{1, "No changes: 2 as declared.\nbuilding 0\n", "shop: the build failed\n"}, b.run("sync"))

	b.remove("server.toml")
	b.atTerminal("n\n")
	got := b.run("sync")
	require.Equal(t, "Carry out 1 change? [y/N] shop: nothing was changed\n", got.err)
	require.NotContains(t, got.out, "building", "nothing was begun")
}

func TestLockedSaysWho(t *testing.T) {
	b := newShop(t)
	backend, err := openFiles(t.Context(), filepath.Join(b.dir, ".trueup"), state.Scope{Org: "default", App: "app"})
	require.NoError(t, err)
	tx, _, err := backend.Begin(t.Context(), "ada")
	require.NoError(t, err)
	got := b.run("sync")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "default/app is locked by ada")
	require.NoError(t, tx.Close(t.Context()))
	b.must("sync")
}

func TestAnOutputThatIsFull(t *testing.T) {
	b := newShop(t)
	b.stdio.Out = full{}
	for _, args := range [][]string{{"plan"}, {"plan", "--json"}, {"sync", "--json"}, {"state", "--json"}, {"orphans", "--json"}, {"validate", "--json"}, {"plan", "--help"}} {
		var errs strings.Builder
		b.stdio.Err = &errs
		require.Equal(t, 1, synccli.New(b.host).Run(t.Context(), append(args, b.dir), b.stdio), args)
		require.Contains(t, errs.String(), "no space left", args)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }
