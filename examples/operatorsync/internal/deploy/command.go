package deploy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/process"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/sync"
)

// Command deploys with commands of the operator's own, each a script for sh -c. They get
// SERVER, DOMAIN and STACK_NAME in their environment.
type Command struct {
	Server string
	// Start deploys: in the directory of the recipe's files, with RECIPE, VERSION and
	// ENV_FILE too, and the variables of the .env file. It fails, or VERSION runs.
	Start string
	// Tell prints the version that runs; nothing if nothing does. A second line says what
	// is the matter with it.
	Tell string
}

// Deploy implements Deployer.
func (c *Command) Deploy(ctx context.Context, r *Release) error {
	cmd := c.command(ctx, c.Start, r.Domain)
	cmd.Dir = r.Dir
	// Ours last: DOMAIN in the file may be another one.
	cmd.Env = slices.Concat(os.Environ(), r.Entries, c.names(r.Domain), []string{
		"RECIPE=" + r.App.Recipe, "VERSION=" + r.App.Version, "ENV_FILE=" + r.EnvFile,
	})
	said, err := process.Run(ctx, cmd)
	return docker.Redact(failed("the command that deploys", said, err), r.secrets())
}

// Status implements Deployer.
func (c *Command) Status(ctx context.Context, domains []string) ([]Status, error) {
	all := make([]Status, len(domains))
	for i, domain := range domains {
		all[i] = c.status(ctx, domain)
	}
	return all, nil
}

func (c *Command) status(ctx context.Context, domain string) Status {
	cmd := c.command(ctx, c.Tell, domain)
	var out strings.Builder
	cmd.Stdout = &out
	if said, err := process.Run(ctx, cmd); err != nil {
		return Status{Health: sync.Health{Err: failed("the command that tells what runs", said, err)}}
	}
	version, trouble, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	version, trouble = strings.TrimSpace(version), strings.TrimSpace(trouble)
	switch {
	case version == "":
		return Status{Health: sync.Health{Phase: sync.Missing}}
	case trouble != "":
		return Status{Note: version, Health: sync.Health{Phase: sync.Degraded, Message: trouble}}
	}
	return Status{Note: version, Health: sync.Health{Phase: sync.Healthy}}
}

func (c *Command) command(ctx context.Context, script, domain string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Env = append(os.Environ(), c.names(domain)...)
	return cmd
}

func (c *Command) names(domain string) []string {
	return []string{"SERVER=" + c.Server, "DOMAIN=" + domain, stackName + apps.Stack(domain)}
}

// secrets are the variables that may hold any: not those that say which app it is.
func (r *Release) secrets() []string {
	return slices.DeleteFunc(slices.Clone(r.Entries), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == "TYPE" || name == "DOMAIN" || name == "STACK_NAME" || name == "COMPOSE_FILE"
	})
}

func failed(what, said string, err error) error {
	switch {
	case err == nil:
		return nil
	case said == "":
		return fmt.Errorf("%s failed: %w", what, err)
	}
	return fmt.Errorf("%s failed: %w: %s", what, err, said)
}
