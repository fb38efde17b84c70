package manifest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// env is given as lines NAME=VALUE, or as a list of tables.
type env []struct {
	Name  string `toml:"name" sync:"required,alias=variable"`
	Value string `toml:"value"`
}

func (env) ParseDeclared(value any) (any, error) {
	text, ok := value.(string)
	if !ok {
		return value, nil
	}
	list := []any{}
	var errs []error
	for i, line := range strings.Split(text, "\n") {
		name, value, found := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case strings.TrimSpace(line) == "":
		case found:
			list = append(list, map[string]any{"name": strings.TrimSpace(name), "value": strings.TrimSpace(value)})
		default:
			errs = append(errs, diff.FieldError{Line: i + 1, Problem: "want NAME=VALUE"})
		}
	}
	return list, errors.Join(errs...)
}

func (env) DeclaredForms() []diff.Value { return []diff.Value{{Type: diff.Text}} }

type stack struct {
	Server      string            `toml:"server_id" sync:"alias=server,deprecated=host,ref=server"`
	Files       []string          `toml:"file_paths"`
	Environment env               `toml:"environment"`
	Secrets     env               `toml:"secrets" sync:"sensitive"`
	Restart     string            `toml:"restart" sync:"default=no,oneof=no|always|on-failure"`
	Mode        string            `toml:"mode" sync:"oneof=a|b"`
	Labels      map[string]string `toml:"labels"`
	Template    bool              `toml:"template"`
	Script      string            `toml:"script"`
	Ratio       float64           `toml:"ratio" sync:"default=1.5"`
	Extra       any               `toml:"extra"`
	Hook        struct {
		Command string `toml:"command"`
		Path    string `toml:"path"`
	} `toml:"hook"`
}

type variable struct {
	Value    string `toml:"value"`
	IsSecret bool   `toml:"is_secret"`
}

// engineRoom deploys nothing: kinds that have it are those that deploy.
type engineRoom struct{ sync.Deployer }

func stackKinds() *sync.KindSet {
	return sync.Kinds(
		sync.Define[server]("server"), sync.Define[variable]("variable"),
		sync.Define[stack]("stack", sync.Deploys(engineRoom{})), sync.Define[stack]("deployment", sync.Deploys(engineRoom{})),
	)
}

func stackOptions() *manifest.Options {
	return &manifest.Options{Flat: []string{"variable"}, Beside: []string{"template"}}
}

// load loads one file, a.toml.
func load(t *testing.T, text string, opts *manifest.Options) (*manifest.Declaration, error) {
	t.Helper()
	fsys := fstest.MapFS{"a.toml": {Data: []byte(text)}}
	return manifest.LoadRoots([]manifest.Root{{FS: fsys}}, stackKinds(), opts)
}

// summary tells what was loaded, a resource a line.
func summary(d *manifest.Declaration) []string {
	var lines []string
	for _, r := range d.Desired.Resources {
		line := fmt.Sprintf("%s %s", r.Key, r.Config)
		if len(r.After) > 0 {
			line += fmt.Sprintf(" after %v", r.After)
		}
		lines = append(lines, line)
	}
	return lines
}

func requireLoads(t *testing.T, text string, opts *manifest.Options, want ...string) *manifest.Declaration {
	t.Helper()
	d, err := load(t, text, opts)
	require.NoError(t, err, text)
	require.Equal(t, want, summary(d), text)
	return d
}

func (env) FormatDeclared(value any) any {
	var text strings.Builder
	for _, entry := range value.([]any) {
		entry := entry.(map[string]any)
		value, _ := entry["value"].(string)
		fmt.Fprintf(&text, "%s = %s\n", entry["name"], value)
	}
	return text.String()
}
