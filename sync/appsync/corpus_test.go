package appsync_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// wrong are the apps of the corpus that don't load, since there is a mistake in
// them.
func wrong() map[string]string {
	return map[string]string{
		// Its .gitignore lists *.tfvars, so that copies may lack the file.
		"data-ops": "sandbox.toml:17:1: the file ./sandbox.tfvars is not there; looked in the config directory",
	}
}

// TestCorpus does the main job with every app of a corpus: real ones, if
// TRUEUP_CORPUS is a directory that has them in appsync/, else our own. Each
// loads, syncs, syncs again without a change and, once one component is edited,
// syncs that one.
func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := "testdata"
	if corpus := os.Getenv("TRUEUP_CORPUS"); corpus != "" {
		dir = filepath.Join(corpus, "appsync")
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "metadata.toml"))
	require.NoError(t, err)
	require.NotEmpty(t, found, "no app in %s", dir)
	for _, metadata := range found {
		root := filepath.Dir(metadata)
		t.Run(filepath.Base(root), func(t *testing.T) {
			t.Parallel()
			files := memoryOf(t, os.DirFS(root))
			config, err := appsync.Load(files, nil)
			if err != nil {
				require.EqualError(t, err, wrong()[filepath.Base(root)])
				return
			}
			t.Logf("%d resources, warnings: %v", len(config.Desired.Resources), config.Desired.Warnings)
			syncAgainAndAgain(t, files, config)
		})
	}
}

func syncAgainAndAgain(t *testing.T, files fstest.MapFS, config *appsync.Config) {
	t.Helper()
	engine, err := sync.New(syncertest.NewMemory(state.Scope{Org: "acme", App: "app"}), appsync.Kinds(), nil)
	require.NoError(t, err)
	syncer := appsync.New(engine, config)
	require.NoError(t, syncer.Sync(asAcme(t)))
	require.Len(t, syncer.Result().Changes, len(config.Desired.Resources))
	before := encoded(t, syncer.State())

	config, err = appsync.Load(files, nil)
	require.NoError(t, err)
	syncer = appsync.New(engine, config)
	require.NoError(t, syncer.Sync(asAcme(t)))
	require.Empty(t, syncer.Result().Changes)
	require.Equal(t, before, encoded(t, syncer.State()))

	key := touch(t, files, config)
	config, err = appsync.Load(files, nil)
	require.NoError(t, err)
	plan, err := engine.Plan(t.Context(), config.Desired, nil)
	require.NoError(t, err)
	require.Len(t, plan.Changes, 1)
	require.Equal(t, key, plan.Changes[0].Key())
}

// touch edits the file of one component and returns its key.
func touch(t *testing.T, files fstest.MapFS, config *appsync.Config) state.Key {
	t.Helper()
	for key, at := range config.Desired.Positions {
		file := files[at.File]
		if key.Kind != appsync.KindComponent || strings.Contains(string(file.Data), "var_name") {
			continue
		}
		files[at.File].Data = append([]byte("var_name = 'touched'\n"), file.Data...)
		return key
	}
	require.Fail(t, "there is no component to touch")
	return state.Key{}
}

// memoryOf copies a directory into memory.
func memoryOf(t testing.TB, dir fs.FS) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(dir, name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	}))
	return files
}
