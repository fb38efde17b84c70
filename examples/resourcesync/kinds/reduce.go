package kinds

import (
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Reduce takes off what Complete adds, so that the declaration can be written down
// (manifest.Render) and, once it is loaded and completed, is the same. The error is of
// a config that is not canonical.
func Reduce(desired *sync.Desired) error {
	for i := range desired.Resources {
		r := &desired.Resources[i]
		r.Refs = nil
		switch r.Kind {
		case KindUserGroup:
			if err := completeBy(r, reduceUserGroup); err != nil {
				return err
			}
		case KindVariable:
			if at := slices.Index(r.Unmanaged, "secret"); at >= 0 {
				r.Unmanaged[at] = "value"
			}
		}
	}
	return nil
}

// reduceUserGroup takes off what a pattern matches.
func reduceUserGroup(r *state.Resource, config UserGroup) error {
	for _, permission := range config.Permissions {
		target := permission.Target
		if !target.IsPattern() {
			continue
		}
		pattern, err := format.ParsePattern(target.ID)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Key, err)
		}
		r.After = slices.DeleteFunc(r.After, func(key state.Key) bool {
			return key.Kind == kindOf(target.Type) && pattern.Match(key.Name)
		})
	}
	return nil
}

// Interpolates tells whether what [[NAME]] stands for is filled in to texts of a kind
// when something is done with it.
func Interpolates(kind string) bool {
	switch kind {
	case KindAction, KindAlerter, KindBuild, KindDeployment, KindRepo, KindStack:
		return true
	}
	return false
}
