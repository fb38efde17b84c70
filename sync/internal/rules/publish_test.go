package rules

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// release is the version that publish gives the library.
const release = "v0.1.0"

// publish lays the library out as a module proxy serves it, in one version, and
// returns the directory: https://go.dev/ref/mod#goproxy-protocol. The go command
// refuses a module with files that can't be in one, so this also shows that the
// tree can be released.
func publish(t *testing.T) string {
	t.Helper()
	proxy := t.TempDir()
	versions := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(versions, 0o700); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"list":            []byte(release + "\n"),
		release + ".info": []byte(`{"Version":"` + release + `"}`),
		release + ".mod":  mod,
	} {
		if err := os.WriteFile(filepath.Join(versions, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Create(filepath.Join(versions, release+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for _, path := range moduleFiles(t) {
		if err := addFile(w, path); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return proxy
}

func addFile(w *zip.Writer, path string) error {
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return err
	}
	entry, err := w.Create(module + "@" + release + "/" + filepath.ToSlash(path))
	if err != nil {
		return err
	}
	_, err = entry.Write(text)
	return err
}

// moduleFiles lists the files of the library's module, from the root: none of
// git's, nor of a module that lies inside.
func moduleFiles(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir() && rel != ".":
			entries, err := os.ReadDir(path)
			if err != nil {
				return err
			}
			nested := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "go.mod" })
			if nested || e.Name() == ".git" || e.Name() == "vendor" {
				return fs.SkipDir
			}
		case e.Type().IsRegular() && e.Name() != ".git": // a file in a worktree of git's
			paths = append(paths, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
