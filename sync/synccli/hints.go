package synccli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// hints says what can be done about an error: which flag or which command helps,
// as it is typed for this scope. A program without the standard commands has none.
func (c *Call) hints(err error) []string {
	if len(c.host.Backends) == 0 {
		return nil
	}
	var hints []string
	add := func(format string, args ...any) { hints = append(hints, fmt.Sprintf(format, args...)) }
	var limit *sync.PruneLimitError
	if errors.As(err, &limit) {
		add("If that is meant, give --prune-limit %d.", limit.Deletes)
	}
	if errors.Is(err, sync.ErrEmptyDeclaration) {
		add("If that is meant, give --allow-empty.")
	}
	if errors.Is(err, sync.ErrLocked) {
		add("--wait waits for it; \"%s\" ends it.", c.line("unlock"))
	}
	if errors.Is(err, sync.ErrStale) && c.planFile != "" {
		add("\"%s\" makes it anew.", c.line("plan", "--plan-file", quote(c.planFile)))
	}
	if errors.Is(err, sync.ErrNoState) {
		add("\"%s\" lists the States that are kept.", c.line("history"))
	}
	if errors.Is(err, sync.ErrSecretUnavailable) {
		add("Sensitive values come from the declaration: give them the values there that they had then.")
	}
	if errors.Is(err, sync.ErrUnhealthy) {
		add("What is not deployed stays to be: the next sync tries again.")
	}
	if c.atomic && errors.Is(err, errors.ErrUnsupported) {
		add("Leave out --atomic.")
	}
	if key := c.which(err, uncertain); key != "" {
		add("If it exists: \"%s\". If not: \"%s\".", c.line("adopt", key, "ID"), c.line("forget", key))
	}
	if key := c.which(err, c.existing); key != "" {
		args := []string{key}
		if len(c.Paths) > 0 {
			args = append(args, noID)
		}
		add("\"%s\" takes it over.", c.line("adopt", args...))
	}
	return hints
}

// which returns what to write for the resource that errors are about, as of tells:
// KIND/NAME if they are about several, nothing if about none.
func (c *Call) which(err error, of func(error) string) string {
	key := ""
	for _, one := range leaves(err) {
		switch found := of(one); {
		case found == "" || found == key:
		case key != "":
			return "KIND/NAME"
		default:
			key = found
		}
	}
	if key == "" {
		return ""
	}
	return quote(key)
}

// leaves returns the errors that err holds, or err.
func leaves(err error) []error {
	many := parts(err)
	if many == nil {
		return []error{err}
	}
	var all []error
	for _, part := range many {
		all = append(all, leaves(part)...)
	}
	return all
}

// uncertain returns the resource of which nobody knows whether it exists.
func uncertain(err error) string {
	var e *sync.UncertainError
	if !errors.As(err, &e) {
		return ""
	}
	return e.Key.String()
}

// existing returns the resource that exists unrecorded, unless this was to adopt
// it. A SyncErr has its key after its place.
func (c *Call) existing(err error) string {
	var e sync.SyncErr
	if !errors.As(err, &e) || !errors.Is(err, sync.ErrExists) {
		return ""
	}
	name := e.Resource
	if place := strings.LastIndex(name, ": "); place >= 0 {
		name = name[place+len(": "):]
	}
	key, _ := state.ParseKey(name)
	if _, tried := c.Options.Adopt[key]; tried {
		return ""
	}
	return name
}
