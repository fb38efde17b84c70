package backends_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/backends"
	"github.com/trueup-go/trueup/state"
)

// Whatever a scope is called, it has a directory of its own, two levels below that of
// all of them.
func TestScopesAreApart(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"shop":                     "shop",
		"shop-2_b.x":               "shop-2_b.x",
		"Shop":                     "%53hop",
		".shop":                    "%2eshop",
		"...":                      "%2e..",
		"sh op":                    "sh%20op",
		"shöp":                     "sh%c3%b6p",
		"%53hop":                   "%2553hop",
		"c:":                       "c%3a",
		strings.Repeat("n", 200):   strings.Repeat("n", 200),
		strings.Repeat("n", 201):   strings.Repeat("n", 100) + "%%291c4194382c6bd5c12b872660b0fb6d2316508d4632c9b289ed5928c2588b1b",
		strings.Repeat("ö", 30000): strings.Repeat("%c3%b6", 16) + "%c3%" + "%%49747a910eea81ac8ab50bd990414e8bfc556cb2f69bb09bfeb4880437c2f275",
	} {
		dir := t.TempDir()
		scopes, err := backends.OpenScopes(t.Context(), "file:"+dir)
		require.NoError(t, err)
		backend, err := scopes.Open(t.Context(), state.Scope{Org: name, App: name})
		require.NoError(t, err)
		_, err = backend.Head(t.Context())
		require.NoError(t, err)
		require.Empty(t, list(t, dir), "what is only read is not made")
		tx, _, err := backend.Begin(t.Context(), "test")
		require.NoError(t, err)
		require.NoError(t, tx.Close(t.Context()))
		orgs := list(t, dir)
		require.Len(t, orgs, 1)
		require.Equal(t, orgs, list(t, filepath.Join(dir, orgs[0])))
		require.Equal(t, want, orgs[0])
		require.NoError(t, scopes.Close())
	}
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}
