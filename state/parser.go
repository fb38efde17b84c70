package state

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

//nolint:gochecknoglobals // a pool of scratch buffers: nothing in it outlives a call
var canonicals = sync.Pool{New: func() any { return new(canonicalizer) }}

// canonicalizer is a recursive-descent JSON parser that writes the canonical
// form of what it reads.
type canonicalizer struct {
	in      []byte
	pos     int
	depth   int
	out     []byte
	members []member // a stack: those of the objects that are open
	scratch []byte
}

// member is one of an object's, by its place in out: from the name's quote, over
// the colon, to the end of the value.
type member struct{ start, colon, end int }

const maxDepth = 1000

var (
	errUnexpectedEnd = errors.New("the JSON ends early")
	errTooDeep       = fmt.Errorf("the JSON is nested deeper than %d", maxDepth)
)

func (c *canonicalizer) document() error {
	if err := c.value(); err != nil {
		return fmt.Errorf("byte %d: %w", c.pos, err)
	}
	if c.space(); c.pos < len(c.in) {
		return fmt.Errorf("byte %d: %q after the JSON value", c.pos, c.in[c.pos])
	}
	return nil
}

func (c *canonicalizer) space() {
	for c.pos < len(c.in) {
		switch c.in[c.pos] {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

func (c *canonicalizer) value() error {
	if c.space(); c.pos >= len(c.in) {
		return errUnexpectedEnd
	}
	switch b := c.in[c.pos]; {
	case b == '{':
		return c.nested(c.object)
	case b == '[':
		return c.nested(c.array)
	case b == '"':
		return c.text()
	case b == '-' || b >= '0' && b <= '9':
		return c.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if len(c.in)-c.pos >= len(word) && string(c.in[c.pos:c.pos+len(word)]) == word {
			c.out = append(c.out, word...)
			c.pos += len(word)
			return nil
		}
	}
	return fmt.Errorf("unexpected %q", c.in[c.pos])
}

func (c *canonicalizer) nested(read func() error) error {
	if c.depth++; c.depth > maxDepth {
		return errTooDeep
	}
	c.pos++ // the bracket
	err := read()
	c.depth--
	return err
}

// next skips white space and takes the next byte.
func (c *canonicalizer) next() (byte, error) {
	if c.space(); c.pos >= len(c.in) {
		return 0, errUnexpectedEnd
	}
	c.pos++
	return c.in[c.pos-1], nil
}

// peek skips white space and tells whether the next byte is b; if so it takes it.
func (c *canonicalizer) peek(b byte) bool {
	if c.space(); c.pos < len(c.in) && c.in[c.pos] == b {
		c.pos++
		return true
	}
	return false
}

func (c *canonicalizer) array() error {
	c.out = append(c.out, '[')
	if c.peek(']') {
		c.out = append(c.out, ']')
		return nil
	}
	for {
		if err := c.value(); err != nil {
			return err
		}
		b, err := c.next()
		switch {
		case err != nil:
			return err
		case b == ']' || b == ',':
			if c.out = append(c.out, b); b == ']' {
				return nil
			}
		default:
			return fmt.Errorf("%q in a list; want ',' or ']'", b)
		}
	}
}

func (c *canonicalizer) object() error {
	c.out = append(c.out, '{')
	body, first := len(c.out), len(c.members)
	if c.peek('}') {
		c.out = append(c.out, '}')
		return nil
	}
	sorted := true
	for {
		m := member{start: len(c.out)}
		if !c.atQuote() {
			return errors.New("want a member's name in quotes")
		}
		if err := c.text(); err != nil {
			return err
		}
		m.colon = len(c.out)
		if !c.peek(':') {
			return errors.New("want ':' after a member's name")
		}
		c.out = append(c.out, ':')
		if err := c.value(); err != nil {
			return err
		}
		m.end = len(c.out)
		if n := len(c.members); n > first && compareNames(c.out, c.members[n-1], m) >= 0 {
			sorted = false
		}
		c.members = append(c.members, m)
		b, err := c.next()
		switch {
		case err != nil:
			return err
		case b == '}':
			if !sorted {
				if err := c.sort(body, c.members[first:]); err != nil {
					return err
				}
			}
			c.members = c.members[:first]
			c.out = append(c.out, '}')
			return nil
		case b != ',':
			return fmt.Errorf("%q in an object; want ',' or '}'", b)
		}
		c.out = append(c.out, ',')
	}
}

func (c *canonicalizer) atQuote() bool {
	c.space()
	return c.pos < len(c.in) && c.in[c.pos] == '"'
}

// compareNames compares two members' names, unescaped.
func compareNames(out []byte, a, b member) int {
	x, y := out[a.start+1:a.colon-1], out[b.start+1:b.colon-1]
	if bytes.IndexByte(x, '\\') >= 0 || bytes.IndexByte(y, '\\') >= 0 {
		x, y = unescape(x), unescape(y)
	}
	return bytes.Compare(x, y)
}

// unescape returns what canonical text between its quotes stands for; text
// itself if it holds no escape. An escape that isn't canonical stays as it is.
func unescape(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			if at := strings.IndexByte(`"\bfnrt`, text[i+1]); at >= 0 {
				plain = append(plain, "\"\\\b\f\n\r\t"[at])
				i++
				continue
			}
			if n, err := strconv.ParseUint(string(text[i+2:min(i+6, len(text))]), 16, 8); err == nil && text[i+1] == 'u' {
				plain = append(plain, byte(n))
				i += 5
				continue
			}
		}
		plain = append(plain, text[i])
	}
	return plain
}

// sort puts the members of an object in order; body is where the first begins.
func (c *canonicalizer) sort(body int, members []member) error {
	slices.SortFunc(members, func(a, b member) int { return compareNames(c.out, a, b) })
	c.scratch = c.scratch[:0]
	for i, m := range members {
		if i > 0 {
			if compareNames(c.out, members[i-1], m) == 0 {
				return fmt.Errorf("the member %s stands twice", c.out[m.start:m.colon])
			}
			c.scratch = append(c.scratch, ',')
		}
		c.scratch = append(c.scratch, c.out[m.start:m.end]...)
	}
	c.out = append(c.out[:body], c.scratch...)
	return nil
}

func (c *canonicalizer) number() error {
	n := scanNumber(c.in[c.pos:])
	if n == 0 {
		return errors.New("a malformed number")
	}
	literal := c.in[c.pos : c.pos+n]
	if canonicalInteger(literal) {
		c.out = append(c.out, literal...)
	} else {
		out, err := appendNumber(c.out, literal)
		if err != nil {
			return err
		}
		c.out = out
	}
	c.pos += n
	return nil
}

// text reads a string and writes it in its shortest form.
func (c *canonicalizer) text() error {
	c.out = append(c.out, '"')
	c.pos++
	for {
		start := c.pos
		ascii := true
		c.pos += plain(c.in[start:])
		for c.pos < len(c.in) && c.in[c.pos] >= ' ' && c.in[c.pos] != '"' && c.in[c.pos] != '\\' {
			ascii = ascii && c.in[c.pos] < utf8.RuneSelf
			if c.pos++; c.pos%8 == 0 {
				c.pos += plain(c.in[c.pos:])
			}
		}
		run := c.in[start:c.pos]
		if !ascii && !utf8.Valid(run) {
			return errors.New("a string that is not valid UTF-8")
		}
		c.out = append(c.out, run...)
		switch {
		case c.pos >= len(c.in):
			return errUnexpectedEnd
		case c.in[c.pos] == '"':
			c.pos++
			c.out = append(c.out, '"')
			return nil
		case c.in[c.pos] != '\\':
			return fmt.Errorf("the control character %#02x in a string", c.in[c.pos])
		}
		if err := c.escape(); err != nil {
			return err
		}
	}
}

func (c *canonicalizer) escape() error {
	if c.pos+1 >= len(c.in) {
		return errUnexpectedEnd
	}
	b := c.in[c.pos+1]
	if b != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, b)
		if i < 0 {
			return fmt.Errorf("the unknown escape \\%c", b)
		}
		c.out = appendEscaped(c.out, "\"\\/\b\f\n\r\t"[i])
		c.pos += 2
		return nil
	}
	r, err := c.codePoint()
	if err != nil {
		return err
	}
	if r < utf8.RuneSelf {
		c.out = appendEscaped(c.out, byte(r))
	} else {
		c.out = utf8.AppendRune(c.out, r)
	}
	return nil
}

// codePoint reads \uXXXX, or two of them that are a surrogate pair.
func (c *canonicalizer) codePoint() (rune, error) {
	r, err := c.hex4()
	if err != nil || r < 0xd800 || r > 0xdfff {
		return r, err
	}
	if r < 0xdc00 && c.pos+1 < len(c.in) && c.in[c.pos] == '\\' && c.in[c.pos+1] == 'u' {
		low, err := c.hex4()
		if err != nil {
			return 0, err
		}
		if low >= 0xdc00 && low <= 0xdfff {
			return (r-0xd800)<<10 | (low - 0xdc00) + 0x10000, nil
		}
	}
	return 0, errors.New("half a surrogate pair in a string")
}

func (c *canonicalizer) hex4() (rune, error) {
	if c.pos+6 > len(c.in) {
		return 0, errUnexpectedEnd
	}
	n, err := strconv.ParseUint(string(c.in[c.pos+2:c.pos+6]), 16, 16)
	if err != nil {
		return 0, fmt.Errorf("the malformed escape %s", c.in[c.pos:c.pos+6])
	}
	c.pos += 6
	return rune(n), nil
}
