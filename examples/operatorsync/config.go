package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/trueup-go/trueup/sync/synccli"
)

// The deployers.
const (
	swarm   = "swarm"
	compose = "compose"
	command = "command"
)

// config is config.yml.
type config struct {
	Sync         bool              `yaml:"sync"`
	Deployer     string            `yaml:"deployer"`
	Engines      map[string]string `yaml:"engines"`
	ResolveImage string            `yaml:"resolve_image"`
	Timeout      time.Duration     `yaml:"timeout"`
	Command      struct {
		Deploy string `yaml:"deploy"`
		Status string `yaml:"status"`
	} `yaml:"command"`
}

// defaultConfig is what config generate writes: every default, and what it means.
const defaultConfig = `# The configuration of operatorsync.

# Record with each app which version is deployed, in its .env file, and start from
# there when it is deployed, upgraded, rolled back or synced.
sync: false

# What deploys apps: swarm (docker stack deploy), compose (docker compose), or command.
deployer: swarm

# Where the container engine of a server is: unix://PATH, ssh://USER@HOST or
# tcp://HOST:PORT. A server that isn't listed is at ssh://SERVER; the one called
# default is this machine's.
engines: {}

# Of deployer swarm: when a registry is asked for the digest of an image: always,
# changed or never.
resolve_image: always

# How long an app may take until it is healthy.
timeout: 5m

# Of deployer command: scripts for sh -c. Both get SERVER, DOMAIN and STACK_NAME.
command:
  # Deploys. It runs in the directory of the recipe's files, with RECIPE, VERSION and
  # ENV_FILE, and with the variables of the .env file.
  deploy: ""
  # Prints the version that runs, nothing if nothing does; in a second line what is the
  # matter with it.
  status: ""
`

// readConfig reads config.yml. Without it, every default counts.
func (p *program) readConfig() (*config, error) {
	c := &config{}
	if err := decode([]byte(defaultConfig), c); err != nil {
		return nil, err
	}
	path := p.path("config.yml")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		err = decode(text, c)
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func decode(text []byte, c *config) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (c *config) check() error {
	switch c.Deployer {
	case swarm, compose:
	case command:
		if c.Command.Deploy == "" || c.Command.Status == "" {
			return errors.New("deployer: command needs command.deploy and command.status")
		}
	default:
		return fmt.Errorf("deployer: %q: expected swarm, compose or command", c.Deployer)
	}
	switch c.ResolveImage {
	case "always", "changed", "never":
	default:
		return fmt.Errorf("resolve_image: %q: expected always, changed or never", c.ResolveImage)
	}
	if c.Timeout <= 0 {
		return fmt.Errorf("timeout: %v: expected how long, such as 5m", c.Timeout)
	}
	return nil
}

func (p *program) generateCommand(name string) synccli.Command {
	var force bool
	short := "write config.yml with every default"
	if name != "config generate" {
		short = "the same"
	}
	return synccli.Command{
		Name:  name,
		Short: short,
		Long:  "One that is there is left alone, unless --force is given.",
		Flags: func(flags *flag.FlagSet) { flags.BoolVar(&force, "force", false, "overwrite the one that is there") },
		Run: func(_ context.Context, call *synccli.Call) error {
			path := p.path("config.yml")
			if exists(path) && !force {
				return fmt.Errorf("%s is there already; --force overwrites it", path)
			}
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return err
			}
			err := synccli.WriteFile(path, func(w io.Writer) error {
				_, err := io.WriteString(w, defaultConfig)
				return err
			})
			if err == nil {
				_, err = fmt.Fprintf(call.Out, "%s is written.\n", path)
			}
			return err
		},
	}
}
