package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// It is found at once, not only by the script, that code has moved on.
func TestTheListFitsTheCode(t *testing.T) {
	t.Parallel()
	const root = "../../../"
	text, err := os.ReadFile(root + ".ci/breakages.txt")
	require.NoError(t, err)
	all, err := parse(string(text))
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, b := range all {
		code, err := os.ReadFile(root + b.file)
		if err == nil {
			_, err = b.apply(string(code))
		}
		if err != nil {
			t.Errorf(".ci/breakages.txt:%d: %s: %v; break the same promise in the code as it is now", b.line, &b, err)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	all, err := parse("# A comment.\n\npromise 6: a lease lasts: for ever\nfile sync/lease.go\n \tcase a:\n-\t\tb()\n+\t\tc()\n+\t\td()\n# why\ntest ./sync TestLease/Lost|TestTx\n\n\n")
	require.NoError(t, err)
	require.Equal(t, []breakage{{
		line: 3, promise: 6, title: "a lease lasts: for ever", file: "sync/lease.go",
		find: "\tcase a:\n\t\tb()\n", replace: "\tcase a:\n\t\tc()\n\t\td()\n",
		test: testRun{"./sync", "TestLease/Lost|TestTx"},
	}}, all)

	code, err := all[0].apply("\tcase a:\n\t\tb()\n}\n")
	require.NoError(t, err)
	require.Equal(t, "\tcase a:\n\t\tc()\n\t\td()\n}\n", code)
}

func TestParseNamesEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := parse("promise x: y\nfile /etc/passwd\nnonsense\n+new\ntest sync X\n\nfile a\n-b\n+b\ntest ./a B\n\npromise 1: x\nfile a\n-b\n+b\ntest ./a B\n")
	require.EqualError(t, err, `line 1: want "promise NUMBER: HOW IT IS BROKEN", found "promise x: y"
line 2: want a file of the repository, found "/etc/passwd"
line 3: want promise, file, test or a line of the edit, found "nonsense"
line 5: want "test ./PACKAGE PATTERN", found "test sync X"
line 1: no promise is named
line 7: no promise is named
line 12: the edit changes nothing`)
}

func FuzzParse(f *testing.F) {
	f.Add("promise 1: x\nfile a\n b\n-c\n+d\ntest ./a B\n")
	f.Add("promise 1: x\n\n#\n-\n+\n \nfile ..\ntest ./ \n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parse(text)
		if err != nil {
			return
		}
		for _, b := range all {
			got, err := b.apply(b.find)
			require.NoError(t, err)
			require.Equal(t, b.replace, got)
			require.NotEqual(t, b.find, b.replace)
		}
	})
}
