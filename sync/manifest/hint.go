package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// nearest returns the known name that was most likely meant: the nearest one, or
// the singular or plural of name.
func nearest(name string, known []string) string {
	if near := diff.Nearest(name, known); near != "" {
		return near
	}
	for _, candidate := range known {
		if slices.Contains(plurals(candidate), name) || slices.Contains(plurals(name), candidate) {
			return candidate
		}
	}
	return ""
}

func plurals(name string) []string {
	return []string{name + "s", name + "es", strings.TrimSuffix(name, "y") + "ies"}
}

// unknownKind reports a top-level key that is no kind.
func (l *loader) unknownKind(id int32, name string) {
	t := &l.doc.tree
	known := l.kinds.Names()
	isResource := t.isTable(id) || t.nodes[id].form == tables
	mistake := Mistake{Position: l.doc.at(id), Problem: fmt.Sprintf("unknown kind %q", name), Err: sync.ErrUnknownKind}
	near := nearest(name, known)
	switch {
	case near != "":
		mistake.Hint = fmt.Sprintf("did you mean [[%s]]?", near)
	case !isResource && slices.Contains(fieldNames(), name):
		mistake.Hint = fmt.Sprintf("%s belongs below the [[kind]] that it is of", name)
	case len(known) == 0:
		mistake.Hint = "no kinds are defined"
	case len(known) <= 20:
		mistake.Hint = "the kinds are " + strings.Join(known, ", ")
	}
	l.out.mistakes.all = append(l.out.mistakes.all, mistake)
}

// unknownField reports a key of a resource that is none of its fields. Mostly it
// is one of its config's.
func (l *loader) unknownField(kind *sync.Kind, id int32) {
	name, hint := l.doc.tree.nodes[id].name, ""
	own := nearest(name, fieldNames())
	switch {
	case kind.Schema.Field(name) != nil || kind.Schema == nil && own == "":
		hint = fmt.Sprintf("%s belongs in [%s.config]", name, kind.Name)
	case own != "":
		hint = fmt.Sprintf("did you mean %q?", own)
	default:
		if near := nearest(name, kind.Schema.Names()); near != "" {
			hint = fmt.Sprintf("did you mean %q in [%s.config]?", near, kind.Name)
		}
	}
	l.fail(id, diff.Member("", name)+": unknown field", hint)
}

// hint adds to a mistake in a config what only the file's form can tell: what
// stands below [server.config] is in it, even if it is the resource's own.
func (l *loader) hint(kind *sync.Kind, mistake *diff.FieldError) {
	if kind.Schema.Field(mistake.Path) != nil {
		return
	}
	if slices.Contains(fieldNames(), mistake.Path) {
		mistake.Hint = fmt.Sprintf("%s belongs in [[%s]] itself, above [%s.config]", mistake.Path, kind.Name, kind.Name)
	} else if near := nearest(mistake.Path, kind.Schema.Names()); mistake.Hint == "" && near != "" {
		mistake.Hint = fmt.Sprintf("did you mean %q?", near)
	}
}

// unknownKey reports an element of "after" that begins with no kind.
func (l *loader) unknownKey(id int32, text string, key state.Key) {
	hint := `want "kind/name", or the bare name of one of the same kind`
	if near := nearest(key.Kind, l.kinds.Names()); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near+"/"+key.Name)
	}
	l.out.mistakes.all = append(l.out.mistakes.all, Mistake{
		Position: l.doc.at(id),
		Problem:  fmt.Sprintf("after: %q: unknown kind %q", text, key.Kind),
		Hint:     hint,
		Err:      sync.ErrUnknownKind,
	})
}
