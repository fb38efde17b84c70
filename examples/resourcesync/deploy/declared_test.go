package deploy

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/manifest"
)

// A declared value is before that of the options. One that is somebody else's is
// theirs; what is declared for its creation does in its absence.
func TestDeclared_Variables(t *testing.T) {
	t.Parallel()
	const unmanaged = "unmanaged = [\"config.value\"]\n"
	given := map[string]string{"V": "given"}
	for _, c := range []struct {
		text          string
		vars, secrets map[string]string // of the options
		want          string            // empty: there is none
	}{
		{text: `value = "declared"`, want: "declared"},
		{text: `value = "declared"`, vars: given, want: "declared"},
		{text: unmanaged + `value = "first"`, want: "first"},
		{text: unmanaged + `value = "first"`, vars: given, want: "given"},
		{text: unmanaged, vars: given, want: "given"},
		{text: unmanaged},
		{text: `is_secret = true` + "\n" + `value = "declared"`, secrets: given, want: "declared"},
		{text: `is_secret = true` + "\n" + unmanaged, secrets: given, want: "given"},
		{text: `is_secret = true` + "\n" + unmanaged + `value = "first"`, want: "first"},
	} {
		files := fstest.MapFS{"a.toml": {Data: []byte("[[variable]]\nname = \"V\"\n" + c.text)}}
		declaration, err := manifest.LoadRoots([]manifest.Root{{FS: files}}, kinds.Set(New(nil).Kinds()), kinds.Options())
		require.NoError(t, err, c.text)
		require.NoError(t, kinds.Complete(declaration.Desired))
		known, err := newDeclared(state.Scope{}, declaration, &Options{Vars: c.vars, Secrets: c.secrets})
		require.NoError(t, err)
		filled, missing := manifest.Interpolate("[[V]]", known.lookup(known.vars), known.lookup(known.secrets))
		if c.want == "" {
			require.Equal(t, []string{"V"}, missing, c.text)
			continue
		}
		require.Equal(t, c.want, filled, c.text)
		require.Equal(t, strings.HasPrefix(c.text, "is_secret"), known.secrets["V"] != "", "a secret stays one")
	}
}
