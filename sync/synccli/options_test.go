package synccli_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// The host keeps going; whoever gives --atomic doesn't want that.
func TestAtomicLeavesNothing(t *testing.T) {
	b := newShop(t)
	b.write("other.toml", "[[server]]\nname = \"db\"\nconfig.address = \"10.0.0.9\"\n")
	b.host.Backends[0].Open = func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return breaking{backend, map[string]error{"server/web": errors.New("no such address")}}, err
	}
	got := b.run("sync", "--atomic")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "nothing of it is recorded in default/app.\n")
	require.Contains(t, b.must("state"), "Nothing is recorded")
	require.Contains(t, b.run("sync").out, "Not finished: 2 created, 1 failed,")
}

// unable is a backend that can't take back what was done.
type unable struct{ sync.Backend }

func (unable) Atomic() bool { return false }

func TestAtomicWhereItCannotBeHad(t *testing.T) {
	b := newShop(t)
	b.host.Backends[0].Open = func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return unable{backend}, err
	}
	got := b.run("plan", "--atomic")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "can't take back what was done")
	require.Contains(t, got.err, "Leave out --atomic.\n")
}

func TestTarget(t *testing.T) {
	b := newShop(t)
	b.write("other.toml", "[[server]]\nname = \"db\"\nconfig.address = \"10.0.0.9\"\n")
	require.Contains(t, b.must("sync", "--target", "server/web"), "created network/lan\ncreated server/web\nDone: 2 created, 0 unchanged;")
	require.Contains(t, b.must("plan", "--target", "network/lan", "--target", "server/web"), "No changes")
	require.Equal(t, 2, b.run("plan").code)
	require.Equal(t, outcome{1, "", "shop: server/dv: can't be selected: it is neither declared nor recorded\n"}, b.run("sync", "--target", "server/dv"))
	require.Contains(t, b.must("sync"), "Done: 1 created, 2 unchanged;")
	require.Contains(t, b.run("sync", "--target", "server/dv").err, "can't be selected")
}

func TestASavedPlan(t *testing.T) {
	b := newShop(t)
	file := filepath.Join(t.TempDir(), "plan")
	require.Equal(t, 2, b.run("plan", "--plan-file", file).code)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing is left beside it")

	b.atTerminal("no\n")
	require.Equal(t, "Carry out 2 changes? [y/N] shop: nothing was changed\n", b.run("sync", "--plan-file", file).err)
	b.stdio.InTerminal = false
	require.Contains(t, b.must("sync", "--plan-file", file, "--wait"), "Done: 2 created")
	got := b.run("sync", "--plan-file", file, "--json", "--wait")
	require.Equal(t, 1, got.code)
	require.Equal(t, "shop: the plan is stale, and nothing was touched:\n"+
		"  network/lan: create is no longer due\n  server/web: create is no longer due\n"+
		`"shop plan --plan-file `+file+` $DIR" makes it anew.`+"\n", got.err)
	require.Equal(t, int64(1), b.serial())

	// A plan to do nothing is one, too.
	require.Zero(t, b.run("plan", "--plan-file", file).code)
	require.Contains(t, b.must("sync", "--plan-file", file), "No changes")
}

// A file that is there is replaced as a whole, or stays.
func TestAPlanFileThatCannotBeWritten(t *testing.T) {
	b := newShop(t)
	dir := t.TempDir()
	got := b.run("plan", "--plan-file", dir)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "shop: save the plan: ")
	left, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	for _, entry := range left {
		require.False(t, strings.HasPrefix(entry.Name(), "."), entry.Name())
	}
}

// The host's way to sync is that of a saved plan, too.
func TestTheHostRunsASavedPlan(t *testing.T) {
	b := newShop(t)
	file := filepath.Join(t.TempDir(), "plan")
	require.Equal(t, 2, b.run("plan", "--target", "network/lan", "--plan-file", file).code)
	applied := 0
	b.host.Load = func(ctx context.Context, call *synccli.Call) (*synccli.Declaration, error) {
		declaration, err := loadFiles(ctx, call)
		declaration.Sync = func(ctx context.Context, syncer sync.Syncer) error {
			plan, err := syncer.Plan(ctx, declaration.Desired, &call.Options)
			if err != nil {
				return err
			}
			applied = len(plan.Changes)
			_, err = syncer.Apply(ctx, plan)
			return err
		}
		return declaration, err
	}
	b.must("sync", "--plan-file", file)
	require.Equal(t, 1, applied)
}

func TestUnlock(t *testing.T) {
	b := newShop(t)
	require.Equal(t, "default/app is not locked.\n", b.must("unlock"))
	backend, err := openFiles(t.Context(), filepath.Join(b.dir, ".trueup"), state.Scope{Org: "default", App: "app"})
	require.NoError(t, err)
	tx, _, err := backend.Begin(t.Context(), "ada")
	require.NoError(t, err)
	got := b.run("sync")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "--wait waits for it; \"shop unlock $DIR\" ends it.\n")

	got = b.run("unlock")
	require.Equal(t, 1, got.code)
	require.Regexp(t, `^default/app is locked by ada since \d{4}-\S+Z\.\nIf the lock ends, that one can record nothing more, but what it has begun may go on\.\n$`, got.out)
	require.Equal(t, "shop: nobody is here to be asked: give --yes if the lock is to end\n", got.err)
	b.atTerminal("n\n")
	require.Equal(t, "End the lock? [y/N] shop: nothing was changed\n", b.run("unlock").err)
	_, err = tx.Renew(t.Context())
	require.NoError(t, err)

	b.atTerminal("y\n")
	got = b.run("unlock")
	require.Zero(t, got.code)
	require.Contains(t, got.out, "default/app is unlocked; \"shop state $DIR\" shows what was recorded.\n")
	_, err = tx.Renew(t.Context())
	require.ErrorIs(t, err, sync.ErrLeaseLost)
	b.stdio.InTerminal = false
	b.must("sync")
}

func TestUnlockForPrograms(t *testing.T) {
	b := newShop(t)
	require.JSONEq(t, `{"scope":"default/app","unlocked":false,"holder":null}`, b.must("unlock", "--json"))
	backend, err := openFiles(t.Context(), filepath.Join(b.dir, ".trueup"), state.Scope{Org: "default", App: "app"})
	require.NoError(t, err)
	_, _, err = backend.Begin(t.Context(), "ada")
	require.NoError(t, err)
	b.atTerminal("y\n")
	require.Equal(t, 1, b.run("unlock", "--json").code, "programs say --yes")
	require.Regexp(t, `^{"scope":"default/app","unlocked":true,"holder":{"owner":"ada","since":"\d{4}-.*Z"}}\n$`, b.must("unlock", "--json", "--yes"))
}

// locking is a backend of which somebody else holds the lease for a while.
type locking struct {
	sync.Backend
	times *int
}

func (l locking) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	if *l.times > 0 {
		*l.times--
		return nil, state.Head{}, &sync.LockedError{Scope: l.Scope(), Owner: "ada"}
	}
	return l.Backend.Begin(ctx, owner)
}

func TestWait(t *testing.T) {
	b := newShop(t)
	times := 0
	b.host.Backends[0].Open = func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return locking{backend, &times}, err
	}
	file := filepath.Join(t.TempDir(), "plan")
	require.Equal(t, 2, b.run("plan", "--plan-file", file).code)
	for _, args := range [][]string{{"sync"}, {"sync", "--plan-file", file}} {
		times = 2
		got := b.run(args...)
		require.Equal(t, 1, got.code)
		require.Contains(t, got.err, "is locked by ada")
	}
	times = 2
	b.must("sync", "--plan-file", file, "--wait")
	require.Zero(t, times)
	b.write("other.toml", "[[server]]\nname = \"db\"\nconfig.address = \"10.0.0.9\"\n")
	times = 2
	b.must("sync", "--wait")
	require.Zero(t, times)
}

// Whoever was waited for has changed what is recorded.
func TestWaitPlansAgain(t *testing.T) {
	b := newShop(t)
	other := &bench{T: t, host: shop(), dir: b.dir}
	times := 0
	b.host.Backends = []synccli.Backend{{Scheme: "file", Form: "file:DIR", Open: func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return overtaken{backend, &times, func() { other.must("sync", "--target", "network/lan") }}, err
	}}}
	times = 1
	got := b.run("sync")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "shop: the plan is stale, and nothing was touched:\n  network/lan: create is no longer due\n")
	b.must("sync")

	b.edit("network.toml", "10.0.0.0/8", "10.0.0.0/16")
	b.edit("server.toml", "10.0.0.1", "10.0.0.2")
	times = 1
	got = b.run("sync", "--wait")
	require.Zero(t, got.code, got.err)
	require.Equal(t, "What is recorded has changed while this waited: it plans again.\n", got.err)
	require.Contains(t, got.out, "Plan: 2 to update, 0 unchanged.\n")
	require.Contains(t, got.out, "Plan: 1 to update, 1 unchanged.\n")
	require.Contains(t, got.out, "Done: 1 updated, 1 unchanged;")
}

// Where somebody else always comes first, it gives up some time.
func TestWaitGivesUp(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.edit("server.toml", "10.0.0.1", "10.0.0.2")
	other := newServer(t, b)
	times := 2 * 10
	b.host.Backends = []synccli.Backend{{Scheme: "file", Form: "file:DIR", Open: func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return overtaken{backend, &times, func() { other(times) }}, err
	}}}
	got := b.run("sync", "--wait")
	require.Equal(t, 1, got.code)
	require.Equal(t, 4, strings.Count(got.err, "it plans again."))
	require.Contains(t, got.err, "shop: the plan is stale, and nothing was touched:\n  server/web was changed\n")
}

// newServer returns what syncs the shop from another directory, with a server of
// another address every time.
func newServer(t *testing.T, shop *bench) func(n int) {
	t.Helper()
	other := &bench{T: t, host: shop.host, dir: t.TempDir()}
	other.write("network.toml", oneNetwork)
	books := "file:" + filepath.Join(shop.dir, ".trueup")
	return func(n int) {
		other.write("server.toml", strings.Replace(oneServer, "10.0.0.1", "10.0.1."+strconv.Itoa(n), 1))
		other.must("sync", "--app", "app", "--backend", books)
	}
}

// overtaken is a backend to which somebody else commits before the lease is taken.
type overtaken struct {
	sync.Backend
	times  *int
	commit func()
}

func (o overtaken) Begin(ctx context.Context, owner string) (sync.Tx, state.Head, error) {
	if *o.times > 0 {
		*o.times--
		o.commit()
	}
	return o.Backend.Begin(ctx, owner)
}
