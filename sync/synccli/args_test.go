package synccli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A number is a serial, even if there is a directory of that name.
func TestLeadingNumbers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "12")
	require.NoError(t, os.Mkdir(dir, 0o700))
	for _, test := range []struct {
		args []string
		own  int
		err  string
	}{
		{nil, 0, ""},
		{[]string{"1"}, 1, ""},
		{[]string{"1", "2"}, 2, ""},
		{[]string{"."}, 0, ""},
		{[]string{dir}, 0, ""},
		{[]string{"1", "."}, 1, ""},
		{[]string{"1", "2", "."}, 2, ""},
		{[]string{".", "1"}, 0, ""}, // two paths
		{[]string{"1", "2", "3"}, 0, `too many serials: ["3"]`},
		{[]string{"one", "."}, 0, `"one" is neither a serial nor there as a path`},
		{[]string{"1", "-2"}, 0, `"-2" is neither`},
		{[]string{""}, 0, `"" is neither`},
	} {
		own, err := leadingNumbers(test.args)
		if test.err == "" {
			require.NoError(t, err, "%q", test.args)
			require.Equal(t, test.own, own, "%q", test.args)
		} else {
			require.ErrorContains(t, err, test.err)
		}
	}
}

// What may be an ID as well as a path is neither, until it is said which.
func TestOptionalID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, test := range []struct {
		args []string
		own  int
		err  bool
	}{
		{[]string{"server/web"}, 1, false},
		{[]string{"server/web", "i-1"}, 2, false},
		{[]string{"server/web", "/subscriptions/1/vm"}, 2, false},
		{[]string{"server/web", "-"}, 2, false},
		{[]string{"server/web", "-", dir}, 2, false},
		{[]string{"server/web", "i-1", dir}, 2, false},
		{[]string{"server/web", dir, "."}, 2, false},
		{[]string{"server/web", dir}, 0, true},
	} {
		own, err := optionalID(test.args)
		require.Equal(t, test.err, err != nil, "%q", test.args)
		require.Equal(t, test.own, own, "%q", test.args)
	}
}

func TestParseSerial(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "1": 1, "007": 7, "9223372036854775807": 9223372036854775807} {
		serial, err := parseSerial(text)
		require.NoError(t, err)
		require.Equal(t, want, serial)
	}
	for _, text := range []string{"", "-1", "x", "1.5", "9223372036854775808"} {
		_, err := parseSerial(text)
		require.Error(t, err, text)
	}
}
