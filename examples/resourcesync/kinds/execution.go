package kinds

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Execution is something to do: of a type, with the parameters that it has.
type Execution struct {
	Type string `json:"type" sync:"required"`
	// Params are as declared; DecodeParams makes a struct of them.
	Params map[string]json.RawMessage `json:"params" sync:"omitempty"`
	// Data is the parameter of that name, which is a secret: of CreateSwarmSecret
	// and RotateSwarmSecret.
	Data string `json:"data" sync:"sensitive"`
}

// IsCarriedOut tells whether executions of the type are carried out. The
// original's others are kept, and running one is an error.
func (e Execution) IsCarriedOut() bool {
	_, ok := carriedOut(e.Type)
	return ok
}

// Targets returns what the execution names, by the parameters that name it.
// Patterns name nothing: they are matched when it runs.
func (e Execution) Targets() map[string]state.Key {
	targets := map[string]state.Key{}
	for _, param := range [...]struct{ name, kind string }{
		{"action", KindAction},
		{"alerter", KindAlerter},
		{"build", KindBuild},
		{"deployment", KindDeployment},
		{"procedure", KindProcedure},
		{"repo", KindRepo},
		{"server", KindServer},
		{"stack", KindStack},
		{"swarm", KindSwarm},
		{"sync", KindResourceSync},
	} {
		var name string
		if err := json.Unmarshal(e.Params[param.name], &name); err == nil && name != "" {
			targets[param.name] = state.Key{Kind: param.kind, Name: name}
		}
	}
	return targets
}

// ParseDeclared implements sync.Parser: it checks the type, and the parameters of
// what is carried out.
func (Execution) ParseDeclared(value any) (any, error) {
	table, _ := value.(map[string]any)
	name, isText := table["type"].(string)
	if !isText {
		return value, nil
	}
	params, isTable := table["params"].(map[string]any)
	kind, ok := carriedOut(name)
	switch {
	case !ok && !slices.Contains(notCarriedOut(), name):
		return nil, unknownExecution(name)
	case table["params"] == nil:
		params = map[string]any{}
	case !isTable:
		return value, nil
	}
	if ok {
		checked, err := checkParams(&kind, params)
		table["params"] = checked
		return table, err
	}
	if secret, ok := params["data"]; ok && (name == "CreateSwarmSecret" || name == "RotateSwarmSecret") {
		delete(params, "data")
		table["data"] = secret
	}
	return table, nil
}

// DeclaredForms implements sync.Former: there are no others.
func (Execution) DeclaredForms() []diff.Value { return nil }

func unknownExecution(name string) error {
	mistake := diff.FieldError{Path: "type", Problem: fmt.Sprintf("there is no execution %q", name)}
	if near := diff.Nearest(name, slices.Concat(carriedOutNames(), notCarriedOut())); near != "" {
		mistake.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return mistake
}

// checkParams returns the parameters in their canonical form.
func checkParams(kind *sync.Kind, params map[string]any) (json.RawMessage, error) {
	raw, err := state.AppendCanonical(nil, params)
	if err != nil {
		return nil, fmt.Errorf("params: %w", err)
	}
	canonical, mistakes, _ := kind.Canonical(raw, false)
	var errs []error
	for _, mistake := range mistakes {
		mistake.Path = "params." + mistake.Path
		errs = append(errs, mistake)
	}
	if pattern, ok := params["pattern"].(string); ok && kind.Schema.Field("pattern") != nil {
		if _, err := format.ParsePatterns(pattern); err != nil {
			errs = append(errs, diff.FieldError{Path: "params.pattern", Problem: err.Error()})
		}
	}
	return canonical, errors.Join(errs...)
}
