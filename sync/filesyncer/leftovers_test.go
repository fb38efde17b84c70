package filesyncer_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/filesyncer"
	"github.com/trueup-go/trueup/sync/syncertest"
)

// leftovers are what a crash leaves in a directory, by name.
func leftovers() map[string]func(t testing.TB, address string, scope state.Scope) {
	in := func(plant func(t testing.TB, dir string, scope state.Scope)) func(testing.TB, string, state.Scope) {
		return func(t testing.TB, address string, scope state.Scope) { plant(t, dirOf(address, scope), scope) }
	}
	return map[string]func(testing.TB, string, state.Scope){
		"LeaseWithoutNumber": in(func(t testing.TB, dir string, _ state.Scope) {
			plantLease(t, filepath.Join(dir, "lease-new-ABC"), `{"owner":"dead","si`)
		}),
		"LeaseOfOneWhoDied": in(func(t testing.TB, dir string, _ state.Scope) {
			plantLease(t, nextLease(t, dir), `{"owner":"dead","since":"2026-01-02T03:04:05Z","dies":true}`+"\n\n\n")
		}),
		"LeaseThatIsEmpty": in(func(t testing.TB, dir string, _ state.Scope) {
			plantLease(t, nextLease(t, dir), "")
		}),
		"LeaseWithoutAFile": in(func(t testing.TB, dir string, _ state.Scope) {
			require.NoError(t, os.MkdirAll(nextLease(t, dir), 0o700))
		}),
		"TornCommit": in(func(t testing.TB, dir string, scope state.Scope) {
			line := nextLine(t, dir, scope)
			appendTo(t, filepath.Join(dir, "journal.jsonl"), line[:len(line)*2/3])
		}),
		"CommitWithHoles": in(func(t testing.TB, dir string, scope state.Scope) {
			line := nextLine(t, dir, scope)
			copy(line[len(line)/2:len(line)-1], make([]byte, len(line)))
			appendTo(t, filepath.Join(dir, "journal.jsonl"), line)
		}),
		"JournalOfACompaction": in(func(t testing.TB, dir string, scope state.Scope) {
			if head := headOf(t, dir, scope); head.Serial > 0 && !exists(t, filepath.Join(dir, "journal.jsonl")) {
				appendTo(t, filepath.Join(dir, "journal.jsonl"), lastCommits(t, dir))
			}
		}),
		"HistoryAheadOfTheSnapshot": in(func(t testing.TB, dir string, scope state.Scope) {
			if head := headOf(t, dir, scope); head.Serial > 0 && !exists(t, filepath.Join(dir, "journal.jsonl")) {
				appendTo(t, filepath.Join(dir, "journal.jsonl"), lastCommits(t, dir)) // all of them
				require.NoError(t, os.Remove(filepath.Join(dir, "state.json")))
			}
		}),
		"DigestKeyWithoutItsName": in(func(t testing.TB, dir string, _ state.Scope) {
			appendTo(t, filepath.Join(dir, "digest-new-ABC"), []byte("sha256:12"))
		}),
		"TornDeclaration": in(func(t testing.TB, dir string, _ state.Scope) {
			line := declarationLine(t, 3)
			appendTo(t, filepath.Join(dir, "declared.jsonl"), line[:len(line)-2])
		}),
		"DeclarationsOfNoCommit": in(func(t testing.TB, dir string, _ state.Scope) {
			line := append(declarationLine(t, 77), declarationLine(t, 78)...)
			if path := filepath.Join(dir, "declared.jsonl"); endsWhole(t, path) {
				appendTo(t, path, line)
			}
		}),
	}
}

func plantLease(t testing.TB, dir, text string) {
	t.Helper()
	work := filepath.Join(dir, "work-ABC")
	require.NoError(t, os.MkdirAll(work, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lease.jsonl"), []byte(text), 0o600))
	for _, name := range []string{"state.json", "journal.jsonl", "declared.jsonl", "old-journal.jsonl"} {
		require.NoError(t, os.WriteFile(filepath.Join(work, name), []byte(`{"version":"v1","sco`), 0o600))
	}
}

func nextLease(t testing.TB, dir string) string {
	t.Helper()
	var highest int
	names, err := filepath.Glob(filepath.Join(dir, "lease-*"))
	require.NoError(t, err)
	for _, name := range names {
		var n int
		if _, err := fmt.Sscanf(filepath.Base(name), "lease-%d", &n); err == nil {
			highest = max(highest, n)
		}
	}
	return filepath.Join(dir, fmt.Sprint("lease-", highest+1))
}

// nextLine is the line of a commit that never was.
func nextLine(t testing.TB, dir string, scope state.Scope) []byte {
	t.Helper()
	head := headOf(t, dir, scope)
	base := head.Root
	head.Serial++
	record := state.Record{Key: state.Key{Kind: "thing", Name: strings.Repeat("never ", 100)}, ID: "never"}
	line, err := filesyncer.AppendLine(nil, base, &state.Delta{Head: head, Records: []state.Record{record}})
	require.NoError(t, err)
	return line
}

func headOf(t testing.TB, dir string, scope state.Scope) state.Head {
	t.Helper()
	b, err := filesyncer.New(dir, scope, nil)
	require.NoError(t, err)
	head, err := b.Head(t.Context())
	require.NoError(t, err)
	return head
}

// lastCommits is what is in the last file of commits of the history.
func lastCommits(t testing.TB, dir string) []byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "history/*.jsonl"))
	require.NoError(t, err)
	require.Len(t, paths, 1, "there are few commits in these tests")
	text, err := os.ReadFile(paths[0])
	require.NoError(t, err)
	return text
}

func declarationLine(t testing.TB, n int) []byte {
	t.Helper()
	r := syncertest.DefaultResource(n, 99)
	text, err := r.AppendJSON(nil)
	require.NoError(t, err)
	return fmt.Appendf(nil, "%s %s\n", state.Sum(text), text)
}

// appendTo adds text to a file, unless a torn line is there already: nothing is
// ever written behind one.
func appendTo(t testing.TB, path string, text []byte) {
	t.Helper()
	if !endsWhole(t, path) {
		return
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = f.Write(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func endsWhole(t testing.TB, path string) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return true
	}
	require.NoError(t, err)
	return len(text) == 0 || text[len(text)-1] == '\n' && bytes.IndexByte(text, 0) < 0
}

func exists(t testing.TB, path string) bool {
	t.Helper()
	_, err := os.Stat(path)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return err == nil
}
