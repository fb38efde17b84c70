package kinds

import (
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/state"
)

// Target names a resource of any kind.
type Target struct {
	Type string `json:"type" sync:"required,oneof=System|Action|Alerter|Build|Builder|Deployment|Procedure|Repo|ResourceSync|Server|Stack|Swarm"`
	ID   string `json:"id" sync:"required"` // its name
}

// Key returns the target's key; false for the system, which is no resource.
func (t Target) Key() (state.Key, bool) {
	kind := kindOf(t.Type)
	return state.Key{Kind: kind, Name: t.ID}, kind != ""
}

// PatternTarget names resources of a kind: one by its name, or more by a pattern.
type PatternTarget struct {
	Type string `json:"type" sync:"required,oneof=System|Action|Alerter|Build|Builder|Deployment|Procedure|Repo|ResourceSync|Server|Stack|Swarm"`
	ID   string `json:"id" sync:"required"` // see format.ParsePattern
}

// IsPattern tells whether the target is named by a pattern.
func (t PatternTarget) IsPattern() bool { return strings.ContainsAny(t.ID, `*?\`) }

// ParseDeclared implements sync.Parser: it checks the pattern.
func (PatternTarget) ParseDeclared(value any) (any, error) {
	table, _ := value.(map[string]any)
	if id, ok := table["id"].(string); ok {
		if _, err := format.ParsePattern(id); err != nil {
			return nil, diff.FieldError{Path: "id", Problem: err.Error()}
		}
	}
	return value, nil
}

// DeclaredForms implements sync.Former: there are no others.
func (PatternTarget) DeclaredForms() []diff.Value { return nil }

// kindOf returns the kind with one of the names that targets have for it:
// "ResourceSync"; empty for anything else.
func kindOf(target string) string {
	switch target {
	case "ResourceSync":
		return KindResourceSync
	case "Action", "Alerter", "Build", "Builder", "Deployment", "Procedure", "Repo", "Server", "Stack", "Swarm":
		return strings.ToLower(target)
	}
	return ""
}
