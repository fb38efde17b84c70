package state

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Members yields the members of a canonical JSON object in order: the name,
// unescaped, and the value. It yields nothing for anything but an object. The
// slices are parts of object where they can be; don't change them. What it does
// on JSON that isn't canonical is not defined, but it doesn't panic.
func Members(object json.RawMessage) iter.Seq2[[]byte, json.RawMessage] {
	return func(yield func([]byte, json.RawMessage) bool) {
		if len(object) == 0 || object[0] != '{' {
			return
		}
		for pos := 1; pos < len(object) && object[pos] == '"'; pos++ {
			colon := skipValue(object, pos)
			end := skipValue(object, colon+1)
			if end > len(object) || colon-1 < pos+1 {
				return
			}
			if !yield(unescape(object[pos+1:colon-1]), object[colon+1:end:end]) {
				return
			}
			pos = end
		}
	}
}

// Elements yields the elements of a canonical JSON list in order; like Members.
func Elements(list json.RawMessage) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		if len(list) == 0 || list[0] != '[' {
			return
		}
		for pos := 1; pos < len(list) && list[pos] != ']'; pos++ {
			end := skipValue(list, pos)
			if end > len(list) || !yield(list[pos:end:end]) {
				return
			}
			pos = end
		}
	}
}

// skipValue returns where the canonical value that begins at pos ends; past the
// end of b if it doesn't.
func skipValue(b []byte, pos int) int {
	depth := 0
	for pos < len(b) {
		switch b[pos] {
		case '"':
			pos = skipText(b, pos)
		case '{', '[':
			depth++
			pos++
		case '}', ']':
			if depth--; depth < 0 {
				return pos
			}
			pos++
		case ',', ':':
			pos++
		default:
			for pos < len(b) && bytes.IndexByte([]byte(`,:]}"{[`), b[pos]) < 0 {
				pos++
			}
		}
		if depth == 0 {
			return pos
		}
	}
	return len(b) + 1
}

// skipText returns where the string that begins at pos ends, its quote included.
func skipText(b []byte, pos int) int {
	for pos++; pos < len(b); pos++ {
		if pos%8 == 0 {
			pos += plain(b[pos:])
		}
		if pos == len(b) {
			break
		}
		switch b[pos] {
		case '\\':
			pos++
		case '"':
			return pos + 1
		}
	}
	return len(b) + 1
}
