package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
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
	problem, hint := fmt.Sprintf("unknown kind %q", name), ""
	near := nearest(name, known)
	switch {
	case near != "":
		hint = fmt.Sprintf("did you mean [[%s]]?", near)
	case !isResource && slices.Contains(fieldNames(), name):
		hint = fmt.Sprintf("%s belongs below the [[kind]] that it is of", name)
	case len(known) == 0:
		hint = "no kinds are defined"
	case len(known) <= 20:
		hint = "the kinds are " + strings.Join(known, ", ")
	}
	if l.opts.Lenient {
		l.warn(l.doc.at(id), problem, hint)
	} else {
		l.out.mistakes.all = append(l.out.mistakes.all, Mistake{l.doc.at(id), problem, hint, sync.ErrUnknownKind})
	}
}

// notAKind reports a text that begins with what should be a kind. The hint is for
// when none is near.
func (l *loader) notAKind(id int32, label, kind, text, hint string) {
	if near := nearest(kind, l.kinds.Names()); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near+strings.TrimPrefix(text, kind))
	}
	problem := fmt.Sprintf("%s: unknown kind %q", label, kind)
	l.out.mistakes.all = append(l.out.mistakes.all, Mistake{l.doc.at(id), problem, hint, sync.ErrUnknownKind})
}

// unknownField reports a key of a resource that is none of its fields. Mostly it
// is one of its config's.
func (l *loader) unknownField(kind *section, id int32) {
	name, hint := l.doc.tree.nodes[id].name, ""
	own := nearest(name, fieldNames())
	switch {
	case !kind.flat && (kind.Schema.Named(name) != nil || kind.Schema == nil && own == ""):
		hint = fmt.Sprintf("%s belongs in [%s.config]", name, kind.name)
	case own != "":
		hint = fmt.Sprintf("did you mean %q?", own)
	default:
		near := nearest(name, kind.Schema.Names())
		switch {
		case near != "" && l.isBeside(kind, near):
			hint = fmt.Sprintf("did you mean %q?", near)
		case near != "":
			hint = fmt.Sprintf("did you mean %q in [%s.config]?", near, kind.name)
		}
	}
	l.unknown(id, diff.Member("", name)+": unknown field", hint)
}

// hint adds to a mistake in a config what only the file's form can tell: what
// stands below [server.config] is in it, even if it is the resource's own.
func (l *loader) hint(kind *section, mistake *diff.FieldError) {
	if kind.Schema.Named(mistake.Path) != nil || strings.ContainsAny(mistake.Path, ".[") {
		return
	}
	if slices.Contains(fieldNames(), mistake.Path) {
		mistake.Hint = fmt.Sprintf("%s belongs in [[%s]] itself, above [%s.config]", mistake.Path, kind.name, kind.name)
	} else if near := nearest(mistake.Path, kind.Schema.Names()); mistake.Hint == "" && near != "" {
		mistake.Hint = fmt.Sprintf("did you mean %q?", near)
	}
}
