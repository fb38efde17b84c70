package synccli

import (
	"context"
	"fmt"
	"strings"

	"github.com/trueup-go/trueup/state"
)

func orphans(ctx context.Context, call *Call) error {
	recorded, err := call.State(ctx)
	if err != nil {
		return err
	}
	var all []state.Record
	for i := range recorded.Records {
		if recorded.Records[i].Orphaned {
			all = append(all, recorded.Records[i])
		}
	}
	switch {
	case call.JSON:
		return call.writeJSON(orphansJSON(all))
	case len(all) == 0:
		fmt.Fprintf(call.Out, "No orphans in %s.\n", call.Scope)
	default:
		call.showOrphans(all)
	}
	return nil
}

// showOrphans lists orphans, if there are any, and says what can be done.
func (c *Call) showOrphans(all []state.Record) {
	if len(all) == 0 {
		return
	}
	var b strings.Builder
	for i := range all {
		fmt.Fprintf(&b, "no longer declared: %s%s%s\n", all[i].Key, inBrackets("(", all[i].Type, ")"), inBrackets("[", all[i].ID, "]"))
	}
	it, them := "it", "deletes it"
	if len(all) > 1 {
		it, them = "one", "deletes them"
	}
	fmt.Fprintf(&b, "\"%s\" %s; \"%s\" drops %s from the books and leaves it alone.\n", c.line("prune"), them, c.line("forget", "KIND/NAME"), it)
	fmt.Fprint(c.Out, b.String())
}

func inBrackets(left, text, right string) string {
	if text == "" {
		return ""
	}
	return " " + left + text + right
}

type orphanJSON struct {
	Key  string `json:"key"`
	Type string `json:"type,omitempty"`
	ID   string `json:"id,omitempty"`
}

func orphansJSON(records []state.Record) []orphanJSON {
	all := make([]orphanJSON, 0, len(records))
	for i := range records {
		all = append(all, orphanJSON{Key: records[i].Key.String(), Type: records[i].Type, ID: records[i].ID})
	}
	return all
}
