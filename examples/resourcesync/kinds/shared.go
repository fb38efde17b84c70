package kinds

import (
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

// Meta are fields that stand beside the name of a resource.
type Meta struct {
	// Template says that it is there to be copied.
	Template bool `json:"template" sync:"nodeploy"`
}

// Wish is a field that stands beside the name of what runs.
type Wish struct {
	// State is what it should be doing. Empty: whatever it does, but for deploys.
	State string `json:"state" sync:"oneof=running|stopped"`
}

// Git says where files come from: a host, and a repository in it.
type Git struct {
	GitProvider string `json:"git_provider" sync:"default=github.com"`
	GitHTTPS    bool   `json:"git_https" sync:"default=true,nodeploy"`
	GitAccount  string `json:"git_account"`
	Repo        string `json:"repo"` // "owner/name"
	Branch      string `json:"branch" sync:"default=main"`
	Commit      string `json:"commit"` // empty: the branch's latest
}

// Webhook says who may start something from outside.
type Webhook struct {
	WebhookEnabled bool   `json:"webhook_enabled" sync:"default=true,nodeploy"`
	WebhookSecret  string `json:"webhook_secret" sync:"sensitive,nodeploy"`
}

// Scheduled says when something starts by itself.
type Scheduled struct {
	ScheduleFormat   string `json:"schedule_format" sync:"default=English,oneof=English|Cron"`
	Schedule         string `json:"schedule"` // empty: never
	ScheduleEnabled  bool   `json:"schedule_enabled" sync:"default=true"`
	ScheduleTimezone string `json:"schedule_timezone"`
	ScheduleAlert    bool   `json:"schedule_alert" sync:"default=true"`
	FailureAlert     bool   `json:"failure_alert" sync:"default=true"`
}

// SystemCommand is run on a machine, in a directory.
type SystemCommand struct {
	Path    string          `json:"path"`
	Command format.Contents `json:"command"`
	// ShellMode runs Command as one script; else format.Command makes a command of it.
	ShellMode bool `json:"shell_mode"`
}
