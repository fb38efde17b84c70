package appsync

import (
	"fmt"
	"path"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// draft is a resource in the making.
type draft struct {
	resource state.Resource
	position sync.Position
	edges    []edge
	varName  string
	path     string // of the file
	// derived says that the name is not its own but made from something else.
	derived bool
}

// edge is where a resource names another one.
type edge struct {
	to state.Key
	at sync.Position
}

// resource makes a draft of what the parts declare together. The last one is the
// resource's own.
func (b *builder) resource(parts []part) {
	d := &draft{path: parts[len(parts)-1].path, resource: state.Resource{Key: state.Key{Kind: b.def.kind.Name}}}
	if d.resource.Kind == KindComponent {
		d.resource.Type = string(b.component(parts))
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

// identify gives the draft its name and position. Named is the name that it has
// if it has none of its own.
func (b *builder) identify(d *draft, parts []part, named string) {
	p := having(parts, "name")
	name, given := p.table["name"].(string)
	switch {
	case b.def.single:
		name, d.position = b.def.kind.Name, parts[len(parts)-1].position("")
	case given:
		d.position = p.position("name")
	default:
		d.position = p.position("")
	}
	if name == "" && b.def.namedAfter != "" {
		d.derived = true
		switch {
		case named != "":
			name = named
		case p.at == "":
			name = stem(p.path)
		default:
			name = p.at
			b.warn(d.position, fmt.Sprintf("a %s without a name is known by its place: %s; give it a name", b.def.kind.Name, name))
		}
	}
	d.resource.Name = strings.Clone(name)
	if err := d.resource.Validate(); name != "" && err != nil {
		b.mistake(d.position, err.Error(), "")
	}
}

// fill puts the parts together into the resource.
func (b *builder) fill(d *draft, parts []part) {
	table, schema := combine(parts), b.def.kind.Schema
	for name, value := range table {
		if schema.Field(name) != nil {
			continue
		}
		text, _ := value.(string)
		switch {
		case name == "type" && d.resource.Type == "":
			d.resource.Type = strings.Clone(text)
		case name == "description":
			d.resource.Description = strings.Clone(text)
		}
		delete(table, name)
	}
	d.varName, _ = table["var_name"].(string)
	if b.outcome.mistakes.Len() == 0 { // else the load fails, and what is wrong was said
		d.resource.Config = parts[0].doc.Config(table, "", schema, &b.outcome.mistakes)
	}
}

// fold turns the [[var]] tables of a part into [vars], and the like.
func (b *builder) fold(p part) {
	for from, to := range map[string]string{"var": "vars", "env_var": "env_vars", "value": "values"} {
		list, ok := p.table[from].([]any)
		if !ok || b.def.form.Field(from) == nil {
			continue
		}
		into, _ := p.table[to].(map[string]any)
		if into == nil {
			into = map[string]any{}
		}
		for i, element := range list {
			pair, _ := element.(map[string]any)
			name, _ := pair["name"].(string)
			if _, twice := into[name]; twice {
				b.mistake(p.position(diff.Index(from, i)+".name"), fmt.Sprintf("%s is set twice", name), "keep one of them")
			}
			if into[name] = pair["value"]; into[name] == nil {
				into[name] = ""
			}
		}
		p.table[to] = into
		delete(p.table, from)
	}
}

// unique reports tables of a list that have the same name.
func (b *builder) unique(parts []part, list string) {
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

// stem returns a file's name without folders and extension.
func stem(name string) string {
	base := path.Base(name)
	return strings.TrimSuffix(base, path.Ext(base))
}
