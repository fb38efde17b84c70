package appsync

import (
	"fmt"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// unit is the files that are read together: one that declares resources, or all
// those of a resource that is the only one of its kind.
type unit struct {
	def   *definition
	files []file
}

// outcome is what came of a unit.
type outcome struct {
	drafts   []*draft
	mistakes manifest.Mistakes
	warnings []sync.Warning
	// filled are the files that declare something.
	filled []file
	// broken says that a file couldn't be read in whole: what seems to be missing
	// may be there.
	broken bool
}

// units sorts the files into units, in order.
func (l *loader) units(files []file) []unit {
	var units []unit
	single := map[*definition]int{}
	for _, f := range files {
		d := l.definitions[f.place.kind]
		if i, ok := single[d]; ok {
			units[i].files = append(units[i].files, f)
			continue
		}
		if d.single {
			single[d] = len(units)
		}
		units = append(units, unit{d, []file{f}})
	}
	return units
}

// builder makes the drafts of one unit.
type builder struct {
	*loader
	*unit
	*outcome
}

func (b *builder) build() {
	if b.def.single {
		b.single()
		return
	}
	f := b.files[0]
	p := b.open(f)
	switch {
	case f.holds == holdsItems:
		b.items(f, p)
	case len(p.table) > 0:
		b.resource(b.layers(p))
	default:
		b.empty(p, f.place.kind)
	}
}

// open reads a file of the unit.
func (b *builder) open(f file) *part {
	p := b.decode(f)
	if len(p.table) > 0 {
		b.filled = append(b.filled, f)
	}
	return p
}

// decode reads a file. If it can't be decoded in whole that is reported, and the
// part holds what could be read.
func (b *builder) decode(f file) *part {
	raw, err := b.reader.read(f.path)
	if err != nil {
		b.mistake(b.at(f.path), "the file "+why(err), "")
	}
	doc, derr := manifest.Decode(b.label(f.path), raw)
	b.outcome.mistakes.AddErr(derr)
	b.broken = b.broken || err != nil || derr != nil
	return &part{doc: doc, path: f.path, table: doc.Root, also: f.place.also}
}

func (b *builder) empty(p *part, what string) {
	if !b.broken {
		b.mistake(p.position(""), "the file holds no keys", fmt.Sprintf("declare the %s, or remove the file", what))
	}
}

// items makes drafts of the tables of a file that holds many resources.
func (b *builder) items(f file, p *part) {
	b.valid(p, f.place.schema)
	for _, item := range f.place.items {
		list, isList := p.table[item.key].([]any)
		if !isList {
			list = []any{p.table[item.key]}
		}
		for i, value := range list {
			table, ok := value.(map[string]any)
			if !ok {
				continue // absent, or reported as wrong
			}
			if _, given := table["type"]; !given && item.typ != "" {
				table["type"] = item.typ
			}
			one := &part{doc: p.doc, path: p.path, table: table, also: p.also, at: item.key}
			if isList {
				one.at = diff.Index(item.key, i)
			}
			b.resource([]*part{one})
		}
	}
}

// single makes the draft of the only resource of a kind from all its files.
func (b *builder) single() {
	var parts []*part
	for _, f := range b.files {
		switch p := b.open(f); {
		case len(p.table) > 0 && f.holds == holdsElement:
			parts = append(parts, b.element(f, p))
		case len(p.table) > 0:
			parts = append(parts, b.layers(p)...)
		case f.holds == holdsElement:
			b.empty(p, f.place.list)
		case f.place.required:
			b.empty(p, f.place.kind)
		}
	}
	if len(parts) > 0 {
		b.resource(parts)
	}
}

// element makes a part of a file that is one table of a list.
func (b *builder) element(f file, p *part) *part {
	b.valid(p, b.def.form.Field(f.place.list).Elem.Object)
	p.table, p.config = map[string]any{f.place.list: []any{p.table}}, nil
	p.within = diff.Index(f.place.list, 0)
	return p
}
