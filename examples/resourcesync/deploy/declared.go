package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/manifest"
)

// declared is what is declared, for looking up. It doesn't change.
type declared struct {
	scope         state.Scope
	resources     map[state.Key]*state.Resource
	references    []manifest.Reference
	vars, secrets map[string]string
}

func newDeclared(scope state.Scope, declaration *manifest.Declaration, opts *Options) (*declared, error) {
	k := &declared{
		scope:      scope,
		resources:  map[state.Key]*state.Resource{},
		references: declaration.References,
		vars:       map[string]string{},
		secrets:    map[string]string{},
	}
	maps.Copy(k.vars, opts.Vars)
	maps.Copy(k.secrets, opts.Secrets)
	for i := range declaration.Desired.Resources {
		r := &declaration.Desired.Resources[i]
		k.resources[r.Key] = r
		if r.Kind == kinds.KindVariable {
			if err := k.variable(r); err != nil {
				return nil, fmt.Errorf("%s: %w", r.Key, err)
			}
		}
	}
	return k, nil
}

// variable takes the value of a declared variable. One whose value is somebody else's
// has that of the options; a value that is declared for its creation is the last
// resort.
func (k *declared) variable(r *state.Resource) error {
	v, err := kinds.Decode[kinds.Variable](r.Config)
	if err != nil {
		return err
	}
	values, value := k.vars, v.Value
	if v.IsSecret {
		values, value = k.secrets, v.Secret
	}
	if slices.Contains(r.Unmanaged, "value") || slices.Contains(r.Unmanaged, "secret") {
		_, isVar := k.vars[r.Name]
		if _, isSecret := k.secrets[r.Name]; isVar || isSecret || value == "" {
			return nil
		}
	}
	values[r.Name] = value
	return nil
}

// get returns a declared resource's config.
func get[T any](k *declared, kind, name string) (T, error) {
	key := state.Key{Kind: kind, Name: name}
	r, ok := k.resources[key]
	if !ok {
		var none T
		return none, fmt.Errorf("%s is not declared", key)
	}
	config, err := kinds.Decode[T](r.Config)
	if err != nil {
		return config, fmt.Errorf("%s: %w", key, err)
	}
	return config, nil
}

// names are the names that a config has for what it refers to. The Config that a
// Deployer is given has their IDs.
type names struct {
	Server string `json:"server_id"`
	Swarm  string `json:"swarm_id"`
	Build  string `json:"-"`

	Builder    string `json:"builder_id"`
	LinkedRepo string `json:"linked_repo"`
	Image      struct {
		Params struct {
			Build string `json:"build_id"`
		} `json:"params"`
	} `json:"image"`
}

func namesOf(r *state.Resource) (names, error) {
	var n names
	if len(r.Config) > 0 {
		if err := json.Unmarshal(r.Config, &n); err != nil {
			return n, fmt.Errorf("%s: %w", r.Key, err)
		}
	}
	n.Build = n.Image.Params.Build
	return n, nil
}
