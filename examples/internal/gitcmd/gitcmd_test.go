package gitcmd_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/gitcmd"
)

// A git hook that runs one of our programs has set these.
func TestNew_OfAnotherRepositorysHook(t *testing.T) {
	for name, value := range map[string]string{
		"GIT_DIR": ".git", "GIT_COMMON_DIR": ".git", "GIT_OBJECT_DIRECTORY": ".git/objects", "GIT_INDEX_FILE": ".git/index", "GIT_WORK_TREE": ".",
	} {
		t.Run(name, func(t *testing.T) {
			other, dir := t.TempDir(), t.TempDir()
			for _, d := range []string{other, dir} {
				require.NoError(t, gitcmd.New(t.Context(), d, "init", "--quiet").Run())
			}
			files := os.DirFS(other)
			before, err := fs.Glob(files, ".git/objects/*")
			require.NoError(t, err)
			t.Setenv(name, filepath.Join(other, value))

			require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("a"), 0o600))
			require.NoError(t, gitcmd.New(t.Context(), dir, "add", "--all").Run())
			out, err := gitcmd.New(t.Context(), dir, "status", "--porcelain").Output()
			require.NoError(t, err)
			require.Equal(t, "A  a\n", string(out))
			require.NoFileExists(t, filepath.Join(other, ".git", "index"))
			after, err := fs.Glob(files, ".git/objects/*")
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

// Hooks are programs of whoever has made them.
func TestNew_NoHooks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, gitcmd.New(t.Context(), dir, "init", "--quiet").Run())
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".git", "hooks"), 0o700))
	hook := "#!/bin/sh\nexit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".git", "hooks", "pre-commit"), []byte(hook), 0o700))
	commit := strings.Fields("-c user.name=t -c user.email=t@example.com commit --quiet --allow-empty --message=x")
	require.NoError(t, gitcmd.New(t.Context(), dir, commit...).Run())
}
