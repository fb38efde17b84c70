package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Apply plans again if the State has moved. What the caller has done with its
// declaration since is no matter then either.
func TestPromise1_APlanKeepsItsDeclaration(t *testing.T) {
	t.Parallel()
	x, y := key("x"), key("y")
	for name, spoil := range map[string]func(d *sync.Desired){
		"another resource":     func(d *sync.Desired) { d.Resources[1] = desire(t, "other").Resources[0] },
		"fewer resources":      func(d *sync.Desired) { d.Resources = d.Resources[:1] },
		"another name":         func(d *sync.Desired) { d.Resources[1].Name = "other" },
		"another config":       func(d *sync.Desired) { d.Resources[1].Config = desire(t, "b=9").Resources[0].Config },
		"another tag":          func(d *sync.Desired) { d.Resources[1].Tags[0] = "other" },
		"another edge":         func(d *sync.Desired) { d.Resources[1].After[0] = y },
		"another reference":    func(d *sync.Desired) { d.Resources[1].Refs[0].To = y },
		"another field's left": func(d *sync.Desired) { d.Resources[1].Unmanaged[0] = "label" },
		"another move":         func(d *sync.Desired) { d.Moves[0].To = y },
		"no move":              func(d *sync.Desired) { d.Moves = nil },
		"another revision":     func(d *sync.Desired) { d.Revision = "two" },
		"no position":          func(d *sync.Desired) { clear(d.Positions) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, newSpy(), nil)
			syncAll(t, e, desire(t, "old"), nil)
			declared := func() *sync.Desired {
				desired := desire(t, "x", "b=1>x", "y")
				b := &desired.Resources[1]
				b.Tags, b.Unmanaged = []string{"tag"}, []string{"extra.ref2"}
				b.Refs = []state.Ref{{Path: "extra.ref", To: x}}
				b.Config = []byte(`{"extra":{"ref":"x","ref2":"z"},"label":"l","size":1}`)
				desired.Moves = []sync.Move{{From: key("old"), To: x}}
				desired.Revision = "one"
				desired.Positions = map[state.Key]sync.Position{x: {File: "x.toml"}}
				return desired
			}
			desired := declared()
			p := plan(t, e, desired, nil)
			moveOn(t, e.Backend())
			spoil(desired)
			result, err := e.Apply(t.Context(), p)
			require.NoError(t, err)
			require.Equal(t, "one", result.Head.Revision)
			require.Empty(t, plan(t, e, declared(), nil).Changes)
		})
	}
}

// moveOn records a commit that changes no record.
func moveOn(t testing.TB, b sync.Backend) {
	t.Helper()
	tx, head, err := b.Begin(t.Context(), "somebody else")
	require.NoError(t, err)
	head.Serial++
	_, err = tx.Commit(t.Context(), state.Delta{Head: head})
	require.NoError(t, err)
	require.NoError(t, tx.Close(t.Context()))
}
