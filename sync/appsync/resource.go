package appsync

import (
	"fmt"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// resource makes a draft of what the parts declare together. The last one is the
// resource's own.
func (b *builder) resource(parts []*part) {
	d := &draft{path: parts[len(parts)-1].path, resource: state.Resource{Key: state.Key{Kind: b.def.kind.Name}}}
	switch d.resource.Kind {
	case KindComponent:
		d.resource.Type = string(b.component(parts))
	case KindMetadata:
		b.version(parts)
	}
	named := ""
	for _, p := range parts {
		b.edges(d, p)
		if file := b.pull(d, p); file != "" {
			named = stem(file)
		}
		b.fold(p)
	}
	for _, list := range b.def.unique {
		b.unique(parts, list)
	}
	b.identify(d, parts, named)
	b.fill(d, parts)
	b.drafts = append(b.drafts, d)
}

// version checks the version of the format that metadata states.
func (b *builder) version(parts []*part) {
	p := having(parts, "version")
	version, isText := p.table["version"].(string)
	switch {
	case p.table["version"] == nil && !b.broken:
		b.mistake(p.position(""), "metadata without a version", `write version = "v2"`)
	case isText && version != "v1" && version != "v2":
		b.mistake(p.position("version"), fmt.Sprintf("unknown version %q", version), `write "v1" or "v2"`)
	}
}

// unique reports tables of a list that have the same name.
func (b *builder) unique(parts []*part, list string) {
	seen := map[string]sync.Position{}
	for _, p := range parts {
		tables, _ := p.table[list].([]any)
		for i, element := range tables {
			table, _ := element.(map[string]any)
			name, _ := table["name"].(string)
			at := p.position(diff.Index(list, i) + ".name")
			if first, twice := seen[name]; twice && name != "" {
				b.mistake(at, fmt.Sprintf("%s %q is declared twice", list, name), fmt.Sprintf("the first is at %s", first))
				continue
			}
			seen[name] = at
		}
	}
}
