package rules

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the repository's, as seen from this package.
const root = "../../.."

// maxLines is where a file has become two nouns.
const maxLines = 700

func TestTopLevel(t *testing.T) {
	t.Parallel()
	fixed := []string{
		"state", "sync", "diff", "apisyncer", "dbsyncer", "examples",
		"go.mod", "go.sum", "go.work", "LICENSE", "README.md",
	}
	// Left there by tools and named in .gitignore.
	leftovers := []string{"go.work.sum", "bin"}

	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, "."), slices.Contains(fixed, name), slices.Contains(leftovers, name):
		case slices.Contains([]string{".test", ".out", ".prof"}, filepath.Ext(name)), strings.HasPrefix(name, "coverage."):
		default:
			t.Errorf("%s: the top level is fixed, new things nest", name)
		}
	}
}

func TestFileLength(t *testing.T) {
	t.Parallel()
	for _, f := range readAll(t) {
		if !f.test && f.lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: split it by its nouns", f.path, f.lines, maxLines)
		}
	}
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	commented := map[string]bool{}
	for _, f := range readAll(t) {
		if !f.test {
			dir := filepath.Dir(f.path)
			commented[dir] = commented[dir] || f.ast.Doc != nil
		}
	}
	for dir, ok := range commented {
		if !ok {
			t.Errorf("%s: no package comment; doc.go says what the package is for", dir)
		}
	}
}

// TestExportedNamesAreDocumented asks for a comment on every exported constant,
// variable, type, function, method and method of an interface. A comment on a
// group counts for its members; fields may be told of in their type's comment.
func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, f := range readAll(t) {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		for _, decl := range f.ast.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s is exported and has no comment", f.at(name), name.Name)
			}
		}
	}
}

// TestNoSleepsNoSkips: a sleep is too long on a fast machine and too short on a
// slow one, and a test that was skipped looks like one that passed.
func TestNoSleepsNoSkips(t *testing.T) {
	t.Parallel()
	for _, f := range readAll(t) {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch {
			case x.Name == "time" && sel.Sel.Name == "Sleep":
				t.Errorf("%s: time.Sleep: wait for the thing itself, or use testing/synctest", f.at(sel))
			case slices.Contains([]string{"t", "b", "f", "tb"}, x.Name) && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name):
				t.Errorf("%s: %s.%s: a test that can't run has failed; say what is missing", f.at(sel), x.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

// undocumented lists the exported names of a declaration that have no comment.
func undocumented(decl ast.Decl) []*ast.Ident {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || receiver(d).IsExported()) {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		var names []*ast.Ident
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, exported(s.Names)...)
				}
			case *ast.TypeSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, exported([]*ast.Ident{s.Name})...)
				}
				if i, ok := s.Type.(*ast.InterfaceType); ok && s.Name.IsExported() {
					for _, m := range i.Methods.List {
						if m.Doc == nil && m.Comment == nil {
							names = append(names, exported(m.Names)...)
						}
					}
				}
			}
		}
		return names
	}
	return nil
}

func exported(names []*ast.Ident) []*ast.Ident {
	var out []*ast.Ident
	for _, n := range names {
		if n.IsExported() {
			out = append(out, n)
		}
	}
	return out
}

// receiver names the type that a method belongs to.
func receiver(d *ast.FuncDecl) *ast.Ident {
	expr := d.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.ParenExpr:
			expr = e.X
		case *ast.Ident:
			return e
		default:
			return ast.NewIdent("_")
		}
	}
}

// A source is one Go file of either module.
type source struct {
	path  string // from the root
	test  bool
	lines int
	ast   *ast.File
	set   *token.FileSet
}

func (s source) at(n ast.Node) string { return s.set.Position(n.Pos()).String() }

// readAll reads every Go file of the repository. The go command remembers which
// files a test has read: without this, it would answer from its cache where the
// test itself only asks another command.
func readAll(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if e.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, rel, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{rel, strings.HasSuffix(name, "_test.go"), bytes.Count(text, []byte("\n")), file, set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("found no Go file: is the repository's root elsewhere?")
	}
	return all
}
