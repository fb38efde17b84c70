package format_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/sync"
)

// The types of fields take all their forms.
var _ = []sync.Former{format.List(nil), format.Contents(""), format.Pairs(nil), format.Version{}}

func TestParseDeclared(t *testing.T) {
	t.Parallel()
	table := func(names ...string) any {
		m := map[string]any{}
		for i := 0; i < len(names); i += 2 {
			m[names[i]] = names[i+1]
		}
		return m
	}
	for _, c := range []struct {
		as        sync.Parser
		declared  any
		canonical any
	}{
		{format.List(nil), "a, b", format.List{"a", "b"}},
		{format.List(nil), []any{"a, b"}, []any{"a, b"}},
		{format.List(nil), int64(1), int64(1)},
		{format.Contents(""), "a\n b \n\n", "a\n b\n"},
		{format.Contents(""), "\n", ""},
		{format.Contents(""), true, true},
		{format.Pairs(nil), "A=1", format.Pairs{{"A", "1"}}},
		{format.Pairs(nil), []any{table("variable", "A", "value", "x # y")}, format.Pairs{{"A", "x # y"}}},
		{format.Pairs(nil), []any{table("local", "/a", "container", "/b"), table("signal", "SIGINT", "label", "l")}, format.Pairs{{"/a", "/b"}, {"SIGINT", "l"}}},
		{format.Pairs(nil), int64(1), int64(1)},
		{format.Version{}, "1.2.3", format.Version{1, 2, 3}},
		{format.Version{}, map[string]any{"major": int64(1), "patch": int64(3)}, format.Version{1, 0, 3}},
		{format.Version{}, 1.2, 1.2},
	} {
		got, err := c.as.ParseDeclared(c.declared)
		require.NoError(t, err)
		require.Equal(t, c.canonical, got)
	}
	for _, c := range []struct {
		as       sync.Parser
		declared any
		err      string
	}{
		{format.Pairs(nil), []any{"A=1", table("variable", "A"), table("local", "A", "value", "1")}, "[0]: want a table with the texts variable and value, local and container, or signal and label\n[1]: want a table with the texts variable and value, local and container, or signal and label\n[2]: want a table with the texts variable and value, local and container, or signal and label"},
		{format.Pairs(nil), []any{table("variable", "A", "value", "x\ny")}, "[0]: fits no line of a key-value list; it holds a line break, = or : in its key, white space around, or # outside quotes"},
		{format.Version{}, "x", `want a version like "1.2.3", found "x"`},
		{format.Version{}, map[string]any{"mayor": int64(1), "minor": "2", "patch": int64(-1)}, "mayor: unknown field; did you mean \"major\"?\nminor: want a whole number from 0 on\npatch: want a whole number from 0 on"},
	} {
		_, err := c.as.ParseDeclared(c.declared)
		require.EqualError(t, err, c.err)
	}
}
