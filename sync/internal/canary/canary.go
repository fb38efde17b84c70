package canary

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The environment of a run of tests that is watched.
const (
	// Env names the variable that holds the run's canary.
	Env = "TRUEUP_CANARY"
	// KeptEnv names the variable that holds the directory in which what is left is
	// searched when the run has ended.
	KeptEnv = "TRUEUP_KEPT"
)

// Value returns the canary of this run of tests: letters and digits. Without a run
// that looks for it, it is any.
func Value() string {
	if value := os.Getenv(Env); value != "" {
		return value
	}
	return "canaryThatNobodyLooksFor"
}

// Dir returns an empty directory for what comes out of a test, such as what a
// backend records: searched for the canary when all tests have ended, if anybody
// does that; else removed with the test.
func Dir(t T) string {
	t.Helper()
	kept := os.Getenv(KeptEnv)
	if kept == "" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(kept, "")
	if err != nil {
		t.Errorf("make a directory that is kept: %v", err)
	}
	return dir
}

// Set is canaries to look for. It is immutable and safe for concurrent use.
type Set struct {
	// forms are those of all canaries, by their first two bytes.
	forms map[[2]byte][]sought
	// begins tells for every two bytes whether a form begins with them: most places
	// in a text are passed over by that alone.
	begins [1 << 16]bool
	count  int
}

// sought is one form of one canary.
type sought struct {
	canary int
	form
}

// New returns the set of these values, which should have no other reason to
// appear anywhere: nothing short, nothing common.
func New(values ...string) *Set {
	s := &Set{forms: map[[2]byte][]sought{}, count: len(values)}
	for i, value := range values {
		for _, f := range formsOf(value) {
			s.begins[int(f.text[0])<<8|int(f.text[1])] = true
			first := [2]byte(f.text[:2])
			s.forms[first] = append(s.forms[first], sought{i, f})
		}
	}
	return s
}

// Find tells of the canaries that are in a text: which, in which form, and behind
// what. Each is told of once.
func (s *Set) Find(text []byte) []string {
	var found []string
	seen := make([]bool, s.count)
	for at := 0; at+1 < len(text); at++ {
		if !s.begins[int(text[at])<<8|int(text[at+1])] {
			continue
		}
		for _, c := range s.forms[[2]byte(text[at:at+2])] {
			if !seen[c.canary] && bytes.HasPrefix(text[at:], c.text) {
				seen[c.canary] = true
				found = append(found, fmt.Sprintf("canary %d %s, behind %q", c.canary, c.how, text[max(0, at-80):at]))
			}
		}
	}
	return found
}

// FindInFiles tells of the canaries in the names and the contents of all files of
// a directory, each with the file's path. What git keeps for itself is passed over,
// and what is gone by the time it is looked at.
func (s *Set) FindInFiles(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil
		}
		if err != nil {
			return err
		}
		if entry.Name() == ".git" {
			return fs.SkipDir
		}
		for _, what := range s.Find([]byte(entry.Name())) {
			found = append(found, fmt.Sprintf("the name %s: %s", path, what))
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		for _, what := range s.Find(text) {
			found = append(found, fmt.Sprintf("%s: %s", path, what))
		}
		return err
	})
	return found, err
}

// T is a test: what is used of testing.TB, which only tests may import.
type T interface {
	// Helper is testing.TB's.
	Helper()
	// Errorf is testing.TB's.
	Errorf(format string, args ...any)
	// TempDir is testing.TB's.
	TempDir() string
}

// NotIn fails the test if a canary is in a value or in anything that can be reached
// from it; see Dump. what names the value.
func (s *Set) NotIn(t T, what string, value any) {
	t.Helper()
	s.NotInText(t, what, Dump(value))
}

// NotInText fails the test if a canary is in a text.
func (s *Set) NotInText(t T, what string, text []byte) {
	t.Helper()
	for _, found := range s.Find(text) {
		t.Errorf("%s shows a secret: %s", what, found)
	}
}

// NotInFiles fails the test if a canary is in a file of the directory.
func (s *Set) NotInFiles(t T, dir string) {
	t.Helper()
	found, err := s.FindInFiles(dir)
	if err != nil {
		t.Errorf("look for secrets in %s: %v", dir, err)
	}
	for _, what := range found {
		t.Errorf("a file holds a secret: %s", what)
	}
}
