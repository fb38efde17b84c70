package rules

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what embedders pay into testdata")

const budgets = "testdata/embedders.txt"

// TestEmbedders holds what a program pays for importing one of our packages,
// all of it to be fetched, audited and kept up to date by somebody else: what its
// go.mod requires then, how many lines its go.sum has, what it compiles beside
// the standard library. The program is a module of its own and gets the library
// from a module proxy, as a release would come to it.
func TestEmbedders(t *testing.T) {
	t.Parallel()
	e := embedder{env: embedderEnv(t, publish(t)), goVersion: goVersion(t)}
	var names []string
	for _, p := range listPackages(t, "linux") {
		if name := ownName(p.ImportPath); !isInternal(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	paid := make([]string, len(names))
	t.Run("embed", func(t *testing.T) {
		for i, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				paid[i] = e.pays(t, name)
			})
		}
	})
	if t.Failed() {
		return
	}
	now := strings.Join(paid, "\n")
	if *update {
		if err := os.WriteFile(budgets, []byte(now), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(budgets)
	if err != nil {
		t.Fatal(err)
	}
	compareBudgets(t, string(golden), now)
}

// compareBudgets tells, package by package, what is paid now and was not, and
// what is no longer.
func compareBudgets(t *testing.T, before, now string) {
	t.Helper()
	olds, news := budgetsByPackage(before), budgetsByPackage(now)
	for name, lines := range news {
		if changed := changes(olds[name], lines); changed != "" {
			t.Errorf("who imports %s pays something else now:\n%s"+
				"if that is meant: go test ./sync/internal/rules -run TestEmbedders -update, and say why in the commit", name, changed)
		}
	}
	for name := range olds {
		if _, ok := news[name]; !ok {
			t.Errorf("%s is in %s and there is no such package", name, budgets)
		}
	}
}

func budgetsByPackage(text string) map[string][]string {
	budgets := map[string][]string{}
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(block, "\n")
		budgets[lines[0]] = lines[1:]
	}
	return budgets
}

// changes marks the lines that are in one of two lists only.
func changes(before, now []string) string {
	var b strings.Builder
	for _, line := range before {
		if !slices.Contains(now, line) {
			b.WriteString("  -" + line + "\n")
		}
	}
	for _, line := range now {
		if !slices.Contains(before, line) {
			b.WriteString("  +" + line + "\n")
		}
	}
	return b.String()
}

// An embedder is a program that imports one package of the library.
type embedder struct {
	env       []string
	goVersion string // what its go.mod names: the one that the library asks for
}

// pays writes the program, and tells a line each what it has to carry.
func (e embedder) pays(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{
		"go.mod":  fmt.Sprintf("module example.com/embedder\n\ngo %s\n\nrequire %s %s\n", e.goVersion, module, release),
		"main.go": fmt.Sprintf("package main\n\nimport _ %q\n\nfunc main() {}\n", module+"/"+name),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e.run(t, dir, "mod", "tidy")

	lines := []string{name}
	for _, r := range e.requires(t, dir) {
		if r.Path != module {
			line := " requires " + r.Path + " " + r.Version
			if r.Indirect {
				line += " // indirect"
			}
			lines = append(lines, line)
		}
	}
	lines = append(lines, fmt.Sprintf(" has %d lines of go.sum", sumLines(t, dir)))
	compiled := strings.Fields(e.run(t, dir, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+"/"+name))
	slices.Sort(compiled)
	for _, path := range compiled {
		lines = append(lines, " compiles "+path)
	}
	return strings.Join(lines, "\n") + "\n"
}

type requirement struct {
	Path, Version string
	Indirect      bool
}

func (e embedder) requires(t *testing.T, dir string) []requirement {
	t.Helper()
	var mod struct{ Require []requirement }
	if err := json.Unmarshal([]byte(e.run(t, dir, "mod", "edit", "-json")), &mod); err != nil {
		t.Fatal(err)
	}
	return mod.Require
}

func sumLines(t *testing.T, dir string) int {
	t.Helper()
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(sums, []byte("\n"))
}

func (e embedder) run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = e.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s\nModules are taken from the module cache, none over the network. "+
			"If one is missing there, run this in the repository's root: GOWORK=off go mod download",
			strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out)
}

// embedderEnv is an environment for the go command that holds nothing of ours
// but the library, in the proxy, and the modules that were downloaded for it.
func embedderEnv(t *testing.T, proxy string) []string {
	t.Helper()
	var own struct{ GOMODCACHE, GOCACHE string }
	if err := json.Unmarshal(goCommand(t, nil, "env", "-json", "GOMODCACHE", "GOCACHE"), &own); err != nil {
		t.Fatal(err)
	}
	downloaded := filepath.Join(own.GOMODCACHE, "cache", "download")
	return append(os.Environ(),
		"GOENV=off", "GOWORK=off", "GO111MODULE=on", "GOTOOLCHAIN=local",
		"GOPROXY=file://"+filepath.ToSlash(proxy)+",file://"+filepath.ToSlash(downloaded),
		"GOPRIVATE=", "GONOPROXY=none", "GOSUMDB=off",
		// Not the cache that everybody uses: there the release would stay.
		"GOMODCACHE="+t.TempDir(), "GOCACHE="+own.GOCACHE,
		"GOFLAGS=-mod=mod -modcacherw", // writable, so that it can be removed
		"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0",
	)
}

func goVersion(t *testing.T) string {
	t.Helper()
	var mod struct{ Go string }
	if err := json.Unmarshal(goCommand(t, []string{"GOWORK=off"}, "mod", "edit", "-json", "go.mod"), &mod); err != nil {
		t.Fatal(err)
	}
	return mod.Go
}
