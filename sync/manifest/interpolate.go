package manifest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// Lookup returns the value of a name, and whether it has one.
type Lookup func(name string) (value string, found bool)

// Interpolate fills in what the [[NAME]] in a text stand for, and returns the
// names that have no value, in order, each once; they are left as they are. A name
// is of letters, digits and _, and doesn't begin with a digit; all else in
// brackets stays: "if [[ -f x ]]; then". [[[NAME]]] stands for "[[NAME]]".
//
// The lookups are asked one after the other. In a value that one of them finds,
// what the later ones know is filled in: a variable may hold a secret, and nothing
// is looked for in the value of a secret. Without any lookup the text stays as it
// is.
func Interpolate(text string, lookups ...Lookup) (filled string, missing []string) {
	filled = interpolate(text, lookups, &missing)
	slices.Sort(missing)
	return filled, slices.Compact(missing)
}

// InterpolateConfig is Interpolate for every text in a canonical Config, names of
// members excepted.
func InterpolateConfig(config json.RawMessage, lookups ...Lookup) (filled json.RawMessage, missing []string) {
	if !strings.Contains(string(config), "[[") {
		return config, nil
	}
	filled = appendInterpolated(make([]byte, 0, len(config)), config, lookups, &missing)
	slices.Sort(missing)
	return filled, slices.Compact(missing)
}

func appendInterpolated(dst []byte, value json.RawMessage, lookups []Lookup, missing *[]string) []byte {
	switch value[0] {
	case '{':
		dst = append(dst, '{')
		for name, member := range state.Members(value) {
			dst = append(appendText(separate(dst, '{'), string(name)), ':')
			dst = appendInterpolated(dst, member, lookups, missing)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		first := true
		for element := range state.Elements(value) {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = appendInterpolated(dst, element, lookups, missing)
		}
		return append(dst, ']')
	case '"':
		var text string
		if err := json.Unmarshal(value, &text); err == nil && strings.Contains(text, "[[") {
			return appendText(dst, interpolate(text, lookups, missing))
		}
	}
	return append(dst, value...)
}

// separate appends a comma unless what was opened is empty still.
func separate(dst []byte, open byte) []byte {
	if dst[len(dst)-1] == open {
		return dst
	}
	return append(dst, ',')
}

// appendText appends text as JSON. What isn't UTF-8 is replaced: the values of
// variables come from anywhere.
func appendText(dst []byte, text string) []byte {
	quoted, err := state.AppendCanonical(dst, strings.ToValidUTF8(text, "\ufffd"))
	if err != nil {
		return append(dst, `""`...) // not reached: valid UTF-8 has a canonical form
	}
	return quoted
}

func interpolate(text string, lookups []Lookup, missing *[]string) string {
	if len(lookups) == 0 || !strings.Contains(text, "[[") {
		return text
	}
	var filled strings.Builder
	for at := 0; at < len(text); {
		found, end := nextBracket(text, at)
		filled.WriteString(text[at:found.start])
		switch {
		case found.literal:
			filled.WriteString("[[" + found.name + "]]")
		case found.name != "":
			filled.WriteString(lookUp(found.name, lookups, missing))
		}
		at = end
	}
	return filled.String()
}

func lookUp(name string, lookups []Lookup, missing *[]string) string {
	for i, lookup := range lookups {
		if value, found := lookup(name); found {
			return interpolate(value, lookups[i+1:], missing)
		}
	}
	*missing = append(*missing, name)
	return "[[" + name + "]]"
}

// bracket is a [[name]], or a [[[name]]] that stands for it literally.
type bracket struct {
	start   int
	name    string
	literal bool
}

// nextBracket returns the first one at or behind a place, and where it ends: one
// without a name at the end of the text if there is none.
func nextBracket(text string, at int) (found bracket, end int) {
	for {
		i := strings.Index(text[at:], "[[")
		if i < 0 {
			return bracket{start: len(text)}, len(text)
		}
		at += i
		run := len(text[at:]) - len(strings.TrimLeft(text[at:], "["))
		name, rest, closed := strings.Cut(text[at+run:], "]]")
		if !closed || !isName(name) {
			at += run
			continue
		}
		end = len(text) - len(rest)
		if run == 2 {
			return bracket{start: at, name: name}, end
		}
		if strings.HasPrefix(rest, "]") {
			end++
		}
		return bracket{start: at + run - 3, name: name, literal: true}, end
	}
}

func isName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
