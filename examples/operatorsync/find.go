package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/examples/operatorsync/internal/apps"
	"github.com/trueup-go/trueup/examples/operatorsync/internal/envfile"
)

// found is an app on this machine: its .env file.
type found struct {
	server, domain string
	path           string
	file           *envfile.File
	err            error // why it can't be read
}

// app is what the file says, without a version.
func (f *found) app() apps.App {
	return apps.App{Recipe: f.file.Recipe(), Environment: f.file.Digest()}
}

// findAll finds the apps of one server or, if that is empty, of all, in their order.
func (p *program) findAll(server string) ([]found, error) {
	pattern := server
	if pattern == "" {
		pattern = "*"
	}
	paths, err := filepath.Glob(p.path("servers", pattern, "*.env"))
	if err != nil {
		return nil, err
	}
	all := make([]found, 0, len(paths))
	for _, path := range paths {
		f := found{
			server: filepath.Base(filepath.Dir(path)), domain: strings.TrimSuffix(filepath.Base(path), ".env"), path: path,
		}
		if f.domain == "" || f.server[0] == '.' {
			continue
		}
		f.file, f.err = readApp(path)
		all = append(all, f)
	}
	return all, nil
}

// find finds one app.
func (p *program) find(domain string) (*found, error) {
	all, err := p.findAll(p.server)
	if err != nil {
		return nil, err
	}
	var here []found
	for _, f := range all {
		if f.domain == domain {
			here = append(here, f)
		}
	}
	switch {
	case len(here) == 0:
		return nil, p.notFound(domain, all)
	case len(here) > 1:
		return nil, fmt.Errorf("%s is on several servers, %s and %s among them: give --server", domain, here[0].server, here[1].server)
	case here[0].err != nil:
		return nil, here[0].err
	}
	return &here[0], nil
}

func (p *program) notFound(domain string, all []found) error {
	where := p.path("servers", "SERVER", domain+".env")
	if p.server != "" {
		where = p.path("servers", p.server, domain+".env")
	}
	if len(all) == 0 {
		return fmt.Errorf("there is no app %s: no %s", domain, where)
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].domain
	}
	slices.Sort(names)
	const most = 10
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return fmt.Errorf("there is no app %s: no %s; there are %s", domain, where, strings.Join(names, ", "))
}

// readApp reads an app's .env file.
func readApp(path string) (*envfile.File, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: who deploys has to read it", err)
	}
	if err != nil {
		return nil, err
	}
	file, err := envfile.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	name := file.Recipe()
	switch {
	case name == "":
		return nil, fmt.Errorf("%s: it doesn't say which recipe the app is of: expected a line TYPE=RECIPE", path)
	case name != filepath.Base(name) || name[0] == '.':
		return nil, fmt.Errorf("%s: TYPE=%s: expected the name of a recipe", path, name)
	}
	return file, nil
}
