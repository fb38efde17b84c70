package recipe_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/recipe"
)

// files tells what is below a directory: names with texts, "-> target" of symlinks,
// a * after the name of what can be run.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		if entry.Type() == fs.ModeSymlink {
			target, err := os.Readlink(path)
			found[name] = "-> " + target
			return err
		}
		info, err := entry.Info()
		require.NoError(t, err)
		if info.Mode()&0o100 != 0 {
			name += "*"
		}
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	}))
	return found
}

func export(t *testing.T, r *recipe.Recipe, version string) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "export")
	require.NoError(t, r.Export(t.Context(), version, dir))
	return files(t, dir)
}

func TestExport_Version(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write("compose.yml", "one\n")
	c.write("bin/run", "#!/bin/sh")
	require.NoError(t, os.Chmod(filepath.Join(c.dir, "bin", "run"), 0o755))
	c.write("a name with\ta tab, a\nnewline and é", "\x00\r\n\n\n")
	c.write("empty", "")
	c.symlink("bin/run", "link")
	c.symlink("/etc/passwd", "outside")
	c.commit()
	c.git("update-index", "--add", "--cacheinfo", "160000,"+c.git("rev-parse", "HEAD")+",submodule")
	c.git("commit", "--quiet", "--message", "x")
	c.git("tag", "--annotate", "--message", "x", "1.0.0+v1")
	one := map[string]string{
		"compose.yml": "one\n", "bin/run*": "#!/bin/sh", "a name with\ta tab, a\nnewline and é": "\x00\r\n\n\n", "empty": "",
		"link": "-> bin/run", "outside": "-> /etc/passwd",
	}
	c.git("rm", "--quiet", "-r", ".")
	c.write("compose.yml", "two\n")
	c.commit("1.1.0+v1")
	c.git("update-ref", "refs/1.0.0+v1", "HEAD") // which git would take for the tag
	c.write("compose.yml", "edited")

	r := c.open()
	require.Equal(t, one, export(t, r, "1.0.0+v1"))
	require.Equal(t, map[string]string{"compose.yml": "two\n"}, export(t, r, "1.1.0+v1"))
}

// The working tree is exported as git add --all would find it.
func TestExport_WorkingTree(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(".gitignore", "*.log\n/ignored\n")
	for _, name := range []string{"compose.yml", "removed", "unstaged", "dir/a", "becomes", "linked/a", "kept.log"} {
		c.write(name, "old")
	}
	c.git("add", "--force", "kept.log")
	c.commit()
	c.write("compose.yml", "staged")
	c.git("add", "compose.yml")
	c.write("compose.yml", "edited\r\n")
	c.git("rm", "--quiet", "removed")
	for _, name := range []string{"unstaged", "dir", "becomes", "linked"} {
		require.NoError(t, os.RemoveAll(filepath.Join(c.dir, name)))
	}
	elsewhere := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "a"), []byte("secret"), 0o600))
	c.symlink(elsewhere, "linked")
	c.write("dir", "a file now")
	c.write("becomes/a", "a directory now")
	c.write("new/run", "new")
	require.NoError(t, os.Chmod(filepath.Join(c.dir, "new", "run"), 0o700))
	c.write("x.log", "ignored")
	c.write("ignored/x", "ignored")
	c.git("init", "--quiet", "another")
	c.write("another/x", "of another repository")
	require.Equal(t, map[string]string{
		".gitignore": "*.log\n/ignored\n", "compose.yml": "edited\r\n", "kept.log": "old",
		"dir": "a file now", "becomes/a": "a directory now", "linked": "-> " + elsewhere, "new/run*": "new",
	}, export(t, c.open(), ""))
}

// In a merge, git lists a file three times.
func TestExport_Conflict(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	relink := func(target string) {
		require.NoError(t, os.RemoveAll(filepath.Join(c.dir, "a")))
		c.symlink(target, "a")
		c.commit()
	}
	relink("base")
	c.git("checkout", "--quiet", "-b", "theirs")
	relink("theirs")
	c.git("checkout", "--quiet", "main")
	relink("ours")
	merge := exec.CommandContext(t.Context(), "git", "-C", c.dir, "-c", "user.name=t", "-c", "user.email=t@example.com", "merge", "theirs")
	require.Error(t, merge.Run())
	require.Len(t, strings.Fields(c.git("ls-files", "a")), 3)
	require.Equal(t, map[string]string{"a": "-> ours"}, export(t, c.open(), ""))
}

// The directory holds the files and nothing else, and is the same one.
func TestExport_Directory(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write("a/b", "new")
	c.commit("1.0.0+v1")
	r := c.open()
	dir := filepath.Join(t.TempDir(), "deep", "export")
	require.NoError(t, r.Export(t.Context(), "1.0.0+v1", dir))
	before, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, fs.ModeDir|0o700, before.Mode())

	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "b"), []byte("outside"), 0o600))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "a")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "a")), "where a directory will be")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "old", "deep"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "old", "x"), nil, 0o600))
	require.NoError(t, os.Chmod(dir, 0o750))
	require.NoError(t, r.Export(t.Context(), "", dir))
	require.Equal(t, map[string]string{"a/b": "new"}, files(t, dir))
	require.NoDirExists(t, filepath.Join(dir, "old"))
	require.Equal(t, map[string]string{"b": "outside"}, files(t, outside))
	after, err := os.Stat(dir)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after))
	require.Equal(t, fs.ModeDir|0o750, after.Mode())
}

// A repository that was made to, doesn't get out of the directory.
func TestExport_DoesNotEscape(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.commit()
	object := func(input string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", c.dir}, args...)...)
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.Output()
		require.NoError(t, err)
		return strings.TrimSpace(string(out))
	}
	outside := t.TempDir()
	blob := object("x", "hash-object", "-w", "--stdin")
	link := object(outside, "hash-object", "-w", "--stdin")
	tree := object("100644 blob "+blob+"\tx\n", "mktree")
	for tag, made := range map[string]struct{ entries, want string }{
		"1.0.0+up":   {"040000 tree " + tree + "\t..\n", "path escapes from parent"},
		"1.0.0+link": {"120000 blob " + link + "\ta\n040000 tree " + tree + "\ta\n", "a: file exists"},
	} {
		c.git("tag", tag, object(made.entries, "mktree"))
		dir := filepath.Join(t.TempDir(), "export")
		require.ErrorContains(t, c.open().Export(t.Context(), tag, dir), made.want)
		require.NoFileExists(t, filepath.Join(dir, "..", "x"))
	}
	require.Empty(t, files(t, outside))
}

func TestExport_Mistakes(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	r := c.open()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x"), []byte("kept"), 0o600))
	fetch := "; others may be had by: git -C " + c.dir + " fetch --tags"
	require.EqualError(t, r.Export(t.Context(), "1.0.0+v1", dir), "recipe matrix: there is no version 1.0.0+v1: there are none"+fetch)
	c.write("a", "a")
	c.commit("1.0.0+v1", "1.1.0+v1", "1.2.0+v1", "2.0.0+v2")
	c.git("update-ref", "refs/tags/-q", "HEAD")
	for version, want := range map[string]string{
		"1.1.5+v1":       "next to it are [1.1.0+v1 1.2.0+v1], the newest is 2.0.0+v2" + fetch,
		"0.1.0+v1":       "next to it are [1.0.0+v1], the newest is 2.0.0+v2" + fetch,
		"3.0.0+v1":       "next to it are [2.0.0+v2], the newest is 2.0.0+v2" + fetch,
		"2.0.0+2":        "there is no version 2.0.0+2: next to it are [1.2.0+v1 2.0.0+v2]",
		"main":           `version "main": expected X.Y.Z+APP`,
		"-q":             `version "-q": expected X.Y.Z+APP`,
		"1.0.0+v1^{}":    `version "1.0.0+v1^{}": expected X.Y.Z+APP`,
		"1.0.0+v1..main": "there is no version 1.0.0+v1..main",
	} {
		err := r.Export(t.Context(), version, dir)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "recipe matrix: ")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Export(ctx, "1.0.0+v1", dir), context.Canceled)
	require.ErrorIs(t, r.Export(ctx, "", dir), context.Canceled)
	require.Equal(t, map[string]string{"x": "kept"}, files(t, dir))
}

// To empty a directory that has to do with the checkout would destroy it.
func TestExport_IntoTheCheckout(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write("sub/a", "a")
	c.commit("1.0.0+v1")
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(filepath.Join(c.dir, "sub"), link))
	for _, dir := range []string{c.dir, filepath.Join(c.dir, "sub"), filepath.Join(c.dir, ".git", "x"), filepath.Dir(c.dir), link} {
		err := c.open().Export(t.Context(), "1.0.0+v1", dir)
		require.ErrorContains(t, err, "recipe matrix: export to "+dir+": it would replace files of ")
	}
	require.Empty(t, c.git("status", "--porcelain"))
}

// Nothing of the checkout changes, not even when git was last there.
func TestRecipe_OnlyReads(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write("a", "1")
	c.write("b", "1")
	c.commit("1.0.0+v1")
	c.write("a", "2")
	c.git("stash", "--quiet")
	c.write("a", "3")
	c.git("add", "a")
	c.touch("b") // git status would note in the index that it is the same
	c.write("new", "x")
	before := files(t, c.dir)
	r := c.open()
	_, err := r.Versions(t.Context())
	require.NoError(t, err)
	_, err = r.Chaos(t.Context())
	require.NoError(t, err)
	export(t, r, "")
	export(t, r, "1.0.0+v1")
	require.Equal(t, before, files(t, c.dir))
}

// configure makes us an operator with habits, who runs us from a git hook of another
// repository. From then on a checkout's git is that one's, too. It returns the home.
func configure(t *testing.T) string {
	t.Helper()
	home, other := newCheckout(t), newCheckout(t)
	t.Setenv("HOME", home.dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home.dir, ".config"))
	home.write(".config/git/ignore", "*.new\n")
	home.write(".config/git/attributes", "*.yml text\n")
	home.write(".gitconfig", `
[core]
	autocrlf = true
	fsmonitor = "touch `+home.dir+`/ran; false"
[color]
	ui = always
[filter "shout"]
	clean = tr a-z A-Z
	smudge = tr a-z A-Z
`)
	t.Setenv("GIT_DIR", filepath.Join(other.dir, ".git"))
	t.Setenv("GIT_WORK_TREE", other.dir)
	t.Setenv("GIT_INDEX_FILE", filepath.Join(other.dir, ".git", "index"))
	return home.dir
}

// Whoever exports gets the same, to the byte.
func TestExport_WhoeverRunsIt(t *testing.T) {
	c := newCheckout(t)
	want := map[string]string{
		".gitattributes": "*.txt filter=shout\n*.crlf text eol=crlf\n*.id ident\nhidden export-ignore\n",
		"a.txt":          "one\n", "a.crlf": "one\n", "a.id": "$Id$", "hidden": "x", "compose.yml": "one\n",
	}
	for name, text := range want {
		c.write(name, text)
	}
	c.commit("1.0.0+v1")
	configure(t)
	r := c.open()
	require.Equal(t, want, export(t, r, "1.0.0+v1"))
	c.write("x.new", "x")
	want["x.new"] = "x"
	require.Equal(t, want, export(t, r, ""))
}

func TestChaos_WhoeverRunsIt(t *testing.T) {
	c := newCheckout(t)
	c.write("compose.yml", "one\n")
	c.commit()
	converted := newCheckout(t)
	converted.write("compose.yml", "one\r\n")
	converted.git("-c", "core.autocrlf=true", "add", "--all")
	converted.git("commit", "--quiet", "--message", "x")
	converted.touch("compose.yml")
	home := configure(t)
	chaos, err := converted.open().Chaos(t.Context())
	require.NoError(t, err)
	require.Regexp(t, `^[0-9a-f]{8}\+U$`, chaos, "its file is another one than that of the commit")

	r := c.open()
	for _, change := range []struct{ name, text, want string }{
		{"compose.yml", "one\n", `^[0-9a-f]{8}$`},
		{"x.new", "x", `^[0-9a-f]{8}\+U$`},
	} {
		c.write(change.name, change.text)
		chaos, err := r.Chaos(t.Context())
		require.NoError(t, err)
		require.Regexp(t, change.want, chaos, "%q", change)
	}
	require.NoFileExists(t, filepath.Join(home, "ran"))
}
