package manifest

import (
	"bytes"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// decoder turns files into Documents, one after the other.
//
// It builds the tree from go-toml's parser alone, and so has to say itself what
// may be defined where, by the rules of go-toml's own decoder.
type decoder struct {
	parser  unstable.Parser
	doc     *Document
	dialect Dialect
	data    []byte  // as the parser sees it
	text    string  // as it is; strings without escapes are parts of it
	base    int     // where the parser began
	end     int     // of the last expression
	table   int32   // what the last header opened
	trail   []int32 // what its key leads through, without the root
	quotes  quotes  // what is still to come
	m       *Mistakes
}

// decode decodes a file.
func (d *decoder) decode(path string, data []byte, m *Mistakes) *Document {
	doc := d.read(path, data, m)
	doc.Root = doc.tree.table(0)
	return doc
}

// read decodes a file, but for the Document's Root.
func (d *decoder) read(path string, data []byte, m *Mistakes) *Document {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	d.doc, d.m = &Document{Path: path, dialect: d.dialect}, m
	d.doc.tree.nodes = append(make([]node, 0, expect(data)), node{form: table, explicit: true})
	switch {
	case len(data) > maxSize:
		d.fail(0, "the file is larger than 2 GiB", "split it")
		return d.doc
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		d.fail(0, "the file is in UTF-16", "save it as UTF-8")
		return d.doc
	}
	d.text = string(data)
	data = d.dialect.mask(data)
	d.data, d.end, d.table, d.trail = data, 0, 0, d.trail[:0]
	d.quotes = quotes{}
	d.doc.lines = indexLines(d.text)
	for d.base = 0; d.base < len(data); {
		d.parser.Reset(data[d.base:])
		for d.parser.NextExpression() {
			d.expression(d.parser.Expression())
		}
		if d.parser.Error() == nil {
			break
		}
		d.base = d.syntax(d.parser.Error())
	}
	return d.doc
}

func (d *decoder) expression(n *unstable.Node) {
	if n.Kind == unstable.KeyValue {
		d.end = d.keyValue(d.table, n)
	} else {
		d.header(n)
	}
}

// key returns the name of a part of a key and where it stands.
func (d *decoder) key(n *unstable.Node) (name string, offset uint32) {
	offset = uint32(d.base) + n.Raw.Offset
	raw := d.text[offset : offset+n.Raw.Length]
	return d.string(raw, n.Data), offset
}

// string returns the value of a string, given how it is written too: a part of
// the file's text, unless it holds escapes.
func (d *decoder) string(raw string, value []byte) string {
	if len(raw) == len(value) {
		return raw // a bare key
	}
	end := len(raw) - 1
	if strings.HasPrefix(raw, `"""`) || strings.HasPrefix(raw, "'''") {
		end = len(raw) - 3
	}
	isLiteral := raw[0] != '"' || d.dialect == Komodo && end < len(raw)-1
	if !isLiteral && strings.IndexByte(raw, '\\') >= 0 {
		return string(value)
	}
	return raw[end-len(value) : end]
}

// keyValue adds a key and its value to a table. It returns where they end.
func (d *decoder) keyValue(parent int32, n *unstable.Node) (end int) {
	t := &d.doc.tree
	end = d.base + int(n.Raw.Offset+n.Raw.Length)
	for key := n.Key(); key.Next(); {
		name, offset := d.key(key.Node())
		found := t.find(parent, name)
		switch {
		case found != 0 && (key.IsLast() || t.nodes[found].form != dotted):
			d.twice(found, offset)
			return end
		case key.IsLast():
			d.value(t.add(parent, node{name: name, offset: offset}), n.Value(), d.between(int(offset+key.Node().Raw.Length)))
		case found != 0:
			parent = found
		default:
			parent = t.add(parent, node{name: name, offset: offset, form: dotted})
		}
	}
	return end
}

// header opens the table of a [header] or [[header]].
func (d *decoder) header(n *unstable.Node) {
	d.table, d.trail = 0, d.trail[:0]
	for key := n.Key(); key.Next(); {
		name, offset := d.key(key.Node())
		d.end = int(offset + key.Node().Raw.Length)
		if key.IsLast() {
			d.table = d.open(d.table, n.Kind == unstable.ArrayTable, node{name: name, offset: offset, form: table, explicit: true})
		} else {
			d.table = d.through(d.table, node{name: name, offset: offset, form: table})
		}
		d.trail = append(d.trail, d.table)
	}
}

// through returns the table that a part n of a header leads to from parent, but
// for the last part.
func (d *decoder) through(parent int32, n node) int32 {
	t := &d.doc.tree
	found := t.find(parent, n.name)
	if found == 0 {
		return t.add(parent, n)
	}
	switch t.nodes[found].form {
	case table, dotted:
		return found
	case tables:
		elements := t.elements(found)
		return elements[len(elements)-1]
	}
	d.twice(found, n.offset)
	return t.loose(n) // what follows is read, and left out
}

// open returns the table that a header with the last part n opens in parent.
func (d *decoder) open(parent int32, array bool, n node) int32 {
	t := &d.doc.tree
	found := t.find(parent, n.name)
	switch {
	case array && found == 0:
		found = t.add(parent, node{name: n.name, offset: n.offset})
		t.makeList(found, tables, 1)
		return t.push(found, n)
	case array && t.nodes[found].form == tables:
		return t.push(found, n)
	case !array && found == 0:
		return t.add(parent, n)
	case !array && t.nodes[found].form == table && !t.nodes[found].explicit:
		t.nodes[found].explicit, t.nodes[found].offset = true, n.offset
		return found
	}
	d.twice(found, n.offset)
	return t.loose(n)
}

// expect returns about how many nodes a document has: so many that growing is
// rare, without much waste where texts hold the same characters.
func expect(data []byte) int {
	keys := bytes.Count(data, []byte("="))
	headers := bytes.Count(data, []byte("\n["))
	elements := bytes.Count(data, []byte(","))
	return min(keys+2*headers+2*elements, len(data)/16) + 8
}
