package manifest

import (
	"errors"
	"fmt"

	"github.com/pelletier/go-toml/v2/unstable"
)

// fail adds a mistake at a byte of the file.
func (d *decoder) fail(offset int, problem, hint string) {
	d.m.Add(d.doc.offset(offset), problem, hint)
}

// twice says that what begins at offset was defined before, as the node first.
func (d *decoder) twice(first int32, offset uint32) {
	n := &d.doc.tree.nodes[first]
	n.broken = true
	d.fail(int(offset), fmt.Sprintf("%s is already defined", n.name), fmt.Sprintf("the first is at %s", d.doc.at(first)))
}

// syntax reports an error of the parser. It returns where to go on reading.
func (d *decoder) syntax(err error) int {
	offset := d.base
	var e *unstable.ParserError
	if errors.As(err, &e) {
		offset += cap(d.data[d.base:]) - cap(e.Highlight)
	}
	d.fail(min(offset, len(d.data)), err.Error(), "")
	return len(d.data)
}
