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
	offset := len(d.data)
	if e := (*unstable.ParserError)(nil); errors.As(err, &e) {
		offset = cap(d.data) - cap(e.Highlight)
	}
	begin := min(skipTrivia(d.data, d.end), offset)
	at, problem, hint := explain(d.data, begin, offset, err.Error())
	d.fail(at, problem, hint)
	nodes := d.doc.tree.nodes
	nodes[d.table].broken = true
	if begin < len(d.data) && d.data[begin] == '[' {
		nodes[0].broken = true // the header's table may be anywhere
		for _, id := range d.trail {
			nodes[id].broken = true
		}
	}
	if strings.Contains(err.Error(), "not terminated by") {
		return len(d.data) // a text that takes up the rest of the file
	}
	return d.resume(begin, offset)
}

// resume returns where a line begins that reading can go on at, behind an
// expression that begins at begin and can't be read at offset:
//
//   - the next header; behind one that can't be read itself, the next that
//     depends on no other;
//   - the next key of the same table, if what can't be read ends in its line.
//
// Either may as well be a line of a text, one that goes over several lines or
// should: so it counts only where as many such texts seem to end as begin
// behind it.
func (d *decoder) resume(begin, offset int) int {
	afterHeader := begin < len(d.data) && d.data[begin] == '['
	keys := false
	for at := begin; at < len(d.data); {
		line := d.data[at:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		switch {
		case at == begin:
			keys = !afterHeader && offset < at+len(line) && isClosed(line)
		case isHeader(line, afterHeader) && d.quotes.areEven(d.data, at):
			d.table = d.doc.tree.loose(node{form: table}) // until it is read
			d.end = at
			return at
		case keys && isKey(line) && d.quotes.areEven(d.data, at):
			d.end = at
			return at
		}
		at += len(line)
	}
	return len(d.data)
}

// quotes counts what begins and ends texts over several lines, from a place to
// the end of the file.
type quotes struct {
	counted        bool
	at             int
	double, single int
}

// areEven tells whether there is an even number of each behind a place. From
// call to call, the place must not go back.
func (q *quotes) areEven(data []byte, at int) bool {
	double, single := []byte(`"""`), []byte("'''")
	if !q.counted {
		*q = quotes{counted: true, double: bytes.Count(data, double), single: bytes.Count(data, single)}
	}
	q.double -= bytes.Count(data[q.at:at], double)
	q.single -= bytes.Count(data[q.at:at], single)
	q.at = at
	return q.double%2 == 0 && q.single%2 == 0
}

// isClosed tells whether a line seems to end all that it begins.
func isClosed(line []byte) bool {
	count := func(s string) int { return bytes.Count(line, []byte(s)) }
	return count("[") == count("]") && count("{") == count("}") && count(`"""`)%2 == 0 && count("'''")%2 == 0
}

// isKey tells whether a line begins with bare names, as keys, and a value.
func isKey(line []byte) bool {
	names, _, found := strings.Cut(string(line), "=")
	return found && isBareKey(names)
}

// isHeader tells whether a line is meant to be a header of bare names, though it
// may lack a bracket: of one name only, if it is to be simple.
func isHeader(line []byte, simple bool) bool {
	text, _, _ := strings.Cut(string(line), "#")
	text = strings.Trim(text, " \t\r\n")
	name := strings.TrimPrefix(strings.TrimPrefix(text, "["), "[")
	if name == text {
		return false
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, "]"), "]")
	if simple && strings.Contains(name, ".") || name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	return isBareKey(name)
}

// isBareKey tells whether a key has bare names only.
func isBareKey(key string) bool {
	for name := range strings.SplitSeq(key, ".") {
		if !isBare(strings.Trim(name, " \t")) {
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
