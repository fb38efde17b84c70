package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/trueup-go/trueup/examples/internal/process"
)

// ownUsage is what the docker command says of a call that it doesn't understand.
// Without the plugin it takes the plugin's flags for its own.
const ownUsage = "Usage:  docker [OPTIONS] COMMAND"

var errNoCompose = errors.New("the docker command of this machine has no plugin for compose: install docker compose v2")

// A command is one call of the docker command.
type command struct {
	dir   string   // where it runs; empty: anywhere
	env   []string // beside our own environment
	stdin string
	args  []string
	// log says that what it prints tells of a failure, too, and is no result.
	log bool
	// hidden are entries NAME=VALUE of which the error says no value.
	hidden []string
}

// docker runs the docker command against the engine and returns what it printed.
// Once the context is done the command, and the plugin that it runs, is asked to
// end, and killed after a while.
func (e *Engine) docker(ctx context.Context, c *command) ([]byte, error) {
	args := append(e.flags(), c.args...)
	cmd := exec.CommandContext(ctx, e.options.Command, args...)
	cmd.Dir = c.dir
	cmd.Env = append(environ(), c.env...)
	cmd.Stdin = strings.NewReader(c.stdin)
	var stdout bytes.Buffer
	if !c.log {
		cmd.Stdout = &stdout
	}
	said, err := process.Run(ctx, cmd)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return stdout.Bytes(), nil
	case !errors.As(err, &exit):
		return nil, fmt.Errorf("%s: %w", c.name(), err)
	case c.args[0] == "compose" && strings.Contains(said, ownUsage):
		return nil, fmt.Errorf("%s: %w", c.name(), errNoCompose)
	}
	return nil, &CommandError{Command: c.name(), Code: exit.ExitCode(), Output: hide(said, c.hidden)}
}

// flags are what tells the docker command which engine it is about.
func (e *Engine) flags() []string {
	flags := []string{"--host", e.address}
	if dir := e.options.CertDir; dir != "" {
		flags = append(flags, "--tlsverify",
			"--tlscacert", filepath.Join(dir, "ca.pem"),
			"--tlscert", filepath.Join(dir, "cert.pem"),
			"--tlskey", filepath.Join(dir, "key.pem"))
	}
	return flags
}

// environ is our environment without what would lead the docker command to another
// engine, or compose to other files and names.
func environ() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case strings.HasPrefix(name, "COMPOSE_"):
		case name == "DOCKER_HOST", name == "DOCKER_CONTEXT", name == "DOCKER_TLS_VERIFY", name == "DOCKER_CERT_PATH":
		default:
			env = append(env, entry)
		}
	}
	return env
}

// name is the command without its arguments: "docker compose up".
func (c *command) name() string {
	words := []string{"docker"}
	for _, arg := range c.args {
		switch arg {
		case "compose", "stack", "build", "config", "up", "down", "stop", "deploy", "rm", "push":
			words = append(words, arg)
		}
	}
	return strings.Join(words, " ")
}

// CommandError is a docker command that failed.
type CommandError struct {
	// Command is its name: "docker compose up".
	Command string
	// Code is its exit code; -1 if a signal ended it.
	Code int
	// Output is the end of what it said.
	Output string
}

// Error says what the command did.
func (e *CommandError) Error() string {
	text := fmt.Sprintf("%s: exit code %d", e.Command, e.Code)
	if e.Output != "" {
		text += ": " + e.Output
	}
	return text
}
