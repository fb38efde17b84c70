package main

import (
	"fmt"
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
func (p *program) findAll(server string) []found {
	servers := []string{server}
	if server == "" {
		servers = names(p.path("servers"))
	}
	var all []found
	for _, server := range servers {
		for _, name := range names(p.path("servers", server)) {
			domain, ok := strings.CutSuffix(name, ".env")
			if !ok {
				continue
			}
			f := found{server: server, domain: domain, path: p.path("servers", server, name)}
			f.file, f.err = readApp(f.path)
			all = append(all, f)
		}
	}
	return all
}

// names lists what is in a directory and not hidden: nothing if it isn't one.
func names(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.Name()[0] != '.' {
			names = append(names, e.Name())
		}
	}
	return names
}

// find finds one app.
func (p *program) find(domain string) (*found, error) {
	all := p.findAll(p.server)
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
	file, err := envfile.Read(path)
	if err != nil {
		return nil, err
	}
	if name := file.Recipe(); name != filepath.Base(name) || name[0] == '.' {
		return nil, fmt.Errorf("%s: TYPE=%s: expected the name of a recipe", path, name)
	}
	return file, nil
}
