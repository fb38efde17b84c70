package manifest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// explain turns what go-toml says of a syntax error into what was read, what was
// expected and, where one is likely, what was meant. The expression begins at
// begin, the error is at offset; the place that is returned may be a better one.
//
// Texts of values are not repeated: they may be secrets.
func explain(data []byte, begin, offset int, message string) (at int, problem, hint string) {
	has := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case has("not terminated"), has("unterminated"), has("is incomplete"), isBehindValue(data, begin, offset):
		return openValue(data, begin, offset)
	case has("at start of value"), has("expected keyword"), has("expected value"):
		return badValue(data, offset)
	case has("strings must be quoted"), has("leading zeroes"):
		return badNumber(data, offset, message)
	case has("expected"):
		problem, hint = badPunctuation(data, begin, offset, message)
	case has("start of key"):
		problem, hint = "want a key, found "+found(data, offset), startHint(data, offset)
	default:
		problem, hint = badText(data, offset, message)
	}
	return offset, problem, hint
}

// badPunctuation explains that something else should stand in a place between
// keys and values.
func badPunctuation(data []byte, begin, offset int, message string) (problem, hint string) {
	for _, e := range []struct{ part, want, hint string }{
		{"after key", "'=' after the key", keyHint(data, begin, offset)},
		{"expected key", "a key", ""},
		{"newline", "the end of the line", restHint(data, offset)},
		{"close array table", "']]' to end the header", "write [[name]]"},
		{"close table", "']' to end the header", "write [name] or, for one of many, [[name]]"},
		{"after array value", "',' or ']' in the list", ""},
		{"after inline table", "',' or '}' in the table", ""},
	} {
		if strings.Contains(message, e.part) {
			return "want " + e.want + ", found " + found(data, offset), e.hint
		}
	}
	return message, ""
}

// badText explains characters that can't stand in a text or a comment.
func badText(data []byte, offset int, message string) (problem, hint string) {
	has := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case has("cannot have new lines"):
		return "the text has no closing quote on its line", `text over several lines stands between """ and """`
	case has("invalid escape"):
		return "unknown escape \\" + character(data, offset+1) + " in text", escapeHint
	case has("escape"), has("need a character"):
		return message, escapeHint
	case has("UTF-8"):
		return fmt.Sprintf("the byte 0x%02x is not valid UTF-8", data[offset]), "save the file as UTF-8"
	case has("control characters"):
		return fmt.Sprintf("the control character 0x%02x", data[offset]), fmt.Sprintf(`write it as \u%04X in a text in "…"`, data[offset])
	case has("arriage return"):
		return "a carriage return that ends no line", ""
	}
	return message, ""
}

const escapeHint = `write \\ for a backslash, or put the text in '…', where it stands for itself`

// isBehindValue tells whether the error is in a line that looks like a header or
// another key, though a list or a table that was begun earlier has no end yet.
func isBehindValue(data []byte, begin, offset int) bool {
	start := bytes.LastIndexByte(data[:offset], '\n') + 1
	if start <= begin {
		return false
	}
	line := data[start:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	inList := bytes.HasPrefix(data[valueStart(data, begin, offset):], []byte("["))
	return isHeader(line, false) || inList && isKey(line)
}

// openValue explains a value that the file ends in, at the place where it
// begins.
func openValue(data []byte, begin, offset int) (at int, problem, hint string) {
	at = valueStart(data, begin, offset)
	open := string(data[at:min(at+3, len(data))])
	switch {
	case open == `"""` || open == `'''`:
		return at, "the text that begins here has no end", "close it with " + open
	case open != "" && (open[0] == '"' || open[0] == '\''):
		return at, "the text that begins here has no end", "close it with " + open[:1]
	case open != "" && open[0] == '{':
		return at, "the table that begins here has no end", "close it with }"
	case open != "" && open[0] == '[':
		return at, "the list that begins here has no end", "close it with ]"
	}
	return offset, "the file ends within a value", ""
}

// valueStart returns where the value of the key that begins at begin does.
func valueStart(data []byte, begin, offset int) int {
	quote := byte(0)
	for at := begin; at < offset; at++ {
		switch c := data[at]; {
		case quote != 0:
			if c == '\\' && quote == '"' {
				at++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '=':
			at++
			return at + len(data[at:]) - len(bytes.TrimLeft(data[at:], " \t"))
		}
	}
	return begin
}

// badValue explains what stands in a value's place and is none. Only words that
// can't be secrets are repeated.
func badValue(data []byte, offset int) (at int, problem, hint string) {
	text := word(data, offset)
	problem = "want a value, found " + found(data, offset)
	first, _ := utf8.DecodeRuneInString(text)
	switch lower := strings.ToLower(text); {
	case lower == "true" || lower == "false":
		return offset, "want a value, found " + text, "write " + lower
	case lower == "yes" || lower == "on" || lower == "no" || lower == "off":
		return offset, "want a value, found " + text, fmt.Sprintf("write true or false, or %q for text", text)
	case lower == "null" || lower == "none" || lower == "nil":
		return offset, "want a value, found " + text, "leave the key out for no value"
	case strings.ContainsRune("“”„‘’", first):
		hint = `write straight quotes: "…"`
	case text != "":
		problem, hint = "want a value, found text without quotes", `write it in quotes: "…"`
	}
	return offset, problem, hint
}

// badNumber explains what begins like a number and is none.
func badNumber(data []byte, offset int, message string) (at int, problem, hint string) {
	at = offset
	for at > 0 && strings.IndexByte("0123456789_.+-eE", data[at-1]) >= 0 {
		at--
	}
	if strings.Contains(message, "zeroes") {
		return at, "a number can't begin with 0", `write 0o… for an octal number, "…" for text`
	}
	return at, "want a value, found a number with letters behind it", `write text in quotes: "…"`
}

func keyHint(data []byte, begin, offset int) string {
	key := strings.TrimSpace(string(data[begin:offset]))
	switch {
	case offset < len(data) && data[offset] == ':':
		return "write " + key + " = …"
	case offset < len(data) && data[offset] != '\n' && data[offset] != '\r':
		return "a key with anything but letters, digits, - and _ stands in quotes"
	}
	return "write " + key + " = …"
}

// restHint guesses why a line goes on behind a value.
func restHint(data []byte, offset int) string {
	switch before := data[max(0, offset-1)]; {
	case data[min(offset, len(data)-1)] == '\r':
		return "end lines with a line feed"
	case before == ' ' || before == '\t':
		return "a key and its value have a line of their own"
	case before == '"' || before == '\'':
		return `write \" for a quote in text`
	}
	return `write text in quotes: "…"`
}

func startHint(data []byte, offset int) string {
	switch rest := data[offset:]; {
	case bytes.HasPrefix(rest, []byte("//")) || bytes.HasPrefix(rest, []byte(";")):
		return "a comment begins with #"
	case bytes.HasPrefix(rest, []byte("{")):
		return "this is TOML, not JSON: write key = value"
	}
	return ""
}

// found names what stands at a place.
func found(data []byte, offset int) string {
	switch rest := data[offset:]; {
	case len(rest) == 0:
		return "the end of the file"
	case rest[0] == '\n' || rest[0] == '#' || bytes.HasPrefix(rest, []byte("\r\n")):
		return "the end of the line"
	}
	return fmt.Sprintf("%q", character(data, offset))
}

// character returns the one that begins at a place.
func character(data []byte, offset int) string {
	_, size := utf8.DecodeRune(data[offset:])
	return string(data[offset : offset+size])
}

// word returns the word that begins at a place, not more than a little of it.
func word(data []byte, offset int) string {
	text := data[offset:]
	if end := bytes.IndexAny(text, " \t\r\n,;:=[]{}#\"'\\"); end >= 0 {
		text = text[:end]
	}
	const enough = 40
	if len(text) > enough || !utf8.Valid(text) {
		return ""
	}
	return string(text)
}
