package manifest

import (
	"math"
	"sync"

	tusync "github.com/trueup-go/trueup/sync"
)

// Document is one TOML file, decoded, that knows where each value stands. Decode
// makes it. It is safe for concurrent use as long as nobody changes Root.
type Document struct {
	// Path is the file's, as in positions.
	Path string
	// Root is what the file holds: string, int64, float64, bool, time.Time,
	// []any and map[string]any, never nil. A date or time without an offset is
	// text in RFC 3339's form; a value that couldn't be read is nil.
	Root map[string]any

	tree    tree
	lines   lines
	dialect Dialect
}

// maxSize is the size of the largest file that is read, in bytes.
const maxSize = math.MaxInt32

// Decode decodes a TOML 1.1 file. Path is used in positions only. A byte-order
// mark is skipped and not counted.
//
// The error is a *multierror.Error of Mistakes: syntax errors, keys and tables
// that stand twice, NaN and infinities. Reading goes on after a mistake at the
// next place where it is safe, so that all of them are found; the Document that
// comes with an error holds what could be read and is never nil.
func Decode(path string, data []byte) (*Document, error) {
	var m Mistakes
	d := decoders.Get().(*decoder)
	doc := d.decode(path, data, &m)
	*d = decoder{parser: d.parser, trail: d.trail} // what it has allocated, and nothing of the document
	d.parser.Reset(nil)
	decoders.Put(d)
	return doc, m.Err()
}

//nolint:gochecknoglobals // a pool of parsers: nothing in it outlives a call
var decoders = sync.Pool{New: func() any { return new(decoder) }}

// Position returns where a value stands: the position of its key, of the key in
// the header of a table, of the first byte of an element of a list. Path is as
// diff.Member and diff.Index build it: "steps[1].name". For a path that isn't
// there it is the position of the nearest enclosing value that is; that of the
// whole document is line 1, column 1.
func (d *Document) Position(path string) tusync.Position {
	id, _, _ := d.lookup(path)
	return d.at(id)
}

// at returns the position of a node.
func (d *Document) at(id int32) tusync.Position {
	if len(d.tree.nodes) == 0 {
		return tusync.Position{File: d.Path} // not made by Decode
	}
	return d.offset(int(d.tree.nodes[id].offset))
}

// offset returns the position of a byte.
func (d *Document) offset(offset int) tusync.Position {
	line, col := d.lines.at(offset)
	return tusync.Position{File: d.Path, Line: line, Col: col}
}
