package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// fieldNames are the names of a resource's own fields, beside those of its
// config, in order.
func fieldNames() []string {
	return []string{"after", "config", "deploy", "description", "name", "tags", "type", "unmanaged"}
}

// resource reads the i-th table of a kind.
func (l *loader) resource(kind *section, id int32, i int) {
	r := state.Resource{Key: state.Key{Kind: kind.Name}}
	t, name, after, unmanaged := &l.doc.tree, int32(0), int32(0), int32(0)
	config := configNodes{path: diff.Index(kind.name, i), resource: id}
	bare := len(l.out.bare)
	for f := range t.members(id) {
		field := t.nodes[f].name
		if field != "name" && l.isBeside(kind, field) {
			config.beside = append(config.beside, f)
			continue
		}
		switch field {
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
			after, r.After = f, l.after(kind, f)
		case "unmanaged":
			unmanaged = f
		case "config":
			config.table = f
		default:
			l.unknownField(kind, f)
		}
	}
	if config.table != 0 && kind.flat {
		l.unknown(config.table, "config: unknown field", fmt.Sprintf("the fields of a %s stand beside its name", kind.Name))
		config.table = 0
	}
	if len(r.After) > 0 && !r.Deploy && kind.Deployer != nil {
		l.warn(l.doc.at(after), "after: has no effect on a resource that is not deployed", "write deploy = true")
	}
	r.Config = l.config(kind, &config)
	if unmanaged != 0 {
		r.Unmanaged = l.unmanaged(kind, unmanaged, r.Config)
	}
	if !l.named(kind, id, name, &r) {
		l.out.bare = l.out.bare[:bare]
		return
	}
	l.out.resources = append(l.out.resources, r)
	l.out.positions = append(l.out.positions, l.doc.at(name))
	l.references(kind, r.Key)
}

// isBeside tells whether a key of a resource is a field of its config that
// stands beside its name.
func (l *loader) isBeside(kind *section, name string) bool {
	switch {
	case kind.flat && kind.Schema == nil:
		return !slices.Contains(fieldNames(), name)
	case kind.flat || len(l.opts.Beside) > 0:
		field := kind.Schema.Named(name)
		return field != nil && (kind.flat || slices.Contains(l.opts.Beside, field.Name))
	}
	return false
}

// named tells whether the resource has a name, and reports it if not. The node
// name is 0 if there is none.
func (l *loader) named(kind *section, id, name int32, r *state.Resource) bool {
	n := &l.doc.tree.nodes[name]
	switch {
	case name == 0 && !l.doc.tree.nodes[id].broken:
		l.fail(id, fmt.Sprintf("a %s without a name", kind.Name), fmt.Sprintf(`write name = "…" below [[%s]]`, kind.name))
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

// after reads the keys of the resources that come first: "kind/name", or a bare
// name, whose kind is found when all is read.
func (l *loader) after(kind *section, id int32) []state.Key {
	elements := l.doc.tree.elements(id)
	keys := make([]state.Key, 0, len(elements))
	for i, text := range l.texts(id, "after") {
		key := state.Key{Kind: kind.Name, Name: text}
		before, name, found := strings.Cut(text, "/")
		if found {
			key = state.Key{Kind: before, Name: name}
			if _, known := l.kinds.Kind(before); !known {
				l.notAKind(elements[i], fmt.Sprintf("after: %q", text), before, before+"/"+name, `want "kind/name", or a bare name`)
				continue
			}
		}
		if err := key.Validate(); err != nil && l.doc.tree.isText(elements[i]) {
			l.fail(elements[i], diff.Index("after", i)+": "+err.Error(), "")
			continue
		}
		keys = append(keys, key)
		if !found {
			l.out.bare = append(l.out.bare, bareName{&keys[len(keys)-1], l.doc.at(elements[i])})
		}
	}
	return keys
}

// unmanaged reads the paths of fields that are left to others. The config is nil
// if it couldn't be read.
func (l *loader) unmanaged(kind *section, id int32, config []byte) []string {
	elements := l.doc.tree.elements(id)
	paths := l.texts(id, "unmanaged")
	for i, text := range paths {
		paths[i] = strings.TrimPrefix(text, "config.")
		if config == nil || !l.doc.tree.isText(elements[i]) || kind.Schema == nil || kind.Schema.Leads(config, paths[i]) {
			continue
		}
		hint := ""
		if near := nearest(paths[i], kind.Schema.Names()); near != "" {
			hint = fmt.Sprintf("did you mean %q?", "config."+near)
		}
		l.fail(elements[i], fmt.Sprintf("unmanaged: %q leads to no field", text), hint)
	}
	return paths
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
