package manifest

import (
	"path"
	"strings"
)

// matches tells whether one of the patterns matches a path. A pattern is as in
// path.Match, and "**" stands for any number of directories; one without a slash
// is for the last name of the path.
func matches(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if !strings.Contains(pattern, "/") {
			pattern = "**/" + pattern
		}
		if matchParts(strings.Split(pattern, "/"), strings.Split(name, "/")) {
			return true
		}
	}
	return false
}

// isPattern tells whether a pattern can match anything.
func isPattern(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err == nil && pattern != ""
}

func matchParts(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(name) + 1 {
				if matchParts(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if matched, err := path.Match(pattern[0], name[0]); !matched || err != nil {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}
