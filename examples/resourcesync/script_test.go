package main

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/script"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

// TestScripts plays the scripts in testdata. What they record is in $WORK/books.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			program := script.Program{Name: "resourcesync", Run: run, Update: *update}
			require.NoError(t, program.Play(t.Context(), file, t.TempDir()))
		})
	}
}
