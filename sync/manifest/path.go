package manifest

import (
	"strconv"
	"strings"
)

// lookup returns the node that a path leads to, or the last one on the way;
// exact tells which. Broken tells that part of what encloses it couldn't be
// read, so that something that isn't there may stand in the file all the same.
func (d *Document) lookup(path string) (id int32, exact, broken bool) {
	for path != "" && len(d.tree.nodes) > 0 {
		next, rest := int32(0), ""
		if path[0] == '[' {
			next, rest = d.index(id, path)
		} else {
			var name string
			if name, rest = cutName(path); d.tree.isTable(id) {
				next = d.tree.find(id, name)
			}
		}
		if next == 0 {
			return id, false, broken || d.tree.nodes[id].broken
		}
		id, path = next, rest
		broken = broken || d.tree.nodes[id].broken
	}
	return id, true, broken
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
