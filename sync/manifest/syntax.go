package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// fail adds a mistake at a byte of the file.
func (d *decoder) fail(offset int, problem, hint string) {
	d.m.Add(d.doc.offset(offset), problem, hint)
}

// twice says that what begins at offset was defined before, as the node first.
func (d *decoder) twice(first int32, offset uint32) {
	n := &d.doc.tree.nodes[first]
	n.broken = true // what is read of the second is left out
	d.fail(int(offset), fmt.Sprintf("%s is already defined", n.name), fmt.Sprintf("the first is at %s", d.doc.at(first)))
}

// syntax reports an error of the parser, and marks what it makes incomplete. It
// returns where to go on reading.
func (d *decoder) syntax(err error) int {
	begin := skipTrivia(d.data, d.end)
	offset := begin
	if e := (*unstable.ParserError)(nil); errors.As(err, &e) {
		offset = d.base + cap(d.data[d.base:]) - cap(e.Highlight)
	}
	problem, hint := "", ""
	offset, problem, hint = explain(d.data, begin, min(offset, len(d.data)), err.Error())
	d.fail(offset, problem, hint)
	nodes := d.doc.tree.nodes
	nodes[d.table].broken = true
	if begin >= len(d.data) || d.data[begin] != '[' {
		return d.resume(begin, false)
	}
	nodes[0].broken = true // the header's table may be anywhere
	for _, id := range d.trail {
		nodes[id].broken = true
	}
	return d.resume(begin, true)
}

// resume returns where a header begins that reading can go on at, behind an
// expression that can't be read. After one that is a header itself, it must be
// one that depends on no other.
//
// What looks like a header may be a line of a text: so it doesn't count where a
// text over several lines seems to be open.
func (d *decoder) resume(begin int, afterHeader bool) int {
	quotes, apostrophes := 0, 0
	for at := begin; at < len(d.data); {
		next := len(d.data)
		if i := bytes.IndexByte(d.data[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		line := d.data[at:next]
		if at > begin && quotes%2 == 0 && apostrophes%2 == 0 && isHeader(line, afterHeader) {
			d.end = at
			d.table = d.doc.tree.loose(node{form: table}) // until the header is read
			return at
		}
		quotes += bytes.Count(line, []byte(`"""`))
		apostrophes += bytes.Count(line, []byte(`'''`))
		at = next
	}
	return len(d.data)
}

// isHeader tells whether a line is a header of bare names: one of them only, if
// it is to be simple.
func isHeader(line []byte, simple bool) bool {
	text := strings.Trim(string(line), " \t\r\n")
	text, _, _ = strings.Cut(text, "#")
	text = strings.TrimRight(text, " \t")
	for range 2 {
		if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
			text = text[1 : len(text)-1]
		} else if text == strings.Trim(string(line), " \t\r\n") {
			return false
		}
	}
	names := strings.Split(text, ".")
	if simple && len(names) > 1 {
		return false
	}
	for _, name := range names {
		name = strings.Trim(name, " \t")
		if !isBare(name) || name[0] >= '0' && name[0] <= '9' {
			return false
		}
	}
	return true
}

func isBare(name string) bool {
	for i := range len(name) {
		if c := name[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return name != ""
}

// skipTrivia returns where the next expression begins, at or after the end of
// one: behind white space, comments and the rest of a header.
func skipTrivia(data []byte, at int) int {
	for at < len(data) {
		switch data[at] {
		case ' ', '\t', '\r', '\n', ']':
			at++
		case '#':
			i := bytes.IndexByte(data[at:], '\n')
			if i < 0 {
				return at
			}
			at += i
		default:
			return at
		}
	}
	return at
}
