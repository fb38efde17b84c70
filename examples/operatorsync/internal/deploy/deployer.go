// Package deploy brings apps to run, and tells what runs. It is the engine's handler for
// the kind app: what is recorded and when, what is tried again and what a failure means
// for the rest is the engine's business.
package deploy

import (
	"context"
	"encoding/json"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Deployer runs the apps of one server.
type Deployer interface {
	// Deploy starts a release in the place of what runs of the app. It needn't wait until
	// that is healthy.
	Deploy(ctx context.Context, release *Release) error
	// Status tells how the apps are doing, in their order.
	Status(ctx context.Context, domains []string) ([]Status, error)
}

// Release is an app at a version, with its files.
type Release struct {
	Domain string
	App    apps.App
	// Dir holds the recipe's files at that version.
	Dir string
	// EnvFile is the app's own, and Entries its variables NAME=VALUE, with STACK_NAME.
	EnvFile string
	Entries []string
	// Note is to be told by Status for as long as this is what runs.
	Note string
}

// Status is how an app is doing.
type Status struct {
	// Note is the Release's, or a version alone if the Deployer keeps no more. Empty if
	// it isn't known what runs.
	Note   string
	Health sync.Health
}

// note is what a Release's Note holds.
type note struct {
	Recipe      string `json:"recipe"`
	Version     string `json:"version"`
	Environment string `json:"environment,omitempty"`
}

func noteOf(a apps.App) (string, error) {
	text, err := json.Marshal(note{a.Recipe, a.Version, a.Environment})
	return string(text), err
}

// Scope returns the scope of a server's apps. It is in the marks on what runs, which
// are the same for all operators.
func Scope(server string) state.Scope { return state.Scope{Org: "operatorsync", App: server} }
