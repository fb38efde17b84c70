package kinds

import "github.com/trueup-go/trueup/examples/resourcesync/internal/format"

// Action is a script.
type Action struct {
	Meta
	RunAtStartup bool `json:"run_at_startup"`
	Scheduled
	Webhook
	ReloadDenoDeps  bool            `json:"reload_deno_deps"`
	FileContents    format.Contents `json:"file_contents"`
	ArgumentsFormat string          `json:"arguments_format" sync:"default=key_value,oneof=key_value|toml|yaml|json"`
	Arguments       format.Contents `json:"arguments"`
}
