package recipe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// file is one that is exported.
type file struct {
	name string      // relative, with slashes
	mode fs.FileMode // one of those that git knows
	data string      // a symlink's is its target
}

// Others may read, as in a checkout: what is mounted into a container often runs as
// somebody else there.
const (
	normal     fs.FileMode = 0o644
	executable fs.FileMode = 0o755
	symlink                = fs.ModeSymlink
)

// Export brings the files of a version into a directory, or with an empty one those
// of the checkout as they are: whatever is committed or could be, new files too, but
// nothing that the recipe ignores. Then the directory holds these and nothing else.
// They are exported to the byte, without git's conversions and filters; symlinks as
// symlinks, submodules not at all. All are in memory meanwhile.
//
// The directory is made if there is none, for its owner only; one that is there is
// emptied, and remains. It has nothing to do with the checkout: it neither is in it
// nor holds it. It is as it was if a version doesn't exist or files can't be read.
func (r *Recipe) Export(ctx context.Context, version, dir string) error {
	files, err := r.files(ctx, version)
	if err != nil {
		return fmt.Errorf("recipe %s: %w", r.name, err)
	}
	if err := r.fill(dir, files); err != nil {
		return fmt.Errorf("recipe %s: export to %s: %w", r.name, dir, err)
	}
	return nil
}

func (r *Recipe) files(ctx context.Context, version string) ([]file, error) {
	if version == "" {
		return r.working(ctx)
	}
	want, err := ParseVersion(version)
	if err == nil {
		err = r.has(ctx, want)
	}
	if err != nil {
		return nil, err
	}
	return r.tagged(ctx, "refs/tags/"+version)
}

// Has returns an error if there is no such version.
func (r *Recipe) Has(ctx context.Context, version Version) error {
	if err := r.has(ctx, version); err != nil {
		return fmt.Errorf("recipe %s: %w", r.name, err)
	}
	return nil
}

func (r *Recipe) has(ctx context.Context, want Version) error {
	versions, err := r.Versions(ctx)
	if err != nil {
		return err
	}
	i, found := slices.BinarySearchFunc(versions, want, Version.Compare)
	if found {
		return nil
	}
	there := "there are none"
	if n := len(versions); n > 0 {
		there = fmt.Sprintf("next to it are %v, the newest is %s", versions[max(0, i-1):min(n, i+1)], versions[n-1])
	}
	return fmt.Errorf("there is no version %s: %s; others may be had by: git -C %s fetch --tags", want, there, r.dir)
}

// tagged reads what a tag has.
func (r *Recipe) tagged(ctx context.Context, tag string) ([]file, error) {
	list, err := r.git(ctx, "ls-tree", "-r", "-z", "--full-tree", tag)
	if err != nil {
		return nil, err
	}
	modes := map[string]fs.FileMode{"100644": normal, "100755": executable, "120000": symlink}
	var files []file
	for _, line := range split(list) {
		about, name, _ := strings.Cut(line, "\t")
		about, object, _ := strings.Cut(about, " blob ")
		if object == "" {
			continue // a submodule
		}
		data, err := r.git(ctx, "cat-file", "blob", object)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name, cmp.Or(modes[about], normal), data})
	}
	return files, nil
}

// working reads what is in the checkout.
func (r *Recipe) working(ctx context.Context) ([]file, error) {
	list, err := r.git(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // it was opened to look up names
	var files []file
	for _, name := range split(list) {
		f, err := read(root, name)
		if err == nil {
			files = append(files, f)
		} else if !errors.Is(err, fs.ErrNotExist) { // which was removed, and that not committed
			return nil, err
		}
	}
	return files, nil
}

func read(root *os.Root, name string) (file, error) {
	info, err := lstat(root, name)
	if err != nil {
		return file{}, err
	}
	switch mode := info.Mode(); {
	case mode.Type() == symlink:
		target, err := root.Readlink(name)
		return file{name, symlink, target}, err
	case mode.IsRegular():
		data, err := root.ReadFile(name)
		if mode&0o100 != 0 {
			return file{name, executable, string(data)}, err
		}
		return file{name, normal, string(data)}, err
	}
	return file{}, fs.ErrNotExist // a submodule, or nothing that git would take
}

// lstat looks for a file as git does: there is none behind a symlink.
func lstat(root *os.Root, name string) (fs.FileInfo, error) {
	if dir := path.Dir(name); dir != "." {
		if info, err := lstat(root, dir); err != nil {
			return nil, err
		} else if !info.IsDir() {
			return nil, fs.ErrNotExist
		}
	}
	return root.Lstat(name)
}

// fill makes the files all that a directory holds.
func (r *Recipe) fill(dir string, files []file) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := r.isApart(dir); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it was opened to look up names
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := root.RemoveAll(e.Name()); err != nil {
			return err
		}
	}
	// Symlinks come last, so that nothing is written through one.
	slices.SortStableFunc(files, func(a, b file) int { return cmp.Compare(a.mode, b.mode) })
	for _, f := range files {
		if err := write(root, f); err != nil {
			return err
		}
	}
	return nil
}

func write(root *os.Root, f file) error {
	if err := root.MkdirAll(path.Dir(f.name), 0o755); err != nil {
		return err
	}
	if f.mode == symlink {
		return root.Symlink(f.data, f.name)
	}
	return root.WriteFile(f.name, []byte(f.data), f.mode)
}

// isApart makes sure that neither the directory nor the checkout holds the other.
func (r *Recipe) isApart(dir string) error {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return err
	}
	checkout, err := filepath.EvalSymlinks(r.dir)
	if err != nil {
		return err
	}
	inside, _ := filepath.Rel(checkout, dir) // "" if there is no way from one to the other
	around, _ := filepath.Rel(dir, checkout)
	if filepath.IsLocal(inside) || filepath.IsLocal(around) {
		return fmt.Errorf("it would replace files of %s: take a directory elsewhere", checkout)
	}
	return nil
}

// split splits what git prints with -z.
func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == 0 })
}
