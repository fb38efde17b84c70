package manifest_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/manifest"
)

var update = flag.Bool("update", false, "write what the tests got into testdata")

// TestMistakes loads the files of each archive in testdata/mistakes; its last
// part, "want", is the error.
func TestMistakes(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/mistakes/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			archive, err := os.ReadFile(name)
			require.NoError(t, err)
			parts := parseArchive(string(archive))
			fsys, want := fstest.MapFS{}, ""
			for i, p := range parts {
				if p.name == "want" {
					parts, want = parts[:i], p.text
					break
				}
				fsys[p.name] = &fstest.MapFile{Data: []byte(p.text)}
			}
			_, err = manifest.Load(fsys, testKinds(), nil)
			require.Error(t, err)
			got := err.Error() + "\n"
			if *update {
				text := formatArchive(append(parts, part{name: "want", text: got}))
				require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
				return
			}
			require.Empty(t, cmp.Diff(want, got))
		})
	}
}
