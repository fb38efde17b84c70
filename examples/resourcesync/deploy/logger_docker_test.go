//go:build docker

package deploy_test

import (
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// The example of the documentation: a build, a deployment of it, another one after
// that, a stack.
const testLogger = `
[[server]]
name = "server-01"
[server.config]
address = "$ENGINE"
enabled = true

[[builder]]
name = "builder-01"
config.type = "Server"
config.params.server = "server-01"

[[build]]
name = "test_logger"
description = "Logs randomly at INFO, WARN, ERROR levels to test logging setups"
tags = ["test"]
deploy = true
[build.config]
builder_id = "builder-01"
repo = "$DIR/logger"
image_name = "$PREFIX/test_logger"
labels = """
org.opencontainers.image.description = Logs randomly at INFO, WARN, ERROR levels to test logging setups
org.opencontainers.image.licenses = GPL-3.0
"""

[[variable]]
name = "OTLP_ENDPOINT"
value = "http://localhost:4317"

[[deployment]]
name = "test-logger-01"
tags = ["test"]
deploy = true
[deployment.config]
server_id = "server-01"
custom_name = "$PREFIX-01"
network = "none"
image.type = "Build"
image.params.build = "test_logger"
volumes = """
# Supports comments
$PREFIX-logs = /etc/logs
# And other formats (eg yaml list)
- "$PREFIX-config:/etc/config"
"""
environment = """
# Comments supported
OTLP_ENDPOINT = [[OTLP_ENDPOINT]] # interpolate variables into the envs.
VARIABLE_1 = value_1
VARIABLE_2 = "value_2"
"""
labels = "deployment.type = logger"

[[deployment]]
name = "test-logger-02"
tags = ["test"]
deploy = true
after = ["test-logger-01"]
[deployment.config]
server_id = "server-01"
custom_name = "$PREFIX-02"
network = "none"
image.type = "Build"
image.params.build = "test_logger"
environment = """
VARIABLE_1 = value_1
VARIABLE_2 = value_2
"""

[[stack]]
name = "test-stack"
description = "stack test"
deploy = true
after = ["test-logger-01"]
tags = ["test"]
[stack.config]
server_id = "server-01"
project_name = "$PREFIX-stack"
file_paths = ["mongo.yaml", "redis.yaml"]
repo = "$DIR/stack_test"
auto_pull = false
`

const (
	build  = "build/test_logger"
	first  = "deployment/test-logger-01"
	second = "deployment/test-logger-02"
	stack  = "stack/test-stack"
)

func newLogger(t *testing.T) *home {
	t.Helper()
	h := newHome(t)
	h.write("logger/Dockerfile", dockertest.Dockerfile)
	require.NoError(t, dockertest.Program(t.Context(), h.dir+"/logger"))
	h.commit("logger")
	h.write("stack_test/mongo.yaml", "services:\n  mongo: {image: $IMAGE, network_mode: none, stop_grace_period: 1s}\n")
	h.write("stack_test/redis.yaml", "services:\n  redis: {image: $IMAGE, network_mode: none, stop_grace_period: 1s}\n")
	h.commit("stack_test")
	h.write("resources/all.toml", testLogger)
	return h
}

func TestLogger(t *testing.T) {
	h := newLogger(t)
	h.settles(nil, build+": done", first+": done", second+": done", stack+": done")

	one := h.container("01")
	require.Equal(t, h.host.Name+"/test_logger:0.0.1", one.Config.Image)
	require.Contains(t, one.Config.Env, "OTLP_ENDPOINT=http://localhost:4317")
	require.Contains(t, one.Config.Env, "VARIABLE_2=value_2")
	require.Equal(t, "logger", one.Config.Labels["deployment.type"])
	require.Equal(t, "GPL-3.0", one.Config.Labels["org.opencontainers.image.licenses"])
	require.Equal(t, []string{h.host.Name + "-logs:/etc/logs", h.host.Name + "-config:/etc/config"}, one.HostConfig.Binds)

	t.Run("a variable of the environment", func(t *testing.T) {
		h.T = t
		id := h.container("stack-mongo-1").ID
		h.edit("resources/all.toml", `VARIABLE_2 = "value_2"`, `VARIABLE_2 = "value_3"`)
		h.settles(nil, first+": done", second+": done", stack+": done")
		require.Contains(t, h.container("01").Config.Env, "VARIABLE_2=value_3")
		require.Equal(t, id, h.container("stack-mongo-1").ID, "compose leaves alone what hasn't changed")
	})
	t.Run("of the last one, and of nothing else", func(t *testing.T) {
		h.T = t
		h.edit("resources/all.toml", `VARIABLE_2 = value_2`, `VARIABLE_2 = value_4`)
		h.settles(nil, second+": done")
	})
	t.Run("it is stopped by somebody", func(t *testing.T) {
		h.T = t
		_, err := h.host.ContainerStop(t.Context(), h.host.Name+"-02", client.ContainerStopOptions{})
		require.NoError(t, err)
		require.Equal(t, map[string][]string{second: {"it doesn't run as it should: exited with code 0"}}, h.reasons())
		h.settles(nil, second+": done")
		require.True(t, h.container("02").State.Running)
	})
	t.Run("one alone", func(t *testing.T) {
		h.T = t
		only := []state.Key{key(t, second)}
		h.settles(&sync.PlanOptions{Redeploy: only, Selection: &sync.Selection{Keys: only}}, second+": done")
		only = []state.Key{key(t, first)}
		h.settles(&sync.PlanOptions{Redeploy: only}, first+": done", second+": done", stack+": done")
	})
	t.Run("a file of the stack", func(t *testing.T) {
		h.T = t
		mongo, redis := h.container("stack-mongo-1").ID, h.container("stack-redis-1").ID
		h.write("stack_test/README.md", "nobody reads it")
		h.commit("stack_test")
		h.isSettled()
		h.edit("stack_test/redis.yaml", "1s}", "1s, labels: {a: b}}")
		h.commit("stack_test")
		require.Equal(t, map[string][]string{stack: {"something else runs than what is declared"}}, h.reasons())
		h.settles(nil, stack+": done")
		require.Equal(t, mongo, h.container("stack-mongo-1").ID)
		require.NotEqual(t, redis, h.container("stack-redis-1").ID)
	})
	t.Run("a commit of the build", func(t *testing.T) {
		h.T = t
		h.write("logger/README.md", "news")
		h.commit("logger")
		h.settles(nil, build+": done", first+": done", second+": done", stack+": done")
		require.Equal(t, h.host.Name+"/test_logger:0.0.2", h.container("01").Config.Image)
	})
	t.Run("declared to be stopped", func(t *testing.T) {
		h.T = t
		h.edit("resources/all.toml", "name = \"test-logger-02\"\n", "name = \"test-logger-02\"\nstate = \"stopped\"\n")
		h.settles(nil, second+": done")
		require.False(t, h.container("02").State.Running)
	})
}

// What dies at its start fails the sync, what comes after it is skipped, and the next
// sync tries again.
func TestLogger_DiesAtStart(t *testing.T) {
	h := newLogger(t)
	h.edit("resources/all.toml", "labels = \"deployment.type = logger\"", "command = \"exit 3\"")
	deploys, err := h.sync(nil)
	require.ErrorIs(t, err, sync.ErrUnhealthy)
	require.ErrorContains(t, err, "exited with code 3")
	require.Equal(t, []string{build + ": done", first + ": failed", second + ": blocked", stack + ": blocked"}, deploys)
	require.Equal(t, []string{"its last deploy failed: deployment/test-logger-01 is not healthy: exited with code 3"}, h.reasons()[first])

	deploys, err = h.sync(nil)
	require.ErrorIs(t, err, sync.ErrUnhealthy)
	require.Equal(t, []string{first + ": failed", second + ": blocked", stack + ": blocked"}, deploys)

	h.edit("resources/all.toml", "command = \"exit 3\"", "")
	h.settles(nil, first+": done", second+": done", stack+": done")
}
