package kinds

import (
	"github.com/trueup-go/trueup/diff"
)

// Alerter sends alerts somewhere.
type Alerter struct {
	Meta
	Enabled  bool     `json:"enabled"`
	Endpoint Endpoint `json:"endpoint"`
	// AlertTypes are those that are sent. None means all.
	AlertTypes []string `json:"alert_types" sync:"omitempty,oneof=None|Test|SwarmUnhealthy|ServerUnreachable|ServerCpu|ServerMem|ServerDisk|ServerVersionMismatch|ContainerStateChange|DeploymentImageUpdateAvailable|DeploymentAutoUpdated|StackStateChange|StackImageUpdateAvailable|StackAutoUpdated|AwsBuilderTerminationFailed|ResourceSyncPendingUpdates|BuildFailed|RepoBuildFailed|ProcedureFailed|ActionFailed|ScheduleRun|Custom"`
	// Resources are those whose alerts are sent. None means all.
	Resources          []Target            `json:"resources" sync:"omitempty"`
	ExceptResources    []Target            `json:"except_resources" sync:"omitempty"`
	MaintenanceWindows []MaintenanceWindow `json:"maintenance_windows" sync:"omitempty"`
}

// Endpoint is where alerts go. Absent, it is Custom.
type Endpoint struct {
	Type   string         `json:"type" sync:"required,oneof=Custom|Slack|Discord|Ntfy|Pushover"`
	Params EndpointParams `json:"params"`
}

// EndpointParams has the parameters of all types.
type EndpointParams struct {
	// URL is sensitive: whoever has it can write to the channel. Empty means
	// http://localhost:7000 for Custom, and http://localhost:8080/komodo for Ntfy.
	URL   string `json:"url" sync:"sensitive"`
	Email string `json:"email"` // of Ntfy
}

// ParseDeclared implements sync.Parser: it checks which parameters the type has.
func (Endpoint) ParseDeclared(value any) (any, error) {
	return value, checkVariant(value, map[string][]string{
		"Custom": {"url"}, "Slack": {"url"}, "Discord": {"url"}, "Ntfy": {"url", "email"}, "Pushover": {"url"},
	})
}

// DeclaredForms implements sync.Former: there are no others.
func (Endpoint) DeclaredForms() []diff.Value { return nil }
