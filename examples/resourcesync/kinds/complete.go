package kinds

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// Complete adds to a declaration what its schemas can't tell. The targets of
// procedures, alerters and permissions become references; a permission whose
// target is a pattern comes after all that it matches. There is a warning for each
// execution that is known and not carried out, and for each stack and deployment that
// comes after something and isn't deployed. What is said of a variable's value is
// said of the secret that it is. It may be called again.
//
// The resources are canonical, as loaded. The error is of manifest.Mistakes: a
// variable whose name can't stand in [[NAME]].
func Complete(desired *sync.Desired) error {
	c := completer{desired: desired}
	for i := range desired.Resources {
		if err := c.resource(&desired.Resources[i]); err != nil {
			return err
		}
	}
	slices.SortStableFunc(desired.Warnings, func(a, b sync.Warning) int { return a.Compare(b.Position) })
	return c.mistakes.Err()
}

type completer struct {
	desired  *sync.Desired
	mistakes manifest.Mistakes
}

func (c *completer) resource(r *state.Resource) error {
	switch r.Kind {
	case KindAlerter:
		return completeBy(r, c.alerter)
	case KindProcedure:
		return completeBy(r, c.procedure)
	case KindDeployment, KindStack:
		c.order(r)
	case KindUserGroup:
		return completeBy(r, c.userGroup)
	case KindVariable:
		return completeBy(r, c.variable)
	}
	return nil
}

func completeBy[T any](r *state.Resource, complete func(*state.Resource, T) error) error {
	config, err := Decode[T](r.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Key, err)
	}
	return complete(r, config)
}

func (c *completer) alerter(r *state.Resource, config Alerter) error {
	for i, target := range config.Resources {
		refer(r, diff.Index("resources", i)+".id", target)
	}
	for i, target := range config.ExceptResources {
		refer(r, diff.Index("except_resources", i)+".id", target)
	}
	return nil
}

func (c *completer) procedure(r *state.Resource, config Procedure) error {
	for i, stage := range config.Stages {
		for j, enabled := range stage.Executions {
			at := diff.Index(diff.Index("stages", i)+".executions", j) + ".execution"
			if !enabled.Execution.IsCarriedOut() {
				c.warn(r.Key, fmt.Sprintf("%s: %s: %s is not carried out: a run of the procedure fails there", r.Key, at, enabled.Execution.Type))
			}
			for param, key := range enabled.Execution.Targets() {
				addRef(r, at+".params."+param, key)
			}
		}
	}
	return nil
}

// order warns of a place in an order of deploys that is never taken.
func (c *completer) order(r *state.Resource) {
	if len(r.After) > 0 && !r.Deploy {
		c.warn(r.Key, fmt.Sprintf("%s: after is for what is deployed, and deploy = true is missing", r.Key))
	}
}

func (c *completer) userGroup(r *state.Resource, config UserGroup) error {
	for i, permission := range config.Permissions {
		target := permission.Target
		if !target.IsPattern() {
			refer(r, diff.Index("permissions", i)+".target.id", Target(target))
			continue
		}
		pattern, err := format.ParsePattern(target.ID)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Key, err)
		}
		for j := range c.desired.Resources {
			key := c.desired.Resources[j].Key
			if key.Kind == kindOf(target.Type) && pattern.Match(key.Name) && !slices.Contains(r.After, key) {
				r.After = append(r.After, key)
			}
		}
	}
	return nil
}

func (c *completer) variable(r *state.Resource, config Variable) error {
	if !regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`).MatchString(r.Name) {
		c.mistakes.Add(c.desired.Positions[r.Key], fmt.Sprintf("%q can't be the name of a variable", r.Name), "write letters, digits and _, no digit first")
	}
	if i := slices.Index(r.Unmanaged, "value"); i >= 0 && config.IsSecret {
		r.Unmanaged[i] = "secret" // where the value of a secret is
	}
	return nil
}

func (c *completer) warn(key state.Key, text string) {
	warning := sync.Warning{Position: c.desired.Positions[key], Text: text}
	if !slices.Contains(c.desired.Warnings, warning) {
		c.desired.Warnings = append(c.desired.Warnings, warning)
	}
}

// refer adds the reference of a target at a path.
func refer(r *state.Resource, path string, target Target) {
	if key, ok := target.Key(); ok {
		addRef(r, path, key)
	}
}

func addRef(r *state.Resource, path string, to state.Key) {
	if ref := (state.Ref{Path: path, To: to}); !slices.Contains(r.Refs, ref) {
		r.Refs = append(r.Refs, ref)
	}
}
