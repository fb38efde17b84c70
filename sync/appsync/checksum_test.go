package appsync_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
)

// edited is the app that the edits of TestChecksum are made to.
func edited() map[string]string {
	return map[string]string{
		"components/a.toml": `name = 'a'
type = 'helm_chart'
chart_name = 'a'
dependencies = ['c', 'b']

[values]
x = '1'
y = '2'

[[values_file]]
contents = './a.yaml'

[[values_file]]
contents = 'second'
`,
		"components/a.yaml": "replicas: 2\n",
		"components/b.toml": "name = 'b'\ntype = 'job'\ncmd = ['run', 'fast']\n",
		"components/c.toml": "name = 'c'\ntype = 'job'\nargs = []\n",
	}
}

// TestChecksum makes edits and tells which resources they change.
func TestChecksum(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file, old, new string
		changes              []string
	}{
		{"a comment", "components/a.toml", "chart_name = 'a'", "# the chart\nchart_name = 'a' # of ours", nil},
		{"white space", "components/a.toml", "chart_name = 'a'\n", "\n\n  chart_name   =   \"a\"\n\n", nil},
		{"the order of keys", "components/a.toml", "x = '1'\ny = '2'", "y = '2'\nx = '1'", nil},
		{"the order of dependencies", "components/a.toml", "['c', 'b']", "['b', 'c', 'b']", nil},
		{"a field at its default", "components/a.toml", "chart_name = 'a'", "chart_name = 'a'\nnamespace = ''\ntake_ownership = false", nil},
		{"an empty list or none", "components/c.toml", "args = []\n", "", nil},
		{"a file that isn't named", "components/other.yaml", "", "x: 1", nil},
		{"a value", "components/a.toml", "x = '1'", "x = '2'", []string{"component/a"}},
		{"a field that isn't at its default", "components/a.toml", "chart_name = 'a'", "chart_name = 'a'\ntake_ownership = true", []string{"component/a"}},
		{"a field that is back at its default", "components/a.toml", "chart_name = 'a'", "chart_name = ''", []string{"component/a"}},
		{"0 where nothing means another thing", "components/a.toml", "chart_name = 'a'", "chart_name = 'a'\nmax_auto_retries = 0", []string{"component/a"}},
		{"what a file holds", "components/a.yaml", "2", "3", []string{"component/a"}},
		{"the order of a list", "components/b.toml", "['run', 'fast']", "['fast', 'run']", []string{"component/b"}},
		{"the order of files", "components/a.toml", "'./a.yaml'\n\n[[values_file]]\ncontents = 'second'", "'second'\n\n[[values_file]]\ncontents = './a.yaml'", []string{"component/a"}},
		{"a dependency less", "components/a.toml", "['c', 'b']", "['b']", []string{"component/a"}},
		{"no dependency any more", "components/a.toml", "dependencies = ['c', 'b']\n", "", []string{"component/a"}},
		{"a dependency through a file", "components/a.yaml", "2", "'{{.nuon.components.b.outputs.n}}'", []string{"component/a"}},
		{"the type", "components/b.toml", "type = 'job'\ncmd = ['run', 'fast']\n", "type = 'docker_build'\n", []string{"component/b"}},
		{"what is metadata", "metadata.toml", "", "display_name = 'A'\nversion = 'v2'\n", []string{"metadata/metadata"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			files := edited()
			before := checksums(t, load(t, files))
			if test.old == "" {
				files[test.file] = test.new
			} else {
				require.Contains(t, files[test.file], test.old)
				files[test.file] = strings.Replace(files[test.file], test.old, test.new, 1)
			}
			after := checksums(t, load(t, files))
			var changes []string
			for key, sum := range after {
				if before[key] != sum {
					changes = append(changes, key)
				}
			}
			require.Equal(t, test.changes, changes)
			require.Len(t, after, len(before))
		})
	}
}

// TestChecksumKeepsFieldsApart: what is in one field can't look like two.
func TestChecksumKeepsFieldsApart(t *testing.T) {
	t.Parallel()
	one := load(t, map[string]string{"components/a.toml": component + "[vars]\nA = '1b:2'\nB = '3'\n"})
	other := load(t, map[string]string{"components/a.toml": component + "[vars]\nA = '1'\nB = '2b:3'\n"})
	require.NotEqual(t, checksums(t, one), checksums(t, other))
}

func checksums(t *testing.T, desired *sync.Desired) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for i := range desired.Resources {
		sum, err := desired.Resources[i].Checksum()
		require.NoError(t, err)
		sums[desired.Resources[i].Key.String()] = sum.String()
	}
	return sums
}
