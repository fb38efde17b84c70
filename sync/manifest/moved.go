package manifest

import (
	"fmt"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// movedName is the name of the tables that say what was renamed.
const movedName = "moved"

// moves reads the tables [[moved]].
func (l *loader) moves(elements []int32) {
	for i, element := range elements {
		if !l.doc.tree.isTable(element) {
			l.want(element, diff.Index(movedName, i), "a table", "")
			continue
		}
		l.moved(element)
	}
}

func (l *loader) moved(id int32) {
	var move sync.Move
	kind, missing := "", map[string]bool{"kind": true, "from": true, "to": true}
	at := id
	t := &l.doc.tree
	for f := range t.members(id) {
		field := t.nodes[f].name
		if !missing[field] {
			l.unknown(f, diff.Member("", field)+": unknown field", "a [[moved]] has kind, from and to")
			continue
		}
		missing[field] = !t.isText(f)
		switch text := l.text(f, field); field {
		case "kind":
			kind, at = text, f
		case "from":
			move.From.Name = text
		case "to":
			move.To.Name = text
		}
	}
	for _, field := range []string{"kind", "from", "to"} {
		if missing[field] && t.find(id, field) == 0 && !t.nodes[id].broken {
			l.fail(id, fmt.Sprintf("a [[moved]] without %s", field), "write kind, from and to")
		}
		if missing[field] {
			return
		}
	}
	name, known := l.names[kind]
	move.From.Kind, move.To.Kind = name, name
	switch {
	case !known:
		l.notAKind(at, "kind", kind, kind, "")
	case l.isKey(id, "from", move.From) && l.isKey(id, "to", move.To):
		l.out.moves = append(l.out.moves, move)
	}
}

// isKey tells whether a member of a table names a key, and reports it if not.
func (l *loader) isKey(table int32, member string, key state.Key) bool {
	err := key.Validate()
	if err != nil {
		l.fail(l.doc.tree.find(table, member), member+": "+err.Error(), "")
	}
	return err == nil
}
