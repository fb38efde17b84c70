package sync_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README's program is the package's example, word for word, and so compiled
// and run; and what it is said to print is what the example prints.
func TestTheREADMEsProgramIsTheExample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	example, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	program := fenced(t, string(readme), "```go\n")
	require.Contains(t, string(example), program)
	_, after, _ := strings.Cut(string(readme), program)
	printed := fenced(t, after, "```\n\nWith two TOML files that declare a network and two servers, it prints\n\n```\n")
	require.Contains(t, strings.ReplaceAll(string(example), "\t// ", ""), printed)
}

func fenced(t *testing.T, text, opening string) string {
	t.Helper()
	_, block, found := strings.Cut(text, opening)
	require.True(t, found, opening)
	block, _, found = strings.Cut(block, "```")
	require.True(t, found)
	return block
}
