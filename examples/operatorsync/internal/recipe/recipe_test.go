package recipe_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/recipe"
)

// A checkout is one of a recipe that an operator works in.
type checkout struct {
	*testing.T
	dir string
}

func newCheckout(t *testing.T) *checkout {
	t.Helper()
	c := &checkout{t, filepath.Join(t.TempDir(), "recipes", "matrix")}
	require.NoError(t, os.MkdirAll(c.dir, 0o700))
	c.git("init", "--quiet", "--initial-branch", "main")
	return c
}

func (c *checkout) git(args ...string) string {
	c.Helper()
	settings := []string{"-C", c.dir, "-c", "user.name=t", "-c", "user.email=t@example.com"}
	cmd := exec.CommandContext(c.Context(), "git", append(settings, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(c, err, "%s", out)
	return strings.TrimSpace(string(out))
}

func (c *checkout) write(name, text string) {
	c.Helper()
	path := filepath.Join(c.dir, name)
	require.NoError(c, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(c, os.WriteFile(path, []byte(text), 0o600))
}

// touch has git look into a file.
func (c *checkout) touch(name string) {
	c.Helper()
	old := time.Unix(1e9, 0)
	require.NoError(c, os.Chtimes(filepath.Join(c.dir, name), old, old))
}

func (c *checkout) symlink(target, name string) {
	c.Helper()
	require.NoError(c, os.Symlink(target, filepath.Join(c.dir, name)))
}

// commit commits all there is, with tags.
func (c *checkout) commit(tags ...string) {
	c.Helper()
	c.git("add", "--all")
	c.git("commit", "--quiet", "--allow-empty", "--message", "x")
	for _, tag := range tags {
		c.git("tag", tag)
	}
}

func (c *checkout) open() *recipe.Recipe {
	c.Helper()
	r, err := recipe.Open(c.dir)
	require.NoError(c, err)
	return r
}

func TestOpen_Mistakes(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write("sub/compose.yml", "services: {}")
	require.NoError(t, os.MkdirAll(filepath.Join(c.dir, "pretends", ".git"), 0o700))
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.Mkdir(plain, 0o700))
	real, err := filepath.EvalSymlinks(c.dir)
	require.NoError(t, err)
	for dir, want := range map[string]string{
		filepath.Join(plain, "none"):            "no such file or directory",
		plain:                                   "not a git repository",
		filepath.Join(c.dir, "sub"):             "is not a git repository of its own but a part of " + real,
		filepath.Join(c.dir, "pretends"):        "is not a git repository of its own but a part of " + real,
		filepath.Join(c.dir, ".git"):            "must be run in a work tree",
		filepath.Join(c.dir, "sub/compose.yml"): "Not a directory",
	} {
		_, err := recipe.Open(dir)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "recipe "+filepath.Base(dir)+": ")
		require.ErrorContains(t, err, "get the recipe with: git clone URL "+dir)
	}
}

// A recipe may be elsewhere, and may be one of several work trees of a repository.
func TestOpen_SymlinkAndWorktree(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.commit()
	c.symlink(c.dir, "link")
	_, err := recipe.Open(filepath.Join(c.dir, "link"))
	require.NoError(t, err)
	c.git("worktree", "add", "--quiet", "tree")
	_, err = recipe.Open(filepath.Join(c.dir, "tree"))
	require.NoError(t, err)
}

func TestVersions(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	r := c.open()
	versions, err := r.Versions(t.Context())
	require.NoError(t, err)
	require.Empty(t, versions)

	c.commit("10.0.0+v1", "2.0.0+v1.10", "2.0.0+v1.9", "2.0.0-rc1+v2", "latest", "v3.0.0", "old/1.0.0+v1", "3.0.0")
	c.git("tag", "--annotate", "--message", "x", "2.1.0+v2")
	c.git("branch", "4.0.0+v1")
	versions, err = r.Versions(t.Context())
	require.NoError(t, err)
	require.Equal(t, parse(t, "2.0.0-rc1+v2 2.0.0+v1.9 2.0.0+v1.10 2.1.0+v2 10.0.0+v1"), versions)
}

func TestChaos(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	r := c.open()
	_, err := r.Chaos(t.Context())
	require.ErrorContains(t, err, "git -C "+c.dir+" rev-parse: ", "nothing is committed")

	c.write("compose.yml", "1")
	c.write(".gitignore", "*.log\n")
	c.commit()
	c.git("config", "status.showUntrackedFiles", "no")
	c.git("config", "core.abbrev", "12")
	head := c.git("rev-parse", "HEAD")[:8]
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"clean", func() {}, head},
		{"an ignored file", func() { c.write("x.log", "x") }, head},
		{"a new file", func() { c.write("sub/new", "x") }, head + "+U"},
		{"that is gone", func() { c.git("clean", "--quiet", "--force", "-d") }, head},
		{"an edited one", func() { c.write("compose.yml", "22") }, head + "+U"},
		{"that is staged", func() { c.git("add", "compose.yml") }, head + "+U"},
		{"reset", func() { c.git("reset", "--quiet", "--hard") }, head},
		{"a removed one", func() { require.NoError(t, os.Remove(filepath.Join(c.dir, "compose.yml"))) }, head + "+U"},
	} {
		step.do()
		chaos, err := r.Chaos(t.Context())
		require.NoError(t, err, step.name)
		require.Equal(t, step.want, chaos, step.name)
	}
}
