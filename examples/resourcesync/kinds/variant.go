package kinds

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// checkVariant checks a table {type, params} of which the type says what params
// there are: those of another type are mistakes. What no type has, and a type that
// there isn't, the Schema reports.
func checkVariant(value any, params map[string][]string) error {
	table, _ := value.(map[string]any)
	kind, _ := table["type"].(string)
	declared, _ := table["params"].(map[string]any)
	own, known := params[kind]
	if !known {
		return nil
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		var of []string
		for _, other := range slices.Sorted(maps.Keys(params)) {
			if slices.Contains(params[other], name) {
				of = append(of, other)
			}
		}
		if !slices.Contains(own, name) && len(of) > 0 {
			errs = append(errs, diff.FieldError{
				Path:    diff.Member("params", name),
				Problem: fmt.Sprintf("the type %s has no %s", kind, name),
				Hint:    fmt.Sprintf("it is for %s", strings.Join(of, " and ")),
			})
		}
	}
	return errors.Join(errs...)
}
