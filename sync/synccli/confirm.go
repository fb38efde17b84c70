package synccli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

// Confirm asks whether the plan is meant, unless it is empty or --yes was given.
// Where nobody can be asked (In is no terminal, or the output is for programs)
// what deletes and replaces nothing goes ahead, and what does is an error.
//
// So the first command of a manual needs no flag, in a pipe neither; and what can't
// be brought back is never lost because a pipe happened not to be a terminal.
func (c *Call) Confirm(ctx context.Context, plan *sync.Plan) error {
	if c.Yes || plan.IsEmpty() {
		return nil
	}
	counts := plan.Counts()
	deletes, replaces := counts[diff.OpDelete], counts[diff.OpReplace]
	if !c.InTerminal || c.JSON {
		if loss := loss(deletes, replaces, "would be deleted", "would be replaced"); loss != "" {
			return fmt.Errorf("%s, and nobody is here to be asked: give --yes if that is meant", loss)
		}
		return nil
	}
	all := 0
	for _, n := range counts {
		all += n
	}
	question := fmt.Sprintf("Carry out %s", count(all, "change"))
	if loss := loss(deletes, replaces, "to be deleted", "to be replaced"); loss != "" {
		question += ", with " + loss
	}
	return c.Ask(ctx, question+"?")
}

// loss says how much is deleted and replaced; empty if nothing is.
func loss(deletes, replaces int, deleted, replaced string) string {
	var parts []string
	if deletes > 0 {
		parts = append(parts, count(deletes, "resource")+" "+deleted)
	}
	if replaces > 0 {
		parts = append(parts, count(replaces, "resource")+" "+replaced)
	}
	return strings.Join(parts, " and ")
}

// Ask asks a question and returns an error unless the answer is yes. It doesn't
// look at --yes, nor whether anybody is there.
func (c *Call) Ask(ctx context.Context, question string) error {
	fmt.Fprintf(c.Err, "%s [y/N] ", question)
	answered := make(chan string, 1)
	// Nothing can interrupt a read from a terminal: if ctx ends first, the read
	// stays behind until the process ends, which then is soon.
	go func() {
		line, _ := bufio.NewReader(c.In).ReadString('\n') // an error is no yes either
		answered <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.Err)
		return fmt.Errorf("%w: %w", errDeclined, context.Cause(ctx))
	case answer := <-answered:
		if answer == "y" || answer == "yes" {
			return nil
		}
		return errDeclined
	}
}
