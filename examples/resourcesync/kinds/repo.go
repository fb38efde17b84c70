package kinds

import "github.com/trueup-go/trueup/examples/resourcesync/internal/format"

// Repo is a git repository that is cloned on a machine.
type Repo struct {
	Meta
	ServerID  string `json:"server_id" sync:"alias=server,ref=server"`
	BuilderID string `json:"builder_id" sync:"alias=builder,ref=builder"`
	Git
	Path string `json:"path"` // of the clone
	Webhook
	OnClone          SystemCommand `json:"on_clone"`
	OnPull           SystemCommand `json:"on_pull"`
	Links            format.List   `json:"links" sync:"omitempty"`
	Environment      format.Pairs  `json:"environment"`
	EnvFilePath      string        `json:"env_file_path" sync:"default=.env"`
	SkipSecretInterp bool          `json:"skip_secret_interp"`
}

// ResourceSync syncs what files of a git repository declare.
type ResourceSync struct {
	Meta
	LinkedRepo string `json:"linked_repo" sync:"ref=repo"`
	Git
	Webhook
	FilesOnHost       bool            `json:"files_on_host"`
	ResourcePath      format.List     `json:"resource_path" sync:"omitempty"`
	Managed           bool            `json:"managed"`
	Delete            bool            `json:"delete"`
	IncludeResources  bool            `json:"include_resources" sync:"default=true"`
	MatchTags         format.List     `json:"match_tags" sync:"omitempty"` // all of them
	IncludeVariables  bool            `json:"include_variables"`
	IncludeUserGroups bool            `json:"include_user_groups"`
	PendingAlert      bool            `json:"pending_alert" sync:"default=true"`
	FileContents      format.Contents `json:"file_contents"`
}
