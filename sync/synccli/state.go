package synccli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/trueup-go/trueup/state"
)

func showState(ctx context.Context, call *Call) error {
	recorded, err := call.State(ctx)
	switch {
	case err != nil:
		return err
	case call.JSON && call.host.State != nil:
		value, err := call.host.State(recorded.Head, recorded.Records)
		if err != nil {
			return err
		}
		return call.writeJSON(value)
	case call.JSON:
		return recorded.Encode(call.Out)
	case recorded.Serial == 0:
		fmt.Fprintf(call.Out, "Nothing is recorded of %s.\n", call.Scope)
		return nil
	}
	return call.showState(recorded)
}

// State reads everything that is recorded of the scope.
func (c *Call) State(ctx context.Context) (*state.State, error) {
	engine, err := c.Engine(ctx)
	if err != nil {
		return nil, err
	}
	// Head and records are two reads: if somebody commits in between, read again.
	const enough = 10
	for range enough {
		head, err := engine.Backend().Head(ctx)
		if err != nil {
			return nil, err
		}
		recorded := &state.State{Head: head}
		for record, err := range engine.Backend().Records(ctx) {
			if err != nil {
				return nil, err
			}
			recorded.Records = append(recorded.Records, record)
		}
		if now, err := engine.Backend().Head(ctx); err != nil || now.Token == head.Token {
			return recorded, err
		}
	}
	return nil, errors.New("the State changes too often to be read: try again")
}

func (c *Call) showState(s *state.State) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, serial %d", s.Scope, s.Serial)
	if s.By != "" {
		fmt.Fprintf(&b, ", by %s", s.By)
	}
	if !s.When.IsZero() {
		fmt.Fprintf(&b, ", %s", s.When.UTC().Format(time.RFC3339))
	}
	if s.Revision != "" {
		fmt.Fprintf(&b, ", from %s", s.Revision)
	}
	fmt.Fprintf(&b, "\n\n")
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "RESOURCE\tTYPE\tID\tCHECKSUM\t")
	for i := range s.Records {
		r := &s.Records[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%.12s\t%s\n", r.Key, orDash(r.Type), orDash(r.ID), orDash(r.Checksum.Hex()), standing(r))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n%s, %s, %d pending\n", count(len(s.Records), "record"), count(s.Orphans, "orphan"), s.Pending)
	for i := range s.Records {
		for _, p := range s.Records[i].Pending {
			fmt.Fprintf(&b, "pending: %s of %s, since serial %d%s\n", p.Op, s.Records[i].Key, p.Serial, tried(p))
		}
	}
	_, err := fmt.Fprint(c.Out, trimRight(b.String()))
	return err
}

// standing says what is remarkable about a record.
func standing(r *state.Record) string {
	var words []string
	if r.Orphaned {
		words = append(words, "no longer declared")
	}
	if r.Protected {
		words = append(words, "protected")
	}
	if r.Replaced != "" {
		words = append(words, "the old one is there still: "+r.Replaced)
	}
	for _, p := range r.Pending {
		words = append(words, p.Op+" pending")
	}
	return strings.Join(words, ", ")
}

// tried says how often pending work was tried, and how that ended.
func tried(p state.Pending) string {
	switch {
	case p.Error != "":
		return fmt.Sprintf(", tried %s: %s", count(p.Attempts, "time"), oneLine(p.Error))
	case p.Attempts > 0:
		return fmt.Sprintf(", tried %s, did not finish", count(p.Attempts, "time"))
	}
	return ""
}

// oneLine is a text without line ends, and without what else could move a terminal's
// cursor.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, unicode.IsControl), " ")
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// trimRight takes the blanks off the ends of lines, where a table has an empty
// last cell.
func trimRight(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
