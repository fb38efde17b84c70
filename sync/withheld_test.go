package sync_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// withholding is a backend for those who may only read.
type withholding struct{ *syncertest.Memory }

// DigestKey implements sync.DigestKeeper.
func (withholding) DigestKey(context.Context) ([]byte, error) {
	return nil, sync.ErrDigestKeyWithheld
}

// Whoever may only read has no key to compare sensitive values with. The plan takes them
// for unchanged, and says so; what can be told without the key it tells.
func TestPromise10_WithoutTheKeySensitiveValuesAreNotCompared(t *testing.T) {
	t.Parallel()
	memory := syncertest.NewMemory(state.Scope{Org: "acme", App: "shop"})
	engine := accountEngine(t, memory, nil)
	plan, err := engine.Plan(t.Context(), accounts(t, map[string]string{"ada": "hunter2", "bob": ""}), nil)
	require.NoError(t, err)
	_, err = engine.Apply(t.Context(), plan)
	require.NoError(t, err)

	reader := accountEngine(t, withholding{memory}, nil)
	for _, token := range []string{"hunter2", "another"} {
		plan, err = reader.Plan(t.Context(), accounts(t, map[string]string{"ada": token, "bob": ""}), nil)
		require.NoError(t, err)
		require.Equal(t, "No changes: 3 as declared.\n", plan.String())
		require.Len(t, plan.Warnings, 1)
		require.Contains(t, plan.Warnings[0].String(), "the sensitive values of 1 of the 3 declared resources were not compared")
	}
	desired := accounts(t, map[string]string{"ada": "another", "bob": "new"})
	desired.Resources[0].Description = "the site"
	for i := range desired.Resources {
		if desired.Resources[i].Name == "ada" {
			desired.Resources[i].Tags = []string{"first"}
		}
	}
	plan, err = reader.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	require.Equal(t, `~ account/ada
    tags: (none) → "first"
~ account/bob
    token: (sensitive) → (sensitive)
~ site/page
    description: (none) → "the site"
Plan: 3 to update, 0 unchanged.
`, plan.String())
}
