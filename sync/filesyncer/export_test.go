package filesyncer

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/trueup-go/trueup/state"
)

// NewStepping is New, for a Backend that calls step before and after everything
// that it does to the directory, and in the middle of every write. An error of
// step is that of the operation.
func NewStepping(dir string, scope state.Scope, opts *Options, step func(op, path string) error) (*Backend, error) {
	b, err := New(dir, scope, opts)
	if err == nil {
		b.disk = stepDisk{step: step}
	}
	return b, err
}

// AppendLine appends a line of the journal.
func AppendLine(dst []byte, base state.Checksum, delta *state.Delta) ([]byte, error) {
	dst, _, err := appendLine(dst, base, delta)
	return dst, err
}

// ParseJournal reads a journal: the serials of its commits, and the size of its
// whole lines.
func ParseJournal(text []byte) (serials []int64, size int64, err error) {
	j, err := parseJournal("journal.jsonl", text, wholeCommit)
	for _, c := range j.commits {
		serials = append(serials, c.Head.Serial)
	}
	return serials, j.size, err
}

// AppendDigest appends what is in the file of a key.
func AppendDigest(dst, key []byte) []byte { return appendDigest(dst, key) }

// ParseDigest reads what is in the file of a key.
func ParseDigest(text []byte) ([]byte, error) { return parseDigest(text) }

// stepDisk is osDisk with a step before and after everything.
type stepDisk struct {
	osDisk
	step func(op, path string) error
}

// around does something between two steps. What was done before the second one
// fails has been done.
func (d stepDisk) around(op, path string, do func() error) error {
	if err := d.step("before "+op, path); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return d.step("after "+op, path)
}

func (d stepDisk) MkdirAll(path string) error {
	return d.around("mkdir", path, func() error { return d.osDisk.MkdirAll(path) })
}

func (d stepDisk) Mkdir(path string) error {
	return d.around("mkdir", path, func() error { return d.osDisk.Mkdir(path) })
}

func (d stepDisk) Create(path string) (f file, err error) {
	err = d.around("create", path, func() error { f, err = d.osDisk.Create(path); return err })
	return stepFile{f, d, path}, err
}

func (d stepDisk) Append(path string) (f file, err error) {
	err = d.around("open", path, func() error { f, err = d.osDisk.Append(path); return err })
	return stepFile{f, d, path}, err
}

func (d stepDisk) Rename(from, to string) error {
	return d.around("rename", to, func() error { return d.osDisk.Rename(from, to) })
}

func (d stepDisk) Link(from, to string) error {
	return d.around("link", to, func() error { return d.osDisk.Link(from, to) })
}

// RemoveAll removes name by name, as the operating system has it.
func (d stepDisk) RemoveAll(path string) error {
	var names []string
	err := filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	for i := len(names) - 1; i >= 0 && err == nil; i-- {
		err = d.around("remove", names[i], func() error { return os.Remove(names[i]) })
	}
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

func (d stepDisk) SyncDir(path string) error {
	return d.around("sync", path, func() error { return d.osDisk.SyncDir(path) })
}

type stepFile struct {
	file
	disk stepDisk
	path string
}

// Write writes in two parts, with a step in between.
func (f stepFile) Write(p []byte) (n int, err error) {
	half := rand.IntN(max(1, len(p)))
	err = f.disk.around("write", f.path, func() error {
		if n, err = f.file.Write(p[:half]); err != nil {
			return err
		}
		return f.disk.step("tear", f.path)
	})
	if err != nil {
		return n, err
	}
	m, err := f.file.Write(p[half:])
	if err == nil {
		err = f.disk.step("after the second half", f.path)
	}
	return n + m, err
}

func (f stepFile) Sync() error {
	return f.disk.around("sync", f.path, f.file.Sync)
}

func (f stepFile) Truncate(size int64) error {
	return f.disk.around("truncate", f.path, func() error { return f.file.Truncate(size) })
}

func (f stepFile) Close() error {
	return f.disk.around("close", f.path, f.file.Close)
}
