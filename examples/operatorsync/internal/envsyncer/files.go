package envsyncer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/envfile"
)

// file returns the path of an app's file; empty if it can't have one.
func (b *Backend) file(domain string) string {
	const longest = 255 // on every file system of ours
	if name := domain + suffix; filepath.Base(name) == name && len(name) <= longest {
		return filepath.Join(b.dir, name)
	}
	return ""
}

// load reads an app's file; see envfile.Read.
func (b *Backend) load(domain string) (*envfile.File, error) { return envfile.Read(b.file(domain)) }

// fileFor returns an app's file, if it can take a version. One that says something else
// than what was recorded was edited meanwhile.
func (t *tx) fileFor(domain, version string) (*envfile.File, error) {
	f, err := t.b.load(domain)
	if err != nil {
		return nil, err
	}
	if now, was := f.Version(), t.versions[domain]; now != was && now != version {
		return nil, fmt.Errorf("%s was changed meanwhile: it says %q and said %q; %q is not recorded",
			t.b.file(domain), now, was, version)
	}
	if _, err := f.With(version); err != nil {
		return nil, fmt.Errorf("%s: %w", t.b.file(domain), err)
	}
	return f, nil
}

// canRecord returns an error if a version that an act is to bring about couldn't be
// recorded in an app's file.
func (t *tx) canRecord(domain, version string) error {
	_, err := t.fileFor(domain, version)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(t.b.file(domain))
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o200 == 0 {
		return fmt.Errorf("%s is read-only, so that no version can be recorded in it: chmod u+w it", t.b.file(domain))
	}
	return nil
}

// write brings a version into a file, unless somebody has brought another one there.
func (t *tx) write(domain string, l line) error {
	f, err := t.b.load(domain)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || f.Version() != l.From {
		return err
	}
	text, err := f.With(l.To)
	if err != nil {
		return err
	}
	path, err := filepath.EvalSymlinks(t.b.file(domain)) // the link stays
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return t.put(path, text, info.Mode().Perm())
}

// put replaces a file, as a whole or not at all: by way of the work directory, or, where
// a link led to another disk, of the directory that the file is in.
func (t *tx) put(path string, text []byte, mode fs.FileMode) error {
	err := t.putBy(t.work, path, text, mode)
	if errors.Is(err, syscall.EXDEV) {
		err = t.putBy(filepath.Dir(path), path, text, mode)
	}
	return err
}

func (t *tx) putBy(dir, path string, text []byte, mode fs.FileMode) error {
	t.b.step("write " + path)
	f, err := os.CreateTemp(dir, Dir+"-*") // a name of its own, as that of the file may be as long as one can be
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is gone if all went well
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	keepOwner(f.Name(), path)
	t.b.step("rename to " + path)
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	t.b.step("renamed to " + path)
	return syncDir(filepath.Dir(path))
}

// syncDir brings the names in a directory to the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
