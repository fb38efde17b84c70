package manifest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

// What is written from the tree is what would be written from its Go value.
func TestJSONOfTree(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"",
		"b = 1\na = 2.50\n\"\" = true\n\"é\\n\\\"\" = 'é\"\\'\n'a-_1' = []\n",
		"s = '''\nline\n\ttab\n'''\nt = 2024-05-01T10:00:00+02:00\nd = 2024-05-01\n",
		"l = [1, [], {}, [{ b = 1, a = 1 }]]\n[[t]]\nx = 1\n[[t]]\n[t.y]\nz.a = 1e300\n",
	} {
		var m Mistakes
		doc := new(decoder).decode("a.toml", []byte(text), &m)
		require.NoError(t, m.Err())
		want, err := state.AppendCanonical(nil, doc.Root)
		require.NoError(t, err)
		got, err := doc.tree.appendJSON(nil, 0)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
		canonical, err := state.Canonical(got)
		require.NoError(t, err)
		require.Equal(t, string(canonical), string(got))
	}
}
