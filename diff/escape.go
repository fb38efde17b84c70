package diff

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// plain escapes a name that could steer a terminal, or that could be taken for an
// escaped one.
func plain(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	if len(quoted) == len(text)+len(`""`) {
		return text
	}
	return quoted
}

// Escape returns text with what could steer a terminal, or mislead whoever reads it,
// as escapes: control characters, line ends among them, marks that change the
// direction, and what is no UTF-8. Everything else stays.
func Escape(text string) string { return escapeBut(text, -1) }

// EscapeLine is Escape for a line of a text: a tab is left to be one.
func EscapeLine(line string) string { return escapeBut(line, '\t') }

func escapeBut(text string, harmless rune) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[0]), 16))
		case r == harmless || strconv.IsGraphic(r):
			b.WriteString(text[:size])
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToGraphic(r), "'"))
		}
		text = text[size:]
	}
	return b.String()
}
