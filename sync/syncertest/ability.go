package syncertest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	tusync "github.com/trueup-go/trueup/sync"
)

// able returns a backend's ability, which it must have.
func able[T any](t *testing.T, b tusync.Backend) T {
	t.Helper()
	able, ok := tusync.AbilityOf[T](b)
	require.True(t, ok, "%T is no %T: if that is meant, Suite.Lacks has to say so", b, &able)
	return able
}

// lacksOrHas checks that what a suite says a backend lacks is really not there:
// it has no such methods, or they say that they are not supported.
func lacksOrHas[T any](a Ability, call func(t *testing.T, able T) error) func(t *testing.T, s *Suite) {
	return func(t *testing.T, s *Suite) {
		able, ok := tusync.AbilityOf[T](s.fresh(t).open(t))
		if !s.lacks(a) {
			require.True(t, ok, "the backend lacks %s, and Suite.Lacks doesn't say so", a)
			require.NoError(t, call(t, able))
			return
		}
		if ok {
			require.ErrorIs(t, call(t, able), errors.ErrUnsupported)
		}
	}
}
