package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// Compose reads more than it is given: what the files name, and what those name.
func TestReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir+"/compose.yaml", `
include:
  - sub/one.yaml
  - path: [two.yaml, sub/../three.yaml]
    env_file: inc.env
services:
  a: {env_file: a.env}
  b: {env_file: [b.env, {path: c.env, required: false}, "/etc/d.env"]}
  c: {extends: {file: sub/base.yaml, service: x}}
  d: {extends: a}
configs: {e: {file: e.conf}, f: {external: true}}
secrets: {g: {file: g.secret}}
`)
	write(t, dir+"/sub/one.yaml", "services: {x: {env_file: x.env}}\ninclude: [../compose.yaml]")
	write(t, dir+"/two.yaml", "not: [yaml")
	require.Equal(t, []string{
		"/etc/d.env", "a.env", "b.env", "c.env", "compose.yaml", "e.conf", "inc.env", "none.yaml",
		"sub/base.yaml", "sub/one.yaml", "sub/x.env", "three.yaml", "two.yaml",
	}, reads(dir, []string{"compose.yaml", "none.yaml"}))
}

// A checksum of a directory is one of all that is in it, but of what git keeps there.
func TestSumOfTree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var seen []state.Checksum
	for _, change := range []func(){
		func() { write(t, dir+"/a", "1") },
		func() { write(t, dir+"/a", "2") },
		func() { write(t, dir+"/sub/b", "1") },
		func() { require.NoError(t, os.Symlink("a", dir+"/link")) },
		func() {
			require.NoError(t, os.Remove(dir+"/link"))
			require.NoError(t, os.Symlink("sub", dir+"/link"))
		},
	} {
		change()
		sum, err := sumOfTree(dir)
		require.NoError(t, err)
		require.NotContains(t, seen, sum)
		seen = append(seen, sum)
	}
	before, err := sumOfTree(dir)
	require.NoError(t, err)
	write(t, dir+"/.git/x", "1")
	after, err := sumOfTree(dir)
	require.NoError(t, err)
	require.Equal(t, before, after)
	_, err = sumOfTree(dir + "/none")
	require.ErrorIs(t, err, os.ErrNotExist)
}
