package envsyncer_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Of a file only the version changes: not another byte, not its mode.
func TestOnlyTheVersionChanges(t *testing.T) {
	t.Parallel()
	const line = "OPERATOR_SYNC_VERSION=2.0.0+1 # managed by Abra"
	for name, c := range map[string]struct{ before, after string }{
		"a comment and quotes":  {"# c\nA='x\ny' # d\nTYPE=\"recipe:1\"# e\n\n", "# c\nA='x\ny' # d\nTYPE=\"recipe:2.0.0+1\"# e\n\n"},
		"CRLF":                  {"TYPE=recipe\r\nA=1\r\n", "TYPE=recipe\r\nA=1\r\n" + line + "\r\n"},
		"CRLF, no newline last": {"A=1\r\nTYPE=recipe", "A=1\r\nTYPE=recipe\r\n" + line},
		"no newline last":       {"export TYPE=recipe:", "export TYPE=recipe:2.0.0+1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, mode := range []fs.FileMode{0o640, 0o604, 0o777} {
				s := newServer(t, map[string]string{"a": c.before})
				require.NoError(t, os.Chmod(s.path("a"), mode))
				s.record(t, map[string]string{"a": "2.0.0+1"})
				require.Equal(t, c.after, s.text(t, "a"))
				info, err := os.Stat(s.path("a"))
				require.NoError(t, err)
				require.Equal(t, mode, info.Mode())
			}
		})
	}
}

// A link stays, and what it leads to gets the version: wherever that is, nothing else is
// ever written beside it.
func TestALinkStays(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	target := filepath.Join(s.address, "elsewhere", "target")
	require.NoError(t, os.Mkdir(filepath.Dir(target), 0o700))
	require.NoError(t, os.WriteFile(target, []byte(typed("")), 0o600))
	require.NoError(t, os.Chmod(target, 0o640))
	require.NoError(t, os.Symlink(target, s.path("a")))
	renames := 0
	w, err := begin(t.Context(), s.stepping(t, func(step string) {
		if strings.HasPrefix(step, "rename to ") {
			renames++
			beside, err := os.ReadDir(filepath.Dir(target))
			require.NoError(t, err)
			require.Len(t, beside, 1, step)
		}
	}))
	require.NoError(t, err)
	require.NoError(t, w.commit(t.Context(), map[string]string{"a": "1.0.0+1"}))
	require.NoError(t, w.tx.Close(t.Context()))
	require.Equal(t, 3, renames, ".gitignore, the note, the file")
	to, err := os.Readlink(s.path("a"))
	require.NoError(t, err)
	require.Equal(t, target, to)
	info, err := os.Stat(target)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o640), info.Mode())
	require.Equal(t, typed("1.0.0+1"), s.text(t, "a"))
}

// What can't be recorded later is not begun.
func TestAReadOnlyFileIsNotDeployed(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"a": typed("1.0.0+1")})
	require.NoError(t, os.Chmod(s.path("a"), 0o440))
	w, err := begin(t.Context(), s.open(t))
	require.NoError(t, err)
	err = w.intend(t.Context(), "a", "2.0.0+1")
	require.EqualError(t, err, s.path("a")+" is read-only, so that no version can be recorded in it: chmod u+w it")
	require.NoError(t, w.tx.Close(t.Context()))
	require.Equal(t, typed("1.0.0+1"), s.text(t, "a"))
	_, records := s.recorded(t)
	require.Empty(t, records[0].Pending)
}

// So it is where the version can't be written without changing more.
func TestAVersionThatDoesntFitTheFileIsNotDeployed(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"a": "TYPE=recipe:1\nIMAGE=$TYPE\n", "b": typed("1")})
	w, err := begin(t.Context(), s.open(t))
	require.NoError(t, err)
	require.EqualError(t, w.intend(t.Context(), "a", "2"), s.path("a")+`: recording "2" would change more of the file than the version`)
	require.ErrorContains(t, w.intend(t.Context(), "b", "2 3"), s.path("b")+`: "2 3" can't be recorded`)
	require.NoError(t, w.tx.Close(t.Context()))
}

// Who edits a file while it is worked on is not overwritten: the intent fails before the
// act, and the result after it.
func TestAnEditMeanwhileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	s := newServer(t, map[string]string{"a": typed("1"), "b": typed("1")})
	w, err := begin(t.Context(), s.open(t))
	require.NoError(t, err)
	s.put(t, "a", typed("3"))
	want := s.path("a") + ` was changed meanwhile: it says "3" and said "1"; "2" is not recorded`
	require.EqualError(t, w.intend(t.Context(), "a", "2"), want)
	require.EqualError(t, w.commit(t.Context(), map[string]string{"a": "2", "b": "2"}), want)
	require.NoFileExists(t, s.note())
	require.NoError(t, w.tx.Close(t.Context()))
	require.Equal(t, typed("3"), s.text(t, "a"))
	require.Equal(t, typed("1"), s.text(t, "b"))
	versions, _ := s.recorded(t)
	require.Equal(t, map[string]string{"a": "3", "b": "1"}, versions)
}
