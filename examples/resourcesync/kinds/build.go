package kinds

import (
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

// Build makes an image of a Dockerfile.
type Build struct {
	Meta
	BuilderID            string         `json:"builder_id" sync:"alias=builder,ref=builder"`
	Version              format.Version `json:"version" sync:"default=0.0.0"`
	AutoIncrementVersion bool           `json:"auto_increment_version" sync:"default=true"`
	// ImageName defaults to the build's name.
	ImageName          string      `json:"image_name"`
	ImageTag           string      `json:"image_tag"`
	IncludeLatestTag   bool        `json:"include_latest_tag" sync:"default=true"`
	IncludeVersionTags bool        `json:"include_version_tags" sync:"default=true"`
	IncludeCommitTag   bool        `json:"include_commit_tag" sync:"default=true"`
	Links              format.List `json:"links" sync:"omitempty,nodeploy"`
	LinkedRepo         string      `json:"linked_repo" sync:"ref=repo"`
	Git
	Webhook
	FilesOnHost      bool          `json:"files_on_host"`
	BuildPath        string        `json:"build_path" sync:"default=."`
	DockerfilePath   string        `json:"dockerfile_path" sync:"default=Dockerfile"`
	ImageRegistry    Registries    `json:"image_registry" sync:"omitempty"`
	SkipSecretInterp bool          `json:"skip_secret_interp"`
	UseBuildx        bool          `json:"use_buildx"`
	ExtraArgs        format.List   `json:"extra_args" sync:"omitempty"`
	PreBuild         SystemCommand `json:"pre_build"`
	Dockerfile       string        `json:"dockerfile"`
	BuildArgs        format.Pairs  `json:"build_args"`
	SecretArgs       format.Pairs  `json:"secret_args" sync:"sensitive"`
	Labels           format.Pairs  `json:"labels"`
}

// Registries are where an image is pushed to; a single one is also declared
// without the list.
type Registries []Registry

// Registry is where an image is pushed to. Formerly it was {type, params},
// which is deprecated.
type Registry struct {
	Domain       string `json:"domain" sync:"deprecated=params.domain"`
	Account      string `json:"account" sync:"deprecated=params.account"`
	Organization string `json:"organization" sync:"deprecated=params.organization"`
}

// ParseDeclared implements sync.Parser.
func (Registries) ParseDeclared(value any) (any, error) {
	table, ok := value.(map[string]any)
	if !ok {
		return value, nil
	}
	if table["type"] == "None" {
		return []any{}, nil
	}
	return []any{table}, nil
}

// DeclaredForms implements sync.Former.
func (Registries) DeclaredForms() []diff.Value { return oldRegistry() }

// ParseDeclared implements sync.Parser: it takes what is in params out of it, under
// the name params.domain, which the Schema knows and warns of.
func (Registry) ParseDeclared(value any) (any, error) {
	table, _ := value.(map[string]any)
	kind, old := table["type"]
	if !old {
		return value, nil
	}
	params, isTable := table["params"].(map[string]any)
	if kind != "Standard" || !isTable {
		return nil, diff.FieldError{Path: "type", Problem: "want no type", Hint: "a registry is {domain, account, organization}"}
	}
	flat := map[string]any{}
	for name, param := range params {
		flat["params."+name] = param
	}
	for name, member := range table {
		if name != "type" && name != "params" {
			flat[name] = member
		}
	}
	return flat, nil
}

// DeclaredForms implements sync.Former.
func (Registry) DeclaredForms() []diff.Value { return oldRegistry() }

func oldRegistry() []diff.Value {
	return []diff.Value{{Type: diff.Map, Elem: &diff.Value{Type: diff.Any}}}
}
