package deploy

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Only one at a time has the files of a resource.
func TestLockFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "x.lock")
	unlock, err := lockFile(t.Context(), path)
	require.NoError(t, err)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	_, err = lockFile(ctx, path)
	require.ErrorIs(t, err, enough)

	had := make(chan func())
	go func() {
		second, err := lockFile(t.Context(), path)
		if err != nil {
			second = nil
		}
		had <- second
	}()
	select {
	case <-had:
		require.Fail(t, "two have it")
	default:
	}
	unlock()
	second := <-had
	require.NotNil(t, second)
	second()
}
