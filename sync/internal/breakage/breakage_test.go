package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tree is a module with a little code, and tests that notice not everything.
func tree(t *testing.T, list string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":        "module example.com/m\n\ngo 1.25\n",
		"number/max.go": "package number\n\nfunc Max(a, b int) int {\n\tif a > b {\n\t\treturn a\n\t}\n\treturn b\n}\n\nfunc Min(a, b int) int {\n\tif a < b {\n\t\treturn a\n\t}\n\treturn b\n}\n",
		"number/max_test.go": `package number

import "testing"

func TestMax(t *testing.T) {
	t.Run("Left", func(t *testing.T) {
		if Max(2, 1) != 2 {
			t.Fatal("not the larger one")
		}
	})
}

func TestMin(t *testing.T) { Min(1, 2) }

func TestBroken(t *testing.T) { t.Fatal("as ever") }

func TestHang(t *testing.T) {
	if Min(1, 2) != 1 {
		select {}
	}
}
`,
		".git/config": "not copied",
		"list.txt":    list,
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return root
}

// An entry of the list, with its edit of number/max.go.
func entry(title, edit, test string) string {
	return "promise 1: " + title + "\nfile number/max.go\n" + edit + "\ntest " + test + "\n\n"
}

const (
	breakMax = "-\tif a > b {\n+\tif a > b && a > 5 {"
	breakMin = " func Min(a, b int) int {\n-\tif a < b {\n+\tif a > b {"
)

func check(t *testing.T, root, text string) (out string, err error) {
	t.Helper()
	var b strings.Builder
	j := job{root: root, list: "list.txt", text: text, percent: 100, timeout: 2 * time.Second, out: &b}
	err = j.run(t.Context())
	return b.String(), err
}

func TestABreakageThatIsNoticed(t *testing.T) {
	t.Parallel()
	root := tree(t, entry("Max is Min", breakMax, "./number TestMax/Left"))
	before, err := os.ReadFile(filepath.Join(root, "number/max.go"))
	require.NoError(t, err)
	out, err := check(t, root, "")
	require.NoError(t, err)
	require.Contains(t, out, "noticed: promise 1: Max is Min\n")
	require.Contains(t, out, "1 breakages apply and compile; tests were run for 1, and notice\n")
	after, err := os.ReadFile(filepath.Join(root, "number/max.go"))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "the tree stays as it is")
}

func TestWhatIsWrongWithABreakage(t *testing.T) {
	t.Parallel()
	root := tree(t, strings.Join([]string{
		entry("unnoticed", breakMin, "./number TestMin"),
		entry("stale", "-\tif a == b {\n+\tif a != b {", "./number TestMax"),
		entry("part of a line", "-if a > b {\n+if a < b {", "./number TestMax"),
		entry("twice", "-\t\treturn a\n+\t\treturn b", "./number TestMax"),
		entry("not Go", "-\tif a > b {\n+\tif a > c {", "./number TestMax"),
		entry("no such test", breakMax, "./number TestMedian"),
		entry("no such subtest", breakMax, "./number TestMax/Right"),
		entry("a bad test", breakMax, "./number TestBroken"),
		entry("a hang", breakMin, "./number TestHang"),
		strings.ReplaceAll(entry("no such file", breakMax, "./number TestMax"), "max.go", "sum.go"),
	}, ""))
	out, err := check(t, root, "")
	require.Empty(t, out)
	var got []string
	for line := range strings.Lines(err.Error()) {
		if strings.HasPrefix(line, "list.txt:") {
			got = append(got, strings.TrimSpace(line[strings.Index(line, ": ")+2:]))
		}
	}
	require.Equal(t, []string{
		"promise 1: unnoticed: nothing notices: go test ./number -run 'TestMin' passes",
		"promise 1: stale: stale: these lines are not in number/max.go",
		"promise 1: part of a line: stale: these lines are not in number/max.go",
		"promise 1: twice: these lines stand in number/max.go 2 times",
		"promise 1: not Go: it doesn't compile: number/max.go:4:9: undefined: c",
		"promise 1: no such test: there is no test for go test ./number -run 'TestMedian'",
		"promise 1: no such subtest: there is no test for go test ./number -run 'TestMax/Right'",
		"promise 1: a bad test: go test ./number -run 'TestBroken' fails although nothing is broken:",
		"promise 1: a hang: go test ./number -run 'TestHang' hangs instead of failing",
		"promise 1: no such file: stale: there is no file number/sum.go",
	}, got)
	require.ErrorContains(t, err, "list.txt:1: promise 1: unnoticed")
	require.ErrorContains(t, err, "as ever")
}

func TestOnlyThoseThatAreAskedFor(t *testing.T) {
	t.Parallel()
	root := tree(t, entry("one", breakMax, "./number TestMax")+entry("another", breakMin, "./number TestMin"))
	out, err := check(t, root, "one")
	require.NoError(t, err)
	require.Contains(t, out, "2 breakages apply and compile; tests were run for 1, and notice\n")
	_, err = check(t, root, "a third")
	require.ErrorContains(t, err, `list.txt: no breakage mentions "a third"`)
}

func TestAShareOfAll(t *testing.T) {
	t.Parallel()
	all := make([]breakage, 50)
	for percent, want := range map[int]int{1: 1, 5: 3, 50: 25, 100: 50, 1000: 50} {
		j := job{percent: percent}
		require.Len(t, slices.Compact(j.choose(all)), want, "%d%%", percent)
	}
}
