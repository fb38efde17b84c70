package sync_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// boxed returns a town of boxes and crates of which boxes are acted on.
func boxed(t *testing.T) *outside {
	t.Helper()
	return newTown(t, nil, func(w *syncertest.World) []sync.Kind {
		return []sync.Kind{sync.Define[box]("box", sync.Handle(w.Finding())), sync.Define[crate]("crate")}
	})
}

// What has been renamed since is the same thing under its old name again.
func TestPromise13_ARollbackMovesBack(t *testing.T) {
	t.Parallel()
	o := boxed(t)
	_, _, err := o.apply(t, declaring(resource(t, o.kinds, "box/old", box{1}), resource(t, o.kinds, "crate/c", crate{Box: "old"})), nil)
	require.NoError(t, err)
	head, err := o.backend.Head(t.Context())
	require.NoError(t, err)
	before := allRecords(t, o.backend)
	desired := declaring(resource(t, o.kinds, "box/new", box{2}), resource(t, o.kinds, "crate/c", crate{Box: "new"}))
	desired.Moves = []sync.Move{{From: resource(t, o.kinds, "box/old", box{}).Key, To: desired.Resources[0].Key}}
	_, _, err = o.apply(t, desired, nil)
	require.NoError(t, err)

	p, err := o.engine.Rollback(t.Context(), head.Serial, nil, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"move old", "update c"}, planned(p))
	result, err := o.engine.Apply(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, before, allRecords(t, o.backend))
	require.Equal(t, head.Declared, result.Head.Declared)
	require.Len(t, o.things(t), 1)
	require.Empty(t, result.Orphans())
}

// Towards a State of nothing, as towards a declaration of nothing, is pruned only
// if that is allowed.
func TestPromise13_ARollbackToNothingIsNoReasonToPruneAll(t *testing.T) {
	t.Parallel()
	o := boxed(t)
	_, _, err := o.apply(t, declaring(resource(t, o.kinds, "box/b", box{1})), nil)
	require.NoError(t, err)
	_, result, err := o.apply(t, declaring(), nil)
	require.NoError(t, err)
	_, _, err = o.apply(t, declaring(resource(t, o.kinds, "box/b", box{1})), nil)
	require.NoError(t, err)

	_, err = o.engine.Rollback(t.Context(), result.Head.Serial, nil, &sync.PlanOptions{Prune: true})
	require.ErrorIs(t, err, sync.ErrEmptyDeclaration)
	p, err := o.engine.Rollback(t.Context(), result.Head.Serial, nil, &sync.PlanOptions{Prune: true, AllowEmpty: true})
	require.NoError(t, err)
	require.Equal(t, []string{"delete b"}, planned(p))
}

// What nobody could act on any more is an error, not a record of what isn't there.
func TestPromise13_ARollbackNeedsTheKindsOfThen(t *testing.T) {
	t.Parallel()
	o := boxed(t)
	_, result, err := o.apply(t, declaring(resource(t, o.kinds, "box/b", box{1}), resource(t, o.kinds, "crate/c", crate{})), nil)
	require.NoError(t, err)
	_, _, err = o.apply(t, declaring(resource(t, o.kinds, "crate/c", crate{})), &sync.PlanOptions{Prune: true})
	require.NoError(t, err)
	o.with(t, nil, sync.Define[struct{ Size int }]("crate"))
	_, err = o.engine.Rollback(t.Context(), result.Head.Serial, nil, nil)
	require.ErrorIs(t, err, sync.ErrUnknownKind)
	require.ErrorContains(t, err, "box/b")
}

// A replace that failed may leave the old thing under the new name: that is no drift.
func TestPromise12_AMoveWithoutItsReplaceIsNoDrift(t *testing.T) {
	t.Parallel()
	o := newTown(t, nil, func(w *syncertest.World) []sync.Kind { return townKinds(w, sync.CreateFirst()) })
	o.sync(t, o.desire(t, map[string]any{"network/lan": wire{Range: "1"}, "network/kiwi": wire{Range: "1"}}), nil)
	refused := errors.New("refused")
	o.Hook = func(change diff.Change, _ bool) error {
		if change.Op() == diff.OpReplace {
			return refused
		}
		return nil
	}
	desired := o.desire(t, map[string]any{"network/home": wire{Range: "2"}, "network/kiwi": wire{Range: "1"}})
	desired.Moves = renamed(t, o).Moves
	result := o.fails(t, desired, refused)
	require.Equal(t, "network/home", result.Records()[0].Key.String())
	drift, err := o.engine.Drift(t.Context())
	require.NoError(t, err)
	require.Empty(t, drift)
}
