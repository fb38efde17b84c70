package appsync

import "context"

// Syncer syncs an app's config. It has the methods, and they mean what they
// mean, of the sync package that this one follows; AppSyncer implements it over
// every backend. Before the first Sync the other methods return nothing.
type Syncer interface {
	// Sync makes the app what its config declares. The context must carry an org
	// and an account, see SetOrgContext and SetAccountContext. The error is nil
	// or a *multierror.Error of everything that went wrong.
	Sync(ctx context.Context) error

	// GetAppConfigID returns the ID of the app config that is recorded after the
	// last Sync: a new one only if something changed.
	GetAppConfigID() string

	// GetComponentStateIds returns the IDs of all components that are declared and
	// exist, in order of their names.
	GetComponentStateIds() []string

	// GetActionStateIds returns the IDs of all actions that are declared and exist,
	// in order of their names.
	GetActionStateIds() []string

	// GetComponentsScheduled returns the components to be built, in order of their
	// names: those that the last Sync created or changed, whose last build failed,
	// or that are built on every sync.
	GetComponentsScheduled() []ComponentState

	// OrphanedComponents returns, by name, the IDs of the components that are no
	// longer declared and still exist.
	OrphanedComponents() map[string]string

	// OrphanedActions returns, by name, the IDs of the actions that are no longer
	// declared and still exist.
	OrphanedActions() map[string]string
}
