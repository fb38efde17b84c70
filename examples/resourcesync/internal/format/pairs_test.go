package format_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

func TestParsePairs(t *testing.T) {
	t.Parallel()
	one := format.Pairs{{Key: "A", Value: "1"}}
	for text, want := range map[string]format.Pairs{
		"":                               nil,
		"\n \t\r\n":                      nil,
		"# A=1\n  #A=1\n//A=1\n  // A=1": nil,

		"A=1":         one,
		"A = 1":       one,
		"A: 1":        one,
		"- A=1":       one,
		"--A=1":       one,
		"\t- A : 1\r": one,
		`"A=1"`:       one,
		`- "A=1"`:     one,
		`'A=1'`:       one,
		`" A = 1 "`:   one,
		"A=1 #c":      one,
		"A=1\t# c":    one,
		`"A=1" # c`:   one,

		"A=1#c":           {{"A", "1#c"}},
		"A=1# c":          {{"A", "1# c"}},
		"A =":             {{"A", ""}},
		"=1":              {{"", "1"}},
		"A = #x":          {{"A", ""}},
		"A =#x":           {{"A", "#x"}},
		"A:b=c":           {{"A", "b=c"}},
		"A=b:c":           {{"A", "b:c"}},
		"http://x=1":      {{"http", "//x=1"}},
		"- - A=1":         {{"- A", "1"}},
		"export A=1":      {{"export A", "1"}},
		"A=[[B]] # c":     {{"A", "[[B]]"}},
		"B=1\nA=2\nB=1":   {{"B", "1"}, {"A", "2"}, {"B", "1"}},
		"/a:/b:ro":        {{"/a", "/b:ro"}},
		"0.0.0.0:80:8080": {{"0.0.0.0", "80:8080"}},

		`- "/data/config:/etc/config"`: {{"/data/config", "/etc/config"}},
		`A="x"`:                        {{"A", `"x"`}},
		`'A="x"'`:                      {{"A", `"x"`}},
		`"A" = "x"`:                    {{`"A"`, `"x"`}},
		`"A='x'`:                       {{`"A`, `'x'`}},
		`A="x # y"`:                    {{"A", `"x # y"`}},
		`A="x # y" # z`:                {{"A", `"x # y"`}},
		`A="say \" # "`:                {{"A", `"say \" # "`}},
		`A='x # y'`:                    {{"A", `'x # y'`}},
		`"A=x # y"`:                    {{"A", "x # y"}},
		`A={"k": "v # w"} # x`:         {{"A", `{"k": "v # w"}`}},
		`A=it's # isn't it`:            {{"A", "it's"}},
		`A="#fff"`:                     {{"A", `"#fff"`}},
		`A="open # c`:                  {{"A", `"open`}},
		`A=5" # c"`:                    {{"A", `5"`}},
	} {
		got, err := format.ParsePairs(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestParsePairsTellsTheLines(t *testing.T) {
	t.Parallel()
	_, err := format.ParsePairs("\nA=1\n  sesame\n# fine\nB=\"multi\nline\"\n")
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 2)
	require.Equal(t, "line 3: want KEY = VALUE or KEY: VALUE, found no = or :; a value ends with its line", lines[0])
	require.Contains(t, lines[1], "line 6: ")
	require.NotContains(t, err.Error(), "sesame", "it may be a secret")
}

func TestPairsMarshalText(t *testing.T) {
	t.Parallel()
	text, err := (format.Pairs{{"A", "1"}, {"B", ""}, {"C", "#fff"}, {"D", "x # y"}, {"-E", "1"}, {"/a", "/b:ro"}}).MarshalText()
	require.NoError(t, err)
	require.Equal(t, "A = 1\nB =\nC=#fff\n\"D = x # y\"\n\"-E = 1\"\n/a = /b:ro\n", string(text))

	text, err = format.Pairs(nil).MarshalText()
	require.NoError(t, err)
	require.Empty(t, text)

	for _, pair := range []format.Pair{{"A", "x\ny"}, {"A=B", "x"}, {"A", " x"}, {"A\nB", "x"}} {
		_, err = format.Pairs{{"A", "1"}, pair}.MarshalText()
		require.ErrorContains(t, err, "[1]: fits no line", "%q", pair)
	}
}

func FuzzParsePairs(f *testing.F) {
	for _, text := range []string{
		"A=1\nB: 2 # c\n- \"/a:/b\"\n", "'A=\"x # y\"'", "-#A=#1", "- - A=1", "-//a=b", `"'a=b'"`, "a #b=c", `"a #b=c"d"`, "=", "\"=\"", "-=-", "A=\\", "é'=' #",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pairs, err := format.ParsePairs(text)
		if err != nil {
			require.Nil(t, pairs)
			return
		}
		rendered, err := pairs.MarshalText()
		require.NoError(t, err, "%q", pairs)
		again, err := format.ParsePairs(string(rendered))
		require.NoError(t, err)
		require.Equal(t, pairs, again)
		twice, err := again.MarshalText()
		require.NoError(t, err)
		require.Equal(t, rendered, twice)
	})
}

// FuzzMarshalPairs holds that whatever is rendered is read as the same.
func FuzzMarshalPairs(f *testing.F) {
	for _, pair := range []format.Pair{{"A", "1"}, {"", ""}, {"-", "# \"'"}, {"#", "//"}, {"\"", "x\ny"}, {"'a", "b'"}} {
		f.Add(pair.Key, pair.Value)
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		pairs := format.Pairs{{key, value}, {value, key}}
		rendered, err := pairs.MarshalText()
		if err != nil {
			return
		}
		again, err := format.ParsePairs(string(rendered))
		require.NoError(t, err)
		require.Equal(t, pairs, again)
	})
}
