package checkout_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/checkout"
)

// The tree is the commit's, whatever the files are now.
func TestTree(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	require.NoError(t, os.MkdirAll(filepath.Join(r.origin, "sub"), 0o700))
	r.commit("a", "one")
	r.commit("sub/b", "two")
	result, err := r.checkout()
	require.NoError(t, err)
	tree := func(paths ...string) string {
		t.Helper()
		text, err := checkout.Tree(t.Context(), r.dir, result.Commit, paths...)
		require.NoError(t, err)
		return text
	}
	one := tree("a")
	require.Regexp(t, "^100644 blob [0-9a-f]{40}\ta$", one)
	r.write("a", "edited")
	r.write("made", "x")
	require.Equal(t, one, tree("made", "./a", "none"))
	require.Regexp(t, "^040000 tree [0-9a-f]{40}\tsub$", tree("sub"))
	require.Empty(t, tree())
	_, err = checkout.Tree(t.Context(), r.dir, result.Commit, "../x")
	require.ErrorContains(t, err, `path "../x": expected one inside the checkout`)
}

// Who only looks runs nothing, and leaves it to be run by who comes next.
func TestCheckout_CommandsOfTheNext(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.commit("a", "one")
	_, err := r.checkout()
	require.NoError(t, err)
	_, err = r.checkout(func(s *checkout.Spec) {
		s.OnClone, s.OnPull = &checkout.Command{Script: "echo 1 > cloned"}, &checkout.Command{Script: "echo 2 > pulled"}
	})
	require.NoError(t, err)
	require.Equal(t, "1\n", r.holds("cloned"))
	require.Equal(t, "2\n", r.holds("pulled"))
}
