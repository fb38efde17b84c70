package deploy

import (
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
)

// composeNames are the files that compose looks for where none is named.
func composeNames() []string {
	return []string{
		"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml",
		"compose.override.yaml", "compose.override.yml", "docker-compose.override.yml", "docker-compose.override.yaml",
	}
}

// reads returns compose files and the files that they name and compose reads, and
// those that these name: other compose files, files of variables, configs. Paths are
// relative to the run directory. Not among them are files of secrets, and what is
// named by a variable. What can't be read, compose complains of.
func reads(run string, files []string) []string {
	r := reader{run: run}
	for _, file := range files {
		r.compose(file, ".")
	}
	slices.Sort(r.paths)
	return r.paths
}

type reader struct {
	run   string
	paths []string
}

// composeFile is what of a compose file names other files.
type composeFile struct {
	Include  yaml.Node `yaml:"include"`
	Services map[string]struct {
		EnvFile yaml.Node `yaml:"env_file"`
		Extends yaml.Node `yaml:"extends"`
	} `yaml:"services"`
	Configs map[string]struct {
		File string `yaml:"file"`
	} `yaml:"configs"`
}

// compose reads a compose file, in which paths start from base: the run directory, or
// that of a file which another one includes.
func (r *reader) compose(path, base string) {
	if !r.add(path) {
		return
	}
	text, err := os.ReadFile(below(r.run, path))
	if err != nil {
		return
	}
	var file composeFile
	if yaml.Unmarshal(text, &file) != nil {
		return
	}
	for _, name := range named(&file.Include, "path") {
		r.compose(below(base, name), filepath.Dir(below(base, name)))
	}
	for _, name := range named(&file.Include, "env_file") {
		r.add(below(base, name))
	}
	for _, service := range file.Services {
		for _, name := range named(&service.EnvFile, "path") {
			r.add(below(base, name))
		}
		if service.Extends.Kind == yaml.MappingNode { // else it is another service of this file
			for _, name := range named(&service.Extends, "file") {
				r.compose(below(base, name), filepath.Dir(below(base, name)))
			}
		}
	}
	for _, config := range file.Configs {
		if config.File != "" {
			r.add(below(base, config.File))
		}
	}
}

// add adds a path, and tells whether it wasn't there.
func (r *reader) add(path string) bool {
	if slices.Contains(r.paths, path) {
		return false
	}
	r.paths = append(r.paths, path)
	return true
}

func below(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// named are the texts of a node: a text, a list of them, or tables that have them at
// a key.
func named(node *yaml.Node, key string) []string {
	var all []string
	switch node.Kind {
	case yaml.ScalarNode:
		return []string{node.Value}
	case yaml.SequenceNode:
		for _, element := range node.Content {
			all = append(all, named(element, key)...)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == key {
				all = append(all, named(node.Content[i+1], key)...)
			}
		}
	}
	return all
}
