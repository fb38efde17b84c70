package manifest

import (
	"encoding/json"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Config turns a table of the document into a kind's canonical Config, checked
// against the schema. At is the table's path in the document, "" for Root; each
// field that is wrong becomes a mistake at its position, and the Config is then
// nil. The table need not be as it is in the document: a value that isn't there
// is reported where what encloses it stands. A nil schema takes any table. M
// must not be nil.
//
// What is missing only since it stands behind a syntax error is no mistake of
// its own.
func (d *Document) Config(table map[string]any, at string, schema *diff.Schema, m *Mistakes) json.RawMessage {
	if table == nil {
		table = map[string]any{}
	}
	raw, err := state.AppendCanonical(make([]byte, 0, 1<<10), table)
	if err != nil {
		m.Add(d.Position(at), label(at, err.Error()), "")
		return nil
	}
	config, mistakes := schema.Normalize(raw)
	if len(mistakes) > 0 {
		d.report(mistakes, at, at, m.Add)
		return nil
	}
	return config
}

// report says what is wrong in the table at a path, which the text calls name.
func (d *Document) report(mistakes []diff.FieldError, at, name string, say func(pos tusync.Position, problem, hint string)) {
	for _, e := range mistakes {
		id, exact, broken := d.lookup(join(at, e.Path))
		if !exact && broken || exact && d.tree.isNothing(id) {
			continue // a consequence of what was reported already
		}
		pos := d.at(id)
		if e.Line > 0 && exact && d.tree.isText(id) {
			pos = d.lineInText(id, e.Line)
		}
		say(pos, label(join(name, e.Path), e.Problem), e.Hint)
	}
}

func join(path, member string) string {
	if path == "" || member == "" || member[0] == '[' {
		return path + member
	}
	return path + "." + member
}

func label(path, problem string) string {
	if path == "" {
		return problem
	}
	return path + ": " + problem
}
