package filesyncer

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

type linkError = os.LinkError

// disk is everything that changes the directory. Each call is a step at which a
// process can die, be stopped or be refused; tests do all three to every one.
type disk interface {
	// MkdirAll makes the directory and what is above it.
	MkdirAll(path string) error
	// Mkdir makes a directory that must not exist.
	Mkdir(path string) error
	// Create makes a file that must not exist, to be appended to.
	Create(path string) (file, error)
	// Append opens a file to be appended to.
	Append(path string) (file, error)
	// Rename moves a file or directory; a file takes the place of another.
	Rename(from, to string) error
	// Link gives a file a second name, which nothing may have.
	Link(from, to string) error
	// RemoveAll removes what is there, if anything is.
	RemoveAll(path string) error
	// SyncDir makes what was done to the names in a directory survive a crash of
	// the system.
	SyncDir(path string) error
}

// file is a file open for appending.
type file interface {
	io.WriteCloser
	// Sync makes what was written survive a crash of the system.
	Sync() error
	// Truncate cuts the file off.
	Truncate(size int64) error
	// Stat describes the file, whatever its name is now.
	Stat() (fs.FileInfo, error)
	// Fd is the file's descriptor.
	Fd() uintptr
}

// osDisk is the disk of the operating system.
type osDisk struct{}

func (osDisk) MkdirAll(path string) error { return os.MkdirAll(path, dirMode) }

func (osDisk) Mkdir(path string) error { return os.Mkdir(path, dirMode) }

func (osDisk) Create(path string) (file, error) {
	return noNil(os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, fileMode))
}

func (osDisk) Append(path string) (file, error) {
	return noNil(os.OpenFile(path, os.O_RDWR|os.O_APPEND, fileMode))
}

// noNil keeps a nil *os.File from becoming a file that is not nil.
func noNil(f *os.File, err error) (file, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) Link(from, to string) error { return os.Link(from, to) }

func (osDisk) RemoveAll(path string) error { return os.RemoveAll(path) }

func (osDisk) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EROFS) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // a file system that keeps the order of names by itself, or nothing to wait for
	}
	return errors.Join(err, d.Close())
}

// createAnew makes a file in the work directory, in place of what an operation
// that failed may have left there.
func createAnew(d disk, path string) (file, error) {
	f, err := d.Create(path)
	if errors.Is(err, fs.ErrExist) {
		if err := d.RemoveAll(path); err != nil {
			return nil, diskError("remove", path, err)
		}
		f, err = d.Create(path)
	}
	if err != nil {
		return nil, diskError("create", path, err)
	}
	return f, nil
}

// closeRead closes a file that was only read: there is nothing to lose.
func closeRead(f *os.File) { _ = f.Close() }
