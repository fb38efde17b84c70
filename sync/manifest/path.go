package manifest

import (
	"strconv"
	"strings"
)

// lookup returns the node that a path leads to, or the last one on the way.
func (d *Document) lookup(path string) int32 {
	id := int32(0)
	for path != "" {
		next, rest := int32(0), ""
		if path[0] == '[' {
			next, rest = d.index(id, path)
		} else {
			var name string
			name, rest = cutName(path)
			if d.isTable(id) {
				next = d.tree.find(id, name)
			}
		}
		if next == 0 {
			break
		}
		id, path = next, rest
	}
	return id
}

func (d *Document) isTable(id int32) bool {
	f := d.tree.nodes[id].form
	return f == inline || f == dotted || f == table
}

// index follows the "[i]" that a path begins with.
func (d *Document) index(id int32, path string) (next int32, rest string) {
	digits, rest, found := strings.Cut(path[1:], "]")
	i, err := strconv.Atoi(digits)
	elements := d.tree.elements(id)
	if !found || err != nil || i < 0 || i >= len(elements) {
		return 0, ""
	}
	return elements[i], strings.TrimPrefix(rest, ".")
}

// cutName splits a path behind its first name and the dot after it.
func cutName(path string) (name, rest string) {
	if path[0] == '"' {
		if quoted, err := strconv.QuotedPrefix(path); err == nil {
			name, _ = strconv.Unquote(quoted)
			return name, strings.TrimPrefix(path[len(quoted):], ".")
		}
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		return path, ""
	}
	return path[:end], strings.TrimPrefix(path[end:], ".")
}
