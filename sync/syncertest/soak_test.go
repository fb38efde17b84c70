package syncertest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/syncertest"
)

func TestSoak(t *testing.T) {
	for percent, want := range map[string]int{"": 10, "100": 200, "50": 100, "1": 2, "0": 10, "x": 10, "-3": 10, "250": 500} {
		t.Setenv("TRUEUP_SOAK", percent)
		require.Equal(t, want, syncertest.Soak(200), "TRUEUP_SOAK=%q", percent)
		require.Equal(t, 1, syncertest.Soak(0))
	}
}

// Each resource has a key of its own, and each of its versions a checksum.
func TestDefaultResource(t *testing.T) {
	t.Parallel()
	keys, sums := map[string]bool{}, map[string]bool{}
	for n := range 20 {
		for version := range 3 {
			r := syncertest.DefaultResource(n, version)
			sum, err := r.Checksum()
			require.NoError(t, err)
			require.False(t, sums[sum.String()])
			sums[sum.String()] = true
			keys[r.String()] = true
		}
	}
	require.Len(t, keys, 20)
}
