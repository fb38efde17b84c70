package appsync

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxFile is the size of the largest file that is read, in bytes. What is in a
// file becomes part of a declaration, which is sent and stored as a whole.
const maxFile = 16 << 20

// maxLinks is how many symbolic links a path may lead through.
const maxLinks = 40

// errOutside says that a path leads out of the config directory.
var errOutside = errors.New("is outside of the config directory")

// reader reads files of a config directory, and nothing outside of it: a
// symbolic link that leads out is refused, even if the file system would follow
// it. It is safe for concurrent use.
type reader struct {
	fsys fs.FS
	// listed are the regular files that the folders listed, so that they need not
	// be looked at again. It is filled before anything is read.
	listed map[string]bool

	mu    sync.Mutex
	dirs  map[string]string // where the path of a folder leads
	named map[string]string // what is in the files that others name
}

func newReader(fsys fs.FS) *reader {
	return &reader{fsys: fsys, listed: map[string]bool{}, dirs: map[string]string{".": "."}, named: map[string]string{}}
}

// resolve returns where a path leads once its symbolic links are followed, and
// what is there: nil for a file that is listed.
func (r *reader) resolve(name string) (string, fs.FileInfo, error) { return r.follow(name, new(int)) }

func (r *reader) follow(name string, links *int) (string, fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return "", nil, errOutside
	}
	if name != "." {
		dir, err := r.folder(path.Dir(name), links)
		if err != nil {
			return "", nil, err
		}
		name = path.Join(dir, path.Base(name))
	}
	if r.listed[name] {
		return name, nil, nil
	}
	info, err := fs.Lstat(r.fsys, name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return name, info, err
	}
	target, err := fs.ReadLink(r.fsys, name)
	if err != nil {
		return "", nil, err
	}
	if *links++; *links > maxLinks {
		return "", nil, errors.New("leads through too many symbolic links")
	}
	if path.IsAbs(target) || strings.Contains(target, `\`) {
		return "", nil, errOutside
	}
	return r.follow(path.Join(path.Dir(name), target), links)
}

// folder is follow for folders, of which few hold many files.
func (r *reader) folder(name string, links *int) (string, error) {
	r.mu.Lock()
	known, ok := r.dirs[name]
	r.mu.Unlock()
	if ok {
		return known, nil
	}
	real, _, err := r.follow(name, links)
	if err == nil {
		r.mu.Lock()
		r.dirs[name] = real
		r.mu.Unlock()
	}
	return real, err
}

// read returns what is in a file.
func (r *reader) read(name string) ([]byte, error) {
	name, info, err := r.resolve(name)
	if err != nil {
		return nil, err
	}
	if info != nil && !info.Mode().IsRegular() {
		return nil, notRegular(info) // opening it could block
	}
	f, err := r.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err = f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, notRegular(info)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("is larger than %d MiB", maxFile>>20)
	}
	b := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	_, err = b.ReadFrom(io.LimitReader(f, maxFile))
	return b.Bytes(), err
}

func notRegular(info fs.FileInfo) error {
	if info.IsDir() {
		return errors.New("is a folder")
	}
	return errors.New("is not a regular file")
}

// find reads the file that a field of the file from names: relative to from's
// folder, else to each folder above it, else to the folder also (unless it is
// empty). It returns the path that was read.
func (r *reader) find(from, name, also string) (found, text string, err error) {
	outside := true
	for _, dir := range foldersAbove(from, also) {
		candidate := path.Join(dir, name)
		if !fs.ValidPath(candidate) {
			continue
		}
		outside = false
		if text, err = r.text(candidate); !errors.Is(err, fs.ErrNotExist) {
			return candidate, text, err
		}
	}
	if outside {
		return "", "", errOutside
	}
	return "", "", fs.ErrNotExist
}

// text returns what is in a file that another one names.
func (r *reader) text(name string) (string, error) {
	r.mu.Lock()
	text, ok := r.named[name]
	r.mu.Unlock()
	if ok {
		return text, nil
	}
	raw, err := r.read(name)
	switch {
	case err != nil:
		return "", err
	case !utf8.Valid(raw):
		return "", errors.New("is not text in UTF-8")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.named[name] = string(raw)
	return r.named[name], nil
}

// wasNamed tells whether a file was named by another one.
func (r *reader) wasNamed(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.named[name]
	return ok
}

// foldersAbove returns the folders in which a file that from names is looked
// for, in order.
func foldersAbove(from, also string) []string {
	var dirs []string
	for dir := path.Dir(from); ; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
		if dir == "." {
			break
		}
	}
	if also != "" && also != path.Dir(from) {
		dirs = append(dirs, also)
	}
	return dirs
}

// why says what is wrong with a file that can't be read, as the end of a
// sentence that begins with its name.
func why(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "is not there"
	}
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return "can't be read: " + perr.Err.Error()
	}
	return err.Error()
}
