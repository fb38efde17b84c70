package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// fieldNames are the names of a resource's own fields, beside those of its
// config, in order.
func fieldNames() []string {
	return []string{"after", "config", "deploy", "description", "name", "tags", "type"}
}

// resource reads the i-th table of a kind.
func (l *loader) resource(kind *sync.Kind, id int32, i int) {
	r := state.Resource{Key: state.Key{Kind: kind.Name}}
	t, name, config := &l.doc.tree, int32(0), int32(0)
	for f := t.nodes[id].first; f != 0; f = t.nodes[f].next {
		switch field := t.nodes[f].name; field {
		case "name":
			name, r.Name = f, l.text(f, field)
		case "type":
			r.Type = l.text(f, field)
		case "description":
			r.Description = l.text(f, field)
		case "tags":
			r.Tags = l.texts(f, field)
		case "deploy":
			r.Deploy = l.bool(f, field)
		case "after":
			r.After = l.after(kind, f)
		case "config":
			config = f
		default:
			l.unknownField(kind, f)
		}
	}
	r.Config = l.config(kind, config, id, i)
	if l.named(kind, id, name, &r) {
		l.out.resources = append(l.out.resources, r)
		l.out.positions = append(l.out.positions, l.doc.at(name))
	}
}

// named tells whether the resource has a name, and reports it if not. The node
// name is 0 if there is none.
func (l *loader) named(kind *sync.Kind, id, name int32, r *state.Resource) bool {
	n := &l.doc.tree.nodes[name]
	switch {
	case name == 0 && !l.doc.tree.nodes[id].broken:
		l.fail(id, fmt.Sprintf("a %s without a name", kind.Name), fmt.Sprintf(`write name = "…" below [[%s]]`, kind.Name))
	case name != 0:
		if _, isText := n.scalar.(string); !isText {
			return false // reported as such
		}
		err := r.Validate()
		if err != nil {
			l.fail(name, err.Error(), "")
		}
		return err == nil
	}
	return false
}

// config reads the table of a kind's own fields; id is 0 if there is none.
func (l *loader) config(kind *sync.Kind, id, resource int32, i int) []byte {
	t := &l.doc.tree
	if id != 0 && !t.isTable(id) {
		l.want(id, "config", "a table", fmt.Sprintf("write [%s.config]", kind.Name))
		return nil
	}
	raw, err := []byte("{}"), error(nil)
	if id != 0 {
		raw, err = t.appendJSON(l.scratch[:0], id)
		l.scratch = raw
	}
	if err != nil {
		l.fail(id, "config: "+err.Error(), "")
		return nil
	}
	config, mistakes := kind.Schema.Normalize(append([]byte(nil), raw...))
	if len(mistakes) == 0 {
		return config
	}
	mistakes = slices.DeleteFunc(mistakes, func(e diff.FieldError) bool {
		// It is there, in the wrong place, which is the mistake.
		return kind.Schema.Field(e.Path) != nil && t.find(resource, e.Path) != 0 && (id == 0 || t.find(id, e.Path) == 0)
	})
	for j := range mistakes {
		l.hint(kind, &mistakes[j])
	}
	l.doc.report(mistakes, diff.Member(diff.Index(kind.Name, i), "config"), "config", &l.out.mistakes)
	return nil
}

// after reads the keys of the resources that come first: "kind/name", or the
// bare name of one of the same kind.
func (l *loader) after(kind *sync.Kind, id int32) []state.Key {
	var keys []state.Key
	elements := l.doc.tree.elements(id)
	for i, text := range l.texts(id, "after") {
		key := state.Key{Kind: kind.Name, Name: text}
		if before, name, found := strings.Cut(text, "/"); found {
			key = state.Key{Kind: before, Name: name}
			if _, known := l.kinds.Kind(before); !known {
				l.unknownKey(elements[i], text, key)
				continue
			}
		}
		if err := key.Validate(); err != nil && l.doc.tree.isText(elements[i]) {
			l.fail(elements[i], diff.Index("after", i)+": "+err.Error(), "")
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

func (l *loader) fail(id int32, problem, hint string) {
	l.out.mistakes.Add(l.doc.at(id), problem, hint)
}

// want says that a node is not what it should be, unless it couldn't be read at
// all, which was said then.
func (l *loader) want(id int32, label, what, hint string) {
	if !l.doc.tree.isNothing(id) {
		l.fail(id, fmt.Sprintf("%s: want %s, found %s", label, what, l.doc.tree.describe(id)), hint)
	}
}

func (l *loader) text(id int32, label string) string {
	text, ok := l.doc.tree.nodes[id].scalar.(string)
	if !ok {
		l.want(id, label, "text", "")
	}
	return strings.Clone(text) // a part of the file's text would keep all of it
}

func (l *loader) bool(id int32, label string) bool {
	b, ok := l.doc.tree.nodes[id].scalar.(bool)
	if !ok {
		l.want(id, label, "true or false", "")
	}
	return b
}

// texts returns as many as there are elements, empty ones for those that are
// not text.
func (l *loader) texts(id int32, label string) []string {
	n := &l.doc.tree.nodes[id]
	if n.form != list {
		hint := ""
		if text, ok := n.scalar.(string); ok {
			hint = fmt.Sprintf("write [%q]", text)
		}
		l.want(id, label, "a list of text", hint)
		return nil
	}
	texts := make([]string, 0, len(l.doc.tree.elements(id)))
	for i, element := range l.doc.tree.elements(id) {
		text, ok := l.doc.tree.nodes[element].scalar.(string)
		if !ok {
			l.want(element, diff.Index(label, i), "text", "")
		}
		texts = append(texts, strings.Clone(text))
	}
	return texts
}
