package appsync

import (
	"fmt"
	"path"
	"slices"
)

// layers returns what a file says, below it what the files say that it names as
// its source, and checks all of it.
func (b *builder) layers(p *part) []*part { return b.layer(p, []string{p.path}) }

// layer is layers for a file that others name; chain is those, and itself.
func (b *builder) layer(p *part, chain []string) []*part {
	b.valid(p, b.def.form)
	var parts []*part
	if b.def.form.Field("source") != nil {
		for _, at := range []string{"source", "sources[]"} {
			visit(p.table, at, func(at, name string) any {
				parts = append(parts, b.source(p, at, name, chain)...)
				return name
			})
		}
		delete(p.table, "source")
		delete(p.table, "sources")
	}
	return append(parts, p)
}

// source returns the layers of a file that another one names as its source.
func (b *builder) source(p *part, at, name string, chain []string) []*part {
	if name == "" {
		return nil
	}
	found, _, err := b.reader.find(p.path, name, p.also)
	switch {
	case err != nil:
		b.mistake(p.position(at), fmt.Sprintf("the source %s %s", name, why(err)), "")
		return nil
	case path.Ext(found) != ext:
		b.mistake(p.position(at), fmt.Sprintf("the source %s is no %s file", name, ext), "")
		return nil
	case slices.Contains(chain, found):
		b.mistake(p.position(at), fmt.Sprintf("%s is its own source", b.label(found)), "")
		return nil
	}
	base := b.decode(file{path: found, place: &place{also: p.also}})
	return b.layer(base, append(slices.Clip(chain), found))
}
