package state

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
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
	case *time.Time:
		if v == nil {
			return append(dst, "null"...), nil
		}
		return appendTime(dst, *v)
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
	start := 0
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			dst = appendEscaped(append(dst, s[start:i]...), c)
			start = i + 1
		}
	}
	return append(append(dst, s[start:]...), '"'), nil
}

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
