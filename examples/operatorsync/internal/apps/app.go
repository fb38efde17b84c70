// Package apps says what an app is to the engine: the kind, and the names that go with
// it.
package apps

import (
	"encoding/json"
	"strings"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Kind is the kind's name. A resource of it has an app's domain for a name.
const Kind = "app"

// App is what is declared of an app, what is recorded of it, and what runs.
type App struct {
	Recipe string `sync:"required"`
	// Version is a tag of the recipe, or the short hash of a commit (chaos).
	Version string `sync:"required"`
	// Environment is a checksum of the variables in the app's .env file.
	Environment string
	// Health is what is the matter with what runs. It is declared to be well.
	Health string `sync:"default=healthy"`
}

// Define returns the kind, with what deploys it. The handler may be nil where nothing
// is deployed.
func Define(handler sync.Handler) *sync.KindSet {
	if handler == nil {
		return sync.Kinds(sync.Define[App](Kind))
	}
	return sync.Kinds(sync.Define[App](Kind, sync.Handle(handler)))
}

// Key returns the key of an app.
func Key(domain string) state.Key { return state.Key{Kind: Kind, Name: domain} }

// Stack returns the name that an app has on the container engine, and which is its ID:
// its domain, in the characters that both compose and swarm take.
func Stack(domain string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToLower(domain))
}

// Of returns what a resource declares.
func Of(config json.RawMessage) (App, error) {
	var a struct{ Recipe, Version, Environment, Health string }
	err := json.Unmarshal(config, &a)
	return App(a), err
}
