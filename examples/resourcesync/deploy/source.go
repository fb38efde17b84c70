package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/trueup-go/trueup/examples/internal/checkout"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
)

// A source is where the files of a stack or build come from, and where they are.
type source struct {
	dir    string // the top; locked
	commit string // of a repository's checkout; empty: they are no repository's
}

// repository is what is checked out, and what follows. Every stack and build has a
// checkout of its own, of a linked repository too: so one doesn't wait for the other,
// or find another's environment.
type repository struct {
	git  kinds.Git
	repo *kinds.Repo // the linked one, filled in; nil: none
}

// repository returns what the files come from; nil if that is no repository.
func (d *Deployer) repository(known *declared, linked string, git kinds.Git) (*repository, error) {
	switch {
	case linked != "":
		repo, err := get[kinds.Repo](known, kinds.KindRepo, linked)
		if err != nil {
			return nil, err
		}
		f := &filler{known: known, key: state.Key{Kind: kinds.KindRepo, Name: linked}}
		if err := f.repo(&repo); err != nil {
			return nil, err
		}
		return &repository{repo.Git, &repo}, nil
	case git.Repo != "":
		return &repository{git: git}, nil
	}
	return nil, nil
}

// look brings a directory to the latest of the branch, or to the declared commit. No
// declared command runs: it is for a plan.
func (r *repository) look(ctx context.Context, dir string) (*source, error) {
	return r.checkout(ctx, dir, "", false)
}

// use brings a directory to a commit, with all that is declared to follow.
func (r *repository) use(ctx context.Context, dir, commit string) (*source, error) {
	return r.checkout(ctx, dir, commit, true)
}

func (r *repository) checkout(ctx context.Context, dir, commit string, follow bool) (*source, error) {
	at, err := cloneURL(&r.git)
	if err != nil {
		return nil, err
	}
	spec := &checkout.Spec{URL: at, Branch: r.git.Branch, Commit: r.git.Commit}
	if commit != "" {
		spec.Commit = commit
	}
	if follow && r.repo != nil {
		spec.OnClone, spec.OnPull = command(&r.repo.OnClone), command(&r.repo.OnPull)
	}
	result, err := checkout.Checkout(ctx, dir, spec)
	if err != nil {
		return nil, err
	}
	if follow && r.repo != nil && len(r.repo.Environment) > 0 {
		if err := writeInside(dir, r.repo.EnvFilePath, strings.Join(entries(r.repo.Environment), "\n")+"\n"); err != nil {
			return nil, err
		}
	}
	return &source{dir, result.Commit}, nil
}

// cloneURL is a repository's URL: owner/name at a provider, or a path from / or URL as
// it is, which the original doesn't know. No owner begins with a slash, so neither
// is taken for the other, and the provider's default needn't be undone. A password
// is for git's credential helpers to know, by the account.
func cloneURL(g *kinds.Git) (string, error) {
	switch {
	case strings.HasPrefix(g.Repo, "/"), strings.Contains(g.Repo, "://"):
		return g.Repo, nil
	case g.GitProvider == "":
		return "", fmt.Errorf("repo %q: it has no git_provider", g.Repo)
	}
	u := url.URL{Scheme: "https", Host: g.GitProvider, Path: "/" + strings.TrimSuffix(g.Repo, ".git") + ".git"}
	if !g.GitHTTPS {
		u.Scheme = "http"
	}
	if g.GitAccount != "" {
		u.User = url.User(g.GitAccount)
	}
	return u.String(), nil
}

// command is a declared command as a shell runs it.
func command(c *kinds.SystemCommand) *checkout.Command {
	script := string(c.Command)
	if !c.ShellMode {
		script = format.Command(script)
	}
	return &checkout.Command{Dir: c.Path, Script: script}
}

// inside is a path in a directory, for which it has to be a local one.
func inside(dir, field, path string) (string, error) {
	if path == "" {
		return dir, nil
	}
	if !filepath.IsLocal(path) {
		return "", fmt.Errorf("%s %q: expected a path inside of the repository", field, path)
	}
	return filepath.Join(dir, path), nil
}

// writeInside writes a file for its owner's eyes only, whole or not at all, below a
// directory that need not be there yet.
func writeInside(dir, name, text string) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("file %q: expected a path inside of the directory", name)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it was opened to look up names
	fresh := name + ".new"
	err = root.MkdirAll(filepath.Dir(name), 0o700)
	if err == nil {
		err = root.WriteFile(fresh, []byte(text), 0o600)
	}
	if err == nil {
		err = root.Rename(fresh, name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Join(dir, name), err)
	}
	return nil
}

// prepared notes the commit that a deploy was prepared with. The deploy that follows
// is of the same, whatever is pushed in between.
func (d *Deployer) prepared(key state.Key, commit string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.commits[key] = commit
}

func (d *Deployer) commit(key state.Key) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.commits[key]
}

var errNoFiles = errors.New("it has no files: give it a repo, a linked_repo, files_on_host with a run_directory, or file_contents")
