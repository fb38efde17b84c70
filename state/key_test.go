package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

func TestParseKey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]state.Key{
		"component/api":        {Kind: "component", Name: "api"},
		"role/{{.x}}/a b/ü":    {Kind: "role", Name: "{{.x}}/a b/ü"},
		"resource_sync/x-1.2":  {Kind: "resource_sync", Name: "x-1.2"},
		"k8s-context/-leading": {Kind: "k8s-context", Name: "-leading"},
	} {
		got, err := state.ParseKey(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
	for text, message := range map[string]string{
		"component":       "want kind/name",
		"component/":      "a component without a name",
		"/x":              "an empty kind",
		"Component/x":     "want a lower-case letter",
		"9a/x":            "want a lower-case letter",
		"a b/x":           "want a lower-case letter",
		"a/x\n":           "control character",
		"a/\xff":          "not valid UTF-8",
		"component/a\x9b": "not valid UTF-8",
	} {
		_, err := state.ParseKey(text)
		require.ErrorContains(t, err, message, text)
	}
}

func TestScopeCanBeAPath(t *testing.T) {
	t.Parallel()
	require.NoError(t, state.Scope{Org: "acme", App: "my shop"}.Validate())
	for _, bad := range []state.Scope{{}, {Org: "a"}, {App: "a"}, {Org: "..", App: "a"}, {Org: "a", App: "."}, {Org: "a/b", App: "c"}, {Org: "a", App: `b\c`}, {Org: "a", App: "b\x00"}, {Org: "\xff", App: "b"}} {
		require.Error(t, bad.Validate(), "%q", bad)
	}
}

func TestChecksumTextRoundTrip(t *testing.T) {
	t.Parallel()
	sum := state.Sum([]byte("x"))
	parsed, err := state.ParseChecksum(sum.String())
	require.NoError(t, err)
	require.Equal(t, sum, parsed)
	require.Equal(t, "sha256:"+sum.Hex(), sum.String())
	none, err := state.ParseChecksum("")
	require.NoError(t, err)
	require.True(t, none.IsZero())
	require.Empty(t, none.String()+none.Hex())
	for text, message := range map[string]string{
		"blake3:00":                      `unknown algorithm "blake3"`,
		"00":                             "want sha256:",
		"sha256:00":                      "64 lower-case hex digits",
		"sha256:" + upper(sum):           "lower-case",
		"sha256:" + "zz" + sum.Hex()[2:]: "invalid byte",
	} {
		_, err := state.ParseChecksum(text)
		require.ErrorContains(t, err, message, text)
	}
}

func upper(sum state.Checksum) string { return "ABCDEF" + sum.Hex()[6:] }
