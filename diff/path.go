package diff

import (
	"strconv"
	"strings"
)

// A path leads to a value within a resource: "config.vars.region",
// "config.steps[2].name". Member and Index build it. Every value has one path.

// Member returns the path of an object's member. A name that holds anything but
// letters, digits, '-' and '_' is quoted.
func Member(path, name string) string {
	if !plainName(name) {
		name = strconv.Quote(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// Index returns the path of a list's element.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func plainName(name string) bool {
	for _, c := range []byte(name) {
		if !isPlain(c) {
			return false
		}
	}
	return name != ""
}

func isPlain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// step is one part of a path: a member's name, or an element's index if that is
// not negative.
type step struct {
	name  string
	index int
}

// parsePath returns the steps of a path as Member and Index write it, and
// whether it is one. The empty path is none.
func parsePath(path string) ([]step, bool) {
	var steps []step
	for rest := path; rest != ""; {
		var s step
		var ok bool
		if rest[0] == '[' {
			s, rest, ok = cutIndex(rest)
		} else {
			if len(steps) > 0 {
				if rest, ok = strings.CutPrefix(rest, "."); !ok {
					return nil, false
				}
			}
			s, rest, ok = cutName(rest)
		}
		if !ok {
			return nil, false
		}
		steps = append(steps, s)
	}
	return steps, len(steps) > 0
}

func cutIndex(path string) (step, string, bool) {
	digits, rest, found := strings.Cut(path[1:], "]")
	i, err := strconv.Atoi(digits)
	ok := found && err == nil && i >= 0 && digits == strconv.Itoa(i)
	return step{index: i}, rest, ok
}

func cutName(path string) (step, string, bool) {
	if path != "" && path[0] == '"' {
		quoted, err := strconv.QuotedPrefix(path)
		if err != nil {
			return step{}, "", false
		}
		name, err := strconv.Unquote(quoted)
		ok := err == nil && !plainName(name) && strconv.Quote(name) == quoted
		return step{name: name, index: -1}, path[len(quoted):], ok
	}
	end := 0
	for end < len(path) && isPlain(path[end]) {
		end++
	}
	return step{name: path[:end], index: -1}, path[end:], end > 0
}
