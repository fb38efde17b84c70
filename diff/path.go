package diff

import "strconv"

// A path leads to a value within a resource: "config.vars.region",
// "config.steps[2].name". Member and Index build it.

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
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return name != ""
}
