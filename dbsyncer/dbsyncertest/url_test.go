package dbsyncertest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheServerThatIsNamedIsUsed(t *testing.T) {
	const named = "postgres://ada@db.example.com/tests"
	t.Setenv(variable, named)
	require.Equal(t, named, URL(t))
}

func TestTestsShareAServer(t *testing.T) {
	t.Parallel()
	require.Equal(t, URL(t), URL(t))
}
