package diff

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

const (
	// lineContext is how many unchanged lines are shown around one that changes.
	lineContext = 2
	// maxLines is how many lines of a text that changes are shown.
	maxLines = 40

	indent = "    "
	none   = "(none)"
	hidden = "(sensitive)"
)

// values shows the fields of what is new.
func (t *texter) values(fields []Field) {
	for _, f := range fields {
		switch {
		case f.Path == "type": // it stands in the line above
		case f.Sensitive:
			t.line(dim, indent+ShortPath(f.Path)+": "+hidden)
		default:
			t.line(dim, indent+ShortPath(f.Path)+": "+t.value(f.New))
		}
	}
}

// fields shows what differs; some of it forces a replacement.
func (t *texter) fields(fields []Field, forced map[string]bool) {
	for _, f := range fields {
		note, color := "", ""
		if forced[f.Path] {
			note = " (forces replacement)"
		}
		was := f.Old
		if f.Drifted {
			was = f.Live
		}
		before, after, isText := texts(was, f.New)
		isText = isText && strings.Contains(before+after, "\n")
		head := indent + ShortPath(f.Path) + ": "
		switch {
		case f.Sensitive:
			head, color = head+hidden+t.drift(f)+" → "+hidden, dim
		case isText:
			head += lineCounts(before, after) + t.drift(f)
		default:
			old, desired := t.sides(was, f.New, f.Default)
			head += old + t.drift(f) + " → " + desired
		}
		t.line(color, head+note)
		if isText && !f.Sensitive {
			t.lines(before, after)
		}
	}
}

// drift says what was changed behind our back.
func (t *texter) drift(f Field) string {
	switch {
	case !f.Drifted:
		return ""
	case f.Sensitive:
		return " (changed behind our back)"
	}
	return " (changed behind our back; recorded " + t.side(f.Old, f.Default) + ")"
}

// ShortPath returns a Field's path as people know it, escaped: "config." is left out
// unless it would then be taken for something else.
func ShortPath(path string) string {
	short, inConfig := strings.CutPrefix(path, "config.")
	if !inConfig {
		return Escape(path)
	}
	name, _, _ := strings.Cut(short, ".")
	name, _, _ = strings.Cut(name, "[")
	switch name {
	case "after", "config", "deploy", "description", "protected", "refs", "tags", "type", "unmanaged":
		return Escape(path)
	}
	return Escape(short)
}

// texts returns both values if they are texts.
func texts(old, desired json.RawMessage) (before, after string, ok bool) {
	before, ok = textOf(old)
	if ok {
		after, ok = textOf(desired)
	}
	return before, after, ok
}

// textOf returns the value if it is text.
func textOf(value json.RawMessage) (text string, ok bool) {
	ok = len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &text) == nil
	return text, ok
}

func lineCounts(old, desired string) string {
	if lines(old) == lines(desired) {
		return fmt.Sprintf("%d lines", lines(old))
	}
	return fmt.Sprintf("%d → %d lines", lines(old), lines(desired))
}

// lines shows which lines of a text differ.
func (t *texter) lines(old, desired string) {
	bothEnd := strings.HasSuffix(old, "\n") == strings.HasSuffix(desired, "\n")
	for _, line := range Shorten(Lines(old, desired), lineContext, maxLines) {
		text, ended := strings.CutSuffix(line.Text, "\n")
		if short, cut := clip(text, t.width); cut {
			text = short + " …"
		}
		note := ""
		if !ended && !bothEnd {
			note = " (no line end)"
		}
		switch line.Op {
		case LineOmitted:
			t.line(dim, fmt.Sprintf("%s  … %s", indent, count(line.Omitted, "line")))
		case LineRemoved:
			t.line(red, indent+"- "+EscapeLine(text)+note)
		case LineAdded:
			t.line(green, indent+"+ "+EscapeLine(text)+note)
		default:
			t.line(dim, indent+"  "+EscapeLine(text))
		}
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// sides shows two values of which one may be absent, each no longer than the
// width: of long texts the part where they begin to differ.
func (t *texter) sides(old, desired, def json.RawMessage) (before, after string) {
	a, b, ok := texts(old, desired)
	if !ok {
		return t.side(old, def), t.side(desired, def)
	}
	as, bs := []rune(a), []rune(b)
	same := 0
	for same < min(len(as), len(bs)) && as[same] == bs[same] {
		same++
	}
	if same < t.width {
		return t.quoted(a, ""), t.quoted(b, "")
	}
	from := same - t.width/3
	return "… " + t.quoted(string(as[from:]), ""), "… " + t.quoted(string(bs[from:]), "")
}

// side shows one side of a field that may be absent.
func (t *texter) side(value, def json.RawMessage) string {
	switch {
	case value != nil:
		return t.value(value)
	case def != nil:
		return t.value(def) + " (default)"
	}
	return none
}

// value shows a value, in one line and no longer than the width.
func (t *texter) value(raw json.RawMessage) string {
	s, ok := textOf(raw)
	if !ok {
		if short, cut := clip(string(raw), t.width); cut {
			return Escape(short) + " …"
		}
		return Escape(string(raw))
	}
	note := ""
	if n := lines(s); n > 1 {
		note = fmt.Sprintf(" … (%d lines)", n)
		s, _, _ = strings.Cut(s, "\n")
	}
	return t.quoted(s, note)
}

func lines(text string) int { return strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1 }

// quoted shows a line no longer than the width, and a note after it.
func (t *texter) quoted(line, note string) string {
	short, cut := clip(line, t.width)
	if cut && note == "" {
		note = " …"
	}
	return strconv.QuoteToGraphic(short) + note
}

// clip cuts a text to so many characters, and tells whether it was longer.
func clip(text string, width int) (string, bool) {
	n := 0
	for i := range text {
		if n == width {
			return text[:i], true
		}
		n++
	}
	return text, false
}
