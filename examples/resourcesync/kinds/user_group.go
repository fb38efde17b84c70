package kinds

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

// UserGroup is users and what they may do.
type UserGroup struct {
	Everyone bool        `json:"everyone"`
	Users    format.List `json:"users" sync:"omitempty"`
	// All is what they may do with every resource of a kind: of "Server", "Stack".
	All Permissions `json:"all" sync:"omitempty"`
	// Permissions are what they may do with some resources, beside that.
	Permissions []TargetPermission `json:"permissions" sync:"alias=permission,omitempty"`
}

// Permission is what may be done, also declared by its level alone.
type Permission struct {
	Level    format.Level `json:"level" sync:"default=None,oneof=None|Read|Execute|Write"`
	Specific Specific     `json:"specific" sync:"omitempty,oneof=Attach|Inspect|Logs|Processes|Terminal"`
}

// TargetPermission is a Permission on what a target names.
type TargetPermission struct {
	Target PatternTarget `json:"target" sync:"required"`
	Permission
}

// ParseDeclared implements sync.Parser: unlike a Permission, it is always a table.
func (TargetPermission) ParseDeclared(value any) (any, error) { return value, nil }

// DeclaredForms implements sync.Former: there are no others.
func (TargetPermission) DeclaredForms() []diff.Value { return nil }

// ParseDeclared implements sync.Parser.
func (Permission) ParseDeclared(value any) (any, error) {
	if level, ok := value.(string); ok {
		return map[string]any{"level": level}, nil
	}
	return value, nil
}

// DeclaredForms implements sync.Former.
func (Permission) DeclaredForms() []diff.Value {
	return []diff.Value{{Type: diff.Text, OneOf: format.Levels()}}
}

// Specific are permissions that no level includes: a set.
type Specific []string

// ParseDeclared implements sync.Parser: it brings the set in order.
func (Specific) ParseDeclared(value any) (any, error) {
	list, _ := value.([]any)
	names := make([]string, 0, len(list))
	for _, element := range list {
		name, ok := element.(string)
		if !ok {
			return value, nil
		}
		names = append(names, name)
	}
	if sorted, err := format.ParseSpecific(names); err == nil && list != nil {
		return sorted, nil
	}
	return value, nil
}

// DeclaredForms implements sync.Former: there are no others.
func (Specific) DeclaredForms() []diff.Value { return nil }

// Permissions are those on all resources of a kind, by the name that targets have
// for it.
type Permissions map[string]Permission

// ParseDeclared implements sync.Parser: it checks the kinds, and leaves out those
// with no permission, which mean nothing.
func (Permissions) ParseDeclared(value any) (any, error) {
	table, ok := value.(map[string]any)
	if !ok {
		return value, nil
	}
	var errs []error
	some := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if kindOf(name) == "" {
			errs = append(errs, unknownTarget(name))
		}
		if table[name] != "None" {
			some[name] = table[name]
		}
	}
	return some, errors.Join(errs...)
}

// DeclaredForms implements sync.Former: there are no others.
func (Permissions) DeclaredForms() []diff.Value { return nil }

func unknownTarget(name string) error {
	known := []string{"Action", "Alerter", "Build", "Builder", "Deployment", "Procedure", "Repo", "ResourceSync", "Server", "Stack", "Swarm"}
	mistake := diff.FieldError{Path: diff.Member("", name), Problem: "is no kind; want one of " + strings.Join(known, ", ")}
	if near := diff.Nearest(name, known); near != "" {
		mistake.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return mistake
}
