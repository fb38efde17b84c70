package synccli

import (
	"context"
	"fmt"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// drift shows where the live things are not what is recorded. It is a check, and
// one that finds something has failed.
func drift(ctx context.Context, call *Call) error {
	engine, err := call.Engine(ctx)
	if err != nil {
		return err
	}
	changes, err := engine.Drift(ctx)
	if err != nil {
		return err
	}
	if err := call.showDrift(changes); err != nil {
		return err
	}
	if len(changes) > 0 {
		return &ExitError{Code: 1}
	}
	return nil
}

func (c *Call) showDrift(changes []diff.Change) error {
	if c.JSON {
		return c.writeJSON(struct {
			Drift []driftJSON `json:"drift"`
		}{driftsJSON(changes)})
	}
	if len(changes) == 0 {
		fmt.Fprintf(c.Out, "No drift in %s.\n", c.Scope)
		return nil
	}
	var b strings.Builder
	changed, gone := 0, 0
	for _, change := range changes {
		if create, ok := change.(*diff.Create); ok {
			gone++
			fmt.Fprintf(&b, "- %s%s%s is gone\n", create.Key(), inBrackets("(", create.Desired.Type, ")"), inBrackets("[", create.Recorded.ID, "]"))
			continue
		}
		changed++
		text, err := c.changesText([]diff.Change{change})
		if err != nil {
			return err
		}
		b.WriteString(text)
	}
	fmt.Fprintf(&b, "Drift in %s: %d changed behind our back, %d gone.\n", c.Scope, changed, gone)
	_, err := fmt.Fprint(c.Out, b.String())
	return err
}

// driftJSON is one thing that is not what is recorded of it.
type driftJSON struct {
	Key    string       `json:"key"`
	Type   string       `json:"type,omitempty"`
	ID     string       `json:"id"`
	Gone   bool         `json:"gone,omitempty"`
	Fields []diff.Field `json:"fields,omitempty"`
}

func driftsJSON(changes []diff.Change) []driftJSON {
	all := make([]driftJSON, 0, len(changes))
	for _, change := range changes {
		switch c := change.(type) {
		case *diff.Create:
			all = append(all, driftJSON{Key: c.Key().String(), Type: c.Desired.Type, ID: c.Recorded.ID, Gone: true})
		case *diff.Update:
			all = append(all, driftJSON{Key: c.Key().String(), Type: c.Desired.Type, ID: c.Recorded.ID, Fields: c.Fields})
		}
	}
	return all
}
