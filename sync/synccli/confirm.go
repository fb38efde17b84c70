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
// what deletes nothing goes ahead, and what deletes is an error.
//
// So the first command of a manual needs no flag, in a pipe neither; and what can't
// be brought back is never lost because a pipe happened not to be a terminal.
func (c *Call) Confirm(ctx context.Context, plan *sync.Plan) error {
	if c.Yes || plan.IsEmpty() {
		return nil
	}
	deletes := plan.Counts()[diff.OpDelete]
	if !c.InTerminal || c.JSON {
		if deletes > 0 {
			return fmt.Errorf("%s would be deleted, and nobody is here to be asked: give --yes if that is meant", count(deletes, "resource"))
		}
		return nil
	}
	question := fmt.Sprintf("Carry out %s?", count(len(plan.Changes), "change"))
	if deletes > 0 {
		question = fmt.Sprintf("Carry out %s, which deletes %s?", count(len(plan.Changes), "change"), count(deletes, "resource"))
	}
	return c.Ask(ctx, question)
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

// count returns "1 thing" or "2 things".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
