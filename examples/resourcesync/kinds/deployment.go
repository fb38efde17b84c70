package kinds

import (
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

// Deployment is a container.
type Deployment struct {
	Meta
	Wish
	SwarmID  string `json:"swarm_id" sync:"alias=swarm,ref=swarm"`
	ServerID string `json:"server_id" sync:"alias=server,ref=server"`
	// CustomName is that of the container. Defaults to the deployment's.
	CustomName           string       `json:"custom_name"`
	Image                Image        `json:"image"`
	ImageRegistryAccount string       `json:"image_registry_account"`
	SkipSecretInterp     bool         `json:"skip_secret_interp"`
	RedeployOnBuild      bool         `json:"redeploy_on_build" sync:"nodeploy"`
	PollForUpdates       bool         `json:"poll_for_updates" sync:"nodeploy"`
	AutoUpdate           bool         `json:"auto_update" sync:"nodeploy"`
	SendAlerts           bool         `json:"send_alerts" sync:"default=true,nodeploy"`
	Links                format.List  `json:"links" sync:"omitempty,nodeploy"`
	Network              string       `json:"network" sync:"default=host"`
	Restart              string       `json:"restart" sync:"default=no,oneof=no|on-failure|always|unless-stopped"`
	Command              string       `json:"command"`
	Replicas             int          `json:"replicas" sync:"default=1"`
	TerminationSignal    Signal       `json:"termination_signal" sync:"default=SIGTERM,oneof=SIGHUP|SIGINT|SIGQUIT|SIGTERM"`
	TerminationTimeout   int          `json:"termination_timeout" sync:"default=10"` // in seconds
	ExtraArgs            format.List  `json:"extra_args" sync:"omitempty"`
	TermSignalLabels     format.Pairs `json:"term_signal_labels" sync:"nodeploy"`
	Ports                format.Pairs `json:"ports"`   // of the host, of the container
	Volumes              format.Pairs `json:"volumes"` // of the host, in the container
	Environment          format.Pairs `json:"environment"`
	Labels               format.Pairs `json:"labels"`
}

// Image is what a Deployment runs: one by name, or what a Build makes.
type Image struct {
	Type   string      `json:"type" sync:"required,oneof=Image|Build"`
	Params ImageParams `json:"params"`
}

// ImageParams has the parameters of both types.
type ImageParams struct {
	Image   string         `json:"image"`                                 // of Image
	BuildID string         `json:"build_id" sync:"alias=build,ref=build"` // of Build
	Version format.Version `json:"version" sync:"default=0.0.0"`          // of Build
}

// ParseDeclared implements sync.Parser: it checks which parameters the type has.
func (Image) ParseDeclared(value any) (any, error) {
	return value, checkVariant(value, map[string][]string{
		"Image": {"image"},
		"Build": {"build_id", "build", "version"},
	})
}

// DeclaredForms implements sync.Former: there are no others.
func (Image) DeclaredForms() []diff.Value { return nil }

// Signal ends a container, also declared by its number.
type Signal string

// ParseDeclared implements sync.Parser.
func (Signal) ParseDeclared(value any) (any, error) {
	switch value {
	case "1":
		return "SIGHUP", nil
	case "2":
		return "SIGINT", nil
	case "3":
		return "SIGQUIT", nil
	case "15":
		return "SIGTERM", nil
	}
	return value, nil
}

// DeclaredForms implements sync.Former.
func (Signal) DeclaredForms() []diff.Value {
	return []diff.Value{{Type: diff.Text, OneOf: []string{"1", "2", "3", "15"}}}
}
