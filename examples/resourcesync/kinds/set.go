package kinds

import (
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// The names of the kinds.
const (
	KindAction       = "action"
	KindAlerter      = "alerter"
	KindBuild        = "build"
	KindBuilder      = "builder"
	KindDeployment   = "deployment"
	KindProcedure    = "procedure"
	KindRepo         = "repo"
	KindResourceSync = "resource_sync"
	KindServer       = "server"
	KindStack        = "stack"
	KindSwarm        = "swarm"
	KindUserGroup    = "user_group"
	KindVariable     = "variable"
)

// Deployers bring things to run. One that is nil deploys nothing: what asks for it
// is a mistake of the plan.
type Deployers struct {
	Build, Deployment, Stack sync.Deployer
	// Remover ends what runs of deployments and stacks that are deleted, or move to
	// another server or name. Nil: it runs on.
	Remover sync.Handler
}

// atOnce is how many deployments or stacks a call of the Remover has: most changes are
// nothing to it, and each call is a commit of its own.
const atOnce = 100

// Set returns all kinds.
func Set(d Deployers) *sync.KindSet {
	return sync.Kinds(
		sync.Define[Action](KindAction),
		sync.Define[Alerter](KindAlerter),
		sync.Define[Build](KindBuild, sync.Deploys(d.Build)),
		sync.Define[Builder](KindBuilder),
		sync.Define[Deployment](KindDeployment, sync.Deploys(d.Deployment), sync.Handle(d.Remover), sync.Batch(atOnce)),
		sync.Define[Procedure](KindProcedure),
		sync.Define[Repo](KindRepo),
		sync.Define[ResourceSync](KindResourceSync),
		sync.Define[Server](KindServer),
		sync.Define[Stack](KindStack, sync.Deploys(d.Stack), sync.Handle(d.Remover), sync.Batch(atOnce)),
		sync.Define[Swarm](KindSwarm),
		sync.Define[UserGroup](KindUserGroup),
		sync.Define[Variable](KindVariable),
	)
}

// Options are what manifest.Load has to know of the kinds: which fields stand where,
// and how Komodo's files write text. The caller may set the others.
func Options() *manifest.Options {
	return &manifest.Options{
		Dialect: manifest.Komodo,
		Flat:    []string{KindUserGroup, KindVariable},
		Beside:  []string{"state", "template"},
	}
}
