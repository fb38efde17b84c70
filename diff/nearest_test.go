package diff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"dependencies", "directory", "name", "namespace"}
	for name, want := range map[string]string{
		"dependancies": "dependencies", "dependecnies": "dependencies", "nmae": "name", "names": "name", "namespaces": "namespace",
		"xyz": "", "": "", "directoryy": "directory",
	} {
		require.Equal(t, want, diff.Nearest(name, known), name)
	}
}
