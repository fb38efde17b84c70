package appsync

import "context"

type (
	orgKey     struct{}
	accountKey struct{}
)

// SetOrgContext returns a context that carries the org on whose behalf a Sync
// is asked for. It must be the org of the scope that is synced.
func SetOrgContext(ctx context.Context, org string) context.Context {
	return context.WithValue(ctx, orgKey{}, org)
}

// SetAccountContext returns a context that carries the account that asks for a
// Sync. It is recorded as who did it.
func SetAccountContext(ctx context.Context, account string) context.Context {
	return context.WithValue(ctx, accountKey{}, account)
}
