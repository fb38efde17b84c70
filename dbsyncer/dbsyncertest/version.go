package dbsyncertest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A Version is an installed version of Postgres.
type Version struct {
	Major int    // as 17
	Bin   string // the directory of its programs
}

// String returns the major version, as "17".
func (v Version) String() string { return strconv.Itoa(v.Major) }

// Versions returns the installed versions of Postgres, one for each major version,
// so that a test can run over each:
//
//	for _, v := range dbsyncertest.Versions(t) {
//		t.Run(v.String(), func(t *testing.T) {
//			t.Parallel()
//			url := dbsyncertest.Start(t, &dbsyncertest.Options{Version: v}).URL()
//			…
//		})
//	}
//
// They are looked for in PATH, where pg_config says, and where Debian, Red Hat,
// Homebrew and Postgres.app put them. The first is the one that URL and Start use:
// that of PATH, else that of pg_config, else the newest; the others follow, newest
// first. The test fails if there is none.
func Versions(t testing.TB) []Version {
	t.Helper()
	versions, err := installed(places())
	if err != nil {
		t.Fatal(fmt.Errorf("dbsyncertest: %w", err))
	}
	return versions
}

// places lists where the programs of Postgres may be: first those directories
// that are somebody's choice, then what is installed beside each other.
func places() (chosen, found []string) {
	chosen = filepath.SplitList(os.Getenv("PATH"))
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		chosen = append(chosen, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",                          // Debian
		"/usr/pgsql-*/bin",                                   // Red Hat
		"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew
		"/usr/local/opt/postgresql*/bin",                     // Homebrew, Intel
		"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
	} {
		dirs, _ := filepath.Glob(pattern) // the patterns are well-formed
		found = append(found, dirs...)
	}
	return chosen, found
}

// installed returns the versions in directories, each major version once.
func installed(chosen, found []string) ([]Version, error) {
	newest := versionsIn(found)
	slices.SortStableFunc(newest, func(a, b Version) int { return cmp.Compare(b.Major, a.Major) })
	var all []Version
	for _, v := range append(versionsIn(chosen), newest...) {
		if !slices.ContainsFunc(all, func(w Version) bool { return w.Major == v.Major }) {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no Postgres server is installed: neither PATH, nor pg_config, nor the usual places lead to initdb, pg_ctl and postgres. " +
			"Install one (Debian: apt-get install postgresql; Homebrew: brew install postgresql), or set " + variable + " to the URL of a server for tests")
	}
	return all, nil
}

func versionsIn(dirs []string) []Version {
	var versions []Version
	for _, dir := range dirs {
		if major := majorIn(dir); major > 0 {
			versions = append(versions, Version{major, dir})
		}
	}
	return versions
}

// majorIn returns the major version of the server whose programs are in dir, 0 if
// they aren't all there.
func majorIn(dir string) int {
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return 0
		}
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	// "postgres (PostgreSQL) 17.2 (Debian 17.2-1)", "postgres (PostgreSQL) 18beta1"
	m := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindSubmatch(out)
	if m == nil {
		return 0
	}
	major, _ := strconv.Atoi(string(m[1])) // digits; 0 if there are too many
	return major
}
