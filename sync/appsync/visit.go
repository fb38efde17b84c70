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
	steps := strings.Split(strings.NewReplacer("[]", ".[]", "{}", ".{}").Replace(path), ".")
	visitValue(table, "", steps, f)
}

func visitValue(value any, at string, steps []string, f func(at, text string) any) any {
	if len(steps) == 0 {
		if text, ok := value.(string); ok {
			return f(at, text)
		}
		return value
	}
	switch v := value.(type) {
	case []any:
		if steps[0] == "[]" {
			for i := range v {
				v[i] = visitValue(v[i], diff.Index(at, i), steps[1:], f)
			}
		}
	case map[string]any:
		if steps[0] == "{}" {
			for _, name := range slices.Sorted(maps.Keys(v)) {
				f(diff.Member(at, name), name)
			}
		} else if inner, ok := v[steps[0]]; ok {
			if inner = visitValue(inner, diff.Member(at, steps[0]), steps[1:], f); inner == nil {
				delete(v, steps[0])
			} else {
				v[steps[0]] = inner
			}
		}
	}
	return value
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
