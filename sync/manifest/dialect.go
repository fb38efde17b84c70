package manifest

import (
	"bytes"
	"strings"
)

// Dialect is how files write text.
type Dialect int

const (
	// TOML is TOML 1.1.
	TOML Dialect = iota
	// Komodo is TOML, but every backslash between """ and """ stands for itself: there
	// are no escapes, and lines are not joined. Text in "…" is as in TOML.
	Komodo
)

// mask returns the file as the parser has to see it: of the same length, with
// another character in place of each backslash that stands for itself. What the
// text is, the decoder takes from the file.
func (d Dialect) mask(data []byte) []byte {
	if d != Komodo || bytes.IndexByte(data, '\\') < 0 || !bytes.Contains(data, []byte(`"""`)) {
		return data
	}
	masked := bytes.Clone(data)
	text := string(data)
	for at := 0; at < len(text); {
		rest := text[at:]
		switch {
		case strings.HasPrefix(rest, `"""`):
			end := endOf(text, at+3, `"""`)
			for i := at; i < end; i++ {
				if text[i] == '\\' {
					masked[i] = '/'
				}
			}
			at = end
		case strings.HasPrefix(rest, "'''"):
			at = endOf(text, at+3, "'''")
		case rest[0] == '"' || rest[0] == '\'':
			at = skipQuoted(text, at)
		case rest[0] == '#':
			at = endOf(text, at, "\n")
		default:
			at++
		}
	}
	return masked
}

// endOf returns where the next end that begins at or behind a place ends. Up to
// two quotes right before those that end a text belong to it.
func endOf(text string, at int, end string) int {
	i := strings.Index(text[at:], end)
	if i < 0 {
		return len(text)
	}
	at += i + len(end)
	for range 2 {
		if end != "\n" && at < len(text) && text[at] == end[0] {
			at++
		}
	}
	return at
}
