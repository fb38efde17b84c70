package manifest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/internal/jsonschema"
	"github.com/trueup-go/trueup/sync/manifest"
)

// Editors and the load agree about files.
func TestJSONSchema(t *testing.T) {
	t.Parallel()
	opts := stackOptions()
	opts.Dialect = manifest.Komodo
	schema := schemaOf(t, stackKinds(), opts)
	for _, good := range []string{
		rendered, "stacks = []", "[[variable]]\nname='a'\nvalue='x'", "[[stack]]\nname='a'\nconfig.environment=[{variable='x',value='y'}]",
		"[[stack]]\nname='a'\nconfig.host='x'\nconfig.restart='always'\nconfig.mode=''", "[[moved]]\nkind='stack'\nfrom='a'\nto='b'",
	} {
		require.Empty(t, schema.Check(decodeTOML(t, good)), good)
	}
	for want, bad := range map[string]string{
		"/stcak: unknown":                                "stcak=[]",
		"/stack/0: no name":                              "[[stack]]",
		"/stack/0/server: unknown":                       "[[stack]]\nname='a'\nserver='x'",
		"/stack/0/config/srever: unknown":                "[[stack]]\nname='a'\nconfig.srever='x'",
		"/stack/0/config/restart: not one of it":         "[[stack]]\nname='a'\nconfig.restart='allways'",
		"/stack/0/config/file_paths/1: want string":      "[[stack]]\nname='a'\nconfig.file_paths=['a',1]",
		"/stack/0/config/environment: none of its forms": "[[stack]]\nname='a'\nconfig.environment=[{value='y'}]",
		"/stack/0/config/ratio: want number":             "[[stack]]\nname='a'\nconfig.ratio='1'",
		"/stack/0/template: want boolean":                "[[stack]]\nname='a'\ntemplate=1",
		"/server/0: no config":                           "[[server]]\nname='a'",
		"/server/0/config: no address":                   "[[server]]\nname='a'\n[server.config]\nsize=1",
		"/server/0/config/size: want integer":            "[[server]]\nname='a'\n[server.config]\naddress='x'\nsize=1.5",
		"/server/0/config/address: too short":            "[[server]]\nname='a'\n[server.config]\naddress=''",
		"/variable/0/config: unknown":                    "[[variable]]\nname='a'\nconfig.x=1",
		"/moved/0: no to":                                "[[moved]]\nkind='a'\nfrom='x'",
	} {
		require.Equal(t, []string{want}, schema.Check(decodeTOML(t, bad)), bad)
	}
	opts.Lenient = true
	lenient := schemaOf(t, stackKinds(), opts)
	require.Empty(t, lenient.Check(decodeTOML(t, "x=1\n[[stack]]\nname='a'\ny=1\nconfig.z=1")))
	free := schemaOf(t, testKinds(), nil)
	require.Empty(t, free.Check(decodeTOML(t, "[[free]]\nname='a'\n[free.config]\nx=1")))
	_, err := manifest.JSONSchema(stackKinds(), &manifest.Options{Flat: []string{"x"}})
	require.ErrorIs(t, err, sync.ErrUnknownKind)
}

// decodeTOML decodes what both dialects can, but for one text.
func decodeTOML(t *testing.T, text string) any {
	t.Helper()
	var root map[string]any
	require.NoError(t, toml.Unmarshal([]byte(strings.ReplaceAll(text, `{} \;`, "{} ;")), &root), text)
	raw, err := json.Marshal(root)
	require.NoError(t, err)
	var value any
	require.NoError(t, json.Unmarshal(raw, &value))
	return value
}

func schemaOf(t *testing.T, kinds *sync.KindSet, opts *manifest.Options) *jsonschema.Schema {
	t.Helper()
	raw, err := manifest.JSONSchema(kinds, opts)
	require.NoError(t, err)
	schema, err := jsonschema.New(raw)
	require.NoError(t, err)
	return schema
}
