package appsync

import (
	"maps"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// visit calls f with every text that a path leads to, and where it stands. What
// f returns takes the text's place; nil removes it. In a path, "[]" stands for
// every element of a list, "{}" for the names of a table, which stay as they
// are.
func visit(table map[string]any, path string, f func(at, text string) any) {
	visitValue(table, "", path, f)
}

func visitValue(value any, at, path string, f func(at, text string) any) any {
	if path == "" {
		if text, ok := value.(string); ok {
			return f(at, text)
		}
		return value
	}
	step, rest := cutStep(path)
	switch v := value.(type) {
	case []any:
		if step == "[]" {
			for i := range v {
				v[i] = visitValue(v[i], diff.Index(at, i), rest, f)
			}
		}
	case map[string]any:
		if step == "{}" {
			for _, name := range slices.Sorted(maps.Keys(v)) {
				f(diff.Member(at, name), name)
			}
		} else if inner, ok := v[step]; ok {
			if inner = visitValue(inner, diff.Member(at, step), rest, f); inner == nil {
				delete(v, step)
			} else {
				v[step] = inner
			}
		}
	}
	return value
}

// cutStep splits "steps[].name" into "steps" and "[].name", and that into "[]"
// and "name".
func cutStep(path string) (step, rest string) {
	end := strings.IndexAny(path, ".[{")
	switch {
	case end < 0:
		return path, ""
	case end == 0:
		end = len("[]")
	}
	return path[:end], strings.TrimPrefix(path[end:], ".")
}

// texts calls f with every text in a value, at whatever depth, and where it
// stands.
func texts(value any, at string, f func(at, text string)) {
	switch v := value.(type) {
	case string:
		f(at, v)
	case []any:
		for i := range v {
			texts(v[i], diff.Index(at, i), f)
		}
	case map[string]any:
		for name, inner := range v {
			texts(inner, diff.Member(at, name), f)
		}
	}
}
