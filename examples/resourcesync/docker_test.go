//go:build docker

// The tests of this file need a container engine, and .ci/docker runs them. Without
// the tag they are no tests, and skip nothing.

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/examples/internal/script"
)

func TestMain(m *testing.M) { os.Exit(dockertest.Main(m)) }

// containers are what the scripts declare: $PREFIX is no other test's.
const containers = `
[[server]]
name = "home"
config = { address = "https://home:8120", enabled = true }
[[deployment]]
name = "db"
deploy = true
config = { server = "home", custom_name = "$PREFIX-db", image = { type = "Image", params.image = "$IMAGE" }, network = "bridge" }
[[deployment]]
name = "web"
deploy = true
after = ["db"]
[deployment.config]
server = "home"
custom_name = "$PREFIX-web"
image = { type = "Image", params.image = "$IMAGE" }
network = "bridge"
environment = "TOKEN = [[TOKEN]]"
[[deployment]]
name = "alone"
deploy = true
config = { server = "home", custom_name = "$PREFIX-alone", image = { type = "Image", params.image = "$IMAGE" }, network = "bridge" }
[[procedure]]
name = "again"
config.stage = [
  { name = "first", executions = [{ execution.type = "Deploy", execution.params.deployment = "alone" }] },
  { name = "then", executions = [{ execution.type = "Sleep", execution.params.duration_ms = 1 }] },
]
`

// TestDockerScripts plays the scripts that deploy.
func TestDockerScripts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "docker", "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			host := dockertest.New(t)
			program := script.Program{
				Name: "resourcesync", Run: run, Update: *update,
				Vars: map[string]string{"ENGINE": "home=" + host.Address, "PREFIX": host.Name},
				Setup: func(work string) error {
					text := strings.NewReplacer("$PREFIX", host.Name, "$IMAGE", dockertest.Image()).Replace(containers)
					return os.WriteFile(filepath.Join(work, "a.toml"), []byte(text), 0o600)
				},
			}
			require.NoError(t, program.Play(t.Context(), file, t.TempDir()))
		})
	}
}
