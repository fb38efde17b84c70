package diff

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
)

// TextOptions are for WriteText. The zero value and nil mean every default.
type TextOptions struct {
	// Color writes ANSI colours, for a terminal.
	Color bool
	// MaxWidth is how many characters of a value are shown. Defaults to 60.
	MaxWidth int
}

// WriteText writes changes for people: a line each, below it a line per field,
// and a summary at the end. Unchanged is how many more resources are as
// declared. schemas tells which fields are sensitive; nil knows none. Control
// characters in values come out escaped.
func WriteText(w io.Writer, changes iter.Seq[Change], schemas Schemas, unchanged int, opts *TextOptions) error {
	t := texter{w: bufio.NewWriter(w), schemas: schemas, width: 60}
	if opts != nil {
		t.color = opts.Color
		if opts.MaxWidth > 0 {
			t.width = opts.MaxWidth
		}
	}
	counts := map[Op]int{}
	for change := range changes {
		if change.Op() != OpNoOp {
			counts[change.Op()]++
			t.change(change)
		} else {
			unchanged++
		}
	}
	t.summary(counts, unchanged)
	return t.w.Flush() // a bufio.Writer keeps the first error
}

type texter struct {
	w       *bufio.Writer
	schemas Schemas
	color   bool
	width   int
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	dim    = "\x1b[2m"
	reset  = "\x1b[0m"
)

func (t *texter) line(color, text string) {
	if t.color {
		text = color + text + reset
	}
	t.w.WriteString(text + "\n")
}

func (t *texter) change(change Change) {
	name := plain(change.Key().String())
	switch c := change.(type) {
	case *Create:
		t.line(green, "+ "+name+typed(c.Desired.Type))
		t.fields(Fields(nil, c.Desired, t.schemas.of(c.Desired.Kind)), true)
	case *Update:
		t.update(name, c)
	case *Delete:
		t.line(red, "- "+name+typed(c.Recorded.Type)+identified(c.Recorded.ID))
	case *Orphan:
		t.line(yellow, "! "+name+typed(c.Recorded.Type)+identified(c.Recorded.ID)+" is no longer declared: it stays, as an orphan")
	case *Forget:
		t.line(dim, "x "+name+typed(c.Recorded.Type)+identified(c.Recorded.ID)+" is forgotten: it stays, unrecorded")
	}
}

func (t *texter) update(name string, c *Update) {
	note := ""
	if c.Recorded.Orphaned {
		note = ", declared again"
	}
	t.line(yellow, "~ "+name+typed(c.Desired.Type)+note)
	if c.Prior == nil && c.Recorded.Checksum != c.Checksum {
		t.line(dim, "    the recorded declaration is not at hand: which fields change is unknown")
	}
	t.fields(c.Fields, false)
}

func typed(typ string) string {
	if typ == "" {
		return ""
	}
	return " (" + plain(typ) + ")"
}

func identified(id string) string {
	if id == "" {
		return ""
	}
	return " [" + plain(id) + "]"
}

// plain escapes what could steer a terminal.
func plain(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	if len(quoted) == len(text)+len(`""`) {
		return text
	}
	return quoted
}

func (t *texter) fields(fields []Field, create bool) {
	for _, f := range fields {
		switch {
		case create && f.Path == "type": // it stands in the line above
		case f.Sensitive && create:
			t.line(dim, "    "+f.Path+": (sensitive)")
		case f.Sensitive:
			t.line(dim, "    "+f.Path+": (sensitive) → (sensitive)")
		case create:
			t.line(dim, "    "+f.Path+": "+t.value(f.New))
		default:
			t.w.WriteString("    " + f.Path + ": " + t.sides(f) + "\n")
		}
	}
}

// sides shows what a field was and what it is to be; of two texts of several
// lines, the first line that differs.
func (t *texter) sides(f Field) string {
	var old, desired string
	if f.Old == nil || f.New == nil || json.Unmarshal(f.Old, &old) != nil || json.Unmarshal(f.New, &desired) != nil ||
		!strings.Contains(old+desired, "\n") {
		return t.side(f.Old, f.Default) + " → " + t.side(f.New, f.Default)
	}
	before, after := strings.Split(old, "\n"), strings.Split(desired, "\n")
	line := 0
	for line < len(before) && line < len(after) && before[line] == after[line] {
		line++
	}
	at := func(lines []string) string {
		if line < len(lines) {
			return t.quoted(lines[line], "")
		}
		return "(none)"
	}
	length := fmt.Sprintf("%d lines", lines(old))
	if n := lines(desired); n != lines(old) {
		length = fmt.Sprintf("%d → %d lines", lines(old), n)
	}
	return fmt.Sprintf("line %d: %s → %s (%s)", line+1, at(before), at(after), length)
}

// side shows one side of a field that may be absent.
func (t *texter) side(value, def json.RawMessage) string {
	switch {
	case value != nil:
		return t.value(value)
	case def != nil:
		return t.value(def) + " (default)"
	}
	return "(none)"
}

// value shows a scalar, in one line and no longer than the width.
func (t *texter) value(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
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
	if runes := []rune(line); len(runes) > t.width {
		line = string(runes[:t.width])
		note = cmp.Or(note, " …")
	}
	return strconv.QuoteToGraphic(line) + note
}

func (t *texter) summary(counts map[Op]int, unchanged int) {
	var parts []string
	for _, op := range [...]struct {
		op   Op
		text string
	}{
		{OpCreate, "to create"}, {OpUpdate, "to update"}, {OpDelete, "to delete"},
		{OpOrphan, "no longer declared"}, {OpForget, "to forget"},
	} {
		if n := counts[op.op]; n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+op.text)
		}
	}
	if len(parts) == 0 {
		fmt.Fprintf(t.w, "No changes: %d as declared.\n", unchanged)
		return
	}
	fmt.Fprintf(t.w, "Plan: %s, %d unchanged.\n", strings.Join(parts, ", "), unchanged)
}
