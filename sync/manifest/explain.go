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
func explain(data []byte, begin, offset int, message string) (at int, problem, hint string) {
	has := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case has("not terminated"), has("unterminated"), has("is incomplete"):
		return openValue(data, begin, offset)
	case has("at start of value"), has("expected keyword"), has("expected value"):
		return badValue(data, offset)
	case has("strings must be quoted"), has("leading zeroes"):
		return badNumber(data, offset, message)
	case has("expected '=' after key"):
		return offset, "want '=' after the key, found " + found(data, offset), keyHint(data, begin, offset)
	case has("start of key"), has("expected key"):
		return offset, "want a key, found " + found(data, offset), startHint(data, offset)
	case has("expected newline"):
		return offset, "want the end of the line, found " + found(data, offset), "a key and its value have a line of their own"
	case has("cannot have new lines"):
		return offset, "the text has no closing quote on its line", `text over several lines stands between """ and """`
	case has("to close"):
		return offset, "want ']' to end the header, found " + found(data, offset), "write [name] or, for one of many, [[name]]"
	case has("after array value"):
		return offset, "want ',' or ']' in the list, found " + found(data, offset), ""
	case has("after inline table"):
		return offset, "want ',' or '}' in the table, found " + found(data, offset), ""
	case has("invalid escape"):
		return offset, fmt.Sprintf("unknown escape %s in text", quoted(data, offset, 2)), `write \\ for a backslash, or put the text in '…', where it stands for itself`
	case has("UTF-8"):
		return offset, fmt.Sprintf("the byte 0x%02x is not valid UTF-8", data[offset]), "save the file as UTF-8"
	case has("control characters"):
		return offset, fmt.Sprintf("the control character 0x%02x", data[offset]), fmt.Sprintf(`write it as \u%04X in a text in "…"`, data[offset])
	case has("arriage return"):
		return offset, "a carriage return that ends no line", ""
	}
	return offset, message, ""
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
	if offset >= len(data) {
		return "the end of the file"
	}
	if c := data[offset]; c == '\n' || c == '\r' || c == '#' {
		return "the end of the line"
	}
	return quoted(data, offset, 1)
}

// quoted returns up to n characters, in quotes.
func quoted(data []byte, offset, n int) string {
	end := offset
	for range n {
		_, size := utf8.DecodeRune(data[end:])
		end += size
	}
	return fmt.Sprintf("%q", data[offset:end])
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
