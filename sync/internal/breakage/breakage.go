package main

import (
	"fmt"
	"strings"
)

// breakage is an edit that breaks a promise, and the test that must notice.
type breakage struct {
	line          int // of the list, where it begins
	promise       int
	title         string
	file          string // from the root, with slashes
	find, replace string // whole lines
	test          testRun
}

// testRun is what go test is asked to run.
type testRun struct {
	pkg, pattern string
}

func (t testRun) String() string { return fmt.Sprintf("go test %s -run '%s'", t.pkg, t.pattern) }

func (b *breakage) String() string { return fmt.Sprintf("promise %d: %s", b.promise, b.title) }

// mentions tells whether the text is in anything that the breakage tells.
func (b *breakage) mentions(text string) bool {
	return strings.Contains(fmt.Sprintf("%s\n%s\n%s", b, b.file, b.test), text)
}

// apply makes the edit. The lines to find must stand in the text once.
func (b *breakage) apply(text string) (string, error) {
	const start = "\n" // so that every line has one before it
	find, replace := start+b.find, start+b.replace
	switch n := strings.Count(start+text, find); n {
	case 0:
		return "", fmt.Errorf("stale: these lines are not in %s", b.file)
	case 1:
		return strings.TrimPrefix(strings.Replace(start+text, find, replace, 1), start), nil
	default:
		return "", fmt.Errorf("these lines stand in %s %d times", b.file, n)
	}
}
