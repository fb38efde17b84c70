package script_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/script"
	"github.com/trueup-go/trueup/sync/synccli"
)

// shout writes a file in capitals; without a file it says what is typed.
func shout(_ context.Context, args []string, stdio synccli.Stdio) int {
	if len(args) == 0 {
		line, _ := bufio.NewReader(stdio.In).ReadString('\n')
		fmt.Fprintf(stdio.Out, "%s%t%s\n", line, stdio.InTerminal, stdio.Getenv("MARK"))
		return 0
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		fmt.Fprintln(stdio.Err, err)
		return 1
	}
	fmt.Fprint(stdio.Out, strings.ToUpper(string(data)))
	return len(data) / 10
}

func play(t *testing.T, update bool, text string) (file string, err error) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "script.txt")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	program := script.Program{Name: "shout", Run: shout, Update: update, Setup: func(work string) error {
		return os.WriteFile(filepath.Join(work, "given.txt"), []byte("given\n"), 0o600)
	}}
	return file, program.Play(t.Context(), file, t.TempDir())
}

func TestVerbs(t *testing.T) {
	t.Parallel()
	_, err := play(t, false, `
# every verb, and each of them failing
shout $WORK/a.txt
stdout '^ONE$'
stdout 'T.*O'
! stdout three
! stderr .
grep A.txt '^TWO$'
! grep A.txt two
cmp stdout A.txt
! cmp stdout a.txt
edit a.txt two three
! edit a.txt two three
append a.txt 'it''s four'
cp a.txt dir/b.txt
exits 2 shout $WORK/dir/b.txt
stdout '^IT''S FOUR$'
shout $WORK/given.txt
exists dir/b.txt
rm dir
! exists dir/b.txt
! shout $WORK/dir/b.txt
stderr 'open \$WORK/dir/b.txt: no such file'
append new.txt x
shout $WORK/new.txt
answer hello
shout
stdout '^hello$'
stdout '^false$'
terminal
shout
stdout '^true$'
! stdout hello
env MARK $WORK!
shout
stdout '^true\$WORK!$'
-- a.txt --
one
two
-- A.txt --
ONE
TWO
`)
	require.NoError(t, err)
}

func TestFailuresNameTheLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"\nshout $WORK/none\n":              "script.txt:2: shout $WORK/none: ended with exit code 1, want 0\nstdout:\nstderr:\nopen $WORK/none",
		"! shout $WORK/given.txt\n":         "script.txt:1: ! shout $WORK/given.txt: ended with exit code 0, want 1",
		"exits 3 shout $WORK/given.txt\n":   "ended with exit code 0, want 3",
		"! exists given.txt\n":              "should have failed",
		"frobnicate\n":                      `there is no verb "frobnicate"`,
		"cmp a\n":                           "cmp takes 2 arguments, not 1",
		"stdout 'x\n":                       "a single quote is not closed",
		"grep none x\n":                     "no such file",
		"stdout '('\n":                      "missing closing )",
		"cmp given.txt b\n-- b --\nother\n": `given.txt is not b:` + "\n" + `line 1: got "given\n", want "other\n"`,
	} {
		_, err := play(t, false, text)
		require.ErrorContains(t, err, want)
	}
}

func TestUpdateRewritesWhatIsCompared(t *testing.T) {
	t.Parallel()
	file, err := play(t, true, "shout $WORK/given.txt\ncmp stdout want.txt\n-- want.txt --\n-- more.txt --\nmore\n")
	require.NoError(t, err)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "shout $WORK/given.txt\ncmp stdout want.txt\n-- want.txt --\nGIVEN\n-- more.txt --\nmore\n", string(got))
}
