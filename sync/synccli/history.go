package synccli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// defaultLimit is how many States history lists unless --limit says otherwise. For
// each of them its records are read, to tell what changed.
const defaultLimit = 20

// past is a State of the history.
type past struct {
	Serial   int64          `json:"serial"`
	When     time.Time      `json:"when,omitzero"`
	By       string         `json:"by,omitempty"`
	Revision string         `json:"revision,omitempty"`
	Records  int            `json:"records"`
	Orphans  int            `json:"orphans"`
	Pending  int            `json:"pending"`
	What     map[string]int `json:"what,omitempty"` // nil if the State before is not kept
}

func history(ctx context.Context, call *Call) error {
	if call.limit < 0 {
		return &UsageError{Problem: fmt.Sprintf("--limit %d: want a number of States, or 0 for all", call.limit)}
	}
	engine, err := call.Engine(ctx)
	if err != nil {
		return err
	}
	list, err := call.history(ctx, engine)
	switch {
	case err != nil:
		return err
	case call.JSON:
		return call.writeJSON(list)
	case len(list) == 0:
		fmt.Fprintf(call.Out, "Nothing is recorded of %s.\n", call.Scope)
		return nil
	}
	return call.showHistory(list)
}

// history returns the States that are to be listed, newest first.
func (c *Call) history(ctx context.Context, engine *sync.Engine) ([]past, error) {
	atMost := 0
	if c.limit > 0 {
		atMost = c.limit + 1 // and the one before the last, to tell what that changed
	}
	heads, err := latest(ctx, engine, atMost)
	if err != nil {
		return nil, err
	}
	list := make([]past, 0, len(heads))
	var after *state.State // of which the one before is to be found
	for i, head := range heads {
		now, err := engine.StateAt(ctx, head.Serial)
		if err != nil {
			return nil, err
		}
		if after != nil {
			list[i-1].What = happened(now.Records, after.Records)
		}
		after = now
		if c.limit > 0 && i == c.limit {
			return list, nil
		}
		list = append(list, past{
			Serial: head.Serial, When: head.When, By: head.By, Revision: head.Revision,
			Records: head.Records, Orphans: head.Orphans, Pending: head.Pending,
		})
	}
	if last := len(list) - 1; last >= 0 && list[last].Serial == 1 {
		list[last].What = happened(nil, after.Records)
	}
	return list, nil
}

func (c *Call) showHistory(list []past) error {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "SERIAL\tWHEN\tBY\tREVISION\tWHAT")
	for _, p := range list {
		when := "-"
		if !p.When.IsZero() {
			when = p.When.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", p.Serial, when, orDash(p.By), orDash(p.Revision), p.what())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(c.Out, b.String())
	return err
}

// what says what a State changed, and what is remarkable about it.
func (p *past) what() string {
	var parts []string
	for _, word := range happenings() {
		if n := p.What[word]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	switch {
	case p.What == nil:
		return count(p.Records, "record")
	case parts == nil:
		return "-"
	}
	return strings.Join(parts, ", ")
}
