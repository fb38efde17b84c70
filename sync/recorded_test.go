package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

type vault struct {
	Box      string `toml:"box" sync:"ref=box"`
	Password string `toml:"password" sync:"sensitive"`
}

// What is recorded is a declaration that leads nowhere else: moves are made, orphans
// are none of it, and sensitive values are those of the source, or nobody's.
func TestRecorded(t *testing.T) {
	t.Parallel()
	kinds := sync.Kinds(sync.Define[box]("box"), sync.Define[vault]("vault"))
	engine, err := sync.New(syncertest.NewMemory(scope()), kinds, nil)
	require.NoError(t, err)
	gone := resource(t, kinds, "box/gone", box{1})
	syncAll(t, engine, declaring(gone, resource(t, kinds, "box/old", box{1})), nil)
	desired := declaring(resource(t, kinds, "box/new", box{1}), resource(t, kinds, "vault/v", vault{"new", "sesame"}), resource(t, kinds, "vault/w", vault{"new", "open"}))
	desired.Moves = []sync.Move{{From: parse(t, "box/old"), To: parse(t, "box/new")}}
	desired.Resources[0].Tags, desired.Resources[0].Description = []string{"a"}, "moved"
	syncAll(t, engine, desired, nil)

	recorded, err := engine.Recorded(t.Context(), desired)
	require.NoError(t, err)
	require.Empty(t, recorded.Warnings)
	require.Equal(t, desired.Resources, recorded.Resources)
	require.Empty(t, plan(t, engine, recorded, nil).Changes)

	recorded, err = engine.Recorded(t.Context(), nil)
	require.NoError(t, err)
	require.JSONEq(t, `{"box":"new"}`, string(recorded.Resources[1].Config))
	require.Equal(t, []string{"password"}, recorded.Resources[1].Unmanaged)
	require.Len(t, recorded.Warnings, 2)
	require.Equal(t, "vault/v: password is sensitive, and only its digest is recorded: it is left out, and unmanaged", recorded.Warnings[0].Text)

	// Nothing is recorded: nothing is declared.
	engine, err = sync.New(syncertest.NewMemory(scope()), kinds, nil)
	require.NoError(t, err)
	recorded, err = engine.Recorded(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, recorded.Resources)
}
