package synccli_test

import (
	"context"
	"encoding/json"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/synccli"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// newPast is a shop with a past: a network and a server; the server changed, left
// out, and pruned.
func newPast(t *testing.T) *bench {
	t.Helper()
	b := newShop(t)
	b.must("sync", "--account", "ada")
	b.edit("server.toml", "10.0.0.1", "10.0.0.2")
	b.must("sync", "--account", "bob")
	b.remove("server.toml")
	b.must("sync")
	b.must("prune", "--yes")
	return b
}

func TestHistoryOfNothing(t *testing.T) {
	b := newShop(t)
	require.Equal(t, "Nothing is recorded of default/app.\n", b.must("history"))
	require.Equal(t, "[]\n", b.must("history", "--json"))
	require.Equal(t, "Nothing changed from State 0 to State 0 of default/app.\n", b.must("diff"))
}

func TestHistory(t *testing.T) {
	b := newPast(t)
	out := regexp.MustCompile(`\d{4}-\d\d-\d\dT\S+Z`).ReplaceAllString(b.must("history"), "WHEN")
	require.Equal(t, ""+
		"SERIAL   WHEN   BY       REVISION   WHAT\n"+
		"4        WHEN   tester   -          1 removed\n"+
		"3        WHEN   tester   -          1 orphaned\n"+
		"2        WHEN   bob      -          1 updated\n"+
		"1        WHEN   ada      -          2 created\n", strings.ReplaceAll(out, "WHEN                   ", "WHEN   "))
	require.Regexp(t, `(?m)^4 .* 1 removed\n3 .* 1 orphaned$`, b.must("history", "--limit", "2"))
	require.Equal(t, 3, strings.Count(b.must("history", "--limit", "2"), "\n"))
	require.Equal(t, 5, strings.Count(b.must("history", "--limit", "0"), "\n"))

	var list []struct {
		Serial, Records, Orphans int
		By                       string
		What                     map[string]int
	}
	require.NoError(t, json.Unmarshal([]byte(b.must("history", "--json", "--limit", "3")), &list))
	require.Len(t, list, 3)
	require.Equal(t, 3, list[1].Serial)
	require.Equal(t, 1, list[1].Orphans)
	require.Equal(t, map[string]int{"updated": 1}, list[2].What)
}

func TestDiff(t *testing.T) {
	b := newPast(t)
	created := "+ network/lan\n    range: \"10.0.0.0/8\"\n"
	got := b.run("diff")
	require.Equal(t, 2, got.code)
	require.Regexp(t, `^- server/web \[\w+\]\nFrom State 3 to State 4 of default/app: 1 deleted\.\n$`, got.out)
	require.Empty(t, got.err)
	require.Equal(t, outcome{2, created + "From State 0 to State 4 of default/app: 1 created.\n", ""}, b.run("diff", "0"))
	require.Equal(t, outcome{2, "~ server/web\n    address: \"10.0.0.1\" → \"10.0.0.2\"\nFrom State 1 to State 2 of default/app: 1 updated.\n", ""}, b.run("diff", "1", "2"))
	require.Equal(t, outcome{2, "~ server/web\n    address: \"10.0.0.2\" → \"10.0.0.1\"\nFrom State 2 to State 1 of default/app: 1 updated.\n", ""}, b.run("diff", "2", "1"))
	require.Equal(t, outcome{0, "Nothing changed from State 4 to State 4 of default/app.\n", ""}, b.run("diff", "4"))
	got = b.run("diff", "2", "3")
	require.Contains(t, got.out, "! server/web ")
	require.Contains(t, got.out, ": 1 orphaned.\n")

	got = b.run("diff", "9")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "that State is not kept")
	require.Contains(t, got.err, "\"shop history $DIR\" lists the States that are kept.\n")

	got = b.run("diff", "1", "2", "--json")
	require.Equal(t, 2, got.code)
	var doc struct {
		From, To int
		Changes  []struct {
			Op, Key string
			Fields  []struct{ Path string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got.out), &doc))
	require.Equal(t, [2]int{1, 2}, [2]int{doc.From, doc.To})
	require.Equal(t, "config.address", doc.Changes[0].Fields[0].Path)
	require.JSONEq(t, `{"from":4,"to":4,"changes":[]}`, b.must("diff", "4", "4", "--json"))
}

func TestRollback(t *testing.T) {
	b := newPast(t)
	b.write("server.toml", oneServer)
	b.write("other.toml", "[[server]]\nname = \"db\"\nconfig.address = \"10.0.0.9\"\n")
	b.must("sync")
	require.Equal(t, int64(5), b.serial())

	out := b.must("rollback", "2")
	require.Contains(t, out, "~ server/web\n    address: \"10.0.0.1\" → \"10.0.0.2\"\n")
	require.Regexp(t, `(?m)^! server/db .* is no longer declared: it stays, as an orphan$`, out)
	require.Contains(t, out, "Done: 1 updated, 1 orphaned, 1 unchanged; recorded as serial 6 of default/app.\n")
	require.Contains(t, out, "\"shop sync $DIR\" leads back to what is declared: bring that to where you are now, too.\n")
	require.Regexp(t, `^! server/db .*\n± server/web .*\nFrom State 2 to State 6 of default/app: 1 replaced, 1 orphaned\.\n$`, b.run("diff", "2").out)
	require.Contains(t, b.must("rollback", "2"), "No changes: 2 as declared.\n")

	got := b.run("rollback", "2", "--prune")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "give --yes if that is meant")
	require.Contains(t, b.must("rollback", "2", "--prune", "--yes"), "deleted server/db\n")
	require.Equal(t, 2, b.run("plan").code)
	require.Equal(t, "shop: roll back to State 0: they are counted from 1: that State is not kept\n\"shop history $DIR\" lists the States that are kept.\n", b.run("rollback", "0").err)
}

// What is declared by now may be gone or wrong: that may be why somebody goes back.
func TestRollbackWithoutADeclaration(t *testing.T) {
	b := newPast(t)
	b.write("server.toml", "[[server]]\nname = 3\nconfig.addres = \"10.0.0.1\"\n")
	got := b.run("rollback", "1")
	require.Zero(t, got.code, got.err)
	require.Regexp(t, `^warning: the declaration can't be read, and no sensitive value taken from it: \d mistakes\n$`, got.err)
	require.Contains(t, got.out, "Done: 1 created,")
	require.NotContains(t, got.out, "leads back")
	b.remove("server.toml")
	b.remove("network.toml")
	require.Contains(t, b.must("rollback", "3"), "1 orphaned")
}

func TestRollbackTakesSecretsFromTheDeclaration(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	o.must("sync")
	first := strconv.FormatInt(o.serial(), 10)
	o.edit("machine.toml", "size = 1", "size = 2")
	o.must("sync")
	o.must("rollback", first, "--target", "machine/web")
	require.Contains(t, string(o.thing("machine/web").Config), `"size":1,"token":"hunter2hunter2"`)

	o.edit("machine.toml", "hunter2hunter2", "correct horse")
	o.must("sync")
	got := o.run("rollback", first)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "machine/web: needs the value of token, of which only the digest is recorded")
	require.Contains(t, got.err, "Sensitive values come from the declaration:")
}

// How a Handler's acts are told: the intent, and what came of it.
func TestHistoryOfActs(t *testing.T) {
	o := newOutside(t, (*syncertest.World).Finding)
	o.edit("machine.toml", "name =", "deploy = true\nname =")
	o.must("sync")
	var what []string
	for _, line := range strings.Split(strings.TrimSpace(o.must("history")), "\n")[1:] {
		what = append(what, strings.Join(strings.Fields(line)[4:], " "))
	}
	require.Equal(t, []string{"1 deployed", "1 created", "1 created, 1 begun", "1 begun"}, what)
}

// forgetful is a backend that keeps the last few States.
type forgetful struct {
	sync.Backend
	keeps int
}

func (f forgetful) History(ctx context.Context) iter.Seq2[state.Head, error] {
	return func(yield func(state.Head, error) bool) {
		n := 0
		for head, err := range f.Backend.(sync.Historian).History(ctx) {
			if n++; n > f.keeps || !yield(head, err) {
				return
			}
		}
	}
}

func (f forgetful) StateAt(ctx context.Context, serial int64) (state.Head, iter.Seq2[state.Record, error], error) {
	return f.Backend.(sync.Historian).StateAt(ctx, serial)
}

// What is no longer kept is not made up.
func TestAHistoryThatIsNotWhole(t *testing.T) {
	b := newPast(t)
	keeps := 2
	b.host.Backends = []synccli.Backend{{Scheme: "file", Form: "file:DIR", Open: func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return forgetful{backend, keeps}, err
	}}}
	require.Regexp(t, `(?m)^4 .* 1 removed\n3 .* 2 records$`, b.must("history"))
	keeps = 1
	got := b.run("diff")
	require.Equal(t, 1, got.code)
	require.Equal(t, "shop: State 4 is the only one that is kept: there is nothing to compare it with\n", got.err)
}

// without is a backend that can nothing but record.
type without struct{ sync.Backend }

func TestABackendWithoutAHistory(t *testing.T) {
	b := newShop(t)
	b.host.Backends = []synccli.Backend{{Scheme: "file", Form: "file:DIR", Open: func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return without{backend}, err
	}}}
	b.must("sync")
	for _, args := range [][]string{{"history"}, {"diff"}, {"diff", "0", "1"}, {"rollback", "1"}} {
		got := b.run(args...)
		require.Equal(t, 1, got.code)
		require.Equal(t, "shop: this backend keeps no history\n", got.err)
	}
	require.Equal(t, outcome{1, "", "shop: the lease on this backend can't be taken from its holder\n"}, b.run("unlock"))
}
