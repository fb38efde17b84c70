package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// broken are the apps of the corpus that can't load, and the mistake in their
// files.
func broken() map[string]string {
	return map[string]string{
		"data-ops": "sandbox.toml:17:1: the file ./sandbox.tfvars is not there",
	}
}

// TestEveryApp takes each app through its life. TRUEUP_CORPUS names a directory
// with real ones in appsync/; without it, the demo is the only one.
func TestEveryApp(t *testing.T) {
	t.Parallel()
	dirs := []string{"demo"}
	if corpus := os.Getenv("TRUEUP_CORPUS"); corpus != "" {
		var err error
		dirs, err = filepath.Glob(filepath.Join(corpus, "appsync", "*"))
		require.NoError(t, err)
		require.NotEmpty(t, dirs, "TRUEUP_CORPUS holds no app")
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			a := &app{T: t, dir: filepath.Join(t.TempDir(), filepath.Base(dir))}
			copyApp(t, dir, a.dir)
			if mistake, ok := broken()[filepath.Base(dir)]; ok {
				_, errs := a.run(1, "validate")
				require.Contains(t, errs, mistake)
				return
			}
			a.live()
		})
	}
}

// app is a copy of an app's directory.
type app struct {
	*testing.T
	dir string
}

// run runs a command on the directory, which must end with that exit code.
func (a *app) run(code int, args ...string) (out, errs string) {
	a.Helper()
	var stdout, stderr bytes.Buffer
	got := run(context.Background(), append(args, a.dir), synccli.Stdio{Out: &stdout, Err: &stderr, User: "tester"})
	require.Equal(a, code, got, "%q\n%s%s", args, &stdout, &stderr)
	return stdout.String(), stderr.String()
}

// live is everything that happens to an app.
func (a *app) live() {
	a.run(0, "validate")
	a.run(2, "plan")
	a.run(0, "sync")
	before := a.files()
	out, _ := a.run(0, "sync")
	require.Contains(a, out, "No changes: ")
	require.Equal(a, before, a.files(), "an unchanged sync writes nothing")
	a.run(0, "plan")

	touched := a.touch()
	require.Equal(a, []string{"update " + touched}, a.planned(2))
	require.Equal(a, []string{"update " + touched}, a.synced())
	require.Empty(a, a.planned(0))

	orphans := a.removeComponent()
	require.Equal(a, each("orphan ", orphans), a.planned(2))
	for range 2 {
		out, _ = a.run(0, "sync")
		for _, orphan := range orphans {
			require.Contains(a, out, "no longer declared: "+orphan+" ")
		}
	}
	out, _ = a.run(0, "prune", "--json", "--yes", "--prune-limit", "100%")
	require.ElementsMatch(a, each("delete ", orphans), a.changes(lastLine(out)))
	out, _ = a.run(0, "orphans")
	require.Contains(a, out, "No orphans")
	a.run(0, "plan")
}

// files returns what is recorded, by the names of the files.
func (a *app) files() map[string]string {
	a.Helper()
	files := map[string]string{}
	root := filepath.Join(a.dir, ".trueup")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	require.NoError(a, err)
	return files
}

// load returns what the directory declares.
func (a *app) load() *sync.Desired {
	a.Helper()
	config, err := appsync.Load(os.DirFS(a.dir), nil)
	require.NoError(a, err)
	return config.Desired
}

// touch gives a component a label and returns its key.
func (a *app) touch() string {
	a.Helper()
	desired := a.load()
	for _, r := range desired.Resources {
		path := filepath.Join(a.dir, desired.Positions[r.Key].File)
		text, err := os.ReadFile(path)
		require.NoError(a, err)
		if r.Kind == appsync.KindComponent && !bytes.Contains(text, []byte("labels")) {
			require.NoError(a, os.WriteFile(path, append([]byte("labels = { touched = \"yes\" }\n"), text...), 0o600))
			return r.String()
		}
	}
	a.Fatal("no component can be touched")
	return ""
}

// removeComponent removes the files of a component and of all that depends on it:
// of the one on which the least does. It returns the keys of what was in them, in
// order.
func (a *app) removeComponent() []string {
	a.Helper()
	desired := a.load()
	var fewest []state.Key
	for _, r := range desired.Resources {
		if r.Kind != appsync.KindComponent {
			continue
		}
		if keys := dependents(desired.Resources, r.Key); fewest == nil || len(keys) < len(fewest) {
			fewest = keys
		}
	}
	require.NotEmpty(a, fewest, "there is no component")
	for _, key := range fewest {
		require.NoError(a, os.RemoveAll(filepath.Join(a.dir, desired.Positions[key].File)))
	}
	// A file may have declared more than that.
	left := a.load().Positions
	var removed []string
	for _, r := range desired.Resources {
		if _, ok := left[r.Key]; !ok {
			removed = append(removed, r.String())
		}
	}
	return removed
}

// dependents returns a key and those of all that depends on it, in order.
func dependents(resources []state.Resource, key state.Key) []state.Key {
	keys := []state.Key{key}
	for i := 0; i < len(keys); i++ {
		for _, r := range resources {
			if slices.Contains(r.Edges(), keys[i]) && !slices.Contains(keys, r.Key) {
				keys = append(keys, r.Key)
			}
		}
	}
	slices.SortFunc(keys, state.Key.Compare)
	return keys
}

// planned returns what a plan would do: "update component/api".
func (a *app) planned(code int) []string {
	a.Helper()
	out, _ := a.run(code, "plan", "--json")
	return a.changes(out)
}

// synced returns what a sync did.
func (a *app) synced() []string {
	a.Helper()
	out, _ := a.run(0, "sync", "--json")
	return a.changes(lastLine(out))
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}

func each(prefix string, all []string) []string {
	var prefixed []string
	for _, one := range all {
		prefixed = append(prefixed, prefix+one)
	}
	return prefixed
}

func (a *app) changes(document string) []string {
	a.Helper()
	var doc struct {
		Changes []struct{ Op, Key, Status string }
	}
	require.NoError(a, json.Unmarshal([]byte(document), &doc))
	var all []string
	for _, c := range doc.Changes {
		require.Contains(a, []string{"", "done"}, c.Status)
		all = append(all, fmt.Sprintf("%s %s", c.Op, c.Key))
	}
	return all
}
