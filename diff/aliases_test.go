package diff_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
)

func aliasSchema() *diff.Schema {
	return &diff.Schema{Fields: []diff.SchemaField{
		{Name: "restart", Value: diff.Value{Type: diff.Text, OneOf: []string{"no", "always"}}, Default: json.RawMessage(`""`)},
		{Name: "server_id", Aliases: []string{"server"}, Deprecated: []string{"host"}, Value: diff.Value{Type: diff.Text}},
		{Name: "zone", Value: diff.Value{Type: diff.Text}},
	}}
}

func TestAliasesAreNamesOfAField(t *testing.T) {
	t.Parallel()
	schema := aliasSchema()
	for _, name := range []string{"server_id", "server", "host"} {
		require.Equal(t, "server_id", schema.Named(name).Name)
		config, mistakes := schema.Normalize(json.RawMessage(`{"` + name + `":"a","zone":"b"}`))
		require.Empty(t, mistakes)
		require.Equal(t, `{"server_id":"a","zone":"b"}`, string(config), name)
	}
	require.Nil(t, schema.Named("x"))
	require.Nil(t, (*diff.Schema)(nil).Named("x"))
	_, mistakes := schema.Normalize(json.RawMessage(`{"host":"a","server":"b","server_id":"c"}`))
	require.Len(t, mistakes, 2)
}

// What was observed has a field's own name; another that it bears is not ours.
func TestAliasesAreNotOfWhatIsLive(t *testing.T) {
	t.Parallel()
	config, mistakes := aliasSchema().NormalizeLive(json.RawMessage(`{"server":"a","restart":"sometimes"}`))
	require.Empty(t, mistakes)
	require.Equal(t, `{"restart":"sometimes"}`, string(config))
}

func TestOneOf(t *testing.T) {
	t.Parallel()
	schema := aliasSchema()
	for _, restart := range []string{"", "no", "always"} {
		_, mistakes := schema.Normalize(json.RawMessage(`{"restart":"` + restart + `"}`))
		require.Empty(t, mistakes, restart)
	}
	_, mistakes := schema.Normalize(json.RawMessage(`{"restart":"alway"}`))
	require.Equal(t, []diff.FieldError{{Path: "restart", Problem: "want one of no, always, found another text", Hint: `did you mean "always"?`}}, mistakes)
}
