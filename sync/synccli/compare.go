package synccli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// compare shows what changed between two States.
func compare(ctx context.Context, call *Call) error {
	engine, err := call.Engine(ctx)
	if err != nil {
		return err
	}
	from, to, err := call.serials(ctx, engine)
	if err != nil {
		return err
	}
	changes, err := engine.Compare(ctx, from, to)
	if err != nil {
		return err
	}
	if err := call.showComparison(from, to, changes); err != nil {
		return err
	}
	if len(changes) > 0 {
		return &ExitError{Code: changesAhead}
	}
	return nil
}

// serials returns those of the States to compare: by default the one before the
// present one, and the present one.
func (c *Call) serials(ctx context.Context, engine *sync.Engine) (from, to int64, err error) {
	given := make([]int64, len(c.Args))
	for i, text := range c.Args {
		if given[i], err = parseSerial(text); err != nil {
			return 0, 0, err
		}
	}
	if len(given) == 2 {
		return given[0], given[1], nil
	}
	heads, err := latest(ctx, engine, 2)
	switch {
	case err != nil || len(heads) == 0:
		return 0, 0, err
	case len(given) == 1:
		return given[0], heads[0].Serial, nil
	case len(heads) == 2:
		return heads[1].Serial, heads[0].Serial, nil
	case heads[0].Serial > 1:
		return 0, 0, fmt.Errorf("State %d is the only one that is kept: there is nothing to compare it with", heads[0].Serial)
	}
	return 0, heads[0].Serial, nil
}

func (c *Call) showComparison(from, to int64, changes []diff.Change) error {
	if c.JSON {
		return c.writeJSON(struct {
			From    int64       `json:"from"`
			To      int64       `json:"to"`
			Changes []diff.JSON `json:"changes"`
		}{from, to, c.changesJSON(changes)})
	}
	if len(changes) == 0 {
		fmt.Fprintf(c.Out, "Nothing changed from State %d to State %d of %s.\n", from, to, c.Scope)
		return nil
	}
	text, err := c.changesText(changes)
	if err != nil {
		return err
	}
	counts := map[diff.Op]int{}
	for _, change := range changes {
		counts[change.Op()]++
	}
	_, err = fmt.Fprintf(c.Out, "%sFrom State %d to State %d of %s: %s.\n", text, from, to, c.Scope, strings.Join(pastCounts(counts), ", "))
	return err
}

// changesText returns changes as a plan shows them.
func (c *Call) changesText(changes []diff.Change) (string, error) {
	var b strings.Builder
	err := diff.WriteText(&b, slices.Values(changes), c.kinds.Schema, 0, &diff.TextOptions{Color: c.Color})
	// The last line is a summary of what is to be done: these are changes that were.
	text := strings.TrimSuffix(b.String(), "\n")
	return text[:strings.LastIndex(text, "\n")+1], err
}

func (c *Call) changesJSON(changes []diff.Change) []diff.JSON {
	all := make([]diff.JSON, 0, len(changes))
	for _, change := range changes {
		all = append(all, diff.JSONOf(change, c.kinds.Schema))
	}
	return all
}

// latest returns the heads of the last n States that are kept, or of all if n is 0,
// newest first.
func latest(ctx context.Context, engine *sync.Engine, n int) ([]state.Head, error) {
	var heads []state.Head
	for head, err := range engine.History(ctx) {
		switch {
		case err != nil:
			return nil, err
		case head.Serial > 0:
			heads = append(heads, head)
		}
		if len(heads) == n {
			break
		}
	}
	return heads, nil
}
