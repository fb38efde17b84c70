package diff

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/trueup-go/trueup/state"
)

// fits tells whether a canonical value has the shape's type. What is inside is
// another matter.
func (v *Value) fits(value json.RawMessage) bool {
	switch first := value[0]; v.Type {
	case Text:
		return first == '"'
	case Bool:
		return first == 't' || first == 'f'
	case Int:
		return isNumber(first) && !bytes.ContainsAny(value, ".e")
	case Float:
		return isNumber(first)
	case Time:
		_, ok := timeInUTC(value)
		return ok
	case List:
		return first == '['
	case Map, Object:
		return first == '{'
	}
	return true
}

// allows tells whether a canonical text is one that the shape's OneOf allows.
func (v *Value) allows(text json.RawMessage) bool {
	if len(v.OneOf) == 0 {
		return true
	}
	return slices.Contains(v.OneOf, string(text[1:len(text)-1]))
}

func isNumber(first byte) bool { return first == '-' || first >= '0' && first <= '9' }

// timeInUTC returns the canonical form of a time, in which equal instants are
// equal bytes.
func timeInUTC(value json.RawMessage) (json.RawMessage, bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	t, err := time.Parse(time.RFC3339Nano, string(value[1:len(value)-1]))
	if err != nil {
		return nil, false
	}
	utc, err := state.AppendCanonical(nil, t)
	return utc, err == nil
}

// String names the shape as an error message does: "a list of text".
func (v *Value) String() string {
	switch v.Type {
	case Text:
		return "text"
	case Bool:
		return "true or false"
	case Int:
		return "a whole number"
	case Float:
		return "a number"
	case Time:
		return "a date and time"
	case List:
		return "a list" + v.Elem.of()
	case Map:
		return "a table" + v.Elem.of()
	case Object:
		return "a table"
	}
	return "any value"
}

func (v *Value) of() string {
	switch v.Type {
	case Any:
		return ""
	case Object:
		return " of tables"
	}
	return " of " + v.String()
}

// describe names a value in an error message, without showing more than a
// little of it.
func describe(value json.RawMessage) string {
	switch value[0] {
	case '{':
		return "a table"
	case '[':
		return "a list"
	case '"':
		return "text"
	case 'n':
		return "nothing"
	case 't', 'f':
		return string(value)
	}
	return "the number " + string(value)
}
