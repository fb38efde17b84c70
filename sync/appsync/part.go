package appsync

import (
	"encoding/json"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// part is a table of a file: what a resource is declared by, or a part of it.
type part struct {
	doc   *manifest.Document
	path  string // of the file
	table map[string]any
	// config is the canonical form of the table, nil if it has been changed since.
	config json.RawMessage
	// at is where the table stands in the document, and within where what the
	// document holds stands in the table; both are mostly empty.
	at, within string
	// moved are the keys that stand elsewhere in the document.
	moved map[string]string
	// also is a folder in which the files that it names are looked for too.
	also string
}

// position returns where a value of the table stands in its file.
func (p *part) position(at string) sync.Position {
	if p.within != "" {
		at = strings.TrimPrefix(strings.TrimPrefix(at, p.within), ".")
	}
	if end := strings.IndexAny(at+".", ".["); p.moved[at[:end]] != "" {
		at = p.moved[at[:end]] + at[end:]
	}
	switch {
	case p.at == "":
		return p.doc.Position(at)
	case at == "":
		return p.doc.Position(p.at)
	}
	return p.doc.Position(p.at + "." + at)
}

// mistake adds one.
func (b *builder) mistake(at sync.Position, problem, hint string) {
	b.outcome.mistakes.Add(at, problem, hint)
}

// valid checks the table of a part, as it stands in its file.
func (b *builder) valid(p *part, schema *diff.Schema) {
	if b.def.lenient {
		b.unknown(p, p.table, "", schema)
	}
	p.config = p.doc.Config(p.table, p.at, schema, &b.outcome.mistakes)
}

// unknown takes fields that the schema doesn't know out of a table, and warns.
func (b *builder) unknown(p *part, table map[string]any, at string, schema *diff.Schema) {
	for name, value := range table {
		path := diff.Member(at, name)
		field := schema.Field(name)
		if field == nil {
			delete(table, name)
			b.warn(p.position(path), path+" is not known and is left out")
		} else if inner, ok := value.(map[string]any); ok && field.Object != nil {
			b.unknown(p, inner, path, field.Object)
		}
	}
}

func (b *builder) warn(at sync.Position, text string) {
	b.outcome.warnings = append(b.outcome.warnings, sync.Warning{Position: at, Text: text})
}

// combine puts parts together: what stands in a later one counts, but tables
// are merged, and lists of tables are joined.
func combine(parts []*part) map[string]any {
	table := parts[0].table
	for _, p := range parts[1:] {
		merge(table, p.table)
	}
	return table
}

func merge(into, from map[string]any) {
	for key, value := range from {
		switch value := value.(type) {
		case map[string]any:
			if old, ok := into[key].(map[string]any); ok {
				merge(old, value)
				continue
			}
		case []any:
			if old, ok := into[key].([]any); ok && (areTables(old) || areTables(value)) {
				into[key] = append(old, value...)
				continue
			}
		}
		into[key] = value
	}
}

func areTables(list []any) bool {
	if len(list) == 0 {
		return false
	}
	_, ok := list[0].(map[string]any)
	return ok
}

// having returns the last part that has a key, else the last part.
func having(parts []*part, key string) *part {
	for i := len(parts) - 1; i >= 0; i-- {
		if _, ok := parts[i].table[key]; ok {
			return parts[i]
		}
	}
	return parts[len(parts)-1]
}
