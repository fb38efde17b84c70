// Package gitcmd makes git commands for programs: nobody is asked for anything, no
// hook runs, and the directory alone says which repository is meant.
package gitcmd

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// New is git in a directory, not started yet. Arguments may begin with options of
// git itself. What the user has configured holds, but for hooks; messages are in
// English.
func New(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir, "-c", "core.hooksPath=/dev/null"}, args...)...)
	cmd.Env = append(environ(), "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true", "LC_ALL=C")
	return cmd
}

// environ is our environment without what would lead git to another repository.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains([]string{
			"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX",
		}, name)
	})
}
