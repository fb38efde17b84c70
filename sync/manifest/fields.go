package manifest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

// configNodes are where the fields of a resource's config stand.
type configNodes struct {
	path     string  // of the resource's table
	resource int32   // the resource's table
	table    int32   // the config in it; 0 if there is none
	beside   []int32 // members of the resource's table that are the config's
}

// config reads the kind's own fields. It returns nil if there is a mistake.
func (l *loader) config(kind *section, c *configNodes) []byte {
	t := &l.doc.tree
	if c.table != 0 && !t.isTable(c.table) {
		l.want(c.table, "config", "a table", fmt.Sprintf("write [%s.config]", kind.name))
		return nil
	}
	l.members = append(l.members[:0], c.beside...)
	if c.table != 0 {
		for id := range t.members(c.table) {
			if name := t.nodes[id].name; l.isBeside(kind, name) {
				l.unknown(id, "config."+name+": unknown field", fmt.Sprintf("%s belongs in [[%s]] itself, above [%s.config]", name, kind.name, kind.name))
			} else {
				l.members = append(l.members, id)
			}
		}
	}
	raw, err := t.appendObject(l.scratch[:0], l.members)
	l.scratch = raw
	if err != nil {
		l.fail(cmp.Or(c.table, c.resource), "config: "+err.Error(), "")
		return nil
	}
	config, mistakes, warnings := kind.Canonical(append([]byte(nil), raw...), l.opts.Lenient)
	mistakes = slices.DeleteFunc(mistakes, func(e diff.FieldError) bool { return l.isMisplaced(kind, c, e.Path) })
	l.report(kind, c, mistakes, l.out.mistakes.Add)
	l.report(kind, c, warnings, l.warn)
	return config
}

// isMisplaced tells whether a field that the config lacks is there, beside it,
// which has been reported as the mistake that it is.
func (l *loader) isMisplaced(kind *section, c *configNodes, name string) bool {
	t := &l.doc.tree
	beside := t.find(c.resource, name)
	isLacking := c.table == 0 || t.find(c.table, name) == 0
	return !l.opts.Lenient && beside != 0 && !slices.Contains(c.beside, beside) && isLacking && kind.Schema.Named(name) != nil
}

// report says what is wrong with, or odd about, fields of a config.
func (l *loader) report(kind *section, c *configNodes, about []diff.FieldError, say func(at sync.Position, problem, hint string)) {
	for i := range about {
		l.hint(kind, &about[i])
		at, name := c.path, ""
		if first, _ := cutName(about[i].Path + "."); !l.isBeside(kind, first) {
			at, name = diff.Member(c.path, "config"), "config"
		}
		l.doc.report(about[i:i+1], at, name, say)
	}
}

func (l *loader) warn(at sync.Position, problem, hint string) {
	l.out.warnings = append(l.out.warnings, sync.Warning{Position: at, Text: Mistake{Problem: problem, Hint: hint}.Error()})
}

// unknown reports a key that nobody knows: a mistake, or a warning.
func (l *loader) unknown(id int32, problem, hint string) {
	if l.opts.Lenient {
		l.warn(l.doc.at(id), problem, hint)
	} else {
		l.fail(id, problem, hint)
	}
}
