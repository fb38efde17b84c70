package format_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

func TestCommand(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "",
		"\n# a\n  # b\n":                  "",
		"a":                               "a",
		"a\nb":                            "a && b",
		"\n# c\n  a\r\n\n b # c\n":        "a && b",
		"a \\\n  b":                       "a b",
		"a \\\n# c\n\n b":                 "a b",
		"a \\ # c\nb":                     "a b",
		"a\\\nb":                          "ab",
		"a\\\n  b":                        "a b",
		"a \\\nb \\\nc\nd":                "a b c && d",
		"a \\":                            "a",
		"\\\na":                           "a",
		`a \\` + "\nb":                    `a \\ && b`,
		`a \b c`:                          `a \b c`,
		`echo "a #b"`:                     `echo "a #b"`,
		"echo $#":                         "echo $#",
		"docker run x # it's\necho \"'\"": `docker run x && echo "'"`,
	} {
		require.Equal(t, want, format.Command(text), "%q", text)
	}
}

func FuzzCommand(f *testing.F) {
	for _, text := range []string{"a\nb # c\n", "a \\\n# x\n b", "\\\n\\\n", "\\\\\n", "'\n' #'\n", "a\\", "\\ #", "\\\n #"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		command := format.Command(text)
		require.NotContains(t, command, "\n")
		require.Equal(t, strings.TrimSpace(command), command)
		if !strings.ContainsAny(text, `"'\`) {
			require.Equal(t, command, format.Command(command))
		}
	})
}

func TestParseList(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                        nil,
		" , ,\n# a, b\n":          nil,
		"a":                       {"a"},
		"a, b,c\n d # e, f\n#g\n": {"a", "b", "c", "d"},
		"a b\r\nc":                {"a b", "c"},
		"a,#b, #c":                {"a", "#b"},
		"a#b":                     {"a#b"},
		`foo-* , \^bar-.*$\`:      {"foo-*", `\^bar-.*$\`},
		`\^(a|b){1,2}$\`:          {`\^(a|b){1,2}$\`},
		`\a\,b`:                   {`\a\`, "b"},
		`\a,b\ , \c #,d\ # e, f`:  {`\a,b\`, `\c #,d\`},
		`\a\.b,c\,d`:              {`\a\.b,c\`, "d"},
		`\\server\share, b`:       {`\\server\share`, "b"},
		`\`:                       {`\`},
		"\\a\nb\\":                {`\a`, `b\`},
	} {
		require.Equal(t, want, format.ParseList(text), "%q", text)
	}
}

func FuzzParseList(f *testing.F) {
	for _, text := range []string{"a, b\n# c\nd # e", `\^(a|b){1,2}$\ , c`, `\`, `\\,\`, ",#a", "\\a\nb\\", `\a\ #b`, "\\\t#\\"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list := format.ParseList(text)
		var b strings.Builder
		for _, entry := range list {
			require.NotEmpty(t, entry)
			require.Equal(t, strings.TrimSpace(entry), entry)
			if entry[0] == '#' { // only behind a comma
				b.WriteByte(',')
			}
			b.WriteString(entry + "\n")
		}
		require.Equal(t, list, format.ParseList(b.String()))
	})
}

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, matches, not string
	}{
		{"web", "web", "web-1"},
		{"web-*", "web-", "my-web-1"},
		{"*", "", ""},
		{"w?b", "wéb", "wb"},
		{"a.b", "a.b", "axb"},
		{"", "", "a"},
		{`\`, `\`, "a"},
		{`\^(.+)-(.+)$\`, "immich-1", "immich"},
		{`\immich\`, "my-immich-1", "Immich"},
		{`\^(a|b){1,2}$\`, "ab", "aba"},
		{`\\d\`, "a1", "d"},
	} {
		pattern, err := format.ParsePattern(c.pattern)
		require.NoError(t, err)
		require.Equal(t, c.pattern, pattern.String())
		require.True(t, pattern.Match(c.matches), "%s matches %s", c.pattern, c.matches)
		if c.not != "" {
			require.False(t, pattern.Match(c.not), "%s doesn't match %s", c.pattern, c.not)
		}
	}
	_, err := format.ParsePattern(`\\`)
	require.ErrorContains(t, err, "write * for that")
	_, err = format.ParsePattern(`\(\`)
	require.ErrorContains(t, err, `the pattern \(\: error parsing regexp: missing closing )`)
	require.False(t, format.Pattern{}.Match(""))

	patterns, err := format.ParsePatterns("a-*, \\^b{1,2}$\\ # c\n")
	require.NoError(t, err)
	require.True(t, patterns.Match("a-1"))
	require.True(t, patterns.Match("bb"))
	require.False(t, patterns.Match("c"))
	_, err = format.ParsePatterns(`\(\, a, \)\`)
	require.ErrorContains(t, err, "missing closing )")
	require.ErrorContains(t, err, "unexpected )")
}

func FuzzParsePattern(f *testing.F) {
	for _, text := range []string{"*", "a?b", `\^a$\`, `\`, `\\`, `\(\`, "\xff*", "a\nb"} {
		f.Add(text, "a b")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		pattern, err := format.ParsePattern(text)
		if err != nil {
			isExpression := strings.HasPrefix(text, `\`) && strings.HasSuffix(text, `\`)
			require.True(t, isExpression || !utf8.ValidString(text), "every wildcard is one")
			return
		}
		require.Equal(t, text, pattern.String())
		matched := pattern.Match(name)
		again, err := format.ParsePattern(pattern.String())
		require.NoError(t, err)
		require.Equal(t, matched, again.Match(name))
		if !strings.ContainsAny(text, `\*?`) && utf8.ValidString(name) {
			require.Equal(t, text == name, matched)
			require.True(t, pattern.Match(text))
		}
	})
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]format.Version{
		"1.2.3":   {1, 2, 3},
		" 4.3.2 ": {4, 3, 2},
		"1.2":     {1, 2, 0},
		"1":       {1, 0, 0},
		"":        {},
		"0.0.0":   {},
	} {
		got, err := format.ParseVersion(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, want == format.Version{}, got.IsLatest())
	}
	for _, text := range []string{"v1.2.3", "1.2.3.4", "1..3", "-1.2.3", "+1.2.3", "1.2.x", "99999999999.0.0", "latest"} {
		_, err := format.ParseVersion(text)
		require.ErrorContains(t, err, `want a version like "1.2.3", found "`)
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, text := range []string{"1.2.3", "", "0.0", "01.2.3", "1.2.3.4", " 1 "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		version, err := format.ParseVersion(text)
		if err != nil {
			require.Zero(t, version)
			return
		}
		again, err := format.ParseVersion(version.String())
		require.NoError(t, err)
		require.Equal(t, version, again)
	})
}

func TestParseLevel(t *testing.T) {
	t.Parallel()
	require.True(t, format.None < format.Read && format.Read < format.Execute && format.Execute < format.Write)
	for _, name := range format.Levels() {
		level, err := format.ParseLevel(name)
		require.NoError(t, err)
		require.Equal(t, name, level.String())
	}
	_, err := format.ParseLevel("Excute")
	require.EqualError(t, err, `want one of None, Read, Execute, Write, found "Excute"; did you mean "Execute"?`)
	require.Equal(t, "Level(9)", format.Level(9).String())

	names, err := format.ParseSpecific([]string{"Terminal", "Logs", "Terminal"})
	require.NoError(t, err)
	require.Equal(t, []string{"Logs", "Terminal"}, names)
	_, err = format.ParseSpecific([]string{"Log"})
	require.EqualError(t, err, `want one of Attach, Inspect, Logs, Processes, Terminal, found "Log"; did you mean "Logs"?`)
}

func FuzzParsePermission(f *testing.F) {
	f.Add("Write", "Logs,Terminal")
	f.Add("write", "")
	f.Fuzz(func(t *testing.T, name, specific string) {
		if level, err := format.ParseLevel(name); err == nil {
			require.Equal(t, name, level.String())
		}
		names, err := format.ParseSpecific(strings.Split(specific, ","))
		if err == nil {
			again, err := format.ParseSpecific(names)
			require.NoError(t, err)
			require.Equal(t, names, again)
		}
	})
}
