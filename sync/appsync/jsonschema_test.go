package appsync_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/internal/jsonschema"
	"github.com/trueup-go/trueup/sync/manifest"
)

// check returns what the JSON Schema of a file says of a text.
func check(t *testing.T, name, text string) []string {
	t.Helper()
	raw, err := appsync.JSONSchema(name)
	require.NoError(t, err, name)
	schema, err := jsonschema.New(raw)
	require.NoError(t, err)
	doc, err := manifest.Decode(name, []byte(text))
	require.NoError(t, err, name)
	plain, err := json.Marshal(doc.Root)
	require.NoError(t, err)
	var value any
	require.NoError(t, json.Unmarshal(plain, &value))
	return schema.Check(value)
}

// Editors and the load agree about the files of an app.
func TestJSONSchemaOfWhatLoads(t *testing.T) {
	t.Parallel()
	dir := os.DirFS("testdata/shop")
	checked := 0
	require.NoError(t, fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".toml" || strings.HasPrefix(name, "shared/") {
			return err
		}
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		require.Empty(t, check(t, name, string(text)), name)
		checked++
		return nil
	}))
	require.Greater(t, checked, 10)
}

func TestJSONSchemaOfMistakes(t *testing.T) {
	t.Parallel()
	for want, file := range map[string][2]string{
		"/nmae: unknown":             {"components/api.toml", "nmae = 'api'"},
		"/name: want string":         {"components/api.toml", "name = 1"},
		"/docker_build/x: unknown":   {"components/api.toml", "docker_build.x = 1"},
		"/secret/0/nmae: unknown":    {"secrets.toml", "[[secret]]\nnmae = 'a'"},
		"/steps: want array":         {"actions/migrate.toml", "steps = 'a'"},
		"/terraform_versin: unknown": {"sandbox.toml", "terraform_versin = '1'"},
	} {
		require.Equal(t, []string{want}, check(t, file[0], file[1]), file[0])
	}
	require.Empty(t, check(t, "metadata.toml", "whatever = 1"), "it is lenient there")
	for _, name := range []string{"", "nothing.toml", "components/api", "components.toml", "sandbox/x.toml"} {
		_, err := appsync.JSONSchema(name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
}
