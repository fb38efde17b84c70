package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/appsync"
)

func TestBuildLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shop := newBuildLog(dir, state.Scope{Org: "acme", App: "shop"})
	site := newBuildLog(dir, state.Scope{Org: "acme", App: "site"})
	open, err := shop.open()
	require.NoError(t, err)
	require.Empty(t, open, "there is no log yet")
	require.NoError(t, shop.add())
	require.NoDirExists(t, filepath.Join(dir, ".trueup"))

	line := func(component, checksum string, phase appsync.BuildPhase) buildLine {
		return buildLine{Component: component, Checksum: checksum, Phase: phase}
	}
	require.NoError(t, shop.add(
		line("queued", "1", appsync.BuildQueued),
		line("broken", "1", appsync.BuildQueued), line("broken", "1", appsync.BuildRunning),
		line("failed", "1", appsync.BuildFailed),
		line("done", "1", appsync.BuildRunning), line("done", "1", appsync.BuildDone),
		line("again", "1", appsync.BuildDone), line("again", "1", appsync.BuildQueued),
		line("changed", "1", appsync.BuildDone), line("changed", "2", appsync.BuildQueued),
	))
	require.NoError(t, site.add(line("failed", "1", appsync.BuildDone), line("other", "1", appsync.BuildQueued)))
	open, err = shop.open()
	require.NoError(t, err)
	require.Equal(t, map[built]bool{{"queued", "1"}: true, {"broken", "1"}: true, {"failed", "1"}: true, {"again", "1"}: true, {"changed", "2"}: true}, open)

	ignored, err := os.ReadFile(filepath.Join(dir, ".trueup", ".gitignore"))
	require.NoError(t, err)
	require.Equal(t, "*\n", string(ignored))
}

// A line that a crash has cut off spoils nothing but itself.
func TestBuildLogAfterACrash(t *testing.T) {
	t.Parallel()
	l := newBuildLog(t.TempDir(), state.Scope{Org: "acme", App: "shop"})
	require.NoError(t, l.add(buildLine{Component: "a", Checksum: "1", Phase: appsync.BuildQueued}))
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = f.WriteString(`{"scope":"acme/shop","component":"a","checksum":"1","pha`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	open, err := l.open()
	require.NoError(t, err)
	require.Equal(t, map[built]bool{{"a", "1"}: true}, open)
	require.NoError(t, l.add(buildLine{Component: "a", Checksum: "1", Phase: appsync.BuildDone}))
	open, err = l.open()
	require.NoError(t, err)
	require.Empty(t, open)
}

func FuzzBuildLog(f *testing.F) {
	f.Add(`{"scope":"acme/shop","component":"a","checksum":"1","phase":"queued"}` + "\n")
	f.Add("{\"scope\":\"acme/shop\",\"component\":\"a\",\"phase\":\"done\"}\n{\"scope\"")
	f.Add("\n\n[]\nnull\n{}")
	f.Fuzz(func(t *testing.T, text string) {
		open, err := openIn(strings.NewReader(text), "acme/shop")
		require.NoError(t, err, "whatever it says, it is a log")
		for what := range open {
			require.NotEmpty(t, what.component)
		}
	})
}
