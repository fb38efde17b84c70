package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/script"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

// TestScripts plays the scripts in testdata, each over its own copy of the demo.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			program := script.Program{Name: "appsync", Run: run, Update: *update, Setup: func(work string) error {
				copyApp(t, "demo", filepath.Join(work, "app"))
				return nil
			}}
			require.NoError(t, program.Play(t.Context(), file, t.TempDir()))
		})
	}
}

// copyApp copies an app's directory, but for what is recorded in it.
func copyApp(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
	require.NoError(t, os.RemoveAll(filepath.Join(to, ".trueup")))
}
