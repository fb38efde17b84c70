package synccli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trueup-go/trueup/sync"
)

// unlock ends the lease of who holds it.
func unlock(ctx context.Context, call *Call) error {
	engine, err := call.Engine(ctx)
	if err != nil {
		return err
	}
	holder, err := engine.Holder(ctx)
	switch {
	case err != nil:
		return err
	case holder == nil:
		return call.showUnlock(nil)
	}
	if err := call.confirmUnlock(ctx, holder); err != nil {
		return err
	}
	if err := engine.Unlock(ctx, holder); err != nil {
		return err
	}
	return call.showUnlock(holder)
}

// confirmUnlock shows who holds the lease and asks whether that is to end.
func (c *Call) confirmUnlock(ctx context.Context, holder *sync.LockedError) error {
	if !c.JSON {
		fmt.Fprintf(c.Out, "%s is locked by %s since %s.\n", holder.Scope, holder.Owner, holder.Since.UTC().Format(time.RFC3339))
		fmt.Fprintln(c.Out, "If the lock ends, that one can record nothing more, but what it has begun may go on.")
	}
	switch {
	case c.Yes:
		return nil
	case !c.InTerminal || c.JSON:
		return errors.New("nobody is here to be asked: give --yes if the lock is to end")
	}
	return c.Ask(ctx, "End the lock?")
}

// showUnlock tells whose lease has ended; nil if nobody held it.
func (c *Call) showUnlock(holder *sync.LockedError) error {
	if c.JSON {
		type holderJSON struct {
			Owner string    `json:"owner"`
			Since time.Time `json:"since"`
		}
		answer := struct {
			Scope    string      `json:"scope"`
			Unlocked bool        `json:"unlocked"`
			Holder   *holderJSON `json:"holder"`
		}{Scope: c.Scope.String(), Unlocked: holder != nil}
		if holder != nil {
			answer.Holder = &holderJSON{holder.Owner, holder.Since.UTC()}
		}
		return c.writeJSON(answer)
	}
	if holder == nil {
		fmt.Fprintf(c.Out, "%s is not locked.\n", c.Scope)
		return nil
	}
	fmt.Fprintf(c.Out, "%s is unlocked; \"%s\" shows what was recorded.\n", c.Scope, c.line("state"))
	return nil
}
