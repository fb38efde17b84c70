package manifest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// TestCorpus renders what real files declare, and loads it again: those of
// resourcesync/ in the directory TRUEUP_CORPUS if that is set, else our own. The
// kinds take any field.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dirs := []string{"testdata/stacks"}
	if corpus := os.Getenv("TRUEUP_CORPUS"); corpus != "" {
		found, err := filepath.Glob(filepath.Join(corpus, "resourcesync", "*"))
		require.NoError(t, err)
		require.NotEmpty(t, found, "no directory in %s/resourcesync", corpus)
		dirs = append(dirs, found...)
	}
	var free []sync.Kind
	for _, name := range []string{"server", "repo", "build", "procedure", "action", "alerter", "builder", "resource_sync", "user_group", "variable"} {
		free = append(free, sync.Kind{Name: name})
	}
	for _, name := range []string{"stack", "deployment"} {
		free = append(free, sync.Kind{Name: name, Deployer: engineRoom{}})
	}
	kinds := sync.Kinds(free...)
	opts := manifest.Options{Dialect: manifest.Komodo, Flat: []string{"variable", "user_group"}, Lenient: true}
	for _, dir := range dirs {
		fsys := os.DirFS(dir)
		names, err := tomlFiles(fsys)
		require.NoError(t, err)
		require.NotEmpty(t, names, "no file in %s", dir)
		for _, name := range names {
			// Each on its own: some declare what others of the same directory do.
			declaration, err := manifest.LoadRoots([]manifest.Root{{FS: fsys, Path: name, Dir: dir}}, kinds, &opts)
			require.NoError(t, err)
			t.Logf("%s: %d resources, %d references, warnings: %v", name, len(declaration.Desired.Resources), len(declaration.References), declaration.Desired.Warnings)
			for _, dialect := range []manifest.Dialect{manifest.Komodo, manifest.TOML} {
				rendered := opts
				rendered.Dialect = dialect
				file, err := manifest.Render(declaration.Desired, kinds, &rendered)
				require.NoError(t, err)
				again, err := manifest.Load(fstest.MapFS{"a.toml": {Data: file}}, kinds, &rendered)
				require.NoError(t, err, "%s", file)
				requireSameState(t, declaration.Desired, again)
			}
		}
	}
}

// tomlFiles returns the paths of all TOML files.
func tomlFiles(fsys fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(name) == ".toml" {
			names = append(names, name)
		}
		return err
	})
	return names, err
}
