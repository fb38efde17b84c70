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

// stem returns a file's name without folders and extension.
func stem(name string) string {
	base := path.Base(name)
	return strings.TrimSuffix(base, path.Ext(base))
}
