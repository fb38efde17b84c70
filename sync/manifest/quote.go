package manifest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// bareOrQuoted returns a key as it stands in TOML.
func bareOrQuoted(name string) string {
	if isBare(name) {
		return name
	}
	return basic(name)
}

// text returns a text as it stands in TOML, so that it is easy to read where it
// can be: over several lines, and with backslashes that stand for themselves.
func (w *writer) text(text string) string {
	lines, backslash := strings.Contains(text, "\n"), strings.Contains(text, `\`)
	fits := func(quotes string) bool { return !strings.Contains(text, quotes) }
	switch {
	case strings.ContainsFunc(text, isControl), !lines && !backslash:
		return basic(text)
	case !lines && fits("'"):
		return "'" + text + "'"
	case lines && fits(`"""`) && (!backslash || w.opts.Dialect == Komodo):
		return "\"\"\"\n" + text + `"""`
	case lines && fits("'''"):
		return "'''\n" + text + "'''"
	}
	return basic(text)
}

// isControl tells whether a character can't stand for itself in a text of several
// lines: a carriage return may be lost on the way.
func isControl(c rune) bool { return c < ' ' && c != '\t' && c != '\n' || c == 0x7f }

// basic returns a text in "…", which is the same in every dialect.
func basic(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case isControl(c):
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// number returns a canonical number as it stands in TOML, where whole numbers
// have 64 bits, and others are float64.
func number(canonical string) (string, error) {
	if _, err := strconv.ParseInt(canonical, 10, 64); err == nil {
		return canonical, nil
	}
	text := canonical
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		if same, err := state.AppendCanonical(nil, f); err == nil && bytes.Equal(same, []byte(canonical)) {
			return text, nil
		}
	}
	return "", fmt.Errorf("TOML has no number %s", canonical)
}
