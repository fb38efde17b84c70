package synccli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// summarize says how a sync ended. An empty plan has said so itself.
func (c *Call) summarize(plan *sync.Plan, result *sync.Result, err error) {
	if len(result.Changes) == 0 {
		return
	}
	totals := totals(result)
	switch {
	case err == nil:
		fmt.Fprintf(c.Out, "Done: %s; recorded as serial %d of %s.\n", totals, result.Head.Serial, c.Scope)
	case result.Head.Serial == plan.Base.Serial:
		fmt.Fprintf(c.Out, "%s: %s; nothing of it is recorded in %s.\n", howItEnded(err), totals, c.Scope)
	default:
		fmt.Fprintf(c.Out, "%s: %s; what was done is recorded as serial %d of %s, and the next %s goes on from there.\n",
			howItEnded(err), totals, result.Head.Serial, c.Scope, c.Command)
	}
	c.showOrphans(result.Orphans())
}

func howItEnded(err error) string {
	if errors.Is(err, context.Canceled) {
		return "Interrupted"
	}
	return "Not finished"
}

// totals counts the changes by how they ended. What was deleted to be replaced, and
// was, counts as that alone.
func totals(result *sync.Result) string {
	replaced := map[state.Key]bool{}
	for i := range result.Changes {
		r := &result.Changes[i]
		replaced[r.Change.Key()] = replaced[r.Change.Key()] || r.Change.Op() == diff.OpReplace && r.Status == sync.Done
	}
	done := map[diff.Op]int{}
	for i := range result.Changes {
		r := &result.Changes[i]
		if half := isHalf(r.Change) && replaced[r.Change.Key()]; r.Status == sync.Done && !half {
			done[r.Change.Op()]++
		}
	}
	parts := pastCounts(done)
	for _, status := range []sync.Status{sync.Failed, sync.Blocked, sync.NotAttempted} {
		if n := result.Count(status); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	parts = append(parts, fmt.Sprintf("%d unchanged", result.Unchanged))
	return strings.Join(parts, ", ")
}

// isHalf tells whether a change deletes what another one replaces.
func isHalf(change diff.Change) bool {
	deletion, ok := change.(*diff.Delete)
	return ok && deletion.Replaced
}

// writeResult writes the result as one line of JSON, after the events.
func (c *Call) writeResult(plan *sync.Plan, result *sync.Result, err error) error {
	type changeJSON struct {
		Op       diff.Op     `json:"op"`
		Key      string      `json:"key"`
		ID       string      `json:"id,omitempty"`
		Replaced bool        `json:"replaced,omitempty"`
		Status   sync.Status `json:"status"`
		Error    string      `json:"error,omitempty"`
	}
	line := struct {
		Event     string              `json:"event"`
		Scope     string              `json:"scope"`
		Serial    int64               `json:"serial"`
		ConfigID  string              `json:"config_id"`
		Recorded  bool                `json:"recorded"`
		Counts    map[sync.Status]int `json:"counts"`
		Unchanged int                 `json:"unchanged"`
		Changes   []changeJSON        `json:"changes"`
		Orphans   []orphanJSON        `json:"orphans"`
		Errors    []string            `json:"errors"`
	}{
		Event: "result", Scope: c.Scope.String(), Serial: result.Head.Serial, ConfigID: result.Head.ConfigID,
		Recorded: result.Head.Serial > plan.Base.Serial, Counts: map[sync.Status]int{}, Unchanged: result.Unchanged,
		Changes: []changeJSON{}, Orphans: orphansJSON(result.Orphans()), Errors: []string{},
	}
	for i := range result.Changes {
		r := &result.Changes[i]
		change := changeJSON{Op: r.Change.Op(), Key: r.Change.Key().String(), ID: r.ID, Replaced: isHalf(r.Change), Status: r.Status}
		if r.Err != nil {
			change.Error = r.Err.Error()
		}
		line.Counts[r.Status]++
		line.Changes = append(line.Changes, change)
	}
	if err != nil {
		line.Errors = texts(err)
	}
	return c.writeJSON(line)
}
