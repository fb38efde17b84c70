package main

import (
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/dbsyncer/dbsyncertest"
	"github.com/trueup-go/trueup/examples/internal/script"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

// TestScripts plays the scripts in testdata, each over its own copy of the demo.
func TestScripts(t *testing.T) {
	t.Parallel()
	play(t, "script", nil)
}

// TestScriptsOverPostgres plays those that record in a database.
func TestScriptsOverPostgres(t *testing.T) {
	t.Parallel()
	server := dbsyncertest.Start(t, nil).URL()
	parts, err := url.Parse(server)
	require.NoError(t, err)
	password, _ := parts.User.Password()
	play(t, "postgres", map[string]string{
		"POSTGRES": server,
		"ANOTHER":  strings.Replace(server, "/postgres?", "/another?", 1),
		"WRONG":    strings.Replace(server, password, "hunter2", 1),
		"PASSWORD": password,
	})
}

// play plays the scripts in a directory of testdata.
func play(t *testing.T, dir string, vars map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			program := script.Program{Name: "appsync", Run: run, Vars: vars, Update: *update, Setup: func(work string) error {
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
