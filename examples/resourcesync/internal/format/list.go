package format

import "strings"

// ParseList reads a list of text, separated by line breaks and commas:
//
//	# a comment
//	compose.yaml, extra.yaml   # another one
//	\^app-[0-9]{1,3}$\
//
// White space around entries and empty ones are left out. An entry between
// backslashes is a regular expression (see ParsePattern): commas and # in it are
// its own; the original splits it. It ends with the first backslash that has a
// comma, a comment or the end of the line behind it.
func ParseList(text string) []string {
	var list []string
	for line := range strings.SplitSeq(text, "\n") {
		rest := strings.TrimSpace(line)
		if isComment(rest) {
			continue
		}
		for rest != "" {
			var entry string
			entry, rest = cutEntry(rest)
			if entry = strings.TrimSpace(entry); entry != "" {
				list = append(list, entry)
			}
		}
	}
	return list
}

// cutEntry returns the first entry of a line, and what comes behind the comma;
// nothing if that is a comment.
func cutEntry(line string) (entry, rest string) {
	start := len(line) - len(strings.TrimLeft(line, " \t"))
	for i := start; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i == start:
			i += expression(line[start:]) // to its last byte, if it is one
		case c == ',':
			return line[:i], line[i+1:]
		case c == '#' && i > 0 && isBlank(line[i-1]):
			return line[:i], ""
		}
	}
	return line, ""
}

// expression returns where in a text, which begins with a backslash, a regular
// expression ends: at its other backslash; 0 if it is none.
func expression(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		behind := s[i+1:]
		next := strings.TrimLeft(behind, " \t")
		if next == "" || next[0] == ',' || next[0] == '#' && next != behind {
			return i
		}
	}
	return 0
}
