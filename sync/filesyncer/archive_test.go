package filesyncer_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/filesyncer"
)

// pastFiles are the files of a directory with a history: the commits 1 to 11, a
// file each, and the States 4 and 8.
func pastFiles(t testing.TB) files {
	t.Helper()
	dir := newDir(t)
	writeFat(t, open(t, dir), 1, 12)
	all := files{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, "lease") {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			all[name], err = os.ReadFile(path)
		}
		return err
	}))
	require.Contains(t, all, "history/4.json")
	require.Contains(t, all, "history/8.json")
	require.Contains(t, all, "history/11.jsonl")
	return all
}

// Damage to the history is told to those who ask for what is damaged, with what
// to do about it. Nobody else notices: syncs go on, and what is committed from
// then on can be had. Once the history is removed there is nothing to report.
func TestDamagedHistory(t *testing.T) {
	t.Parallel()
	whole := pastFiles(t)
	for name, c := range map[string]struct {
		damage func(f files)
		want   string  // in History's error, empty if there is none
		lowest int64   // that History tells of
		lost   []int64 // unless they are the present
	}{
		"nothing":                              {func(files) {}, "", 1, nil},
		"missing commits":                      {without("5.jsonl"), "history: the commit of serial 5 is missing", 6, []int64{5, 6, 7}},
		"missing commits that lead to a State": {without("8.jsonl"), "", 1, nil},
		"missing first commits":                {without("1.jsonl"), "", 4, []int64{1, 2, 3}},
		"missing last commits":                 {without("11.jsonl"), "", 1, nil},
		"a missing State":                      {without("8.json"), "", 1, nil},
		"a State that was changed":             {changed("8.json", fat(8), fat(9)), "", 1, []int64{8, 9, 10, 11}},
		"a State under another name":           {renamed("8.json", "9.json"), "", 1, []int64{9, 10, 11, 12}},
		"an empty State":                       {changed("4.json", "", ""), "", 1, []int64{4, 5, 6, 7}},
		"commits that were changed":            {changed("5.jsonl", `"serial":5`, `"serial":6`), "5.jsonl:1: the line doesn't fit its checksum", 6, []int64{5, 6, 7}},
		"commits that were cut off":            {cutOff("5.jsonl"), "5.jsonl:1: the line doesn't fit its checksum", 6, []int64{5, 6, 7}},
		"last commits that were cut off":       {cutOff("11.jsonl"), "", 1, nil},
		"empty commits":                        {changed("5.jsonl", "", ""), "5.jsonl: it doesn't begin with the commit of serial 5", 6, []int64{5, 6, 7}},
		"commits under another name":           {renamed("5.jsonl", "50.jsonl"), "history: the commit of serial 5 is missing", 6, []int64{5, 6, 7}},
		"commits in the place of others":       {renamed("2.jsonl", "6.jsonl"), "6.jsonl: it doesn't begin with the commit of serial 6", 7, []int64{2, 3, 6, 7}},
		"nothing but the present":              {without("history"), "", 11, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			damaged := files{}
			for file, text := range whole {
				damaged[file] = bytes.Clone(text)
			}
			c.damage(damaged)
			dir := damaged.write(t)
			for present := int64(11); present < 13; present++ { // and it stays so, with what is new on top
				got, err := serials(t, open(t, dir))
				require.Equal(t, down(present, c.lowest), got)
				requireHistoryError(t, dir, err, c.want)
				for serial := int64(1); serial <= present; serial++ {
					_, err := readState(t, open(t, dir), serial)
					require.Equal(t, slices.Contains(c.lost, serial) && serial < present, err != nil, "serial %d: %v", serial, err)
				}
				requireGoesOn(t, dir, int(present))
			}
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "history")))
			require.Equal(t, []string{fat(13)}, names(t, dir))
			writeFat(t, open(t, dir), 14, 16)
			require.Equal(t, []string{fat(15)}, names(t, dir))
		})
	}
}

func requireHistoryError(t *testing.T, dir string, err error, want string) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	var corrupt *filesyncer.CorruptError
	require.ErrorAs(t, err, &corrupt)
	require.ErrorContains(t, err, want)
	require.ErrorContains(t, err, "the present State is not concerned")
	require.ErrorContains(t, err, "remove "+filepath.Join(dir, "history"))
}

// requireGoesOn checks that the State is as it should be, and can be written.
func requireGoesOn(t *testing.T, dir string, present int) {
	t.Helper()
	b := open(t, dir)
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, present, head.Serial)
	for r, err := range b.Records(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, fat(present), r.Name)
	}
	writeFat(t, b, present+1, present+2)
}

// readState reads all of an earlier State.
func readState(t testing.TB, b *filesyncer.Backend, serial int64) (n int, err error) {
	t.Helper()
	_, records, err := b.StateAt(t.Context(), serial)
	if err != nil {
		return 0, err
	}
	for _, err := range records {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func without(prefix string) func(files) {
	return func(f files) {
		for name := range f {
			if name == "history/"+prefix || strings.HasPrefix(name, prefix+"/") {
				delete(f, name)
			}
		}
	}
}

// changed replaces some text of a file, all of it if that is empty.
func changed(name, from, to string) func(files) {
	return func(f files) {
		if from == "" {
			f["history/"+name] = nil
			return
		}
		f["history/"+name] = bytes.Replace(f["history/"+name], []byte(from), []byte(to), 1)
	}
}

func cutOff(name string) func(files) {
	return func(f files) { f["history/"+name] = f["history/"+name][:1000] }
}

func renamed(from, to string) func(files) {
	return func(f files) {
		f["history/"+to] = f["history/"+from]
		delete(f, "history/"+from)
	}
}

// The same serial may be another State in the history than it is now, if somebody
// mixed two directories.
func TestHistoryOfAnotherDirectory(t *testing.T) {
	t.Parallel()
	mixed := files{}
	for name, text := range pastFiles(t) {
		if strings.HasPrefix(name, "history/") {
			mixed[name] = text
		}
	}
	dir := mixed.write(t)
	for n := range 11 {
		write(t, open(t, dir), fmt.Sprint("n", n))
		if n == 4 {
			for name, text := range mixed {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
			}
			got, err := serials(t, open(t, dir))
			require.Equal(t, []int64{5}, got)
			require.ErrorContains(t, err, "5.jsonl: serial 5 is another State here than in state.json")
		}
	}
	got, err := serials(t, open(t, dir))
	require.ErrorContains(t, err, "was made on another State than the one of serial 5 that is here")
	require.Equal(t, down(11, 6), got)
}
