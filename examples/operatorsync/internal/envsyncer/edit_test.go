package envsyncer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envsyncer"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

func typed(version string) string { return "TYPE=recipe:" + version + "\n" }

// What somebody wrote into a file is what is recorded: for readers at once, and for the
// sidecar with the next writer.
func TestTheVersionInTheFileCounts(t *testing.T) {
	t.Parallel()
	const a, b = "a.example.com", "b.example.com"
	for name, c := range map[string]struct {
		edit func(t *testing.T, s *server)
		want map[string]string
		told []envsyncer.Edit
	}{
		"another one": {
			func(t *testing.T, s *server) { s.put(t, a, typed("2.0.0+1")) },
			map[string]string{a: "2.0.0+1"}, []envsyncer.Edit{{Domain: a, From: "1.0.0+1", To: "2.0.0+1"}},
		},
		"none any more": {
			func(t *testing.T, s *server) { s.put(t, a, "TYPE=recipe\n") },
			map[string]string{}, []envsyncer.Edit{{Domain: a, From: "1.0.0+1"}},
		},
		"an app that is new": {
			func(t *testing.T, s *server) { s.put(t, b, typed("3.0.0+1")) },
			map[string]string{a: "1.0.0+1", b: "3.0.0+1"}, []envsyncer.Edit{{Domain: b, To: "3.0.0+1"}},
		},
		"the sidecar is gone": {
			func(t *testing.T, s *server) { require.NoError(t, os.RemoveAll(filepath.Join(s.dir, envsyncer.Dir))) },
			map[string]string{a: "1.0.0+1"}, []envsyncer.Edit{{Domain: a, To: "1.0.0+1", Rebuilt: true}},
		},
		"nothing was edited": {
			func(t *testing.T, s *server) { s.put(t, a, "# a\n"+typed("1.0.0+1")) },
			map[string]string{a: "1.0.0+1"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, map[string]string{a: "TYPE=recipe:\n"})
			s.record(t, map[string]string{a: "1.0.0+1"})
			c.edit(t, s)
			before, err := s.open(t).Head(t.Context())
			require.NoError(t, err)
			versions, records := s.recorded(t)
			require.Equal(t, c.want, versions)
			for _, r := range records {
				require.Equal(t, apps.Stack(r.Name), r.ID)
			}
			require.Empty(t, s.edits, "readers tell nothing")

			w, err := begin(t.Context(), s.open(t))
			require.NoError(t, err)
			require.Equal(t, before, w.head, "a plan that was made before fits")
			require.NoError(t, w.tx.Close(t.Context()))
			again, after := s.recorded(t)
			require.Equal(t, versions, again)
			require.Equal(t, records, after)
			head, err := s.open(t).Head(t.Context())
			require.NoError(t, err)
			require.Equal(t, before, head)

			w, err = begin(t.Context(), s.open(t))
			require.NoError(t, err)
			require.NoError(t, w.tx.Close(t.Context()))
			if c.told == nil {
				require.Empty(t, s.edits)
			} else {
				require.Equal(t, [][]envsyncer.Edit{c.told}, s.edits, "it is told once")
			}
		})
	}
}

// A plan that was made before the sidecar knew of an edit is carried out after.
func TestAPlanOverAnEditFits(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"a": typed("1.0.0+1")})
	s.record(t, map[string]string{"a": "1.5.0+1"})
	s.put(t, "a", typed("2.0.0+1"))
	e, err := sync.New(s.open(t), apps.Define(nil), nil)
	require.NoError(t, err)
	r, _, err := appAt("a", "3.0.0+1")
	require.NoError(t, err)
	plan, err := e.Plan(t.Context(), &sync.Desired{Resources: []state.Resource{r}}, nil)
	require.NoError(t, err)
	_, err = e.Apply(t.Context(), plan)
	require.NoError(t, err)
	require.Equal(t, typed("3.0.0+1"), s.text(t, "a"))
}

// For an app whose file can't be read the sidecar speaks, and the others go on. The app
// itself is not deployed: nobody knows what its file says.
func TestAFileThatCantBeReadIsItsAppsTrouble(t *testing.T) {
	t.Parallel()
	const a, b = "a.example.com", "b.example.com"
	for name, c := range map[string]struct {
		spoil func(path string) error
		want  string
	}{
		"a directory":        {func(path string) error { return os.Mkdir(path, 0o700) }, "a.example.com.env is not a file"},
		"a link to nowhere":  {func(path string) error { return os.Symlink("gone", path) }, "a.example.com.env is a link to a file that isn't there"},
		"no .env file":       {spoilt("TYPE=recipe\nhunter2\n"), "a.example.com.env: line 2: expected NAME=VALUE"},
		"not UTF-8":          {spoilt("TYPE=recipe:\xff"), "a.example.com.env: line 1: the version is written with quotes"},
		"no TYPE":            {spoilt("OPERATOR_SYNC_VERSION=7\n"), "a.example.com.env: it doesn't say which recipe the app is of"},
		"two versions":       {spoilt("TYPE=recipe:1\nOPERATOR_SYNC_VERSION=1"), "a.example.com.env: line 2: the version is recorded here and in TYPE"},
		"with a bad version": {spoilt("TYPE=recipe:1 2\n"), `a.example.com.env: line 1: "1 2" is no version`},
		"reading never ends": {mkfifo, "a.example.com.env is not a file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, map[string]string{a: typed(""), b: typed(""), "new\nline": typed("1")})
			s.record(t, map[string]string{a: "1.0.0+1", b: "1.0.0+1"})
			require.NoError(t, os.Remove(s.path(a)))
			require.NoError(t, c.spoil(s.path(a)))
			s.put(t, b, typed("2.0.0+1"))
			want := map[string]string{a: "1.0.0+1", b: "2.0.0+1"}
			versions, _ := s.recorded(t)
			require.Equal(t, want, versions)

			w, err := begin(t.Context(), s.open(t))
			require.NoError(t, err)
			require.NoError(t, w.intend(t.Context(), b, "3.0.0+1"))
			require.NoError(t, w.commit(t.Context(), map[string]string{b: "3.0.0+1"}))
			require.ErrorContains(t, w.intend(t.Context(), a, "2.0.0+1"), c.want)
			require.ErrorContains(t, w.commit(t.Context(), map[string]string{a: "2.0.0+1"}), c.want)
			require.NoError(t, w.tx.Close(t.Context()))
			want[b] = "3.0.0+1"
			versions, _ = s.recorded(t)
			require.Equal(t, want, versions)
			require.Equal(t, typed("3.0.0+1"), s.text(t, b))
		})
	}
}

func spoilt(text string) func(string) error {
	return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
}

// What can't be a file's name is recorded by the sidecar alone.
func TestNamesThatCantBeFiles(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("e", 251)
	s := newServer(t, map[string]string{longest: typed("")})
	want := map[string]string{"a/b": "1", "../c": "2", strings.Repeat("d", 252): "3", "no.file": "4", longest: "5"}
	s.record(t, want)
	versions, _ := s.recorded(t)
	require.Equal(t, want, versions)
	entries, err := os.ReadDir(s.dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "what is the backend's own, and the file that was there")
	require.Equal(t, typed("5"), s.text(t, longest))
}

// Who pulls the files of others has records of his own.
func TestGitIgnoresTheSidecar(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	s.record(t, map[string]string{"a": "1"})
	path := filepath.Join(s.dir, envsyncer.Dir, ".gitignore")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "*\n", string(text))
	require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
	s.record(t, map[string]string{"a": "2"})
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text), "it is made once")
}
