package kinds_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/sync/manifest"
)

// TestSeed loads the examples of the original's manual.
func TestSeed(t *testing.T) {
	t.Parallel()
	desired, err := manifest.Load(os.DirFS("testdata/seed"), set(), kinds.Options())
	require.NoError(t, err)
	require.NoError(t, kinds.Complete(desired))
	var b strings.Builder
	for _, r := range desired.Resources {
		raw, err := r.AppendJSON(nil)
		require.NoError(t, err)
		fmt.Fprintf(&b, "%s %s\n", r.Key, raw)
	}
	for _, warning := range desired.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	golden(t, "testdata/seed.golden", b.String())
	converges(t, desired)
}
