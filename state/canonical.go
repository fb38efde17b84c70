package state

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Canonical returns the canonical form of one JSON value: values of equal
// meaning have equal bytes, and values that differ have different ones.
//
//   - No white space. Object members in bytewise order of their names.
//   - Strings hold UTF-8 as it is; only the quote, the backslash and control
//     characters are escaped, in their shortest form.
//   - A number is its exact decimal value: 1, 1.0 and 10e-1 are all 1, and no
//     digit is lost to a float64 on the way.
//
// A member that stands twice, invalid UTF-8, half a surrogate pair, an exponent
// of more than six digits, or nesting deeper than 1,000 is an error. If raw is
// canonical it is returned as it is, without allocating.
func Canonical(raw json.RawMessage) (json.RawMessage, error) {
	c := canonicals.Get().(*canonicalizer)
	defer canonicals.Put(c)
	c.out, c.members = c.out[:0], c.members[:0]
	c.in, c.pos, c.depth = raw, 0, 0
	err := c.document()
	c.in = nil
	if err != nil {
		return nil, err
	}
	if bytes.Equal(c.out, raw) {
		return raw, nil
	}
	return bytes.Clone(c.out), nil
}

// AppendCanonical appends the canonical JSON of a Go value to dst. It takes
// nil, booleans, strings, integers, floats, json.Number, json.RawMessage,
// time.Time (the instant, in UTC), encoding.TextMarshaler, and pointers,
// slices, arrays and string-keyed maps of such. A nil pointer, slice or map is
// null. NaN and the infinities are errors, and so are structs: which of their
// fields mean what is for a kind to say.
func AppendCanonical(dst []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		return appendString(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case float64:
		return appendFloat(dst, v, 64)
	case json.Number:
		return appendNumber(dst, []byte(v))
	case json.RawMessage:
		raw, err := Canonical(v)
		return append(dst, raw...), err
	case time.Time:
		return appendTime(dst, v)
	case []any:
		return appendList(dst, len(v), v == nil, func(i int) any { return v[i] })
	case map[string]any:
		return appendMap(dst, v)
	case encoding.TextMarshaler:
		return appendText(dst, v)
	}
	return appendReflected(dst, reflect.ValueOf(value))
}

func appendReflected(dst []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case reflect.String:
		return appendString(dst, v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case reflect.Float32:
		return appendFloat(dst, v.Float(), 32)
	case reflect.Float64:
		return appendFloat(dst, v.Float(), 64)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		return AppendCanonical(dst, v.Elem().Interface())
	case reflect.Slice:
		return appendList(dst, v.Len(), v.IsNil(), func(i int) any { return v.Index(i).Interface() })
	case reflect.Array:
		return appendList(dst, v.Len(), false, func(i int) any { return v.Index(i).Interface() })
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			break
		}
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		members := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			members[it.Key().String()] = it.Value().Interface()
		}
		return appendMap(dst, members)
	}
	return nil, fmt.Errorf("a %s has no canonical form", v.Type())
}

func appendText(dst []byte, v encoding.TextMarshaler) ([]byte, error) {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
		return append(dst, "null"...), nil
	}
	text, err := v.MarshalText()
	if err != nil {
		return nil, err
	}
	return appendString(dst, string(text))
}

func appendTime(dst []byte, t time.Time) ([]byte, error) {
	t = t.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return nil, fmt.Errorf("the year %d has no canonical form", t.Year())
	}
	return append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"'), nil
}

func appendList(dst []byte, n int, isNil bool, at func(int) any) ([]byte, error) {
	if isNil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = AppendCanonical(dst, at(i)); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return append(dst, ']'), nil
}

func appendMap(dst []byte, v map[string]any) ([]byte, error) {
	if v == nil {
		return append(dst, "null"...), nil
	}
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendString(dst, name); err != nil {
			return nil, err
		}
		if dst, err = AppendCanonical(append(dst, ':'), v[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return append(dst, '}'), nil
}

func appendString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("the text %q is not valid UTF-8", s)
	}
	dst = append(dst, '"')
	for {
		i := strings.IndexFunc(s, mustEscape)
		if i < 0 {
			return append(append(dst, s...), '"'), nil
		}
		dst = appendEscaped(append(dst, s[:i]...), s[i])
		s = s[i+1:]
	}
}

func mustEscape(r rune) bool { return r < ' ' || r == '"' || r == '\\' }

// appendEscaped appends one character below U+0080, escaped if it must be.
func appendEscaped(dst []byte, c byte) []byte {
	if i := strings.IndexByte("\"\\\b\f\n\r\t", c); i >= 0 {
		return append(dst, '\\', `"\bfnrt`[i])
	}
	if c < ' ' {
		return append(dst, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
	}
	return append(dst, c)
}

func appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%v is not a number that can be recorded", f)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.AppendInt(dst, int64(f), 10), nil
	}
	return appendNumber(dst, strconv.AppendFloat(nil, f, 'e', -1, bits))
}

// maxExponentDigits bounds the exponents that are read, so that arithmetic on
// them can't overflow.
const maxExponentDigits = 6

// appendNumber appends the canonical form of a JSON number: its decimal digits
// without leading and trailing zeros, placed as in ECMAScript (plain from 1e-7
// up to 1e21, else with an exponent).
func appendNumber(dst, literal []byte) ([]byte, error) {
	n := scanNumber(literal)
	if n != len(literal) || n == 0 {
		return nil, fmt.Errorf("%q is not a number", literal)
	}
	mantissa, exponent := literal, 0
	if i := bytes.IndexAny(literal, "eE"); i >= 0 {
		digits := bytes.TrimLeft(literal[i+1:], "+-")
		digits = bytes.TrimLeft(digits, "0")
		if len(digits) > maxExponentDigits {
			return nil, fmt.Errorf("the number %s is out of range", literal)
		}
		if len(digits) > 0 {
			exponent, _ = strconv.Atoi(string(digits))
		}
		if literal[i+1] == '-' {
			exponent = -exponent
		}
		mantissa = literal[:i]
	}
	negative := mantissa[0] == '-'
	if negative {
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits := append(append(make([]byte, 0, len(mantissa)), whole...), fraction...)
	point := len(whole) + exponent // the value is 0.digits × 10^point
	trimmed := bytes.TrimLeft(digits, "0")
	point -= len(digits) - len(trimmed)
	digits = bytes.TrimRight(trimmed, "0")
	if len(digits) == 0 {
		return append(dst, '0'), nil
	}
	if negative {
		dst = append(dst, '-')
	}
	return appendDecimal(dst, digits, point), nil
}

// appendDecimal writes 0.digits × 10^point.
func appendDecimal(dst, digits []byte, point int) []byte {
	switch {
	case point > 21 || point < -5:
		dst = append(dst, digits[0])
		if len(digits) > 1 {
			dst = append(append(dst, '.'), digits[1:]...)
		}
		return strconv.AppendInt(append(dst, 'e'), int64(point-1), 10)
	case point <= 0:
		dst = append(dst, "0."...)
		for range -point {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	case point >= len(digits):
		dst = append(dst, digits...)
		for range point - len(digits) {
			dst = append(dst, '0')
		}
		return dst
	default:
		dst = append(append(dst, digits[:point]...), '.')
		return append(dst, digits[point:]...)
	}
}

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
// itself if it holds no escape.
func unescape(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] != '\\':
			plain = append(plain, text[i])
		case text[i+1] == 'u':
			n, _ := strconv.ParseUint(string(text[i+4:i+6]), 16, 8)
			plain = append(plain, byte(n))
			i += 5
		default:
			i++
			plain = append(plain, "\"\\\b\f\n\r\t"[strings.IndexByte(`"\bfnrt`, text[i])])
		}
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

// canonicalInteger tells whether the literal is a short plain integer, which is
// canonical as it stands.
func canonicalInteger(literal []byte) bool {
	if len(literal) > 18 || literal[0] == '-' {
		return false
	}
	for _, b := range literal {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

// scanNumber returns the length of the JSON number that b begins with, 0 if
// there is none.
func scanNumber(b []byte) int {
	digits := func(i int) int {
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i
	}
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	whole := digits(i)
	if whole == i || b[i] == '0' && whole > i+1 {
		return 0
	}
	i = whole
	if i < len(b) && b[i] == '.' {
		fraction := digits(i + 1)
		if fraction == i+1 {
			return 0
		}
		i = fraction
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		j := i + 1
		if j < len(b) && (b[j] == '+' || b[j] == '-') {
			j++
		}
		exponent := digits(j)
		if exponent == j {
			return 0
		}
		i = exponent
	}
	return i
}

// text reads a string and writes it in its shortest form.
func (c *canonicalizer) text() error {
	c.out = append(c.out, '"')
	c.pos++
	for {
		start := c.pos
		ascii := true
		for c.pos < len(c.in) && c.in[c.pos] >= ' ' && c.in[c.pos] != '"' && c.in[c.pos] != '\\' {
			ascii = ascii && c.in[c.pos] < utf8.RuneSelf
			c.pos++
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
