package format

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Pattern matches names of resources. The zero Pattern matches nothing.
type Pattern struct {
	text string
	re   *regexp.Regexp
}

// ParsePattern reads a pattern: a regular expression between backslashes, in the
// syntax of package regexp, that has to match somewhere in the name; or a wildcard
// that has to match all of it, in which * is any text and ? any one character. Upper
// and lower case differ.
//
// The error says why an expression is none. An empty one, which would match
// everything, is none either, nor is what is not UTF-8.
func ParsePattern(text string) (Pattern, error) {
	expr := wildcard(text)
	if len(text) > 1 && text[0] == '\\' && text[len(text)-1] == '\\' {
		expr = text[1 : len(text)-1]
		if expr == "" {
			return Pattern{}, errors.New("an empty regular expression matches every name; write * for that")
		}
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return Pattern{}, fmt.Errorf("the pattern %s: %w", text, err)
	}
	return Pattern{text, re}, nil
}

// wildcard returns the regular expression of a wildcard.
func wildcard(text string) string {
	wild := strings.NewReplacer(`\\`, `\\`, `\*`, `.*`, `\?`, `.`)
	return `(?s)\A` + wild.Replace(regexp.QuoteMeta(text)) + `\z`
}

// ParsePatterns reads the patterns of a list; see ParseList. The error joins what
// is wrong with each.
func ParsePatterns(list string) (Patterns, error) {
	var patterns Patterns
	var errs []error
	for _, text := range ParseList(list) {
		pattern, err := ParsePattern(text)
		patterns, errs = append(patterns, pattern), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return patterns, nil
}

// Match tells whether the pattern matches the name.
func (p Pattern) Match(name string) bool { return p.re != nil && p.re.MatchString(name) }

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Patterns are several.
type Patterns []Pattern

// Match tells whether one of the patterns matches the name.
func (p Patterns) Match(name string) bool {
	for _, pattern := range p {
		if pattern.Match(name) {
			return true
		}
	}
	return false
}
