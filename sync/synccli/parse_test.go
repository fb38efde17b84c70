package synccli

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		args       []string
		positional []string
		app        string
		yes        bool
		err        string
	}{
		{name: "nothing"},
		{name: "flags before", args: []string{"--app", "x", "--yes", "DIR"}, positional: []string{"DIR"}, app: "x", yes: true},
		{name: "flags after", args: []string{"DIR", "--app", "x", "--yes"}, positional: []string{"DIR"}, app: "x", yes: true},
		{name: "flags between", args: []string{"A", "--app=x", "B", "-yes", "C"}, positional: []string{"A", "B", "C"}, app: "x", yes: true},
		{name: "two dashes end the flags", args: []string{"--yes", "--", "--app", "-x"}, positional: []string{"--app", "-x"}, yes: true},
		{name: "two dashes as a value", args: []string{"--app", "--", "DIR"}, positional: []string{"DIR"}, app: "--"},
		{name: "a dash is an argument", args: []string{"-"}, positional: []string{"-"}},
		{name: "an empty argument", args: []string{""}, positional: []string{""}},
		{name: "a value that looks like a flag", args: []string{"--app", "-x"}, app: "-x"},
		{name: "a value with =", args: []string{"--app=a=b"}, app: "a=b"},
		{name: "the last one counts", args: []string{"--app", "a", "--app", "b"}, app: "b"},
		{name: "a switch turned off", args: []string{"--yes", "--yes=false"}},
		{name: "a value is missing", args: []string{"DIR", "--app"}, err: "--app needs a value"},
		{name: "a switch takes no such value", args: []string{"--yes=maybe"}, err: `--yes "maybe": parse error`},
		{name: "unknown", args: []string{"--frobnicate"}, err: "unknown flag --frobnicate"},
		{name: "unknown and near", args: []string{"--aap", "x"}, err: "unknown flag --aap; did you mean --app?"},
		{name: "three dashes", args: []string{"---app"}, err: "unknown flag ---app; did you mean --app?"},
		{name: "help", args: []string{"DIR", "--help"}, err: flag.ErrHelp.Error()},
		{name: "short help", args: []string{"-h"}, err: flag.ErrHelp.Error()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			flags := flag.NewFlagSet("", flag.ContinueOnError)
			app := flags.String("app", "", "")
			yes := flags.Bool("yes", false, "")
			positional, err := parse(flags, test.args)
			if test.err != "" {
				require.EqualError(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.positional, positional)
			require.Equal(t, test.app, *app)
			require.Equal(t, test.yes, *yes)
		})
	}
}

// A host may have use for -h, as servicesync does for host names.
func TestParseLeavesHToTheHost(t *testing.T) {
	t.Parallel()
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	h := flags.String("h", "", "")
	_, err := parse(flags, []string{"-h", "box"})
	require.NoError(t, err)
	require.Equal(t, "box", *h)
	_, err = parse(flags, []string{"--help"})
	require.ErrorIs(t, err, flag.ErrHelp)
}

func TestFindTakesTheLongestName(t *testing.T) {
	t.Parallel()
	commands := []Command{{Name: "app"}, {Name: "app deploy"}, {Name: "ls"}}
	tests := []struct {
		args []string
		name string
		rest []string
	}{
		{[]string{"app", "deploy", "x"}, "app deploy", []string{"x"}},
		{[]string{"app", "x", "deploy"}, "app", []string{"x", "deploy"}},
		{[]string{"ls"}, "ls", []string{}},
	}
	for _, test := range tests {
		found, rest := find(commands, test.args)
		require.Equal(t, test.name, found.Name)
		require.Equal(t, test.rest, rest)
	}
	found, _ := find(commands, []string{"deploy"})
	require.Nil(t, found)
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"":            "''",
		"a/b-c_d.e":   "a/b-c_d.e",
		"file:x":      "file:x",
		"two words":   "'two words'",
		"it's":        `'it'\''s'`,
		"$HOME":       "'$HOME'",
		"Straße":      "Straße",
		"a;rm -rf /":  "'a;rm -rf /'",
		"--app=x":     "--app=x",
		"new\nline":   "'new\nline'",
		"~":           "'~'",
		"postgres://": "postgres://",
	} {
		require.Equal(t, want, quote(word))
	}
}
