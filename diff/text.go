package diff

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// TextOptions are for WriteText. The zero value and nil mean every default.
type TextOptions struct {
	// Color writes ANSI colours, for a terminal.
	Color bool
	// MaxWidth is how many characters of a value, or of a line of one, are shown.
	// Defaults to 60.
	MaxWidth int
	// Brief shows what is created in one line, without its fields.
	Brief bool
}

// WriteText writes changes for people: a line each, below it its reasons and a
// line per field, and a summary at the end. Unchanged is how many more resources
// are as declared. schemas tells which fields are sensitive; nil knows none.
//
// The paths of fields are without "config.", unless what follows is also the name
// of something that every resource has, like "type". A replace is one entry: of
// its Delete nothing is shown, unless that stands alone. Of texts of several lines
// the lines are shown that differ. All that could steer a terminal comes out
// escaped.
func WriteText(w io.Writer, changes iter.Seq[Change], schemas Schemas, unchanged int, opts *TextOptions) error {
	t := texter{w: bufio.NewWriter(w), schemas: schemas, width: 60}
	if opts != nil {
		t.color, t.brief = opts.Color, opts.Brief
		if opts.MaxWidth > 0 {
			t.width = opts.MaxWidth
		}
	}
	counts := map[Op]int{}
	show := func(change Change) {
		counts[change.Op()]++
		t.change(change)
	}
	halves := halves{creates: map[half]bool{}, deletes: map[half]*Delete{}}
	for change := range changes {
		if change.Op() == OpNoOp {
			unchanged++
		} else if !halves.take(change) {
			show(change)
		}
	}
	for _, left := range halves.left() {
		show(left)
	}
	t.summary(counts, unchanged)
	return t.w.Flush() // a bufio.Writer keeps the first error
}

// halves brings together the two halves of the replaces.
type halves struct {
	creates map[half]bool
	deletes map[half]*Delete // whose creates were not seen
}

// half is what is replaced: what an earlier run has replaced and not deleted is
// something else.
type half struct{ kind, id string }

// take tells whether a change is shown as a part of another one, or may yet be.
func (h *halves) take(change Change) bool {
	switch c := change.(type) {
	case *Create:
		if c.Replaces {
			old := half{c.Recorded.Kind, c.Recorded.ID}
			h.creates[old] = true
			delete(h.deletes, old)
		}
	case *Delete:
		if old := (half{c.Recorded.Kind, c.Recorded.ID}); c.Replaced && !h.creates[old] {
			h.deletes[old] = c
		}
		return c.Replaced
	}
	return false
}

// left returns the deletes without a create, in key order.
func (h *halves) left() []*Delete {
	return slices.SortedFunc(maps.Values(h.deletes), func(a, b *Delete) int {
		return cmp.Or(a.Key().Compare(b.Key()), strings.Compare(a.Recorded.ID, b.Recorded.ID))
	})
}

type texter struct {
	w       *bufio.Writer
	schemas Schemas
	color   bool
	brief   bool
	width   int
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	dim    = "\x1b[2m"
	reset  = "\x1b[0m"
)

func (t *texter) line(color, text string) {
	if t.color && color != "" {
		text = color + text + reset
	}
	t.w.WriteString(text + "\n")
}

func (t *texter) change(change Change) {
	name := plain(change.Key().String())
	switch c := change.(type) {
	case *Create:
		t.create(name, c)
	case *Update:
		t.update(name, c)
	case *Adopt:
		t.line(green, "> "+name+noted(c.Desired.Type)+identified(c.ID)+" exists and is adopted")
		t.fields(c.Fields, nil)
	case *Delete:
		note := ""
		if c.Replaced {
			note = ", which was replaced"
		}
		t.line(red, "- "+name+noted(c.Recorded.Type)+identified(c.Recorded.ID)+note)
	case *Orphan:
		t.line(yellow, "! "+name+noted(c.Recorded.Type)+identified(c.Recorded.ID)+" is no longer declared: it stays, as an orphan")
	case *Forget:
		t.line(dim, "x "+name+noted(c.Recorded.Type)+identified(c.Recorded.ID)+" is forgotten: it stays, unrecorded")
	case *Deploy:
		t.deploy(name, c)
	}
}

func (t *texter) create(name string, c *Create) {
	schema := t.schemas.of(c.Desired.Kind)
	if c.Replaces {
		t.replace(name, c, schema)
		return
	}
	note := ""
	if c.Interrupted() {
		note = ", again: its create was interrupted"
	}
	t.line(green, "+ "+name+noted(c.Desired.Type)+note)
	if !t.brief {
		t.reasons(c.Reasons)
		t.values(Fields(nil, c.Desired, schema))
	}
}

// replace shows both halves of a replace.
func (t *texter) replace(name string, c *Create, schema *Schema) {
	notes, reasons := []string{c.Desired.Type}, c.Reasons
	if len(reasons) == 1 {
		notes, reasons = append(notes, reasons[0]), nil
	}
	t.line(red, "± "+name+noted(notes...)+identified(c.Recorded.ID))
	t.reasons(reasons)
	forced := map[string]bool{}
	for _, f := range schema.ImmutableFields(c.Fields) {
		forced[f.Path] = true
	}
	t.fields(c.Fields, forced)
}

func (t *texter) update(name string, c *Update) {
	moved, again := "", ""
	if c.Op() == OpMove {
		moved = "moved from " + c.Recorded.Key.String()
	}
	if c.Recorded.Orphaned {
		again = ", declared again"
	}
	t.line(yellow, "~ "+name+noted(c.Desired.Type, moved)+again)
	t.reasons(c.Reasons)
	if c.Prior == nil && c.Recorded.Checksum != c.Checksum {
		t.line(dim, "    the recorded declaration is not at hand: which fields change is unknown")
	}
	t.fields(c.Fields, nil)
}

func (t *texter) deploy(name string, c *Deploy) {
	head, reasons := "» "+name+noted(c.Desired.Type)+" is deployed", c.Reasons
	if len(reasons) == 1 {
		head, reasons = head+": "+Escape(reasons[0]), nil
	}
	t.line(cyan, head)
	t.reasons(reasons)
}

func (t *texter) reasons(reasons []string) {
	for _, reason := range reasons {
		t.line(dim, "    "+Escape(reason))
	}
}

// noted shows what there is to say of a resource, in parentheses.
func noted(notes ...string) string {
	var said []string
	for _, note := range notes {
		if note != "" {
			said = append(said, Escape(note))
		}
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, ", ") + ")"
}

func identified(id string) string {
	if id == "" {
		return ""
	}
	return " [" + plain(id) + "]"
}

func (t *texter) summary(counts map[Op]int, unchanged int) {
	var parts []string
	for _, op := range [...]struct {
		op   Op
		text string
	}{
		{OpCreate, "to create"}, {OpUpdate, "to update"}, {OpReplace, "to replace"}, {OpMove, "to move"},
		{OpAdopt, "to adopt"}, {OpDelete, "to delete"}, {OpOrphan, "no longer declared"},
		{OpForget, "to forget"}, {OpDeploy, "to deploy"},
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
