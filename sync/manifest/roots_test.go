package manifest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/manifest"
)

// tree makes a file system in which each file declares a variable of its path's
// last name; a text that begins with "->" is a symbolic link.
func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		if target, link := cutLink(text); link {
			fsys[name] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte(target)}
			continue
		}
		fsys[name] = &fstest.MapFile{Data: []byte("[[variable]]\nname = '" + name + "'\n")}
	}
	return fsys
}

func cutLink(text string) (string, bool) {
	if len(text) > 2 && text[:2] == "->" {
		return text[2:], true
	}
	return "", false
}

func TestRootsAreReadOnceAndInOrder(t *testing.T) {
	t.Parallel()
	fsys := tree(map[string]string{
		"b.toml": "", "a/z.toml": "", "a/y.toml": "", "a/.git/x.toml": "", "a/pyproject.TOML": "", "c/one.txt": "", "c/two.toml": "",
	})
	for name, c := range map[string]struct {
		roots []manifest.Root
		want  []string
	}{
		"all":                   {[]manifest.Root{{FS: fsys}}, []string{"a/y.toml", "a/z.toml", "b.toml", "c/two.toml"}},
		"a directory":           {[]manifest.Root{{FS: fsys, Path: "a/"}}, []string{"a/y.toml", "a/z.toml"}},
		"roots in order":        {[]manifest.Root{{FS: fsys, Path: "c"}, {FS: fsys, Path: "b.toml"}, {FS: fsys, Path: "a"}}, []string{"c/two.toml", "b.toml", "a/y.toml", "a/z.toml"}},
		"a file of any name":    {[]manifest.Root{{FS: fsys, Path: "c/one.txt"}}, []string{"c/one.txt"}},
		"roots in each other":   {[]manifest.Root{{FS: fsys, Path: "a/z.toml"}, {FS: fsys, Path: "./a"}, {FS: fsys}}, []string{"a/z.toml", "a/y.toml", "b.toml", "c/two.toml"}},
		"overlap by their Dirs": {[]manifest.Root{{FS: sub(t, fsys, "a"), Dir: "conf/a"}, {FS: fsys, Dir: "conf"}}, []string{"conf/a/y.toml", "conf/a/z.toml", "conf/b.toml", "conf/c/two.toml"}},
	} {
		d, err := manifest.LoadRoots(c.roots, stackKinds(), stackOptions())
		require.NoError(t, err, name)
		require.Equal(t, c.want, d.Files, name)
		require.Len(t, d.Desired.Resources, len(c.want), name)
	}
	_, err := manifest.LoadRoots([]manifest.Root{{FS: fsys, Path: "d", Dir: "conf"}, {FS: fsys, Path: "../a"}}, stackKinds(), nil)
	require.EqualError(t, err, "../a: can't be read: leads out of the directory that is read\nconf/d: can't be read: file does not exist")
}

// Two file systems that nobody has told apart: nothing is left out unnoticed.
func TestRootsOfTheSameName(t *testing.T) {
	t.Parallel()
	one, two := tree(map[string]string{"a.toml": ""}), tree(map[string]string{"a.toml": "", "b.toml": ""})
	d, err := manifest.LoadRoots([]manifest.Root{{FS: one}, {FS: two}}, stackKinds(), stackOptions())
	require.NoError(t, err)
	require.Equal(t, []string{"a.toml", "b.toml"}, d.Files)
	two["a.toml"].Data = []byte("[[variable]]\nname = 'other'")
	_, err = manifest.LoadRoots([]manifest.Root{{FS: one}, {FS: two}}, stackKinds(), stackOptions())
	require.EqualError(t, err, "a.toml: is the path of different files in two roots; give the roots different Dirs")
	d, err = manifest.LoadRoots([]manifest.Root{{FS: one, Dir: "one"}, {FS: two, Dir: "two"}}, stackKinds(), stackOptions())
	require.NoError(t, err)
	require.Equal(t, []string{"one/a.toml", "two/a.toml", "two/b.toml"}, d.Files)
}

func sub(t *testing.T, fsys fs.FS, dir string) fs.FS {
	t.Helper()
	inner, err := fs.Sub(fsys, dir)
	require.NoError(t, err)
	return inner
}

func TestSymbolicLinks(t *testing.T) {
	t.Parallel()
	fsys := tree(map[string]string{
		"a/real.toml": "", "a/link.toml": "->real.toml", "a/up": "->..", "shared.d/s.toml": "", "a/shared": "->../shared.d", "b": "->a",
		"a/notes.txt": "", "a/notes": "->notes.txt", "a/odd.toml": "->notes.txt", "a/gone": "->nowhere",
	})
	d, err := manifest.LoadRoots([]manifest.Root{{FS: fsys, Path: "b"}}, stackKinds(), stackOptions())
	require.NoError(t, err)
	require.Equal(t, []string{"a/notes.txt", "a/real.toml", "shared.d/s.toml"}, d.Files)

	for target, want := range map[string]string{
		"../../etc":  "conf/a/x: can't be read: leads out of the directory that is read",
		"/etc/x":     "conf/a/x: can't be read: leads out of the directory that is read, since the link is not a relative one",
		"x":          "",
		"../a/../..": "conf/a/x: can't be read: leads out of the directory that is read",
	} {
		fsys := tree(map[string]string{"a/real.toml": "", "a/x": "->" + target})
		_, err := manifest.LoadRoots([]manifest.Root{{FS: fsys, Dir: "conf"}}, stackKinds(), stackOptions())
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want, target)
		}
	}
	_, err = manifest.LoadRoots([]manifest.Root{{FS: tree(map[string]string{"x.toml": "->y.toml", "y.toml": "->x.toml"})}}, stackKinds(), nil)
	require.ErrorContains(t, err, "x.toml: can't be read: leads through more than 40 symbolic links")
}

// The real file system is as what the other tests take for one.
func TestSymbolicLinksOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "in", "a"), 0o700))
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("in/a/a.toml", "[[variable]]\nname = 'a'\n")
	write("out.toml", "[[variable]]\nname = 'out'\n")
	require.NoError(t, os.Symlink("a", filepath.Join(dir, "in", "b")))
	d, err := manifest.LoadRoots([]manifest.Root{{FS: os.DirFS(filepath.Join(dir, "in"))}}, stackKinds(), stackOptions())
	require.NoError(t, err)
	require.Equal(t, []string{"a/a.toml"}, d.Files)
	require.NoError(t, os.Symlink("../out.toml", filepath.Join(dir, "in", "out.toml")))
	_, err = manifest.LoadRoots([]manifest.Root{{FS: os.DirFS(filepath.Join(dir, "in"))}}, stackKinds(), stackOptions())
	require.EqualError(t, err, "out.toml: can't be read: leads out of the directory that is read")
}

func TestIncludeAndExclude(t *testing.T) {
	t.Parallel()
	fsys := tree(map[string]string{"a.toml": "", "core.config.toml": "", "x/a.toml": "", "x/y/a.toml": "", "x/y/b.toml": "", "off/a.toml": "", "off/b.txt": ""})
	for _, c := range []struct {
		include, exclude, want []string
	}{
		{nil, []string{"off", "*.config.toml"}, []string{"a.toml", "x/a.toml", "x/y/a.toml", "x/y/b.toml"}},
		{nil, []string{"off/**", "x/*/a.toml", "core*"}, []string{"a.toml", "x/a.toml", "x/y/b.toml"}},
		{[]string{"b.toml"}, nil, []string{"x/y/b.toml"}},
		{[]string{"x/**"}, []string{"b.*"}, []string{"x/a.toml", "x/y/a.toml"}},
		{[]string{"**/y/*", "off/*"}, nil, []string{"off/a.toml", "x/y/a.toml", "x/y/b.toml"}},
		{[]string{"x/**/a.toml"}, nil, []string{"x/a.toml", "x/y/a.toml"}},
		{[]string{"/a.toml", "x/a.toml"}, nil, []string{"x/a.toml"}},
	} {
		opts := stackOptions()
		opts.Include, opts.Exclude = c.include, c.exclude
		d, err := manifest.LoadRoots([]manifest.Root{{FS: fsys}}, stackKinds(), opts)
		require.NoError(t, err)
		require.Equal(t, c.want, d.Files, "%v but %v", c.include, c.exclude)
	}
	// Patterns are of paths in the root.
	opts := stackOptions()
	opts.Exclude = []string{"y/a.toml"}
	d, err := manifest.LoadRoots([]manifest.Root{{FS: fsys, Path: "x"}}, stackKinds(), opts)
	require.NoError(t, err)
	require.Equal(t, []string{"x/a.toml", "x/y/b.toml"}, d.Files)
}
