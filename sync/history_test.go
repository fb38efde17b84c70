package sync_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// rollBack carries out a rollback and returns what it did.
func (o *outside) rollBack(t *testing.T, serial int64, source *sync.Desired, opts *sync.PlanOptions) (*sync.Plan, *sync.Result) {
	t.Helper()
	plan, err := o.engine.Rollback(t.Context(), serial, source, opts)
	require.NoError(t, err)
	result, err := o.engine.Apply(t.Context(), plan)
	require.NoError(t, err)
	return plan, result
}

func TestPromise13_EarlierStatesAreListedAndRead(t *testing.T) {
	t.Parallel()
	e, err := sync.New(syncertest.NewMemory(scope()), kinds(), nil)
	require.NoError(t, err)
	for _, declared := range [][]string{{"a"}, {"a", "b"}, {"b"}} {
		plan, err := e.Plan(t.Context(), desire(t, declared...), &sync.PlanOptions{By: "ada"})
		require.NoError(t, err)
		_, err = e.Apply(t.Context(), plan)
		require.NoError(t, err)
	}
	var serials []int64
	for head, err := range e.History(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, "ada", head.By)
		serials = append(serials, head.Serial)
	}
	require.Equal(t, []int64{3, 2, 1}, serials)
	first, err := e.StateAt(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, first.Records, 1)
	last, err := e.StateAt(t.Context(), 3)
	require.NoError(t, err)
	require.True(t, last.Records[0].Orphaned)
	_, err = e.StateAt(t.Context(), 4)
	require.ErrorIs(t, err, sync.ErrNoState)
}

func TestPromise13_ARollbackIsAPlanTowardsAnEarlierState(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, nil)
	then := o.desire(t, map[string]any{"network/lan": wire{Range: "10.0.0.0/8"}, "server/web": host{Network: "lan", Size: 1}})
	_, result := o.sync(t, then, nil)
	serial := result.Head.Serial
	o.sync(t, o.desire(t, map[string]any{
		"network/lan": wire{Range: "10.0.0.0/8"}, "server/web": host{Network: "lan", Size: 2}, "server/new": host{Network: "lan"},
	}), nil)

	plan, result := o.rollBack(t, serial, nil, nil)
	require.Equal(t, map[diff.Op]int{diff.OpUpdate: 1, diff.OpOrphan: 1}, plan.Counts(), "%s", plan)
	require.Len(t, result.Orphans(), 1, "what came later is an orphan")
	require.Contains(t, o.things(t), "server/new", "and is still there")
	require.JSONEq(t, `{"network":"`+o.things(t)["network/lan"].ID+`","size":1}`, string(o.things(t)["server/web"].Config))

	again, err := o.engine.Plan(t.Context(), then, nil)
	require.NoError(t, err)
	require.Empty(t, again.Changes, "it is what was declared then")

	_, result = o.rollBack(t, serial, nil, &sync.PlanOptions{Prune: true})
	require.Empty(t, result.Orphans())
	require.NotContains(t, o.things(t), "server/new")

	_, _ = o.rollBack(t, result.Head.Serial-1, nil, nil)
	_, err = o.engine.Rollback(t.Context(), 999, nil, nil)
	require.ErrorIs(t, err, sync.ErrNoState)
	_, err = o.engine.Rollback(t.Context(), 0, nil, nil)
	require.ErrorIs(t, err, sync.ErrNoState)
}

func TestPromise13_ARollbackTakesSecretsFromTheSource(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, nil)
	declare := func(size int, token string) *sync.Desired {
		return o.desire(t, map[string]any{"network/lan": wire{}, "server/web": host{Network: "lan", Size: size, Token: token}})
	}
	_, result := o.sync(t, declare(1, "the first token"), nil)
	o.sync(t, declare(2, "another token"), nil)

	before, err := o.backend.Head(t.Context())
	require.NoError(t, err)
	for _, source := range []*sync.Desired{nil, declare(2, "another token")} {
		_, err = o.engine.Rollback(t.Context(), result.Head.Serial, source, nil)
		require.ErrorIs(t, err, sync.ErrSecretUnavailable)
		require.ErrorContains(t, err, "server/web")
		require.ErrorContains(t, err, "token")
		require.NotContains(t, err.Error(), "another token")
	}
	after, err := o.backend.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing was touched")

	o.rollBack(t, result.Head.Serial, declare(7, "the first token"), nil)
	require.Contains(t, string(o.things(t)["server/web"].Config), `"size":1`)
	require.Contains(t, string(o.things(t)["server/web"].Config), "the first token")
}

// A secret that doesn't change is not needed.
func TestPromise13_ARollbackNeedsOnlyTheSecretsOfWhatChanges(t *testing.T) {
	t.Parallel()
	o := newOutside(t, (*syncertest.World).Finding, nil)
	_, result := o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}, "server/web": host{Network: "lan", Token: "a secret token"}}), nil)
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{}, "network/wan": wire{}, "server/web": host{Network: "lan", Token: "a secret token"}}), nil)
	plan, _ := o.rollBack(t, result.Head.Serial, nil, nil)
	require.Equal(t, map[diff.Op]int{diff.OpOrphan: 1}, plan.Counts())
}

// bare is a backend without abilities.
type bare struct{ sync.Backend }

func TestPromise13_WithoutAHistorianThereIsNoHistory(t *testing.T) {
	t.Parallel()
	e, err := sync.New(bare{syncertest.NewMemory(scope())}, kinds(), nil)
	require.NoError(t, err)
	for _, err := range e.History(t.Context()) {
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
	_, err = e.StateAt(t.Context(), 1)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = e.Rollback(t.Context(), 1, nil, nil)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = e.Holder(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorIs(t, e.Unlock(t.Context(), &sync.LockedError{}), errors.ErrUnsupported)
}

func TestPromise6_AHolderCanBeUnlocked(t *testing.T) {
	t.Parallel()
	memory := syncertest.NewMemory(scope())
	e, err := sync.New(memory, kinds(), nil)
	require.NoError(t, err)
	holder, err := e.Holder(t.Context())
	require.NoError(t, err)
	require.Nil(t, holder)
	tx, _, err := memory.Begin(t.Context(), "somebody who hangs")
	require.NoError(t, err)
	plan, err := e.Plan(t.Context(), desire(t, "a"), nil)
	require.NoError(t, err)
	_, err = e.Apply(t.Context(), plan)
	require.ErrorIs(t, err, sync.ErrLocked)
	holder, err = e.Holder(t.Context())
	require.NoError(t, err)
	require.Equal(t, "somebody who hangs", holder.Owner)
	require.NoError(t, e.Unlock(t.Context(), holder))
	_, err = e.Apply(t.Context(), plan)
	require.NoError(t, err)
	_, err = tx.Commit(t.Context(), state.Delta{})
	require.ErrorIs(t, err, sync.ErrLeaseLost)
}

// What was declared in another version of its kind can't be declared in this one.
func TestPromise13_ARollbackOverAKindsVersionIsRefused(t *testing.T) {
	t.Parallel()
	s := syncertest.NewMemory(scope())
	syncAll(t, release(t, s, nil, 0, 0), desire(t, "a", "b"), nil)
	newer := release(t, s, nil, 1, 0)
	syncAll(t, newer, desire(t, "a=2", "b"), nil)
	before := jsonRecords(t, s)
	_, err := newer.Rollback(t.Context(), 1, nil, nil)
	require.ErrorIs(t, err, sync.ErrKindVersion)
	require.ErrorContains(t, err, "State 1: thing/a was declared in version 0 of its kind, which is 1 now")
	require.ErrorContains(t, err, "thing/b")
	require.Equal(t, before, jsonRecords(t, s))
	_, err = release(t, s, nil, 0, 0).Rollback(t.Context(), 1, nil, nil)
	require.ErrorIs(t, err, sync.ErrKindVersion, "nor by a program that knows nothing of the newer one")
	p, err := newer.Rollback(t.Context(), 2, nil, nil)
	require.NoError(t, err)
	require.Empty(t, p.Changes)
}

func TestPromise13_ARollbackCanBeRolledBack(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	first := o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "server/web": host{Network: "lan", Token: "hunter2hunter2"}})
	second := o.desire(t, map[string]any{"network/wan": wire{Range: "2"}, "server/web": host{Network: "wan", Token: "hunter3hunter3"}})
	_, then := o.sync(t, first, &sync.PlanOptions{By: "me"})
	first.Revision, second.Revision = "v1", "v2"
	_, now := o.sync(t, second, pruning())
	_, back := o.rollBack(t, then.Head.Serial, first, pruning())
	require.Equal(t, then.Head.Declared, back.Head.Declared)
	require.Equal(t, then.Head.Revision, back.Head.Revision, "it is the revision of then")
	require.Equal(t, "hunter2hunter2", o.config(t, "server/web", "token"))
	_, again := o.rollBack(t, now.Head.Serial, second, pruning())
	require.Equal(t, now.Head.Declared, again.Head.Declared)
	require.Equal(t, "hunter3hunter3", o.config(t, "server/web", "token"))
	require.Equal(t, o.id(t, "network/wan"), o.config(t, "server/web", "network"))
	require.Empty(t, plan(t, o.engine, second, nil).Changes)
}

// A plan to roll back survives a trip through a file like any other.
func TestPromise1_ASavedRollback(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	first := o.desire(t, map[string]any{"network/lan": wire{}, "server/web": host{Size: 1, Token: "hunter2hunter2"}})
	_, then := o.sync(t, first, nil)
	second := o.desire(t, map[string]any{"network/lan": wire{}, "server/web": host{Size: 2, Token: "hunter2hunter2"}, "server/new": host{}})
	o.sync(t, second, nil)
	p, err := o.engine.Rollback(t.Context(), then.Head.Serial, second, pruning())
	require.NoError(t, err)
	require.Equal(t, []string{"delete server/new", "update server/web"}, changesOf(p))
	file := saved(t, p).String()
	require.NotContains(t, file, "hunter2")

	_, err = o.another(t).LoadPlan(t.Context(), strings.NewReader(file), nil)
	require.ErrorIs(t, err, sync.ErrSecretUnavailable)
	other := o.another(t)
	loaded, err := other.LoadPlan(t.Context(), strings.NewReader(file), second)
	require.NoError(t, err)
	_, err = other.Apply(t.Context(), loaded)
	require.NoError(t, err)
	require.Empty(t, plan(t, o.engine, first, nil).Changes)
	require.Equal(t, "hunter2hunter2", o.config(t, "server/web", "token"))
	_, err = other.LoadPlan(t.Context(), strings.NewReader(file), second)
	require.ErrorIs(t, err, sync.ErrStale, "it is done")
}

// A secret is needed by what changes for whatever reason, also because of what it
// refers to.
func TestPromise13_ARollbackNeedsTheSecretsOfWhatFollows(t *testing.T) {
	t.Parallel()
	o := newServed(t)
	web := host{Network: "lan", Token: "hunter2hunter2"}
	_, then := o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "server/web": web, "server/db": host{Token: "hunter3hunter3"}}), nil)
	now := o.desire(t, map[string]any{"network/lan": wire{Range: "2"}, "server/web": web, "server/db": host{Token: "hunter3hunter3"}})
	o.sync(t, now, nil)
	things := o.things(t)
	_, err := o.engine.Rollback(t.Context(), then.Head.Serial, nil, nil)
	require.ErrorIs(t, err, sync.ErrSecretUnavailable)
	require.ErrorContains(t, err, "server/web - needs the value of token")
	require.NotContains(t, err.Error(), "server/db", "which stays as it is")
	require.Equal(t, things, o.things(t))
	p, _ := o.rollBack(t, then.Head.Serial, now, nil)
	require.Equal(t, map[diff.Op]int{diff.OpReplace: 1, diff.OpUpdate: 1}, p.Counts())
	require.Equal(t, "hunter2hunter2", o.config(t, "server/web", "token"))
}

// What was an orphan then, or had not come to be, was not declared.
func TestPromise13_ARollbackToAStateThatWasNotWhole(t *testing.T) {
	t.Parallel()
	o := newTown(t, &sync.Options{Retries: -1}, func(w *syncertest.World) []sync.Kind { return townKinds(w) })
	o.sync(t, o.desire(t, map[string]any{"network/a": wire{Range: "1"}, "network/b": wire{}}), nil)
	o.watch().lose["create network/c"] = errors.Join(errDown, sync.ErrUncertain)
	_, then, err := o.apply(t, o.desire(t, map[string]any{"network/a": wire{Range: "1"}, "network/c": wire{}}), nil)
	require.ErrorIs(t, err, errDown)
	require.Equal(t, []int{1, 1}, []int{then.Head.Orphans, then.Head.Pending})
	o.Hook = nil
	o.sync(t, o.desire(t, map[string]any{"network/a": wire{Range: "2"}, "network/b": wire{}, "network/c": wire{}}), nil)
	p, result := o.rollBack(t, then.Head.Serial, nil, nil)
	require.Equal(t, []string{"delete network/a", "orphan network/b", "orphan network/c", "replace network/a"}, changesOf(p))
	require.Len(t, result.Orphans(), 2)
}

// A part can be rolled back as well.
func TestPromise13_ARollbackOfAPart(t *testing.T) {
	t.Parallel()
	e := newEngine(t, syncertest.NewMemory(scope()), nil)
	then := syncAll(t, e, desire(t, "a=1", "b=1"), nil)
	syncAll(t, e, desire(t, "a=2", "b=2", "c"), nil)
	p, err := e.Rollback(t.Context(), then.Head.Serial, nil, only(t, "thing/a"))
	require.NoError(t, err)
	require.Equal(t, []string{"update a"}, planned(p))
	_, err = e.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Empty(t, plan(t, e, desire(t, "a=1", "b=2", "c"), nil).Changes)
}

// Who unlocks takes the lease from the holder that was seen, and from no other.
func TestPromise6_UnlockingIsForTheHolderThatWasSeen(t *testing.T) {
	t.Parallel()
	memory := syncertest.NewMemory(scope())
	e := newEngine(t, memory, nil)
	first, _, err := memory.Begin(t.Context(), "first")
	require.NoError(t, err)
	seen, err := e.Holder(t.Context())
	require.NoError(t, err)
	require.Equal(t, scope(), seen.Scope)
	require.NoError(t, first.Close(t.Context()))
	second, _, err := memory.Begin(t.Context(), "second")
	require.NoError(t, err)
	require.NoError(t, e.Unlock(t.Context(), seen), "it is no error that somebody else has it by now")
	holder, err := e.Holder(t.Context())
	require.NoError(t, err)
	require.Equal(t, "second", holder.Owner)
	_, err = second.Renew(t.Context())
	require.NoError(t, err)
	require.NoError(t, second.Close(t.Context()))
}
