package sync

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/diff"
)

// Recorded returns what is recorded as a declaration, in key order: of every record
// that isn't an orphan, the declaration that it was made from, under the name that it
// has now. A sync towards it has nothing to do but what is pending.
//
// Sensitive values are taken from source, a declaration that has them, wherever their
// digests are the same; it may be nil. A value that isn't there is left out, and its
// field is Unmanaged, so that a sync leaves alone what nobody could write down; a
// warning says so.
func (e *Engine) Recorded(ctx context.Context, source *Desired) (*Desired, error) {
	d, err := e.prepareRollback(ctx, &rollback{source: source})
	if err != nil {
		return nil, err
	}
	desired := &Desired{Revision: d.Revision}
	for i := range d.declared {
		r := *d.declared[i].Resource
		r.Config = d.plain[i]
		if missing := slices.Sorted(slices.Values(d.missing[i])); len(missing) > 0 {
			left := map[string]json.RawMessage{}
			r.Unmanaged = slices.Clone(r.Unmanaged)
			for _, path := range missing {
				left[path] = nil
				if !slices.Contains(r.Unmanaged, path) {
					r.Unmanaged = append(r.Unmanaged, path)
				}
				desired.Warnings = append(desired.Warnings, Warning{Text: fmt.Sprintf("%s: %s is sensitive, and only its digest is recorded: it is left out, and unmanaged", r.Key, path)})
			}
			r.Config = diff.Substitute(r.Config, left)
		}
		desired.Resources = append(desired.Resources, r)
	}
	return desired, nil
}
