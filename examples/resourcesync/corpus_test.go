package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/synccli"
)

// broken are the directories of the corpus that can't load, and a mistake that is in
// their files.
func broken() map[string]string {
	return map[string]string{
		// It exports what its other files declare.
		"MarioGK+Homelab": "komodo/server.toml:236:1: repo/MarioGK/Homelab is declared twice; the first is at ",
	}
}

// TestEveryDirectory takes what people have declared for Komodo through its life, if
// TRUEUP_CORPUS names a directory that has it in resourcesync/; without it, the demo.
func TestEveryDirectory(t *testing.T) {
	t.Parallel()
	dirs := []string{"demo"}
	if corpus := os.Getenv("TRUEUP_CORPUS"); corpus != "" {
		var err error
		dirs, err = filepath.Glob(filepath.Join(corpus, "resourcesync", "*"))
		require.NoError(t, err)
		require.NotEmpty(t, dirs, "TRUEUP_CORPUS holds no resourcesync/*")
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			h := &home{T: t, dir: filepath.Join(t.TempDir(), "files"), books: t.TempDir()}
			require.NoError(t, os.CopyFS(h.dir, os.DirFS(dir)))
			if mistake, ok := broken()[filepath.Base(dir)]; ok {
				_, errs := h.run(1, "validate", "--lenient", h.dir)
				require.Contains(t, errs, mistake)
				return
			}
			h.live()
		})
	}
}

// home is a copy of a directory.
type home struct {
	*testing.T
	dir, books string
}

// run runs a command, which must end with that exit code.
func (h *home) run(code int, args ...string) (out, errs string) {
	h.Helper()
	var stdout, stderr bytes.Buffer
	got := run(context.Background(), args, synccli.Stdio{Out: &stdout, Err: &stderr, User: "tester"})
	require.Equal(h, code, got, "%q\n%s%s", args, &stdout, &stderr)
	return stdout.String(), stderr.String()
}

// live is everything that happens to a directory. Nothing is deployed.
func (h *home) live() {
	at := []string{"--backend", "file:" + h.books, "--lenient"}
	off := append(at, "--no-deploy")
	h.run(0, append([]string{"validate", "--lenient"}, h.dir)...)
	h.run(2, append([]string{"plan", h.dir}, off...)...)
	h.run(0, append([]string{"sync", h.dir}, off...)...)
	h.unchanged(append([]string{h.dir}, off...)...)

	h.reformat()
	h.unchanged(append([]string{h.dir}, off...)...)

	for _, out := range []string{"one.toml", "split"} {
		exported := filepath.Join(h.TempDir(), out)
		h.run(0, append([]string{"export", "--with-secrets", "--out", exported, h.dir}, at...)...)
		h.unchanged("--backend", "file:"+h.books, "--no-deploy", exported)
	}
}

// unchanged wants a plan that is empty: what is declared is what is recorded.
func (h *home) unchanged(args ...string) {
	h.Helper()
	out, _ := h.run(0, append([]string{"plan"}, args...)...)
	require.Contains(h, out, "No changes: ")
}

// reformat writes every file in another way that says the same.
func (h *home) reformat() {
	h.Helper()
	list := regexp.MustCompile(`(?m)^(\s*(?:environment|labels|volumes|ports) = """)\n`)
	var files []string
	err := filepath.WalkDir(h.dir, func(path string, _ os.DirEntry, err error) error {
		if filepath.Ext(path) == ".toml" {
			files = append(files, path)
		}
		return err
	})
	require.NoError(h, err)
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(h, err)
		text = list.ReplaceAll(text, []byte("$1\n# a comment\n\n"))
		renamed := filepath.Join(filepath.Dir(path), "renamed-"+filepath.Base(path))
		require.NoError(h, os.WriteFile(renamed, []byte("# another comment\n\n"+string(text)+"\n# the end\n"), 0o600))
		require.NoError(h, os.Remove(path))
	}
}
