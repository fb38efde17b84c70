package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// typechecker finds what wouldn't compile, many times as fast as a compiler. It
// belongs to one goroutine.
type typechecker struct {
	set      *token.FileSet
	imports  types.Importer
	packages map[string]*listed // by directory, from the root, with slashes
	parsed   map[string]*ast.File
}

// listed is a package as go list tells of it.
type listed struct {
	ImportPath, Dir string
	Export          string // the file with its types
	GoFiles         []string
}

// newTypechecker makes a typechecker for packages, by their directories.
func (c *checker) newTypechecker(ctx context.Context, dirs []string) (*typechecker, error) {
	args := []string{"list", "-trimpath", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles"}
	for _, dir := range dirs {
		args = append(args, "./"+dir)
	}
	out, err := c.goCommand(ctx, args...)
	if err != nil {
		return nil, err
	}
	t := &typechecker{set: token.NewFileSet(), packages: map[string]*listed{}, parsed: map[string]*ast.File{}}
	exports := map[string]string{}
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
		if rel, err := filepath.Rel(c.tree, p.Dir); err == nil && filepath.IsLocal(rel) {
			t.packages[filepath.ToSlash(rel)] = &p
		}
	}
	t.imports = importer.ForCompiler(t.set, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	return t, nil
}

// check returns the first error in the package of a file if the file has this
// text.
func (t *typechecker) check(file, text string) error {
	p := t.packages[path.Dir(file)]
	if p == nil || !slices.Contains(p.GoFiles, path.Base(file)) {
		return fmt.Errorf("%s is not built here: no package has it, or only its tests", file)
	}
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := t.parse(filepath.Join(p.Dir, name))
		if name == path.Base(file) {
			f, err = parser.ParseFile(t.set, file, text, parser.SkipObjectResolution)
		}
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	config := types.Config{Importer: t.imports}
	_, err := config.Check(p.ImportPath, t.set, files, nil)
	return err
}

func (t *typechecker) parse(path string) (*ast.File, error) {
	if f := t.parsed[path]; f != nil {
		return f, nil
	}
	f, err := parser.ParseFile(t.set, path, nil, parser.SkipObjectResolution)
	t.parsed[path] = f
	return f, err
}
