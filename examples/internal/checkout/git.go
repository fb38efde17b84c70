package checkout

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/trueup-go/trueup/examples/internal/gitcmd"
	"github.com/trueup-go/trueup/examples/internal/process"
)

// git is the git command in a directory.
type git struct {
	dir  string
	spec *Spec
}

// answer is what git runs to learn user and password. They are in variables: an
// argument list can be read by others, and a file stays.
const answer = `!f() { test "$1" = get && echo "username=$TRUEUP_GIT_USER" && echo "password=$TRUEUP_GIT_PASSWORD"; }; f`

// run returns what git printed, without the last newline.
func (g *git) run(ctx context.Context, args ...string) (string, error) {
	settings := []string{"-c", "advice.detachedHead=false"}
	if g.spec.Password != "" {
		settings = append(settings, "-c", "credential.helper=", "-c", "credential.helper="+answer)
	}
	cmd := gitcmd.New(ctx, g.dir, append(settings, args...)...)
	cmd.Env = append(cmd.Env, "TRUEUP_GIT_USER="+g.spec.User, "TRUEUP_GIT_PASSWORD="+g.spec.Password)
	var out strings.Builder
	cmd.Stdout = &out
	said, err := process.Run(ctx, cmd)
	if err != nil {
		if g.spec.Password != "" {
			said = strings.ReplaceAll(said, g.spec.Password, "xxxxx")
		}
		said = strings.ReplaceAll(said, g.spec.URL, plain(g.spec.URL))
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, said)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// plain is a URL as errors have it: without a password.
func plain(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	return text
}

// Command is what a shell runs.
type Command struct {
	// Dir is relative to the checkout, and stays inside. Empty: its top.
	Dir string
	// Script is for sh -c.
	Script string
}

// Run runs the command below a directory. A nil one, and one without a script, does
// nothing.
func (c *Command) Run(ctx context.Context, dir string) error {
	if c == nil || strings.TrimSpace(c.Script) == "" {
		return nil
	}
	if c.Dir != "" && !filepath.IsLocal(c.Dir) {
		return fmt.Errorf("directory %q: expected a path inside the checkout", c.Dir)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", c.Script)
	cmd.Dir = filepath.Join(dir, c.Dir)
	said, err := process.Run(ctx, cmd)
	if err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}
