package format

import (
	"errors"
	"iter"
	"strings"

	"github.com/trueup-go/trueup/diff"
)

// Pairs are a key-value list. In a Config they are the text that MarshalText
// writes, so that they differ if an entry does, whatever they were written like,
// and a person who reads the difference sees lines.
type Pairs []Pair

// Pair is an entry of a key-value list: a variable, a label, a mount, a port.
type Pair struct{ Key, Value string }

// ParsePairs reads a key-value list, one entry a line:
//
//	# a comment, as is a line that begins with //
//	A=1
//	B = 2    # a comment, but not "in # quotes"
//	C: 3
//	- D=4
//	- "/data:/var/lib/data"
//
// Dashes in front are left out, then one pair of quotes around the whole entry.
// The key ends at the first = or :. Other quotes stay part of the value. A value
// ends with its line. Entries keep their order, and repeated keys stay.
//
// The error joins a diff.FieldError for each line without a separator; the pairs are
// nil then, as they are if there are none.
func ParsePairs(text string) (Pairs, error) {
	var pairs Pairs
	var errs []error
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		switch pair, is := parsePair(line); is {
		case isPair:
			pairs = append(pairs, pair)
		case isNeither:
			errs = append(errs, diff.FieldError{Line: n, Problem: "want KEY = VALUE or KEY: VALUE, found no = or :", Hint: "a value ends with its line"})
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return pairs, nil
}

// What a line of a key-value list is.
type lineIs int

const (
	isPair    lineIs = iota
	isNothing        // empty, or a comment
	isNeither        // there is no separator
)

func parsePair(line string) (Pair, lineIs) {
	line = strings.TrimSpace(line)
	if isComment(line) || strings.HasPrefix(line, "//") {
		return Pair{}, isNothing
	}
	line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(cutComment(line)), "-"))
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		return Pair{}, isNeither
	}
	key, value := strings.TrimSpace(line[:i]), strings.TrimSpace(line[i+1:])
	if inQuotes(key, value) {
		key, value = strings.TrimSpace(key[1:]), strings.TrimSpace(value[:len(value)-1])
	}
	return Pair{key, value}, isPair
}

// inQuotes tells whether one pair of quotes stands around key and value both.
func inQuotes(key, value string) bool {
	if key == "" || value == "" || key[0] != '"' && key[0] != '\'' {
		return false
	}
	last := key[len(key)-1]
	return value[len(value)-1] == key[0] && last != '"' && last != '\''
}

// MarshalText writes a key-value list that ParsePairs reads as the same pairs: a
// line each, "KEY = VALUE", in a form of its own where that would be read in
// another way. No pairs make an empty text. All that ParsePairs returns can be
// written; the error tells of another pair that it fits no line: because of a
// line break, a = in its key, white space around, or a # outside quotes.
func (p Pairs) MarshalText() ([]byte, error) {
	var text []byte
	for i, pair := range p {
		line, ok := renderPair(pair)
		if !ok {
			return nil, unfit(i)
		}
		text = append(append(text, line...), '\n')
	}
	return text, nil
}

func unfit(i int) error {
	return diff.FieldError{Path: diff.Index("", i), Problem: "fits no line of a key-value list", Hint: "it holds a line break, = or : in its key, white space around, or # outside quotes"}
}

// UnmarshalText reads what MarshalText writes, and all else that ParsePairs reads.
func (p *Pairs) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePairs(string(text))
	return err
}

func renderPair(pair Pair) (line string, ok bool) {
	for line := range pair.forms() {
		if got, is := parsePair(line); is == isPair && got == pair && !strings.Contains(line, "\n") {
			return line, true
		}
	}
	return "", false
}

// forms are those that a pair may have had when it was read: the plain ones first, then
// every other, which differ in what is a quotation and what a comment.
func (p Pair) forms() iter.Seq[string] {
	return func(yield func(string) bool) {
		plain := strings.TrimSpace(p.Key + " = " + p.Value)
		tight := p.Key + "=" + p.Value
		for _, line := range [...]string{plain, tight, `"` + plain + `"`, `'` + plain + `'`, "-" + plain, "- " + plain, "-" + tight, "- " + tight} {
			if !yield(line) {
				return
			}
		}
		for _, dash := range [...]string{"", "-", "- "} {
			for _, quote := range [...]string{"", `"`, `'`} {
				for _, sign := range [...]string{"=", " =", "= ", ":", " :", ": "} {
					if !yield(dash + quote + p.Key + sign + p.Value + quote) {
						return
					}
				}
			}
		}
	}
}
