package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/trueup-go/trueup"

// Modules from outside, with what they bring along.
const (
	multierror = "github.com/hashicorp/go-multierror"
	errwrap    = "github.com/hashicorp/errwrap"
	toml       = "github.com/pelletier/go-toml/v2"
	testify    = "github.com/stretchr/testify"
	yaml       = "go.yaml.in/yaml/v3"
	pgx        = "github.com/jackc/pgx/v5"
	passfile   = "github.com/jackc/pgpassfile"
	services   = "github.com/jackc/pgservicefile"
	puddle     = "github.com/jackc/puddle/v2"
	xsync      = "golang.org/x/sync"
	xtext      = "golang.org/x/text"
)

// allowed says what each package of the library may import beside the standard
// library, directly or through others. A package of our own that is named here
// stands for everything that it may import itself. Packages named internal have
// no line: they count for the package that imports them.
func allowed() map[string][]string {
	return map[string][]string{
		"state":           {},
		"diff":            {"state"},
		"sync":            {"state", "diff", multierror, errwrap},
		"sync/manifest":   {"sync", toml},
		"sync/appsync":    {"sync", "sync/manifest"},
		"sync/filesyncer": {"sync"},
		"sync/syncertest": {"sync", testify, yaml},
		"sync/planhtml":   {"sync"},
		"sync/synccli":    {"sync", "sync/planhtml"},
		"dbsyncer":        {"sync", pgx, passfile, services, xtext},
		"apisyncer":       {"sync"},

		"apisyncer/apiserver":   {"sync"},
		"dbsyncer/dbsyncertest": {pgx, passfile, services, puddle, xsync, xtext},
	}
}

// backends record, each with one technology. They know nothing of each other:
// wiring happens in programs.
func backends() []string { return []string{"apisyncer", "dbsyncer", "sync/filesyncer"} }

// library is what every module that embeds us has to carry, and what our tests
// use. A sixth needs a reason, written in the commit that adds it.
func library() []string {
	return []string{
		multierror,
		toml,
		pgx,
		testify,
		"github.com/google/go-cmp",
	}
}

// TestImports holds the direction of the arrows. What only tests import doesn't
// count: nobody who embeds the library compiles it.
func TestImports(t *testing.T) {
	t.Parallel()
	readAll(t)
	table := allowed()
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()
			for _, p := range listPackages(t, goos) {
				name := ownName(p.ImportPath)
				if isInternal(name) {
					continue
				}
				if _, ok := table[name]; !ok {
					t.Errorf("%s has no line in the table of allowed imports: add one", name)
					continue
				}
				may := closure(table, name)
				for _, dep := range p.Deps {
					if !isStandard(dep) && !isInternal(ownName(dep)) && !may(dep) {
						t.Errorf("%s imports %s: beside the standard library it may import %q only", name, dep, table[name])
					}
				}
			}
		})
	}
}

func TestBackendsDoNotKnowEachOther(t *testing.T) {
	t.Parallel()
	readAll(t)
	for _, p := range listPackages(t, "linux") {
		mine := backendOf(p.ImportPath)
		if mine == "" {
			continue
		}
		for _, dep := range p.Deps {
			if other := backendOf(dep); other != "" && other != mine {
				t.Errorf("%s imports %s: a backend never imports another one", ownName(p.ImportPath), ownName(dep))
			}
		}
	}
}

func TestRequires(t *testing.T) {
	t.Parallel()
	readAll(t)
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Replace []struct{ Old struct{ Path string } }
	}
	if err := json.Unmarshal(goCommand(t, nil, "mod", "edit", "-json", "go.mod"), &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !r.Indirect && !slices.Contains(library(), r.Path) {
			t.Errorf("go.mod requires %s: the library requires %s only", r.Path, strings.Join(library(), ", "))
		}
	}
	for _, r := range mod.Replace {
		t.Errorf("go.mod replaces %s: those who embed the library would not get the replacement", r.Old.Path)
	}
}

type listed struct {
	ImportPath string
	Deps       []string // all of them, but for those of tests
}

// listPackages lists the library's packages as one that embeds it sees them: without the
// workspace, on the given system.
func listPackages(t *testing.T, goos string) []listed {
	t.Helper()
	out := goCommand(t, []string{"GOWORK=off", "CGO_ENABLED=0", "GOOS=" + goos}, "list", "-json=ImportPath,Deps", "./...")
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func goCommand(t *testing.T, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// closure tells whether a package may be imported by the one of that name.
func closure(table map[string][]string, name string) func(path string) bool {
	var own, outside []string
	for next := []string{name}; len(next) > 0; next = next[1:] {
		for _, entry := range table[next[0]] {
			if _, ok := table[entry]; !ok {
				outside = append(outside, entry)
			} else if !slices.Contains(own, entry) {
				own = append(own, entry)
				next = append(next, entry)
			}
		}
	}
	return func(path string) bool {
		return slices.Contains(own, ownName(path)) ||
			slices.ContainsFunc(outside, func(mod string) bool { return within(path, mod) })
	}
}

func backendOf(path string) string {
	for _, b := range backends() {
		if within(path, module+"/"+b) {
			return b
		}
	}
	return ""
}

// ownName is the path of one of our packages below the module's, else "".
func ownName(path string) string {
	name, _ := strings.CutPrefix(path, module+"/")
	if name == path {
		return ""
	}
	return name
}

func isInternal(name string) bool { return slices.Contains(strings.Split(name, "/"), "internal") }

// isStandard goes by the rule that a module's path begins with a host's name,
// which has a dot.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
