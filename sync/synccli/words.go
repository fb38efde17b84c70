package synccli

import (
	"fmt"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

// verbs are the words for an op.
type verbs struct{ plain, going, past string }

func verb(op diff.Op) verbs {
	switch op {
	case diff.OpCreate:
		return verbs{"create", "creating", "created"}
	case diff.OpUpdate:
		return verbs{"update", "updating", "updated"}
	case diff.OpReplace:
		return verbs{"replace", "replacing", "replaced"}
	case diff.OpMove:
		return verbs{"move", "moving", "moved"}
	case diff.OpAdopt:
		return verbs{"adopt", "adopting", "adopted"}
	case diff.OpDelete:
		return verbs{"delete", "deleting", "deleted"}
	case diff.OpOrphan:
		return verbs{"orphan", "orphaning", "orphaned"}
	case diff.OpForget:
		return verbs{"forget", "forgetting", "forgotten"}
	case diff.OpDeploy:
		return verbs{"deploy", "deploying", "deployed"}
	}
	return verbs{string(op), string(op), string(op)}
}

// pastCounts are the words for how many changes of each op there were: "2 created".
func pastCounts(counts map[diff.Op]int) []string {
	var parts []string
	for _, op := range []diff.Op{
		diff.OpCreate, diff.OpUpdate, diff.OpReplace, diff.OpMove, diff.OpAdopt,
		diff.OpDelete, diff.OpOrphan, diff.OpForget, diff.OpDeploy,
	} {
		if n := counts[op]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, verb(op).past))
		}
	}
	return parts
}

// ended says how a change ended; empty for any other event, and for a change
// that was never attempted.
func ended(event sync.Event) string {
	if event.Type != sync.EventEnd {
		return ""
	}
	switch event.Status {
	case sync.Done:
		return verb(event.Op).past + " " + named(event)
	case sync.Failed:
		return "failed to " + verb(event.Op).plain + " " + named(event)
	case sync.Blocked:
		return "blocked " + named(event)
	}
	return ""
}

// named names what an event is about: of a replace, which half.
func named(event sync.Event) string {
	if event.Replaced {
		return "the old " + event.Key.String()
	}
	return event.Key.String()
}

// count returns "1 thing" or "2 things".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
