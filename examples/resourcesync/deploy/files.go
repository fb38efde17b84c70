package deploy

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/trueup-go/trueup/examples/internal/checkout"
	"github.com/trueup-go/trueup/state"
)

// emptyDir makes a directory that has nothing in it.
func emptyDir(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

// sumOfTree is a checksum of the names, modes and contents of all that is in a
// directory.
func sumOfTree(dir string) (state.Checksum, error) {
	var text strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == ".git" {
			return fs.SkipDir
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		content, err := sumOfFile(path, entry)
		_, _ = fmt.Fprintf(&text, "%q %v %s\n", name, entry.Type(), content)
		return err
	})
	if err != nil {
		return state.Checksum{}, err
	}
	return state.Sum([]byte(text.String())), nil
}

func sumOfFile(path string, entry fs.DirEntry) (string, error) {
	switch {
	case entry.Type()&fs.ModeSymlink != 0:
		return os.Readlink(path)
	case !entry.Type().IsRegular():
		return "", nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", hash.Sum(nil)), nil
}

// A reading is where files that something reads are: below a run directory, in a
// checkout or not.
type reading struct {
	run  string
	from *source // nil: they are no checkout's
}

// tell says what there is at paths, relative to the run directory: text that differs
// if a file does. In a checkout that is what the commit has: what a command makes
// there is not what was declared.
func (r *reading) tell(ctx context.Context, paths ...string) (string, error) {
	var text strings.Builder
	var known []string
	for _, path := range paths {
		path = below(r.run, path)
		if r.from != nil {
			if name, err := filepath.Rel(r.from.dir, path); err == nil && filepath.IsLocal(name) {
				known = append(known, name)
				continue
			}
		}
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // compose says so, if it minds
		}
		if err != nil {
			return "", err
		}
		sum, err := sumOfPath(path, info)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(&text, "%q %s\n", path, sum)
	}
	if r.from == nil {
		return text.String(), nil
	}
	tree, err := checkout.Tree(ctx, r.from.dir, r.from.commit, known...)
	return tree + text.String(), err
}

func sumOfPath(path string, info fs.FileInfo) (string, error) {
	if info.IsDir() {
		sum, err := sumOfTree(path)
		return sum.String(), err
	}
	return sumOfFile(path, fs.FileInfoToDirEntry(info))
}
