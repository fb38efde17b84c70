package envsyncer_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envfile"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envsyncer"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	syncertest.Run(t, syncertest.Suite{
		New: func(t testing.TB) string { return t.TempDir() },
		Open: func(address string, scope state.Scope) (sync.Backend, error) {
			return open(address, scope, func(string) {})
		},
		Lapse: lapse,
		Lacks: []syncertest.Ability{syncertest.History},
		Crash: &syncertest.Crash{
			Steps: func(address string, scope state.Scope, step func()) (sync.Backend, error) {
				return open(address, scope, func(string) { step() })
			},
			DeathShows: true,
			// Nothing is under way: this looks at what the kill has left.
			Settle: func(t testing.TB, address string, _ int) { areWhole(t, address) },
			Leftovers: map[string]func(t testing.TB, address string, scope state.Scope){
				"a note of a commit that never was": func(t testing.TB, address string, scope state.Scope) {
					path := filepath.Join(dirOf(address, scope), envsyncer.Dir, "unwritten.json")
					if _, err := os.Stat(path); err == nil {
						return // the crash has left one itself
					}
					plant(t, path, `{"serial":3,"root":"sha256:`+fmt.Sprintf("%064d", 0)+`","lines":{"app0.example.com":{"from":"1.0.0+1","to":"9.0.0+9"}}}`)
				},
				"what a writer worked on": func(t testing.TB, address string, scope state.Scope) {
					plant(t, filepath.Join(dirOf(address, scope), envsyncer.Dir, "work-123/.app0.example.com.env-1"), "TYPE=oth")
				},
			},
		},
		Stored:   syncertest.Files,
		Kinds:    apps.Define(nil),
		Resource: resource,
	})
}

// resource is an app; some have a file and some haven't.
func resource(n, version int) state.Resource {
	r, err := apps.Define(nil).Resource(apps.Kind, domain(n), apps.App{
		Recipe: "recipe", Version: fmt.Sprintf("%d.0.0+1", version), Environment: "none",
	})
	if err != nil {
		panic(err)
	}
	if n > 0 {
		r.After = []state.Key{apps.Key(domain(n / 2))}
	}
	return r
}

func domain(n int) string { return fmt.Sprintf("app%d.example.com", n) }

const withFiles = 48

// texts are .env files of every sort: of the nth app the one at n modulo their count.
func texts() []string {
	return []string{
		"TYPE=recipe\nA=1\n", "A='x\ny' # c\nTYPE=recipe:\nB=2", "TYPE=recipe\r\nexport OPERATOR_SYNC_VERSION= # managed by Abra\r\nC=3\r\n",
		"TYPE=recipe", "OPERATOR_SYNC_VERSION=\"\"\nTYPE=recipe\nD='4'\n",
	}
}

func dirOf(address string, scope state.Scope) string {
	return filepath.Join(address, scope.Org, scope.App)
}

func open(address string, scope state.Scope, step func(string)) (*envsyncer.Backend, error) {
	dir := dirOf(address, scope)
	if err := writeFiles(dir); err != nil {
		return nil, err
	}
	sidecar, err := filesyncer.New(filepath.Join(dir, envsyncer.Dir, "records"), scope, &filesyncer.Options{History: -1})
	if err != nil {
		return nil, err
	}
	return envsyncer.NewStepping(dir, sidecar, nil, step)
}

// writeFiles makes the .env files of a scope, unless they are there.
func writeFiles(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(filepath.Dir(dir)), ".new-*") // where areWhole doesn't look
	if err != nil {
		return err
	}
	for n := range withFiles {
		if err := os.WriteFile(filepath.Join(fresh, domain(n)+".env"), []byte(texts()[n%len(texts())]), 0o640); err != nil {
			return err
		}
	}
	if os.Rename(fresh, dir) == nil {
		return nil
	}
	return os.RemoveAll(fresh) // another process was faster
}

// areWhole holds that each .env file is what it was, but for the version.
func areWhole(t testing.TB, address string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(address, "*/*/*.env"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var n int
		_, err = fmt.Sscanf(filepath.Base(file), "app%d.example.com.env", &n)
		require.NoError(t, err)
		was, err := envfile.Parse([]byte(texts()[n%len(texts())]))
		require.NoError(t, err)
		is, err := envfile.Parse(text)
		require.NoError(t, err, file)
		require.Equal(t, was.Entries(), is.Entries(), file)
		want, err := was.With(is.Version())
		require.NoError(t, err)
		if is.Version() != "" {
			require.Equal(t, string(want), string(bytes.ReplaceAll(text, []byte(`""`), nil)), file)
		}
	}
}

func plant(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func lapse(t testing.TB, address string) {
	dir := os.DirFS(address)
	leases, err := fs.Glob(dir, "*/*/"+envsyncer.Dir+"/records/lease-*/lease.jsonl")
	require.NoError(t, err)
	for _, lease := range leases {
		lapsed := time.Now().Add(-sync.LeaseTTL)
		require.NoError(t, os.Chtimes(filepath.Join(address, lease), lapsed, lapsed))
	}
}
