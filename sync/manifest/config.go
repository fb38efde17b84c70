package manifest

import (
	"encoding/json"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// Config turns a table of the document into a kind's canonical Config, checked
// against the schema. At is the table's path in the document, "" for Root; each
// field that is wrong becomes a mistake at its position, and the Config is then
// nil. The table need not be as it is in the document: a value that isn't there
// is reported where what encloses it stands. A nil schema takes any table.
func (d *Document) Config(table map[string]any, at string, schema *diff.Schema, m *Mistakes) json.RawMessage {
	raw, err := state.AppendCanonical(nil, table)
	if err != nil {
		m.Add(d.Position(at), err.Error(), "")
		return nil
	}
	config, mistakes := schema.Normalize(raw)
	for _, e := range mistakes {
		path := e.Path
		if at != "" && path != "" {
			path = at + "." + path
		} else if path == "" {
			path = at
		}
		problem := e.Problem
		if e.Path != "" {
			problem = e.Path + ": " + problem
		}
		m.Add(d.Position(path), problem, e.Hint)
	}
	if len(mistakes) > 0 {
		return nil
	}
	return config
}
