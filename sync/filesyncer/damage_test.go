package filesyncer_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/filesyncer"
)

// files are those of a directory, by name.
type files map[string][]byte

// underway are the files of a directory in the middle of a transaction: a
// snapshot of serial 2, and the commits 3, 4 and 5 in the journal.
func underway(t testing.TB) files {
	t.Helper()
	dir := newDir(t)
	write(t, open(t, dir), "one", "two")
	w, err := begin(t.Context(), open(t, dir))
	require.NoError(t, err)
	for _, name := range []string{"three", "-one", "four"} {
		require.NoError(t, w.commit(t.Context(), name))
	}
	all := files{}
	for _, name := range []string{"state.json", "journal.jsonl", "declared.jsonl"} {
		all[name], err = os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
	}
	require.NoError(t, w.tx.Close(t.Context()))
	return all
}

// stages is what is recorded as of each serial.
func stages() [][]string {
	return [][]string{nil, {"one"}, {"one", "two"}, {"one", "three", "two"}, {"three", "two"}, {"four", "three", "two"}}
}

// write makes a directory of the files.
func (f files) write(t testing.TB) string {
	t.Helper()
	dir := newDir(t)
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for name, text := range f {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	return dir
}

// readAll reads a directory in every way.
func readAll(t testing.TB, dir string) ([]string, error) {
	t.Helper()
	b := open(t, dir)
	head, err := b.Head(t.Context())
	if err != nil {
		return nil, err
	}
	var records []state.Record
	var sums []state.Checksum
	for r, err := range b.Records(t.Context()) {
		if err != nil {
			return nil, err
		}
		records, sums = append(records, r), append(sums, r.Checksum)
	}
	found, err := b.Declared(t.Context(), sums)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range records {
		if _, ok := found[r.Checksum]; !ok {
			return nil, errors.New("a declaration is not there, and no error")
		}
		names = append(names, r.Name)
	}
	if head.Serial > 0 {
		sealed, err := state.Seal(head, records)
		require.NoError(t, err)
		require.Equal(t, sealed, head, "the head fits the records")
	}
	return names, nil
}

func TestDamageIsReported(t *testing.T) {
	t.Parallel()
	whole := underway(t)
	lines := func(name string) []string { return strings.SplitAfter(string(whole[name]), "\n") }
	for name, c := range map[string]struct {
		file   string
		change func(text string) string
		want   string // in the error; empty if it is no damage
		names  []string
	}{
		"nothing":                        {"journal.jsonl", func(s string) string { return s }, "", stages()[5]},
		"a commit that is torn":          {"journal.jsonl", func(s string) string { return s[:len(s)-2] }, "", stages()[4]},
		"a commit without its newline":   {"journal.jsonl", func(s string) string { return s[:len(s)-1] }, "", stages()[4]},
		"a commit with holes":            {"journal.jsonl", func(s string) string { return s[:len(s)-90] + strings.Repeat("\x00", 89) + "\n" }, "", stages()[4]},
		"a last commit that was changed": {"journal.jsonl", func(s string) string { return s[:len(s)-9] + "x" + s[len(s)-8:] }, "journal.jsonl:3: the line doesn't fit its checksum", nil},
		"a commit before that was changed": {"journal.jsonl", func(string) string {
			l := lines("journal.jsonl")
			return l[0] + strings.Replace(l[1], `"thing/one"`, `"thing/two"`, 1) + l[2]
		}, "journal.jsonl:2: the line doesn't fit its checksum", nil},
		"a commit that is missing": {"journal.jsonl", func(string) string {
			l := lines("journal.jsonl")
			return l[0] + l[2]
		}, "journal.jsonl:2: the commit of serial 5 doesn't follow serial 3", nil},
		"a first commit that is missing": {"journal.jsonl", func(string) string {
			l := lines("journal.jsonl")
			return l[1] + l[2]
		}, "journal.jsonl:1: the commit of serial 4 doesn't follow serial 2", nil},
		"a commit that stands twice": {"journal.jsonl", func(string) string {
			l := lines("journal.jsonl")
			return l[0] + l[1] + l[1] + l[2]
		}, "journal.jsonl:3: the commit of serial 4 doesn't follow serial 4", nil},
		"text between commits": {"journal.jsonl", func(string) string {
			l := lines("journal.jsonl")
			return l[0] + "<<<<<<< HEAD\n" + l[1] + l[2]
		}, "journal.jsonl:2", nil},
		"a snapshot with a record that was changed": {"state.json", func(s string) string {
			return strings.Replace(s, "id-one", "id-two", 1)
		}, "thing/one", nil},
		"a snapshot without a record": {"state.json", func(string) string {
			l := lines("state.json")
			at := slices.IndexFunc(l, func(s string) bool { return strings.Contains(s, "thing/one") })
			return strings.Join(slices.Delete(l, at, at+1), "")
		}, "state.json: ", nil},
		"a snapshot that is torn": {"state.json", func(s string) string { return s[:len(s)/2] }, "state.json: ", nil},
		"an empty snapshot":       {"state.json", func(string) string { return "" }, "state.json: ", nil},
		"a declaration that was changed": {"declared.jsonl", func(s string) string {
			return strings.Replace(s, `"name":"three"`, `"name":"thr33"`, 1)
		}, "declared.jsonl:3", nil},
		"a declaration whose checksum was changed": {"declared.jsonl", func(string) string {
			l := lines("declared.jsonl")
			return l[0] + l[1][:20] + "0000" + l[1][24:] + l[2] + l[3]
		}, "declared.jsonl:2", nil},
		"a declaration that nobody names": {"declared.jsonl", func(s string) string {
			return strings.Replace(s, `"name":"one"`, `"name":"0ne"`, 1)
		}, "", stages()[5]},
		"a torn declaration of no commit": {"declared.jsonl", func(s string) string { return s + s[:100] }, "", stages()[5]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := files{}
			for file, text := range whole {
				changed[file] = text
			}
			changed[c.file] = []byte(c.change(string(whole[c.file])))
			dir := changed.write(t)
			got, err := readAll(t, dir)
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, c.names, got)
				write(t, open(t, dir), "five")
				require.Equal(t, sorted(append(slices.Clone(c.names), "five")), names(t, dir))
				return
			}
			var corrupt *filesyncer.CorruptError
			require.ErrorAs(t, err, &corrupt)
			require.Equal(t, filepath.Join(dir, c.file), corrupt.File)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "restore the directory from a copy")
		})
	}
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}

// Files of two States that were mixed are not taken for one.
func TestFilesOfTwoStates(t *testing.T) {
	t.Parallel()
	mine, other := underway(t), files{}
	dir := newDir(t)
	write(t, open(t, dir), "uno", "dos")
	var err error
	other["state.json"], err = os.ReadFile(filepath.Join(dir, "state.json"))
	require.NoError(t, err)
	mixed := files{"state.json": other["state.json"], "journal.jsonl": mine["journal.jsonl"]}.write(t)
	_, err = readAll(t, mixed)
	require.ErrorContains(t, err, "journal.jsonl:1: the commit of serial 3 was made on another State")

	write(t, open(t, dir), "tres") // serial 3
	other["state.json"], err = os.ReadFile(filepath.Join(dir, "state.json"))
	require.NoError(t, err)
	mixed = files{"state.json": other["state.json"], "journal.jsonl": mine["journal.jsonl"]}.write(t)
	_, err = readAll(t, mixed)
	require.ErrorContains(t, err, "serial 3 is another State here than in state.json")
}

func TestDirectoryOfAnotherScope(t *testing.T) {
	t.Parallel()
	for name, which := range map[string][]string{"snapshot": {"state.json"}, "journal": {"state.json", "journal.jsonl"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			some := files{}
			for _, file := range which {
				some[file] = underway(t)[file]
			}
			dir := some.write(t)
			b, err := filesyncer.New(dir, state.Scope{Org: "acme", App: "other"}, nil)
			require.NoError(t, err)
			_, err = b.Head(t.Context())
			var wrong *filesyncer.ScopeError
			require.ErrorAs(t, err, &wrong)
			require.ErrorContains(t, err, "holds the State of acme/shop, not of acme/other")
			for _, got := range b.Records(t.Context()) {
				require.ErrorAs(t, got, &wrong)
			}
			_, _, err = b.Begin(t.Context(), "a test")
			require.ErrorAs(t, err, &wrong)
			// Nothing was done to it, and the lease is free.
			write(t, open(t, dir))
		})
	}
}

func TestNewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	whole := underway(t)
	newer := files{"state.json": bytes.Replace(whole["state.json"], []byte(`"version": "v1"`), []byte(`"version": "v2"`), 1)}
	_, err := readAll(t, newer.write(t))
	require.ErrorIs(t, err, state.ErrNewerVersion)
	require.NotContains(t, err.Error(), "restore")

	var delta state.Delta
	delta.Head = state.Head{Version: "v2", Scope: scope(), Serial: 1}
	line, err := filesyncer.AppendLine(nil, state.Checksum{}, &delta)
	require.NoError(t, err)
	dir := files{"journal.jsonl": line}.write(t)
	_, err = readAll(t, dir)
	require.ErrorIs(t, err, state.ErrNewerVersion)
	_, _, err = open(t, dir).Begin(t.Context(), "a test")
	require.ErrorIs(t, err, state.ErrNewerVersion)
	left, err := os.ReadFile(filepath.Join(dir, "journal.jsonl"))
	require.NoError(t, err)
	require.Equal(t, line, left, "what can't be read is not touched")
}

// A State that a person or an importer wrote, without checksums, is taken over.
func TestStateWithoutChecksums(t *testing.T) {
	t.Parallel()
	r := resource("one")
	sum, err := r.Checksum()
	require.NoError(t, err)
	declared, err := r.AppendJSON(nil)
	require.NoError(t, err)
	dir := files{
		"state.json": []byte(`{"version": "v0", "scope": {"org": "acme", "app": "shop"}, "records": [
			{"record": {"key": "thing/one", "id": "by hand", "checksum": "` + sum.String() + `"}}]}`),
		"declared.jsonl": []byte(sum.String() + " " + string(declared) + "\n"),
	}.write(t)
	head, err := open(t, dir).Head(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, head.Serial)
	require.Equal(t, []string{"one"}, names(t, dir))
	write(t, open(t, dir), "two")
	require.Equal(t, []string{"one", "two"}, names(t, dir))
	text, err := os.ReadFile(filepath.Join(dir, "state.json"))
	require.NoError(t, err)
	require.Contains(t, string(text), `"version": "v1"`)
}
