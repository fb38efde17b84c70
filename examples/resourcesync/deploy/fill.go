package deploy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync/manifest"
)

// A filler fills in what [[NAME]] stands for, in the texts of one resource that the
// original fills in, and in no others. It does so after key-value lists were read: a
// value is a value, whatever lines and quotes it has.
type filler struct {
	known   *declared
	key     state.Key
	version string // what [[$VERSION]] stands for; empty: nothing
	missing []string
}

func fill[T ~string](f *filler, text *T) {
	whole := string(*text)
	if f.version != "" {
		whole = strings.ReplaceAll(whole, "[[$VERSION]]", f.version)
	}
	filled, missing := manifest.Interpolate(whole, f.known.lookup(f.known.vars), f.known.lookup(f.known.secrets))
	*text = T(filled)
	for _, name := range missing {
		if !slices.Contains(f.missing, name) {
			f.missing = append(f.missing, name)
		}
	}
}

func (*declared) lookup(values map[string]string) manifest.Lookup {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func (f *filler) pairs(all ...format.Pairs) {
	for _, pairs := range all {
		for i := range pairs {
			fill(f, &pairs[i].Key)
			fill(f, &pairs[i].Value)
		}
	}
}

func (f *filler) lists(all ...format.List) {
	for _, list := range all {
		for i := range list {
			fill(f, &list[i])
		}
	}
}

// command makes a script of a command before it is filled in: no value is a comment, or
// another line.
func (f *filler) command(c *kinds.SystemCommand) {
	if !c.ShellMode {
		c.Command, c.ShellMode = format.Contents(format.Command(string(c.Command))), true
	}
	fill(f, &c.Command)
}

// err says which names have no value, and where they are written.
func (f *filler) err() error {
	var mistakes manifest.Mistakes
	for _, name := range f.missing {
		problem, hint := fmt.Sprintf("[[%s]] has no value", name), "declare the variable, or give it a value with --vars or --secrets"
		found := false
		for _, r := range f.known.references {
			if r.Resource == f.key && r.Name == name {
				mistakes.Add(r.Position, problem, hint)
				found = true
			}
		}
		if !found {
			mistakes.AddErr(fmt.Errorf("%s: %s: %s", f.key, problem, hint))
		}
	}
	return mistakes.Err()
}

func (f *filler) deployment(c *kinds.Deployment) error {
	if !c.SkipSecretInterp {
		f.pairs(c.Environment, c.Ports, c.Volumes, c.Labels)
		fill(f, &c.Command)
		f.lists(c.ExtraArgs)
	}
	return f.err()
}

func (f *filler) stack(c *kinds.Stack) error {
	if !c.SkipSecretInterp {
		fill(f, &c.FileContents)
		f.pairs(c.Environment)
		f.command(&c.PreDeploy)
		f.command(&c.PostDeploy)
		f.lists(c.ExtraArgs, c.BuildExtraArgs)
	}
	return f.err()
}

func (f *filler) build(c *kinds.Build) error {
	if !c.SkipSecretInterp {
		f.pairs(c.BuildArgs, c.SecretArgs, c.Labels)
		f.command(&c.PreBuild)
		fill(f, &c.Dockerfile)
		f.lists(c.ExtraArgs)
	}
	return f.err()
}

func (f *filler) repo(c *kinds.Repo) error {
	if !c.SkipSecretInterp {
		f.pairs(c.Environment)
		f.command(&c.OnClone)
		f.command(&c.OnPull)
	}
	return f.err()
}

// redact takes the values of secrets out of what an error says.
func (k *declared) redact(err error) error {
	var entries []string
	for name, value := range k.secrets {
		entries = append(entries, name+"="+value)
	}
	return docker.Redact(err, entries)
}
