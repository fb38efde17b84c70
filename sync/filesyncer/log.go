package filesyncer

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// log is a file that whole lines are appended to: the journal, and the
// declarations.
type log struct {
	disk disk
	path string
	work string // where it is made
	file file   // nil if there is none
	size int64  // of what was appended successfully
	// broken is set when it can't be told what the file holds.
	broken error
}

// open opens the file, if there is one, whose whole lines end at size.
func (l *log) open(size int64) error {
	f, err := l.disk.Append(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return diskError("write", l.path, err)
	}
	l.file, l.size = f, size
	return nil
}

// trim cuts off what a crash left behind the last whole line.
func (l *log) trim() error {
	if l.file == nil {
		return nil
	}
	info, err := l.file.Stat()
	if err != nil {
		return diskError("look at", l.path, err)
	}
	if info.Size() > l.size {
		return l.cut()
	}
	return nil
}

// append appends what write writes, so that it survives a crash of the system,
// or nothing.
func (l *log) append(write func(io.Writer) error) error {
	if l.broken != nil {
		return l.broken
	}
	if l.file == nil {
		return l.create(write)
	}
	n, err := l.fill(write)
	if err != nil {
		return errors.Join(err, l.cut())
	}
	l.size += n
	return nil
}

func (l *log) fill(write func(io.Writer) error) (int64, error) {
	w := counter{w: l.file}
	if err := write(&w); err != nil {
		return w.n, diskError("write", l.path, err)
	}
	return w.n, diskError("write", l.path, l.file.Sync())
}

// cut takes back what was appended since the last success.
func (l *log) cut() error {
	err := l.file.Truncate(l.size)
	if err == nil {
		err = l.file.Sync()
	}
	l.broken = diskError("cut off", l.path, err)
	return l.broken
}

// create makes the file, out of sight, and puts it in place when it is whole.
func (l *log) create(write func(io.Writer) error) error {
	hidden := filepath.Join(l.work, filepath.Base(l.path))
	f, err := createAnew(l.disk, hidden)
	if err != nil {
		return err
	}
	l.file = f
	n, err := l.fill(write)
	if err == nil {
		err = diskError("create", l.path, l.disk.Rename(hidden, l.path))
	}
	if err == nil {
		err = diskError("create", l.path, l.disk.SyncDir(filepath.Dir(l.path)))
	}
	if err == nil {
		l.size = n
		return nil
	}
	if l.isThere() { // it must not be seen
		l.broken = l.retire()
		return errors.Join(err, l.broken)
	}
	return errors.Join(err, l.close(), diskError("remove", hidden, l.disk.RemoveAll(hidden)))
}

// retire takes the file away. It goes by way of the work directory: a holder
// that lost its lease long ago, and goes on only now, must not remove the file
// of the next one.
func (l *log) retire() error {
	if l.file == nil {
		return nil
	}
	hidden := filepath.Join(l.work, "old-"+filepath.Base(l.path))
	if err := l.disk.Rename(l.path, hidden); err != nil && l.isThere() {
		return diskError("remove", l.path, err)
	}
	// What remains of it in the work directory does no harm.
	return errors.Join(l.close(), diskError("remove", hidden, l.disk.RemoveAll(hidden)))
}

// isThere tells whether the file that is open is the one that has the name.
func (l *log) isThere() bool {
	if l.file == nil {
		return false
	}
	mine, err := l.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(l.path)
	return err == nil && os.SameFile(mine, there)
}

func (l *log) close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file, l.size = nil, 0
	return diskError("close", l.path, err)
}

// counter counts what goes through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
