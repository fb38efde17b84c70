package checkout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Spec is what to check out. URL is required.
type Spec struct {
	// URL is the repository, as git takes it: https://…, ssh://…, a path. It holds
	// no password, which would be written into the checkout.
	URL string
	// User and Password are for https://…; they are written nowhere.
	User, Password string
	// Branch defaults to the one that the repository names.
	Branch string
	// Commit, if there is one, is checked out instead of the branch's last: at least
	// seven digits of its ID.
	Commit string
	// OnClone runs once the repository has been cloned. OnPull runs after it, and
	// for each other commit that is checked out. What failed runs again the next
	// time. Either may be nil, and then runs when it is there for the first time.
	OnClone, OnPull *Command
}

// Result says what was checked out.
type Result struct {
	Commit string // its whole ID
	Cloned bool   // the directory is new
	Moved  bool   // it was at another commit before
}

// Checkout brings a directory to what the spec says. It clones the repository if the
// directory isn't a checkout of it; what was there is replaced by a whole clone or
// stays. Changes of tracked files are discarded, files that git doesn't know stay.
// Nobody else may use the directory meanwhile.
func Checkout(ctx context.Context, dir string, spec *Spec) (*Result, error) {
	result, err := checkout(ctx, dir, spec)
	if err != nil {
		return nil, fmt.Errorf("check out %s: %w", plain(spec.URL), err)
	}
	return result, nil
}

func checkout(ctx context.Context, dir string, spec *Spec) (*Result, error) {
	g := &git{dir: dir, spec: spec}
	result := &Result{}
	before, err := g.before(ctx)
	if err != nil {
		return nil, err
	}
	if before == "" {
		result.Cloned = true
		err = g.clone(ctx)
	} else {
		err = g.fetch(ctx)
	}
	if err != nil {
		return nil, err
	}
	if result.Commit, err = g.target(ctx); err != nil {
		return nil, err
	}
	if _, err := g.run(ctx, "checkout", "--quiet", "--force", "--detach", result.Commit); err != nil {
		return nil, err
	}
	result.Moved = !result.Cloned && before != result.Commit
	return result, g.follow(ctx, result.Commit)
}

// before is the commit that is checked out, empty if the directory isn't a checkout
// of the repository. It is an error if it is something else that isn't ours.
func (g *git) before(ctx context.Context) (string, error) {
	entries, err := os.ReadDir(g.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(g.note("checkout")); err != nil {
		return "", fmt.Errorf("%s is there and was not checked out by this program: remove it, or take another directory", g.dir)
	}
	url, err := g.run(ctx, "config", "--get", "remote.origin.url")
	if err == nil && url == g.spec.URL {
		var commit string
		if commit, err = g.run(ctx, "rev-parse", "--verify", "--quiet", "HEAD"); err == nil {
			return commit, nil
		}
	}
	if ctx.Err() != nil {
		return "", err
	}
	return "", nil // another repository, or a damaged one: cloned anew
}

// clone clones beside the directory and takes its place then.
func (g *git) clone(ctx context.Context) error {
	fresh := g.dir + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(g.dir), 0o700); err != nil {
		return err
	}
	beside := &git{dir: filepath.Dir(g.dir), spec: g.spec}
	if _, err := beside.run(ctx, "clone", "--quiet", "--no-checkout", "--", g.spec.URL, fresh); err != nil {
		_ = os.RemoveAll(fresh) // the next clone does, too
		return err
	}
	if err := os.WriteFile((&git{dir: fresh}).note("checkout"), nil, 0o600); err != nil {
		return err
	}
	if err := os.RemoveAll(g.dir); err != nil {
		return err
	}
	return os.Rename(fresh, g.dir)
}

func (g *git) fetch(ctx context.Context) error {
	if _, err := g.run(ctx, "fetch", "--quiet", "--prune", "--force", "origin", "+refs/heads/*:refs/remotes/origin/*"); err != nil {
		return err
	}
	_, err := g.run(ctx, "remote", "set-head", "origin", "--auto")
	return err
}

// target is the commit that the spec means.
func (g *git) target(ctx context.Context) (string, error) {
	switch {
	case g.spec.Commit != "":
		if len(g.spec.Commit) < 7 || strings.Trim(strings.ToLower(g.spec.Commit), "0123456789abcdef") != "" {
			return "", fmt.Errorf("commit %q: expected at least seven hexadecimal digits", g.spec.Commit)
		}
		commit, err := g.run(ctx, "rev-parse", "--verify", "--quiet", g.spec.Commit+"^{commit}")
		if err != nil {
			return "", fmt.Errorf("there is no commit %s on any branch", g.spec.Commit)
		}
		return commit, nil
	case g.spec.Branch != "":
		commit, err := g.run(ctx, "rev-parse", "--verify", "--quiet", "refs/remotes/origin/"+g.spec.Branch+"^{commit}")
		if err != nil {
			return "", fmt.Errorf("there is no branch %q", g.spec.Branch)
		}
		return commit, nil
	}
	commit, err := g.run(ctx, "rev-parse", "--verify", "--quiet", "refs/remotes/origin/HEAD^{commit}")
	if err != nil {
		return "", errors.New("the repository names no branch: give one")
	}
	return commit, nil
}

// follow runs the commands, unless they are known to have succeeded: notes say
// that OnClone has, and at which commit OnPull has.
func (g *git) follow(ctx context.Context, commit string) error {
	if _, err := os.Stat(g.note("cloned")); g.spec.OnClone != nil && errors.Is(err, fs.ErrNotExist) {
		if err := g.spec.OnClone.Run(ctx, g.dir); err != nil {
			return fmt.Errorf("on clone: %w", err)
		}
		if err := os.WriteFile(g.note("cloned"), nil, 0o600); err != nil {
			return err
		}
	}
	if g.spec.OnPull == nil {
		return nil
	}
	pulled, err := os.ReadFile(g.note("pulled"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if string(pulled) == commit {
		return nil
	}
	if err := g.spec.OnPull.Run(ctx, g.dir); err != nil {
		return fmt.Errorf("on pull: %w", err)
	}
	return os.WriteFile(g.note("pulled"), []byte(commit), 0o600)
}

// note is a file of ours where git has its own.
func (g *git) note(name string) string { return filepath.Join(g.dir, ".git", "trueup-"+name) }
