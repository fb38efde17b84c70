package appsync

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// buildAlways is the value of build that has a component built on every sync.
const buildAlways = "always"

// component checks a component's parts against its type, which it returns, and
// puts what stands in tables of the type's name beside the other fields.
func (b *builder) component(parts []*part) AppComponentType {
	typ := b.componentType(parts)
	for _, p := range parts {
		p.moved = map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(p.table)) {
			if t, isType := ParseAppComponentType(name); isType {
				b.typeTable(p, name, t, typ)
			} else {
				b.belongs(p, name, name, typ)
			}
		}
		if build, ok := p.table["build"].(string); ok && build != "" && build != buildAlways {
			b.mistake(p.position("build"), fmt.Sprintf("unknown build %q", build), fmt.Sprintf("write %q, or leave it out", buildAlways))
		}
	}
	return typ
}

// componentType returns the type that the parts give, empty if there is none.
func (b *builder) componentType(parts []*part) AppComponentType {
	p := having(parts, "type")
	name, isText := p.table["type"].(string)
	typ, known := ParseAppComponentType(name)
	switch {
	case known:
		return typ
	case isText:
		hint := "write one of " + strings.Join(typeNames(), ", ")
		if near := diff.Nearest(name, typeNames()); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		b.mistake(p.position("type"), fmt.Sprintf("unknown component type %q", name), hint)
	case p.table["type"] == nil && !b.broken:
		b.mistake(p.position(""), "a component without a type", "write type = one of "+strings.Join(typeNames(), ", "))
	}
	return ""
}

// typeTable moves the fields of a table that bears the name of type t into the
// component's own, which is of type typ.
func (b *builder) typeTable(p *part, name string, t, typ AppComponentType) {
	fields, _ := p.table[name].(map[string]any)
	delete(p.table, name)
	p.config = nil
	if typ != "" && t != typ {
		b.mistake(p.position(name), fmt.Sprintf("a %s has no table %s", typ, name), fmt.Sprintf("write [%s], or type = %q", typ, name))
		return
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		at := diff.Member(name, field)
		b.belongs(p, at, field, typ)
		if _, twice := p.table[field]; twice {
			b.mistake(p.position(at), fmt.Sprintf("%s is set twice", field), fmt.Sprintf("the other is at %s", p.position(field)))
			continue
		}
		p.table[field], p.moved[field] = fields[field], at
	}
}

// belongs reports a field that components of the type don't have.
func (b *builder) belongs(p *part, at, field string, typ AppComponentType) {
	types := b.fieldTypes[field]
	if typ != "" && len(types) > 0 && !slices.Contains(types, string(typ)) {
		b.mistake(p.position(at), fmt.Sprintf("a %s has no %s", typ, field), "that is for "+strings.Join(types, ", "))
	}
}
