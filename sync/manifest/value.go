package manifest

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// value gives a node its value, which begins at start. It returns where it ends.
func (d *decoder) value(id int32, n *unstable.Node, start int) (end int) {
	switch n.Kind {
	case unstable.Array:
		return d.list(id, n, start)
	case unstable.InlineTable:
		d.doc.tree.nodes[id].form = inline
		end = start + 1
		for members := n.Children(); members.Next(); {
			end = d.keyValue(id, members.Node())
		}
		return d.between(end) + 1
	default:
		d.doc.tree.nodes[id].scalar = d.scalar(n)
		return start + int(n.Raw.Length)
	}
}

func (d *decoder) list(id int32, n *unstable.Node, start int) (end int) {
	count := 0
	for elements := n.Children(); elements.Next(); {
		count++
	}
	d.doc.tree.makeList(id, list, count)
	end = start + 1
	for elements := n.Children(); elements.Next(); {
		start = d.between(end)
		element := d.doc.tree.push(id, node{offset: uint32(start)})
		end = d.value(element, elements.Node(), start)
	}
	return d.between(end) + 1
}

// between returns where the next thing of a value begins, behind white space,
// comments and separators. The parser doesn't say where lists begin.
func (d *decoder) between(at int) int {
	for at < len(d.data) {
		switch d.data[at] {
		case ' ', '\t', '\r', '\n', ',', '=':
			at++
		case '#':
			at += bytes.IndexByte(d.data[at:], '\n')
		default:
			return at
		}
	}
	return at
}

func (d *decoder) scalar(n *unstable.Node) any {
	offset := d.base + int(n.Raw.Offset)
	raw := d.text[offset : offset+int(n.Raw.Length)]
	switch n.Kind {
	case unstable.String:
		return d.string(raw, n.Data)
	case unstable.Bool:
		return raw == "true"
	case unstable.Integer:
		if i, err := strconv.ParseInt(raw, 10, 64); err == nil {
			return i
		}
	case unstable.Float:
		if f, err := strconv.ParseFloat(raw, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
	return d.literal(raw, offset)
}

// literal returns the value of what is written in a less usual way.
func (d *decoder) literal(raw string, offset int) any {
	var decoded struct{ V any }
	err := toml.Unmarshal([]byte("V="+raw), &decoded)
	var where *toml.DecodeError
	if errors.As(err, &where) {
		_, col := where.Position()
		d.fail(offset+max(0, col-len("V=")-1), strings.TrimPrefix(where.Error(), "toml: "), "")
		return nil
	}
	switch v := decoded.V.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			d.fail(offset, raw+" is not a number that can be recorded", "leave the key out, or use a number")
			return nil
		}
	case toml.LocalDate:
		return v.String()
	case toml.LocalTime:
		return v.String()
	case toml.LocalDateTime:
		return v.String()
	}
	return decoded.V
}
