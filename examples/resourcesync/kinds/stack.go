package kinds

import (
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

// Stack is what compose files describe.
type Stack struct {
	Meta
	Wish
	SwarmID  string      `json:"swarm_id" sync:"alias=swarm,ref=swarm"`
	ServerID string      `json:"server_id" sync:"alias=server,ref=server"`
	Links    format.List `json:"links" sync:"omitempty,nodeploy"`
	// ProjectName defaults to the stack's name.
	ProjectName            string      `json:"project_name"`
	AutoPull               bool        `json:"auto_pull" sync:"default=true,nodeploy"`
	RunBuild               bool        `json:"run_build" sync:"nodeploy"`
	PollForUpdates         bool        `json:"poll_for_updates" sync:"nodeploy"`
	AutoUpdate             bool        `json:"auto_update" sync:"nodeploy"`
	AutoUpdateAllServices  bool        `json:"auto_update_all_services" sync:"nodeploy"`
	AutoUpdateSkipServices format.List `json:"auto_update_skip_services" sync:"omitempty,nodeploy"`
	DestroyBeforeDeploy    bool        `json:"destroy_before_deploy" sync:"nodeploy"`
	SkipSecretInterp       bool        `json:"skip_secret_interp"`

	// The files are those of a Repo resource, of a git repository, on the machine
	// or, without any of these, FileContents.
	LinkedRepo string `json:"linked_repo" sync:"ref=repo"`
	Git
	ClonePath string `json:"clone_path" sync:"nodeploy"`
	Reclone   bool   `json:"reclone" sync:"nodeploy"`
	Webhook
	WebhookForceDeploy bool            `json:"webhook_force_deploy" sync:"nodeploy"`
	FilesOnHost        bool            `json:"files_on_host" sync:"nodeploy"`
	RunDirectory       string          `json:"run_directory"`
	FilePaths          format.List     `json:"file_paths" sync:"omitempty"` // none: compose.yaml
	FileContents       format.Contents `json:"file_contents"`

	EnvFilePath        string       `json:"env_file_path" sync:"default=.env"`
	AdditionalEnvFiles []EnvFile    `json:"additional_env_files" sync:"omitempty"`
	ConfigFiles        []ConfigFile `json:"config_files" sync:"omitempty"`
	Environment        format.Pairs `json:"environment"`

	SendAlerts               bool          `json:"send_alerts" sync:"default=true,nodeploy"`
	RegistryProvider         string        `json:"registry_provider"`
	RegistryAccount          string        `json:"registry_account"`
	PreDeploy                SystemCommand `json:"pre_deploy"`
	PostDeploy               SystemCommand `json:"post_deploy"`
	ExtraArgs                format.List   `json:"extra_args" sync:"omitempty"`
	BuildExtraArgs           format.List   `json:"build_extra_args" sync:"omitempty"`
	ComposeCmdWrapper        string        `json:"compose_cmd_wrapper"`
	ComposeCmdWrapperInclude format.List   `json:"compose_cmd_wrapper_include" sync:"omitempty,nodeploy"`
	IgnoreServices           format.List   `json:"ignore_services" sync:"omitempty,nodeploy"`
}

// EnvFile is a file of variables beside the one at Stack.EnvFilePath, also declared
// by its path alone.
type EnvFile struct {
	Path string `json:"path" sync:"required"`
	// Track says that another content is a change.
	Track bool `json:"track" sync:"default=true"`
}

// ParseDeclared implements sync.Parser.
func (EnvFile) ParseDeclared(value any) (any, error) { return byPath(value), nil }

// DeclaredForms implements sync.Former.
func (EnvFile) DeclaredForms() []diff.Value { return []diff.Value{{Type: diff.Text}} }

// ConfigFile is a file that services of a stack read, also declared by its path
// alone.
type ConfigFile struct {
	Path     string      `json:"path" sync:"required"`
	Services format.List `json:"services" sync:"alias=service,omitempty"` // none: all
	// Requires is what has to be done when the file changes.
	Requires Requires `json:"requires" sync:"alias=req,default=None,oneof=Redeploy|Restart|None"`
}

// ParseDeclared implements sync.Parser.
func (ConfigFile) ParseDeclared(value any) (any, error) { return byPath(value), nil }

// DeclaredForms implements sync.Former.
func (ConfigFile) DeclaredForms() []diff.Value { return []diff.Value{{Type: diff.Text}} }

// byPath makes a table of a path.
func byPath(value any) any {
	if path, ok := value.(string); ok {
		return map[string]any{"path": path}
	}
	return value
}

// Requires is what a ConfigFile requires, also declared in lower case.
type Requires string

// ParseDeclared implements sync.Parser.
func (Requires) ParseDeclared(value any) (any, error) {
	switch value {
	case "redeploy":
		return "Redeploy", nil
	case "restart":
		return "Restart", nil
	case "none":
		return "None", nil
	}
	return value, nil
}

// DeclaredForms implements sync.Former.
func (Requires) DeclaredForms() []diff.Value {
	return []diff.Value{{Type: diff.Text, OneOf: []string{"redeploy", "restart", "none"}}}
}
