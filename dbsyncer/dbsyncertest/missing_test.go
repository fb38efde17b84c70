package dbsyncertest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	_, err := installed([]string{empty}, []string{empty})
	require.ErrorContains(t, err, "no Postgres server is installed")
	require.ErrorContains(t, err, "apt-get install postgresql")
	require.ErrorContains(t, err, "TRUEUP_TEST_POSTGRES")

	_, err = findBouncer([]string{empty})
	require.ErrorContains(t, err, "apt-get install pgbouncer")
}

func TestVersionsAreInTheOrderOfChoice(t *testing.T) {
	t.Parallel()
	dir := func(version string) string {
		dir := t.TempDir()
		for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
			text := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + " (Debian)'\n"
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700))
		}
		return dir
	}
	partial := dir("19.1")
	require.NoError(t, os.Remove(filepath.Join(partial, "initdb")))
	chosen, other, nine, ten, beta := dir("15.3"), dir("15.4"), dir("9.6.24"), dir("10.23"), dir("18beta1")

	versions, err := installed([]string{partial, chosen}, []string{nine, other, beta, ten})
	require.NoError(t, err)
	require.Equal(t, []Version{{15, chosen}, {18, beta}, {10, ten}, {9, nine}}, versions)
}

func TestAPortThatIsTakenIsNotTheEnd(t *testing.T) {
	t.Parallel()
	tried := map[int]bool{}
	require.NoError(t, onFreePort(func(port int) error {
		tried[port] = true
		if len(tried) < 3 {
			return errors.New("bind: Address already in use")
		}
		return nil
	}))
	require.Len(t, tried, 3)

	tries := 0
	failed := errors.New("something else")
	require.ErrorIs(t, onFreePort(func(int) error { tries++; return failed }), failed)
	require.Equal(t, 1, tries)
}
