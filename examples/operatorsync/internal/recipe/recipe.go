package recipe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/examples/internal/gitcmd"
	"github.com/trueup-go/trueup/examples/internal/process"
)

// Recipe is the checkout of a recipe. It is safe for concurrent use.
type Recipe struct {
	name, dir string // dir is absolute
}

// Open opens the checkout in a directory, by whose last part the recipe is called.
// It is an error if there is none, or if it is only a part of a bigger one.
func Open(dir string) (*Recipe, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	r := &Recipe{name: filepath.Base(dir), dir: dir}
	if err := r.isWhole(); err != nil {
		return nil, fmt.Errorf("recipe %s: %w: get the recipe with: git clone URL %s", r.name, err, dir)
	}
	return r, nil
}

func (r *Recipe) isWhole() error {
	own, err := os.Stat(r.dir)
	if err != nil {
		return err
	}
	top, err := r.git(context.Background(), "rev-parse", "--show-toplevel") // it reads a few files, and ends
	if err != nil {
		return err
	}
	whole, err := os.Stat(strings.TrimSuffix(top, "\n"))
	if err == nil && !os.SameFile(own, whole) {
		err = fmt.Errorf("%s is not a git repository of its own but a part of %s", r.dir, strings.TrimSuffix(top, "\n"))
	}
	return err
}

// Versions lists the tags that are versions, the oldest first. Other tags are passed
// over.
func (r *Recipe) Versions(ctx context.Context) ([]Version, error) {
	tags, err := r.git(ctx, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/tags/")
	if err != nil {
		return nil, err
	}
	var versions []Version
	for _, tag := range strings.Fields(tags) {
		if v, err := ParseVersion(tag); err == nil {
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, Version.Compare)
	return versions, nil
}

// Chaos says what is checked out, in the place of a version: the first eight digits
// of HEAD's commit, more if another object begins with these, and +U if there are
// changes that are not committed, among them new files that the recipe doesn't ignore.
func (r *Recipe) Chaos(ctx context.Context) (string, error) {
	commit, err := r.git(ctx, "rev-parse", "--verify", "--short=8", "HEAD")
	if err != nil {
		return "", err
	}
	changes, err := r.git(ctx, "status", "--porcelain", "--untracked-files=normal")
	if err != nil {
		return "", err
	}
	commit = strings.TrimSuffix(commit, "\n")
	if changes != "" {
		commit += "+U"
	}
	return commit, nil
}

// git returns what git printed: the same for every operator, whatever line ends and
// files to ignore are configured for them. It locks nothing that they may need.
func (r *Recipe) git(ctx context.Context, args ...string) (string, error) {
	cmd := gitcmd.New(ctx, r.dir, append([]string{
		"--no-optional-locks", "-c", "core.autocrlf=false", "-c", "core.fsmonitor=false",
		"-c", "core.excludesFile=/dev/null", "-c", "core.attributesFile=/dev/null",
	}, args...)...)
	var out strings.Builder
	cmd.Stdout = &out
	if said, err := process.Run(ctx, cmd); err != nil {
		return "", fmt.Errorf("git -C %s %s: %w: %s", r.dir, args[0], err, said)
	}
	return out.String(), nil
}
