package envfile_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/envfile"
)

func TestWith(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, recorded, version, after string }{
		"the seed's":         {"TYPE=matrix-synapse\nOPERATOR_SYNC_VERSION=4.0.0+v1.93.0 # managed by Abra\n", "4.0.0+v1.93.0", "5.0.0+v2", "TYPE=matrix-synapse\nOPERATOR_SYNC_VERSION=5.0.0+v2 # managed by Abra\n"},
		"none yet":           {"TYPE=x\n", "", "1.0.0+1", "TYPE=x\nOPERATOR_SYNC_VERSION=1.0.0+1 # managed by Abra\n"},
		"no newline at end":  {"TYPE=x", "", "1.0.0+1", "TYPE=x\nOPERATOR_SYNC_VERSION=1.0.0+1 # managed by Abra"},
		"nothing at all":     {"", "", "1.0.0+1", "OPERATOR_SYNC_VERSION=1.0.0+1 # managed by Abra\n"},
		"CRLF":               {"TYPE=x\r\nA=1\r\n", "", "1.0.0+1", "TYPE=x\r\nA=1\r\nOPERATOR_SYNC_VERSION=1.0.0+1 # managed by Abra\r\n"},
		"CRLF, empty":        {"OPERATOR_SYNC_VERSION=\r\nA=1\r\n", "", "1", "OPERATOR_SYNC_VERSION=1\r\nA=1\r\n"},
		"CRLF, changed":      {"OPERATOR_SYNC_VERSION=1 # x\r\nA=1", "1", "2", "OPERATOR_SYNC_VERSION=2 # x\r\nA=1"},
		"export and blanks":  {"export  OPERATOR_SYNC_VERSION = 1  # x\n", "1", "2", "export  OPERATOR_SYNC_VERSION = 2  # x\n"},
		"double quotes":      {"OPERATOR_SYNC_VERSION=\"1\"# x\n", "1", "2", "OPERATOR_SYNC_VERSION=\"2\"# x\n"},
		"single quotes":      {"OPERATOR_SYNC_VERSION='1'\n", "1", "2", "OPERATOR_SYNC_VERSION='2'\n"},
		"the last counts":    {"OPERATOR_SYNC_VERSION=1\nA=b\nOPERATOR_SYNC_VERSION=2\nC=d", "2", "3", "OPERATOR_SYNC_VERSION=1\nA=b\nOPERATOR_SYNC_VERSION=3\nC=d"},
		"a comment alone":    {"OPERATOR_SYNC_VERSION= # managed by Abra\n", "", "2", "OPERATOR_SYNC_VERSION=2 # managed by Abra\n"},
		"in a comment":       {"# OPERATOR_SYNC_VERSION=1\n", "", "2", "# OPERATOR_SYNC_VERSION=1\nOPERATOR_SYNC_VERSION=2 # managed by Abra\n"},
		"in another value":   {"A=\"\nOPERATOR_SYNC_VERSION=1\n\"\n", "", "2", "A=\"\nOPERATOR_SYNC_VERSION=1\n\"\nOPERATOR_SYNC_VERSION=2 # managed by Abra\n"},
		"like in YAML":       {"OPERATOR_SYNC_VERSION: 1\n", "1", "2", "OPERATOR_SYNC_VERSION: 2\n"},
		"in TYPE":            {"A=1\nTYPE=x:1 # c\nB='2'", "1", "2", "A=1\nTYPE=x:2 # c\nB='2'"},
		"in a quoted TYPE":   {"TYPE=\"x:1\"\n", "1", "2", "TYPE=\"x:2\"\n"},
		"after a variable":   {"A=matrix-synapse\nTYPE=$A:1", "1", "2", "A=matrix-synapse\nTYPE=$A:2"},
		"an empty one there": {"TYPE=x:\n", "", "2", "TYPE=x:2\n"},
		"taken from TYPE":    {"TYPE=x:1 # c\n", "1", "", "TYPE=x # c\n"},
		"taken away":         {"OPERATOR_SYNC_VERSION=1 # c\n", "1", "", "OPERATOR_SYNC_VERSION=\"\" # c\n"},
		"and from quotes":    {"OPERATOR_SYNC_VERSION='1' # c\n", "1", "", "OPERATOR_SYNC_VERSION='' # c\n"},
		"nothing to do":      {"OPERATOR_SYNC_VERSION='1' # c", "1", "1", "OPERATOR_SYNC_VERSION='1' # c"},
		"chaos":              {"OPERATOR_SYNC_VERSION=1\n", "1", "1a2b3c4d+U", "OPERATOR_SYNC_VERSION=1a2b3c4d+U\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := envfile.Parse([]byte(c.before))
			require.NoError(t, err)
			require.Equal(t, c.recorded, f.Version())
			text, err := f.With(c.version)
			require.NoError(t, err)
			require.Equal(t, c.after, string(text))
			again, err := envfile.Parse(text)
			require.NoError(t, err)
			require.Equal(t, c.version, again.Version())
			require.Equal(t, f.Entries(), again.Entries())
			require.Equal(t, f.Digest(), again.Digest())
		})
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"no value":         {"A=1\nhunter2\nB=2", "line 2: expected NAME=VALUE, with a name of letters, digits, . and _"},
		"a bad name":       {"A=1\n\nB-C=2", "line 3: expected NAME=VALUE, with a name of letters, digits, . and _"},
		"a conflict":       {"TYPE=x\n<<<<<<< HEAD\nA=1\n", "line 2: git's mark of a conflict: keep one side, and remove the marks"},
		"an open quote":    {"A=1\nB='hunter2\nC=3\n", "line 2: the quote isn't closed"},
		"recorded twice":   {"TYPE=x:1\nA=1\nOPERATOR_SYNC_VERSION=1\n", "line 3: the version is recorded here and in TYPE, line 1: remove one of them"},
		"no version":       {"A=1\nTYPE=x:1 2\n", `line 2: "1 2" is no version: a version is made of letters, digits and any of . + - _ ~ /`},
		"not UTF-8":        {"TYPE=x:\xff", "line 1: the version is written with quotes, escapes or variables that can't be kept: write it plainly"},
		"in a variable":    {"V=x:1\nTYPE=$V\n", "line 2: the version is written with quotes, escapes or variables that can't be kept: write it plainly"},
		"not as it stands": {"V=1\nOPERATOR_SYNC_VERSION=$V\n", "line 2: the version is written with quotes, escapes or variables that can't be kept: write it plainly"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := envfile.Parse([]byte(c.text))
			require.EqualError(t, err, c.want)
		})
	}
	f, err := envfile.Parse([]byte("TYPE=x"))
	require.NoError(t, err)
	_, err = f.With("1.0 # x")
	require.EqualError(t, err, `"1.0 # x" can't be recorded: a version is made of letters, digits and any of . + - _ ~ /`)
}

func TestEntries(t *testing.T) {
	t.Parallel()
	f, err := envfile.Parse([]byte("# the app\nexport DOMAIN=a.example.com\nURL=\"https://$DOMAIN\"\nTYPE=x:1\nEMPTY=\n"))
	require.NoError(t, err)
	require.Equal(t, "x", f.Recipe())
	require.Equal(t, []string{"DOMAIN=a.example.com", "EMPTY=", "TYPE=x", "URL=https://a.example.com"}, f.Entries())
	other, err := envfile.Parse([]byte("TYPE=x\nURL='https://a.example.com'\nDOMAIN=a.example.com\nEMPTY=''\nOPERATOR_SYNC_VERSION=2"))
	require.NoError(t, err)
	require.Equal(t, f.Digest(), other.Digest())
	changed, err := envfile.Parse([]byte("TYPE=x\nDOMAIN=b.example.com"))
	require.NoError(t, err)
	require.NotEqual(t, f.Digest(), changed.Digest())
}

// Whatever is read can be recorded in, to and fro, and nothing else of it changes;
// godotenv says so too.
func FuzzWith(f *testing.F) {
	for _, text := range []string{
		"TYPE=matrix-synapse\nOPERATOR_SYNC_VERSION=4.0.0+v1.93.0 # managed by Abra\n",
		"# c\r\nexport A=\"b\\\"c\nd\" # x\r\nTYPE='x:1'\r\n", "A: b\nTYPE=x # y # z", "A=$TYPE\\n\nTYPE=$A", "OPERATOR_SYNC_VERSION= # x", "TYPE=x:\xff", "TYPE=\xff:",
	} {
		f.Add(text, "1.2.3+v4")
	}
	f.Fuzz(func(t *testing.T, text, version string) {
		before, err := envfile.Parse([]byte(text))
		if err != nil {
			return
		}
		changed, err := before.With(version)
		if err != nil {
			return
		}
		onlyVersionDiffers(t, before, []byte(text), changed, version)
	})
}

// onlyVersionDiffers holds that a file with another version is that, and otherwise what
// it was, and that it can be changed back.
func onlyVersionDiffers(t *testing.T, before *envfile.File, text, changed []byte, version string) {
	t.Helper()
	values, err := godotenv.UnmarshalBytes(text)
	require.NoError(t, err)
	now, err := godotenv.UnmarshalBytes(changed)
	require.NoError(t, err)
	if version == "" {
		none := now["OPERATOR_SYNC_VERSION"]
		require.True(t, none == "" || strings.HasPrefix(none, "#"))
	} else if _, inType, ok := strings.Cut(now["TYPE"], ":"); ok {
		require.Equal(t, version, inType)
	} else {
		require.Equal(t, version, now["OPERATOR_SYNC_VERSION"])
	}
	values["TYPE"], _, _ = strings.Cut(values["TYPE"], ":")
	now["TYPE"], _, _ = strings.Cut(now["TYPE"], ":")
	delete(values, "OPERATOR_SYNC_VERSION")
	delete(now, "OPERATOR_SYNC_VERSION")
	require.Equal(t, values, now)
	oneLineDiffers(t, text, changed)

	after, err := envfile.Parse(changed)
	require.NoError(t, err)
	if before.Version() != "" && version != "" {
		back, err := after.With(before.Version())
		require.NoError(t, err)
		require.Equal(t, string(text), string(back))
	}
}

// oneLineDiffers holds that what is not common to both lies within one line of each.
func oneLineDiffers(t *testing.T, a, b []byte) {
	t.Helper()
	first := 0
	for first < min(len(a), len(b)) && a[first] == b[first] {
		first++
	}
	last := 0
	for last < min(len(a), len(b))-first && a[len(a)-1-last] == b[len(b)-1-last] {
		last++
	}
	require.NotContains(t, string(a[first:len(a)-last]), "\n")
	require.LessOrEqual(t, bytes.Count(b[first:len(b)-last], []byte("\n")), 1, "the newline of a line that is new")
}
