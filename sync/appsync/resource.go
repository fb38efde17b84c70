package appsync

import (
	"encoding/json"
	"fmt"
	"path"
	"strconv"
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
	// nameless says that its own file gives it no name.
	nameless bool
}

// edge is where a resource names another one.
type edge struct {
	to state.Key
	at sync.Position
}

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

// identify gives the draft its name and position. Named is the name that it has
// if it has none of its own.
func (b *builder) identify(d *draft, parts []*part, named string) {
	p := having(parts, "name")
	name, given := p.table["name"].(string)
	switch {
	case b.def.single:
		name, d.position = b.def.kind.Name, b.begin(b.filled[0].path)
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
	d.nameless = parts[len(parts)-1].table["name"] == nil
	if err := d.resource.Validate(); name != "" && err != nil {
		b.mistake(d.position, err.Error(), "")
	}
}

// fill puts the parts together into the resource.
func (b *builder) fill(d *draft, parts []*part) {
	config, schema := parts[0].config, b.def.kind.Schema
	table := combine(parts)
	d.varName, _ = table["var_name"].(string)
	own := func(name string) string {
		text, _ := table[name].(string)
		if schema.Field(name) != nil {
			return "" // a part of the Config
		}
		return strings.Clone(text)
	}
	if d.resource.Kind != KindComponent {
		d.resource.Type = own("type")
	}
	d.resource.Description = own("description")
	if b.outcome.mistakes.Len() > 0 {
		return // the load fails, and what is wrong was said
	}
	if len(parts) > 1 || config == nil {
		config = parts[0].doc.Config(table, "", b.def.form, &b.outcome.mistakes)
	}
	d.resource.Config = only(config, schema)
}

// only returns the fields of a canonical Config that a schema knows.
func only(config json.RawMessage, schema *diff.Schema) json.RawMessage {
	fields := append(make(json.RawMessage, 0, len(config)), '{')
	for name, value := range state.Members(config) {
		if schema.Field(string(name)) == nil {
			continue
		}
		if len(fields) > 1 {
			fields = append(fields, ',')
		}
		fields = append(append(strconv.AppendQuote(fields, string(name)), ':'), value...)
	}
	return append(fields, '}')
}

// fold turns the [[var]] tables of a part into [vars], and the like.
func (b *builder) fold(p *part) {
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
		p.table[to], p.config = into, nil
		delete(p.table, from)
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

// stem returns a file's name without folders and extension.
func stem(name string) string {
	base := path.Base(name)
	return strings.TrimSuffix(base, path.Ext(base))
}
