package checkout

import (
	"context"
	"fmt"
	"path/filepath"
)

// Tree tells what a commit of a checkout has at some paths, which are relative to
// its top: a line for each file or directory that there is, with the checksum of
// what it holds. What git doesn't know isn't there, and what was changed since
// doesn't show.
func Tree(ctx context.Context, dir, commit string, paths ...string) (string, error) {
	if len(paths) == 0 {
		return "", nil
	}
	args := []string{"ls-tree", "--full-tree", commit, "--"}
	for _, path := range paths {
		if !filepath.IsLocal(path) {
			return "", fmt.Errorf("path %q: expected one inside the checkout", path)
		}
		args = append(args, filepath.ToSlash(filepath.Clean(path)))
	}
	g := &git{dir: dir, spec: &Spec{}}
	return g.run(ctx, args...)
}
