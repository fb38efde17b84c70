package manifest

import (
	"strconv"
	"strings"
	"unicode/utf8"

	tusync "github.com/trueup-go/trueup/sync"
)

// inText returns the position of the n-th byte of a text's value, as it stands
// in the file.
func (d *Document) inText(id int32, n int) tusync.Position {
	w := textWalk{text: d.lines.text, at: d.textStart(id)}
	w.open(d.dialect)
	for n > 0 && w.at < len(w.text) {
		n -= w.step()
	}
	w.skipLineEnds()
	return d.offset(w.at)
}

// lineInText returns the position of a line of a text's value, from 1: of its
// first byte that is not blank.
func (d *Document) lineInText(id int32, line int) tusync.Position {
	text, _ := d.tree.nodes[id].scalar.(string)
	rest := text
	for ; line > 1; line-- {
		_, after, found := strings.Cut(rest, "\n")
		if !found {
			break
		}
		rest = after
	}
	return d.inText(id, len(text)-len(strings.TrimLeft(rest, " \t")))
}

// textStart returns where a node's value begins: the node itself knows where its
// key does, if it has one.
func (d *Document) textStart(id int32) int {
	text, at := d.lines.text, int(d.tree.nodes[id].offset)
	end := at
	if text[at] == '"' || text[at] == '\'' {
		end = skipQuoted(text, at)
	} else {
		for end < len(text) && isBare(text[end:end+1]) {
			end++
		}
	}
	rest := strings.TrimLeft(text[end:], " \t")
	if !strings.HasPrefix(rest, "=") {
		return at // an element of a list
	}
	return len(text) - len(strings.TrimLeft(rest[1:], " \t"))
}

// skipQuoted returns where a text on one line that begins at a place ends.
func skipQuoted(text string, at int) int {
	quote := text[at]
	for at++; at < len(text) && text[at] != quote && text[at] != '\n'; at++ {
		if text[at] == '\\' && quote == '"' {
			at++
		}
	}
	return min(at+1, len(text))
}

// textWalk walks over a text as it is written.
type textWalk struct {
	text    string
	at      int
	escapes bool
}

// open steps behind the opening quotes.
func (w *textWalk) open(dialect Dialect) {
	rest := w.text[w.at:]
	w.escapes = strings.HasPrefix(rest, `"`)
	w.at++
	if strings.HasPrefix(rest, `"""`) || strings.HasPrefix(rest, "'''") {
		w.escapes = w.escapes && dialect == TOML
		w.at += 2
		rest = strings.TrimPrefix(w.text[w.at:], "\r")
		if strings.HasPrefix(rest, "\n") {
			w.at = len(w.text) - len(rest) + 1
		}
	}
}

// step steps over a byte, or what stands for some, and returns how many bytes of
// the value it is.
func (w *textWalk) step() int {
	w.skipLineEnds()
	rest := w.text[w.at:]
	if !w.escapes || !strings.HasPrefix(rest, `\`) || len(rest) < 2 {
		w.at++
		return 1
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[rest[1]]
	w.at += min(2+digits, len(rest))
	if digits == 0 || len(rest) < 2+digits {
		return 1
	}
	char, _ := strconv.ParseUint(rest[2:2+digits], 16, 32)
	return utf8.RuneLen(rune(char))
}

// skipLineEnds steps over backslashes at the ends of lines, with the white space
// behind them: they stand for nothing.
func (w *textWalk) skipLineEnds() {
	for w.escapes && strings.HasPrefix(w.text[w.at:], `\`) {
		rest := strings.TrimLeft(w.text[w.at+1:], " \t\r")
		if !strings.HasPrefix(rest, "\n") {
			return
		}
		w.at = len(w.text) - len(strings.TrimLeft(rest, " \t\r\n"))
	}
}
