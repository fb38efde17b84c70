package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/sync"
)

// maxLinks is how many symbolic links a path may lead through.
const maxLinks = 40

// source is a file to read.
type source struct {
	fsys  fs.FS
	name  string // in fsys
	label string // in positions
	root  int
}

// finder finds the files of roots, each once.
type finder struct {
	opts   *Options
	m      *Mistakes
	root   Root
	number int               // of the root
	top    string            // where the root's path leads
	dirs   map[string]bool   // that were walked
	found  []source          // of the root
	all    map[string]source // of all roots, by their labels
}

// find returns the files of all roots: in order of the roots, those of a root in
// order of their paths.
func find(roots []Root, opts *Options, m *Mistakes) []source {
	f := finder{opts: opts, m: m, all: map[string]source{}}
	var all []source
	for i, root := range roots {
		f.root, f.found, f.dirs = root, nil, map[string]bool{}
		f.number = i
		f.start()
		slices.SortFunc(f.found, func(a, b source) int { return strings.Compare(a.name, b.name) })
		all = append(all, f.found...)
	}
	return all
}

func (f *finder) start() {
	name := path.Clean("./" + f.root.Path)
	real, info, err := f.follow(name)
	switch {
	case err != nil:
		f.unreadable(name, err)
	case info.IsDir():
		f.top = real
		f.walk(real)
	default:
		f.file(real, info.Mode())
	}
}

// matches tells whether a pattern matches the path of a file or directory in the
// root.
func (f *finder) matches(patterns []string, name string) bool {
	return matches(patterns, strings.TrimPrefix(name, f.top+"/"))
}

// walk finds the files of a directory, to which no link leads any more.
func (f *finder) walk(dir string) {
	// The error is nil: the function below keeps what it gets.
	_ = fs.WalkDir(f.root.FS, dir, func(name string, entry fs.DirEntry, err error) error {
		hidden := name != dir && strings.HasPrefix(path.Base(name), ".")
		switch {
		case err != nil:
			f.unreadable(name, err)
		case hidden && entry.IsDir(), entry.IsDir() && (name != dir && f.matches(f.opts.Exclude, name) || f.dirs[name]):
			return fs.SkipDir
		case entry.IsDir():
			f.dirs[name] = true
		case hidden:
		case entry.Type()&fs.ModeSymlink != 0:
			f.link(name)
		case f.wants(name):
			f.file(name, entry.Type())
		}
		return nil
	})
}

// wants tells whether a file of a directory is read.
func (f *finder) wants(name string) bool {
	return strings.HasSuffix(name, ".toml") && !f.matches(f.opts.Exclude, name) &&
		(len(f.opts.Include) == 0 || f.matches(f.opts.Include, name))
}

// link follows a symbolic link: to a file if it has the name of one that is read,
// or to a directory.
func (f *finder) link(name string) {
	real, info, err := f.follow(name)
	switch {
	case err != nil && (strings.HasSuffix(name, ".toml") || errors.Is(err, errOutside)) && !f.matches(f.opts.Exclude, name):
		f.unreadable(name, err)
	case err != nil:
	case info.IsDir() && !f.matches(f.opts.Exclude, name):
		f.walk(real)
	case !info.IsDir() && f.wants(name):
		f.file(real, info.Mode())
	}
}

func (f *finder) file(name string, mode fs.FileMode) {
	switch {
	case mode&fs.ModeType != 0:
		f.m.Add(sync.Position{File: f.label(name)}, "want a regular file, found "+mode.Type().String(), "")
	default:
		f.add(source{f.root.FS, name, f.label(name), f.number})
	}
}

// add adds a file, unless it was found before.
func (f *finder) add(file source) {
	first, twice := f.all[file.label]
	switch {
	case !twice:
		f.all[file.label] = file
		f.found = append(f.found, file)
	case first.root != file.root && !first.isSame(file):
		f.m.Add(sync.Position{File: file.label}, "is the path of different files in two roots", "give the roots different Dirs")
	}
}

// isSame tells whether two files of the same path in two roots are one, or might
// as well be.
func (s source) isSame(other source) bool {
	data, err := fs.ReadFile(s.fsys, s.name)
	if err != nil {
		return true // it will be said when it is loaded
	}
	otherData, err := fs.ReadFile(other.fsys, other.name)
	return err == nil && bytes.Equal(data, otherData)
}

func (f *finder) label(name string) string { return path.Join(f.root.Dir, name) }

func (f *finder) unreadable(name string, err error) {
	f.m.all = append(f.m.all, unreadable(f.label(name), err))
}

var errOutside = errors.New("leads out of the directory that is read")

// follow returns where a path leads once its symbolic links are followed, and
// what is there.
func (f *finder) follow(name string) (string, fs.FileInfo, error) { return f.resolve(name, new(int)) }

func (f *finder) resolve(name string, links *int) (string, fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return "", nil, errOutside
	}
	if name != "." {
		dir, _, err := f.resolve(path.Dir(name), links)
		if err != nil {
			return "", nil, err
		}
		name = path.Join(dir, path.Base(name))
	}
	info, err := fs.Lstat(f.root.FS, name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return name, info, err
	}
	target, err := fs.ReadLink(f.root.FS, name)
	if err != nil {
		return "", nil, err
	}
	if *links++; *links > maxLinks {
		return "", nil, fmt.Errorf("leads through more than %d symbolic links", maxLinks)
	}
	if path.IsAbs(target) || strings.Contains(target, `\`) {
		return "", nil, fmt.Errorf("%w, since the link is not a relative one", errOutside)
	}
	return f.resolve(path.Join(path.Dir(name), target), links)
}
