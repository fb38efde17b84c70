package manifest

import (
	"bytes"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Reference is a [[NAME]] in a text of a config.
type Reference struct {
	// Position is that of the brackets.
	sync.Position
	// Resource is whose config it is.
	Resource state.Key
	// Path leads to the text from the config's root, as it was declared, with the
	// fields' own names. A sensitive field is the end of it.
	Path string
	// Name is what is referred to.
	Name string
}

// references collects those of a resource, whose config was read last.
func (l *loader) references(kind *section, key state.Key) {
	if !bytes.Contains(l.scratch, []byte("[[")) {
		return
	}
	c := collector{doc: l.doc, key: key}
	c.members(l.members, "", &diff.Value{Object: kind.Schema})
	l.out.references = append(l.out.references, c.found...)
}

// collector collects the references of a resource.
type collector struct {
	doc   *Document
	key   state.Key
	found []Reference
}

// members collects from members of a table with a shape.
func (c *collector) members(members []int32, path string, shape *diff.Value) {
	for _, id := range members {
		name := c.doc.tree.nodes[id].name
		if field := shape.Object.Named(name); field != nil && field.Sensitive {
			before := len(c.found)
			c.value(id, "", &field.Value)
			for i := range c.found[before:] {
				c.found[before+i].Path = diff.Member(path, field.Name)
			}
		} else if field != nil {
			c.value(id, diff.Member(path, field.Name), &field.Value)
		} else {
			c.value(id, diff.Member(path, name), shape.Elem)
		}
	}
}

// value collects from a value. The shape may be nil, or another than it has.
func (c *collector) value(id int32, path string, shape *diff.Value) {
	t := &c.doc.tree
	if shape == nil {
		shape = &diff.Value{}
	}
	switch {
	case t.isTable(id):
		c.members(slices.Collect(t.members(id)), path, shape)
	case t.isText(id):
		text, _ := t.nodes[id].scalar.(string)
		for at := 0; at < len(text); {
			found, end := nextBracket(text, at)
			if at = end; found.name != "" && !found.literal {
				c.found = append(c.found, Reference{c.doc.inText(id, found.start), c.key, path, strings.Clone(found.name)})
			}
		}
	default:
		for i, element := range t.elements(id) {
			c.value(element, diff.Index(path, i), shape.Elem)
		}
	}
}
