package synccli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/trueup-go/trueup/sync"
)

// stateDir is where the file backend records by default, within the directory
// of the declaration.
const stateDir = ".trueup"

func (c *Call) openBackend(ctx context.Context) (sync.Backend, error) {
	if c.Location == "" {
		if c.host.Backends[0].Scheme != "file" {
			return nil, &UsageError{Problem: "--backend is missing", Hint: "give --backend " + c.host.Backends[0].Form}
		}
		if err := c.pathsExist(); err != nil {
			return nil, err
		}
		c.Location = "file:" + filepath.Join(c.Dir(), stateDir)
	}
	var forms []string
	for _, backend := range c.host.Backends {
		if strings.HasPrefix(c.Location, backend.Scheme+":") {
			return backend.Open(ctx, c.Location, c.Scope)
		}
		if backend.Form != "" {
			forms = append(forms, backend.Form)
		}
	}
	// The location may hold a password: show no more of it than its scheme.
	scheme, _, ok := strings.Cut(c.Location, ":")
	if !ok {
		return nil, &UsageError{Problem: fmt.Sprintf("--backend %q names no kind of backend", c.Location),
			Hint: "want " + strings.Join(forms, " or ")}
	}
	return nil, &UsageError{Problem: fmt.Sprintf("--backend %s:… is not in this version of %s", scheme, c.host.Name),
		Hint: "it knows " + strings.Join(forms, " and ")}
}

func (h *Host) withDefaults() *Host {
	host := *h
	if host.Paths == "" {
		host.Paths = "DIR"
	}
	if host.App.Name == "" {
		host.App.Name = "app"
	}
	return &host
}

func (h *Host) manyPaths() bool { return strings.HasSuffix(h.Paths, "…") }

// inDir is how usage shows a place within the directory of the declaration.
func (h *Host) inDir(name string) string {
	if h.manyPaths() {
		return name
	}
	return h.Paths + "/" + name
}
