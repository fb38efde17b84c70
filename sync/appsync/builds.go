package appsync

import "context"

// Builds tells how the builds of components ended. A host implements it: builds
// are the host's, and no part of a State. It must be safe for concurrent use.
type Builds interface {
	// Failed returns the names of the components whose last build didn't succeed:
	// it failed, was broken off, or was scheduled and never began. It is called
	// once in a Sync, before anything is planned; an error ends the Sync.
	Failed(ctx context.Context) (components []string, err error)
}
