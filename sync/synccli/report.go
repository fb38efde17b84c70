package synccli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/trueup-go/trueup/sync"
)

// report shows how a command failed: each mistake on a line of its own, those in
// files with their place first, as editors read it.
func (p *Program) report(call *Call, err error) {
	var exit *ExitError
	if errors.As(err, &exit) {
		if exit.Err == nil {
			return
		}
		err = exit.Err
	}
	if call.JSON {
		answer := struct {
			Errors []string `json:"errors"`
		}{texts(err)}
		if err := call.writeJSON(answer); err != nil {
			call.ShowErrors(err)
		}
	}
	var usage *UsageError
	if errors.As(err, &usage) {
		p.reportUsage(call, usage)
		return
	}
	call.ShowErrors(err)
}

func (p *Program) reportUsage(call *Call, e *UsageError) {
	fmt.Fprintf(call.Err, "%s: %s\n\n", p.host.Name, e.Error())
	if e.command == nil {
		if err := p.usage(call.Err); err != nil {
			fmt.Fprintln(call.Err, err)
		}
		return
	}
	fmt.Fprintf(call.Err, "Usage: %s\n\"%s %s --help\" shows its flags.\n", p.synopsis(e.command), p.host.Name, e.command.Name)
}

// ShowErrors shows an error, or every one that it holds, as the end of a command does:
// for one that has more to say after that. It then returns an ExitError without Err.
func (c *Call) ShowErrors(err error) {
	all := texts(err)
	for _, line := range all {
		if len(all) == 1 && !placed(line) {
			line = c.host.Name + ": " + line
		}
		fmt.Fprintln(c.Err, line)
	}
	var wrong *mistakes
	if errors.As(err, &wrong) && len(all) > 1 {
		fmt.Fprintf(c.Err, "%s: %s, nothing was done\n", c.host.Name, count(len(all), "mistake"))
	}
	for _, hint := range c.hints(err) {
		fmt.Fprintln(c.Err, hint)
	}
}

// placed tells whether a line begins with a place in a file.
func placed(line string) bool {
	at := strings.Index(line, ": ")
	if at < 0 {
		return false
	}
	parts := strings.Split(line[:at], ":")
	if len(parts) < 3 {
		return false
	}
	for _, part := range parts[len(parts)-2:] {
		if _, err := strconv.Atoi(part); err != nil {
			return false
		}
	}
	return true
}

// texts returns the text of each error that err holds. Which of this module's
// error types it is, the reader needn't know: the place or the resource comes
// first, then what is wrong.
func texts(err error) []string {
	if many := parts(err); many != nil {
		var all []string
		for _, part := range many {
			all = append(all, texts(part)...)
		}
		return all
	}
	switch e := err.(type) { //nolint:errorlint // what wraps one of these has something to say itself
	case sync.SyncErr:
		var all []string
		for _, part := range parts(e.Err) {
			all = append(all, e.Resource+": "+part.Error())
		}
		if all != nil {
			return all
		}
		return []string{e.Resource + ": " + e.Description}
	case *sync.StaleError:
		return []string{"the plan is stale, and nothing was touched:\n  " + strings.Join(e.Moved, "\n  ")}
	case sync.SyncAPIErr:
		return []string{fmt.Sprintf("%s: %v", e.Resource, e.Err)}
	case sync.SyncInternalErr:
		// That it is unsupported is what the description says in better words.
		if e.Err == nil || e.Err.Error() == errors.ErrUnsupported.Error() {
			return []string{e.Description}
		}
		return []string{fmt.Sprintf("%s: %v", e.Description, e.Err)}
	}
	return []string{err.Error()}
}

// parts returns the errors that an error is a list of, or nil.
func parts(err error) []error {
	switch list := err.(type) { //nolint:errorlint // what wraps a list has something to say itself
	case interface{ WrappedErrors() []error }:
		return list.WrappedErrors()
	case interface{ Unwrap() []error }:
		// fmt.Errorf with two %w has this method too, but a sentence of its own.
		if errors.Join(list.Unwrap()...).Error() == err.Error() {
			return list.Unwrap()
		}
	}
	return nil
}

// writeJSON writes one line of JSON.
func (c *Call) writeJSON(value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = c.Out.Write(append(raw, '\n'))
	return err
}
