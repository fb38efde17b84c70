package format

import "strings"

// cutComment cuts the comment off the end of a line: what begins with a # after
// white space. A # within quotes begins none; the original takes it for one.
func cutComment(line string) string {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case '#':
			if i > 0 && isBlank(line[i-1]) {
				return line[:i-1]
			}
		case '"', '\'':
			if opensQuote(line, i) {
				i += quoted(line[i+1:], c)
			}
		}
	}
	return line
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// opensQuote tells whether the quote mark at i may open a quotation. After a
// letter or digit it is an apostrophe, or inches; after a backslash, itself.
func opensQuote(line string, i int) bool {
	if i == 0 {
		return true
	}
	c := line[i-1]
	isWord := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
	return !isWord && c != '\\'
}

// quoted returns the length of what stands in quotes, the closing one counted; 0
// if there is none, so that the opening one is a character like any other.
func quoted(s string, quote byte) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1
		case s[i] == '\\' && quote == '"':
			i++ // as in a shell: \" closes nothing
		}
	}
	return 0
}

// isComment tells whether all of a trimmed line is left out.
func isComment(line string) bool { return line == "" || strings.HasPrefix(line, "#") }
